"""One open or install request, whatever SDK sent it, as typed values (docs/sdk.md, docs/events.md).

Dirty values are tolerated: a field that cannot be read counts as not sent. `Evidence` is what the request says about
the link that led here; `identifiers` is who it comes from, after privacy settings have taken theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from bough.attribution.rules.referrer import Referrer, parse_referrer
from bough.clicks.query import query_of
from bough.events import identifiers as ids
from bough.events.identifiers import Identifier, Privacy
from bough.events.server_fields import ServerFields
from bough.vocabulary.values import first, flag, text, whole

Platform = Literal["web", "ios", "android"]
Source = Literal["link_identifier", "link_click_id", "store_referrer", "pasteboard", "app_link", "universal_link"]


class Named(Struct, frozen=True):
    """A click id that the request names, and where it stood."""

    id: str
    source: Source


class OpenedUrl(Struct, frozen=True):
    """An address that opened the app, or lay on the pasteboard."""

    url: str
    source: Source


class Evidence(Struct, frozen=True, kw_only=True):
    """What the request says about the link that led here."""

    clicks: tuple[Named, ...] = ()
    """Click ids in the order of trust, once each."""
    urls: tuple[OpenedUrl, ...] = ()
    """http(s) addresses, in the order of trust."""
    own_scheme: str = ""
    """`external_intent_uri` when it has a scheme of the app's own and names no click: no link of ours led here."""
    referrer: Referrer = Referrer()
    gclid: str = ""
    page: str = ""
    """Web: the page's own address."""
    page_referrer: str = ""


class Opening(Struct, frozen=True, kw_only=True):
    """One open or install request."""

    request: Literal["open", "install"]
    platform: Platform
    server_to_server: bool = False
    sdk: str = ""
    identity: str = ""
    identifiers: tuple[Identifier, ...] = ()
    privacy: Privacy = Privacy()
    evidence: Evidence = Evidence()
    has_token: bool = False
    """The request carries a bundle token (or Web identity id) of an earlier answer."""
    ip: str = ""
    user_agent: str = ""
    country: str = ""
    os: str = ""
    """`ios`, `android`, `fire`, `mac`, `windows`, … as in `bough.agents.agent`; empty when unknown."""
    os_version: str = ""
    """Dotted release number, never an Android API level; empty when unknown."""
    model: str = ""
    brand: str = ""
    screen: tuple[int, int] | None = None
    """Width and height in pixels, the smaller first."""
    language: str = ""
    app_version: str = ""
    environment: str = ""
    """FULL_APP, INSTANT_APP, …"""
    app_store: str = ""
    update: int | None = None
    """0 fresh, 1 same version as last time, 2 updated."""
    first_install_time: int | None = None
    """Epoch milliseconds, by the device's clock."""
    request_id: str = ""
    retry_number: int = 0


def parse_opening(body: Mapping[str, Any], request: Literal["open", "install"], facts: ServerFields) -> Opening:
    """Read a decoded body of `/v1/open` or `/v1/install`. Never raises: what cannot be read counts as not sent."""
    platform = platform_of(body)
    allowed = ids.privacy(body, {})
    os_name = _system(body, platform)
    return Opening(
        request=request,
        platform=platform,
        server_to_server=bool(flag(body.get("server_to_server"))),
        sdk=text(body.get("sdk"), 64),
        identity=ids.clean("identity", first(body, "identity", "developer_identity")),
        identifiers=ids.extract(body, {}, facts, allowed),
        privacy=allowed,
        evidence=_evidence(body),
        has_token=bool(ids.clean("bundle", first(body, "randomized_bundle_token", "identity_id"))),
        ip=facts.ip or text(body.get("ip"), 64),
        user_agent=text(body.get("user_agent")) or facts.user_agent,
        country=text(body.get("country"), 8).upper() or facts.country,
        os=os_name,
        os_version=_version(body, os_name),
        model=text(body.get("model"), 128),
        brand=text(body.get("brand"), 128),
        screen=_screen(body),
        language=text(body.get("language"), 16).lower(),
        app_version=text(body.get("app_version"), 128),
        environment=text(body.get("environment"), 64),
        app_store=text(body.get("app_store"), 64),
        update=whole(body.get("update")),
        first_install_time=whole(body.get("first_install_time")),
        request_id=ids.clean("request", body.get("branch_sdk_request_unique_id")),
        retry_number=whole(body.get("retryNumber")) or 0,
    )


def platform_of(body: Mapping[str, Any]) -> Platform:
    """Which of the three worlds a request is from: by its SDK, else by `os`, else the Web."""
    sdk = text(body.get("sdk"), 64).casefold()
    for platform in ("android", "ios", "web"):
        if sdk.startswith(platform):
            return platform
    return PLATFORM_OF_OS.get(text(body.get("os"), 32).casefold(), "web")


PLATFORM_OF_OS: dict[str, Platform] = {
    "ios": "ios",
    "ipados": "ios",
    "tvos": "ios",
    "mac_os": "ios",
    "android": "android",
    "fire_os": "android",
}
"""`os` of an app's request that names no SDK, as a server's does → platform."""

SYSTEMS: dict[str, str] = {
    "ios": "ios",
    "ipados": "ios",
    "tvos": "ios",
    "android": "android",
    "fire_os": "fire",
    "mac_os": "mac",
    "macos": "mac",
    "mac os x": "mac",
    "windows": "windows",
    "linux": "linux",
    "chrome_os": "chromeos",
    "chrome os": "chromeos",
}
"""`os` as SDKs write it → the name that `bough.agents.agent` uses."""

ANDROID_RELEASES: dict[int, str] = {
    21: "5.0", 22: "5.1", 23: "6.0", 24: "7.0", 25: "7.1", 26: "8.0", 27: "8.1", 28: "9",
    29: "10", 30: "11", 31: "12", 32: "12", 33: "13", 34: "14", 35: "15", 36: "16",
}  # fmt: skip
"""API level → release: Android's `os_version` is the level, its browser's User-Agent has the release. Levels that no
SDK of today runs on are left out, so that a server's `os_version` "16" can mean Android 16."""


def _system(body: Mapping[str, Any], platform: Platform) -> str:
    if platform == "web":
        # The Web SDK says no system in `os`; the User-Agent does, and is compared where it is needed.
        return SYSTEMS.get(text(body.get("os"), 32).casefold(), "")
    return SYSTEMS.get(text(body.get("os"), 32).casefold(), "") or platform


def _version(body: Mapping[str, Any], os_name: str) -> str:
    if os_name in ("android", "fire"):
        release = text(body.get("os_version_android"), 32)
        if release:
            return release
        level = whole(body.get("os_version"))
        if level is not None and level >= 21:
            return ANDROID_RELEASES.get(level, "")
    written = text(body.get("os_version"), 32)
    return written if written[:1].isdigit() else ""


def _screen(body: Mapping[str, Any]) -> tuple[int, int] | None:
    width, height = whole(body.get("screen_width")), whole(body.get("screen_height"))
    if width is None or height is None or width <= 0 or height <= 0:
        return None
    return (min(width, height), max(width, height))


MAX_ADDRESS = 17 * 1024
"""Characters of an address that opened the app: as much as a browser may ask this server for."""

_EVIDENCE = frozenset(
    {
        "install_referrer_extras",
        "google_search_install_referrer",
        "link_identifier",
        "link_click_id",
        "external_intent_uri",
        "android_app_link_url",
        "universal_link_url",
        "local_url",
        "gclid",
        "current_url",
        "initial_referrer",
    }
)
"""Every field that `_evidence` reads."""

_NO_EVIDENCE = Evidence()
_OWN_SCHEME = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def _evidence(body: Mapping[str, Any]) -> Evidence:
    if _EVIDENCE.isdisjoint(body):
        return _NO_EVIDENCE
    referrer = parse_referrer(text(first(body, "install_referrer_extras", "google_search_install_referrer")))
    clicks: dict[str, Named] = {}
    urls: list[OpenedUrl] = []

    def name(value: object, source: Source) -> None:
        written = text(value, 64)
        if written and written.isascii() and written.isalnum():
            clicks.setdefault(written, Named(written, source))

    name(body.get("link_identifier"), "link_identifier")
    name(body.get("link_click_id"), "link_click_id")
    name(referrer.click_id, "store_referrer")
    intent = text(body.get("external_intent_uri"), MAX_ADDRESS)
    addresses: tuple[tuple[str, Source], ...] = (
        (text(body.get("android_app_link_url"), MAX_ADDRESS), "app_link"),
        (text(body.get("universal_link_url"), MAX_ADDRESS), "universal_link"),
        (text(body.get("local_url"), MAX_ADDRESS), "pasteboard"),
        (intent, "link_identifier"),
    )
    for address, source in addresses:
        if not address:
            continue
        name(_query(address).get("link_click_id"), source)
        if address[:8].casefold().startswith(("http://", "https://")) and source != "link_identifier":
            urls.append(OpenedUrl(address, source))
    return Evidence(
        clicks=tuple(clicks.values()),
        urls=tuple(urls),
        own_scheme=intent if _OWN_SCHEME.match(intent) and not _query(intent).get("link_click_id") else "",
        referrer=referrer,
        gclid=text(first(body, "gclid"), 512) or referrer.gclid,
        page=text(body.get("current_url")),
        page_referrer=text(body.get("initial_referrer")),
    )


def _query(address: str) -> dict[str, str]:
    return {key: value for key, value in query_of(address) if value}
