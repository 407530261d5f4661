"""GET /v1/app-link-settings/<key>: what the SDKs' integration validators compare an app's own files with."""

from __future__ import annotations

from msgspec import to_builtins
from starlette.responses import Response

from bough.accounts.call import Call
from bough.web.responses import json_response

SHOWN = (
    "android_app",
    "android_package_name",
    "android_uri_scheme",
    "android_app_links_enabled",
    "sha256_cert_fingerprints",
    "ios_app",
    "ios_bundle_id",
    "ios_team_id",
    "ios_uri_scheme",
    "universal_linking_enabled",
)
"""Settings that every installed copy of the app shows anyway; a branch key, which is public, opens nothing else."""


async def app_link_settings(call: Call) -> Response:
    """GET /v1/app-link-settings/<key>."""
    owner = call.context.directory.by_key(call.path["branch_key"])
    domain, alternate = owner.app.domain(owner.test), owner.app.domain(owner.test, "alternate")
    host = domain.host if domain else ""
    return json_response(
        {
            **{name: to_builtins(getattr(owner.app.config, name)) for name in SHOWN},
            "default_short_url_domain": host,
            "short_url_domain": host,
            "alternate_short_url_domain": alternate.host if alternate else "",
        }
    )
