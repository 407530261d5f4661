"""Which addresses a link may send people to (docs/links.md, docs/clicks.md).

A target is http(s) or uses a scheme that the app has registered. An app with an allowlist sends nowhere else: neither
by a link's `$…_url` keys nor by its own settings, as at Branch. The same test runs when a link is created (400) and
again at every click, because a click's query and a changed allowlist come later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from bough.accounts.model import App, AppConfig
from bough.errors import BadRequest
from bough.links.addresses import WEB_SCHEMES, Refused, SafeAddress, read_address

TargetUse = Literal["redirect", "content"]

TARGET_KEYS: dict[str, TargetUse] = {
    "$fallback_url": "redirect",
    "$desktop_url": "redirect",
    "$mac_desktop_url": "redirect",
    "$windows_desktop_url": "redirect",
    "$ios_url": "redirect",
    "$ipad_url": "redirect",
    "$ios_has_app_url": "redirect",
    "$ios_wechat_url": "redirect",
    "$android_url": "redirect",
    "$android_wechat_url": "redirect",
    "$samsung_url": "redirect",
    "$huawei_url": "redirect",
    "$fire_url": "redirect",
    "$windows_phone_url": "redirect",
    "$blackberry_url": "redirect",
    "$original_url": "redirect",
    "$after_click_url": "redirect",
    "$afterclick_desktop_url": "redirect",
    "$og_redirect": "redirect",
    "$canonical_url": "content",
    "$og_url": "content",
    "$og_image_url": "content",
    "$og_video": "content",
    "$twitter_image_url": "content",
    "$twitter_player": "content",
}
"""Every key that holds an address. `redirect`: people are sent there; `content`: it stands in a page's meta tags, may
be on any host and need not be a whole address (SDKs put content paths into `$canonical_url`), but never a script."""

COUNTRY_KEYS = ("$fallback_url", "$ios_url", "$android_url")
"""Keys that also exist per country, as `$ios_url_de` (lower-case ISO 3166 alpha-2)."""

NEVER = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "intent"})
"""Schemes that no app can register: scripts, local files, and Android intents, which would get around the allowlist."""

NOT_ON_THE_ALLOWLIST = "doesn't pass the app's redirect allowlist"
SECURITY_TEST = "URL doesn't pass security test(s)"

_SCHEME_NAME = re.compile(r"[a-z][a-z0-9+.-]{0,63}")
_SCRIPT = re.compile(r"[\x00-\x20]*(javascript|data|vbscript|file|blob)[\x00-\x20]*:", re.IGNORECASE)
_UNSET = (None, "", False, "false")


def read_target(url: str, config: AppConfig) -> SafeAddress | Refused:
    """The address to send people to, or why it may not be used."""
    address = read_address(url)
    if isinstance(address, Refused):
        return address
    if not address.is_web and address.scheme not in registered_schemes(config):
        return Refused(f"uses the scheme {address.scheme}, which the app has not registered")
    if config.redirect_allowlist and not any(_allows(entry, address) for entry in config.redirect_allowlist):
        return Refused(NOT_ON_THE_ALLOWLIST)
    return address


def check_target(url: str, app: App, key: str = "The address") -> None:
    """Raise BadRequest, naming `key`, when people may not be sent to `url`."""
    found = read_target(url, app.config)
    if isinstance(found, Refused):
        raise BadRequest(SECURITY_TEST if found.why == NOT_ON_THE_ALLOWLIST else f"{key} {found.why}.")


def check_targets(data: Mapping[str, Any], app: App) -> None:
    """Raise BadRequest for the first `$…_url` of a link's data that may not be stored (keys of TARGET_KEYS)."""
    for key, value in data.items():
        use = target_use(key)
        if use is None or value in _UNSET:
            continue
        if not isinstance(value, str):
            raise BadRequest(f"{key} must be a string.")
        if use == "redirect":
            check_target(value, app, key)
        elif _SCRIPT.match(value):
            raise BadRequest(f"{key} must be a web address.")


def target_use(key: str) -> TargetUse | None:
    """What a data key's address is used for, or None when the key holds none. Knows country variants."""
    if key in TARGET_KEYS:
        return TARGET_KEYS[key]
    base, _, country = key.rpartition("_")
    if base in COUNTRY_KEYS and len(country) == 2 and country.isascii() and country.isalpha() and country.islower():
        return TARGET_KEYS[base]
    return None


def registered_schemes(config: AppConfig) -> frozenset[str]:
    """The custom schemes of an app, lower case and without `://`."""
    own = (config.ios_uri_scheme, config.android_uri_scheme, config.mac_uri_scheme, config.windows_uri_scheme)
    names = (scheme_name(text) for text in own + config.uri_schemes)
    return frozenset(name for name in names if name)


@lru_cache(maxsize=1024)
def scheme_name(setting: str) -> str:
    """`myapp` for the setting `MyApp://`; empty when it is unset or can be no app's scheme."""
    name = setting.strip().partition(":")[0].lower()
    return name if _SCHEME_NAME.fullmatch(name) and name not in NEVER and name not in WEB_SCHEMES else ""


def _allows(entry: str, address: SafeAddress) -> bool:
    """Whether one entry (`example.com`, `*.example.com`, `myapp://`) covers the address."""
    scheme, separator, rest = entry.strip().lower().rpartition("://")
    if separator and scheme != address.scheme:
        return False
    host = rest.partition("/")[0]
    if not host:
        return bool(separator)
    if not address.is_web:
        return False
    if host.startswith("*."):
        return address.host.endswith(host[1:])
    return host in (address.host, address.authority)
