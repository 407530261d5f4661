"""Addresses that open the app: its URI scheme, or Chrome's `intent://` (docs/clicks.md, URI scheme attempt).

`$uri_redirect_mode` says when to try: 0 never when an error could show, 1 when the app is known to be installed (the
default), 2 always. An intent that carries a fallback address shows no error, so it is tried in every mode.
"""

from __future__ import annotations

from msgspec import Struct

from bough.agents.browsers import INTENT_BROWSERS
from bough.clicks.decision import controls
from bough.clicks.decision.app_stores import is_package
from bough.clicks.decision.model import LINK_CLICK_ID
from bough.clicks.decision.visit import Visit
from bough.links.addresses import MAX_ADDRESS, Refused, SafeAddress, encode
from bough.links.targets import read_target, scheme_name

MOBILE_TIMEOUT_MS = 750
DESKTOP_TIMEOUT_MS = 500

MODE_KEYS = {
    "ios": ("$ios_uri_redirect_mode", "$uri_redirect_mode"),
    "android": ("$android_uri_redirect_mode", "$uri_redirect_mode"),
    "desktop": ("$uri_redirect_mode",),
}
"""Platforms on which an app can be tried, and the keys of the mode, the more special first."""

PATH_KEYS = {
    "ios": ("$ios_deeplink_path", "$deeplink_path"),
    "android": ("$android_deeplink_path", "$deeplink_path"),
    "desktop": ("$desktop_deeplink_path", "$deeplink_path"),
}

TIMEOUT_KEYS = {"ios": "$ios_redirect_timeout", "android": "$android_redirect_timeout"}


class Attempt(Struct, frozen=True):
    """An address that may open the app, and why it is tried."""

    url: str
    rule: str
    why: str


def attempt(visit: Visit) -> Attempt | None:
    """How to try to open the app before going on, or None when it is not to be tried."""
    scheme = _scheme(visit)
    if not scheme or visit.has_app is False or isinstance(read_target(f"{scheme}://", visit.config), Refused):
        return None
    path = _path(visit, scheme)
    mode = controls.uri_mode(visit.data, MODE_KEYS[visit.platform], visit.config.uri_redirect_mode)
    if visit.agent.os == "android" and visit.agent.browser in INTENT_BROWSERS:
        return Attempt(
            _intent_url(visit, scheme, path), "open_app_intent", f"{visit.agent.browser} can ask for the app"
        )
    if mode == 2:
        return Attempt(_scheme_url(scheme, path), "open_app_scheme", "$uri_redirect_mode 2 always tries the app")
    if mode == 1 and visit.has_app:
        return Attempt(_scheme_url(scheme, path), "open_app_scheme", "the app is known to be installed")
    return None


def timeout_ms(visit: Visit) -> int:
    """How long to wait for the app on this platform."""
    if visit.platform in TIMEOUT_KEYS:
        return controls.milliseconds(visit.data, TIMEOUT_KEYS[visit.platform], MOBILE_TIMEOUT_MS)
    return MOBILE_TIMEOUT_MS if visit.is_mobile else DESKTOP_TIMEOUT_MS


def target_as_app_url(address: SafeAddress) -> str:
    """A target in an app (`myapp://page`), with the click's id like every other opening."""
    return f"{address.scheme}:{_with_click_id(address.rest)}"


def _scheme(visit: Visit) -> str:
    config = visit.config
    schemes = {
        "ios": config.ios_uri_scheme,
        "android": config.android_uri_scheme,
        "fire": config.android_uri_scheme,
        "mac": config.mac_uri_scheme,
        "windows": config.windows_uri_scheme,
    }
    return scheme_name(schemes.get(visit.agent.os, ""))


def _path(visit: Visit, scheme: str) -> str:
    """What follows `scheme://`; `open` unless the link names a path, with or without the scheme before it."""
    found = (controls.text(visit.data, key) for key in PATH_KEYS[visit.platform])
    path = next((path for path in found if path), "open")
    prefix = f"{scheme}://"
    if path.lower().startswith(prefix):
        path = path[len(prefix) :]
    path = encode(path.lstrip("/"))
    return path if 0 < len(path) <= MAX_ADDRESS else "open"


def _scheme_url(scheme: str, path: str) -> str:
    return f"{scheme}://{_with_click_id(path)}"


def _intent_url(visit: Visit, scheme: str, path: str) -> str:
    """Chrome's form; the fallback address is put in by `bough.clicks.decision.location`, which knows the click's id."""
    package = visit.config.android_package_name
    parts = [f"scheme={scheme};", f"package={package};" if is_package(package) else ""]
    return f"intent://{_with_click_id(path.replace('#', '%23'))}#Intent;{''.join(parts)}end"


def _with_click_id(path: str) -> str:
    before, hash_sign, fragment = path.partition("#")
    return f"{before}{'&' if '?' in before else '?'}link_click_id={LINK_CLICK_ID}{hash_sign}{fragment}"
