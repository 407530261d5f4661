"""The two files by which iOS and Android learn that an app owns a link domain (docs/clicks.md).

Both are answered directly, never by a redirect, as `CONTENT_TYPE`, at every address in `APPLE_PATHS` and
`ANDROID_PATH` of every host the app has (default, alternate and custom). One host may serve several apps, told apart by
the four-character prefix of their links.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bough.accounts.model import App
from bough.accounts.setting_checks import canonical_fingerprint

CONTENT_TYPE = "application/json"

APPLE_PATHS = ("/.well-known/apple-app-site-association", "/apple-app-site-association")
ANDROID_PATH = "/.well-known/assetlinks.json"


def apple_app_site_association(apps: Sequence[App], host: str) -> bytes:
    """The `applinks` of all `apps` on `host` that have universal links switched on, a team id and a bundle id.

    Web-only addresses (`/e/…`) never open the app. iOS asks the entries in order, so that apps with a prefix come
    before the one that takes the rest of the host, and that one leaves their prefixes alone.
    """
    taken = tuple(prefix for app in apps for prefix in _prefixes(app, host) if prefix)
    details = []
    for app in sorted(apps, key=lambda app: "" in _prefixes(app, host)):
        own = _prefixes(app, host)
        if own and _has_ios(app):
            app_id = f"{app.config.ios_team_id}.{app.config.ios_bundle_id}"
            details.append({"appID": app_id, "paths": _paths(own, [prefix for prefix in taken if prefix not in own])})
    return msgspec.json.encode({"applinks": {"apps": [], "details": details}})


def assetlinks(apps: Sequence[App]) -> bytes:
    """One statement for each of `apps` that has App Links switched on, a package name and certificate fingerprints.

    Google's format knows no paths, so that the file is the same on all hosts of the same apps.
    """
    statements = []
    for app in apps:
        config = app.config
        fingerprints = [text for text in map(canonical_fingerprint, config.sha256_cert_fingerprints) if text]
        if config.android_app_links_enabled and config.android_package_name and fingerprints:
            target = {
                "namespace": "android_app",
                "package_name": config.android_package_name,
                "sha256_cert_fingerprints": fingerprints,
            }
            statements.append({"relation": ["delegate_permission/common.handle_all_urls"], "target": target})
    return msgspec.json.encode(statements)


def _has_ios(app: App) -> bool:
    return bool(app.config.universal_linking_enabled and app.config.ios_team_id and app.config.ios_bundle_id)


def _prefixes(app: App, host: str) -> tuple[str, ...]:
    """The prefixes under which `app` has links on `host`; empty text means the whole host."""
    return tuple(dict.fromkeys(domain.prefix for domain in app.domains if domain.host == host))


def _paths(own: Sequence[str], foreign: Sequence[str]) -> list[str]:
    """Path patterns, the first that matches decides. `foreign` are the prefixes of the other apps on the host."""
    prefixes = [prefix for prefix in own if prefix]
    web_only = [f"NOT /{prefix}/e/*" for prefix in prefixes]
    if "" in own:
        return ["NOT /e/*", *web_only, *(f"NOT /{prefix}/*" for prefix in foreign), "*", "/"]
    return web_only + [path for prefix in prefixes for path in (f"/{prefix}/*", f"/{prefix}")]
