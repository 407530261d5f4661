"""The places a visit could lead to, in their order, and the first of them that may be used (docs/clicks.md).

A candidate is an address with the key or setting that holds it. Candidates that fail the security tests of
`bough.links.targets` are passed over at click time too, and are remembered so that the reason can say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal
from urllib.parse import unquote

from msgspec import Struct

from bough.clicks.decision import controls
from bough.clicks.decision.app_stores import amazon_store_url, is_store, play_store_url
from bough.clicks.decision.visit import Visit
from bough.links.addresses import Refused, SafeAddress
from bough.links.targets import read_target


class Candidate(Struct, frozen=True):
    """One address that is set somewhere."""

    rule: str
    """Key of `bough.clicks.decision.rules.RULES`."""
    key: str
    """The data key, or empty for a setting of the app."""
    url: str
    said: str
    """What a sentence calls it: `the link's $ios_url`."""


class Choice(Struct, frozen=True):
    """The first usable candidate, if any, and what was passed over on the way."""

    candidate: Candidate | None
    address: SafeAddress | None
    notes: tuple[str, ...]
    """`the link's $ios_url doesn't pass …` for each one refused."""

    @property
    def is_store(self) -> bool:
        return self.address is not None and is_store(self.address)


Accept = Literal["any", "web", "page"]
"""`any`: also addresses in an app; `web`: http(s) alone; `page`: http(s) and no store."""

Keys = Sequence[tuple[str, str]]
"""(data key, rule) in order of precedence."""

DESKTOP_KEYS: dict[str, Keys] = {
    "mac": (("$mac_desktop_url", "mac_desktop_url"), ("$desktop_url", "desktop_url")),
    "windows": (("$windows_desktop_url", "windows_desktop_url"), ("$desktop_url", "desktop_url")),
}
"""Keys of desktops by operating system; others have `$desktop_url` alone."""

BRAND_KEYS: dict[str, tuple[str, str]] = {
    "Samsung": ("$samsung_url", "samsung_url"),
    "Huawei": ("$huawei_url", "huawei_url"),
    "Amazon": ("$fire_url", "fire_url"),
}
"""Keys of Android devices by brand."""


def platform_keys(visit: Visit) -> Keys:
    """The link's own keys for the visitor's platform, the most special first."""
    if visit.platform == "ios":
        return tuple(_ios_keys(visit))
    if visit.platform == "android":
        return tuple(_android_keys(visit))
    if visit.platform == "windows_phone":
        return (("$windows_phone_url", "windows_phone_url"),)
    if visit.platform == "blackberry":
        return (("$blackberry_url", "blackberry_url"),)
    return DESKTOP_KEYS.get(visit.agent.os, (("$desktop_url", "desktop_url"),))


def fallback_keys(visit: Visit) -> Keys:
    """`$fallback_url`, the visitor's country first."""
    country = ((f"$fallback_url_{visit.country}", "fallback_country_url"),) if visit.country else ()
    return (*country, ("$fallback_url", "fallback_url"))


CONTENT_KEYS: Keys = (("$original_url", "original_url"), ("$canonical_url", "canonical_url"))
"""Where the content lives on the web: the last resort of a link that must go to the web."""


def from_link(visit: Visit, keys: Keys) -> Iterator[Candidate]:
    """The link's candidates: what the click's query says comes before what is stored."""
    for key, rule in keys:
        if url := controls.text(visit.appended, key):
            yield Candidate(rule, key, url, f"the {key} given with the click")
    for key, rule in keys:
        if url := controls.text(visit.stored, key):
            yield Candidate(rule, key, url, f"the link's {key}")


def from_app(visit: Visit) -> Iterator[Candidate]:
    """The app's settings for the visitor's platform: custom URL or store, then the default URL."""
    config = visit.config
    if visit.platform == "ios":
        yield from _setting("app_ios_url", "custom iOS URL (ios_url)", config.ios_url if config.ios_app == 2 else "")
        yield from _setting("app_store", "App Store page (ios_url)", config.ios_url if config.ios_app == 1 else "")
    elif visit.platform == "android":
        yield from _android_settings(visit)
    elif visit.platform == "windows_phone":
        yield from _setting("app_windows_phone_url", "Windows Phone URL (windows_phone_url)", config.windows_phone_url)
    elif visit.platform == "blackberry":
        yield from _setting("app_blackberry_url", "BlackBerry URL (blackberry_url)", config.blackberry_url)
    else:
        yield from _setting("app_desktop_url", "desktop URL (default_desktop_url)", config.default_desktop_url)
        return
    yield from _setting("app_default_url", "default URL (web_url)", config.web_url)


def web_settings(visit: Visit) -> Iterator[Candidate]:
    """The app's settings that are web pages for everybody."""
    if not visit.is_mobile:
        yield from _setting("app_desktop_url", "desktop URL (default_desktop_url)", visit.config.default_desktop_url)
    yield from _setting("app_default_url", "default URL (web_url)", visit.config.web_url)


def store_settings(visit: Visit) -> Iterator[Candidate]:
    """The app's store pages, for robots and programs that find nothing else."""
    config = visit.config
    yield from _setting("app_store", "App Store page (ios_url)", config.ios_url if config.ios_app == 1 else "")
    if config.android_app == 1 and config.android_package_name:
        yield from _setting(
            "play_store", "Play Store page (android_package_name)", play_store_url(config.android_package_name)
        )


def pick(visit: Visit, candidates: Iterable[Candidate], accept: Accept = "any") -> Choice:
    """The first candidate that may be used and is of an accepted sort."""
    notes: list[str] = []
    for candidate in candidates:
        address = read_target(candidate.url, visit.config)
        why = _why_not(visit, address, accept)
        if why:
            notes.append(f"{candidate.said} {why}")
        elif isinstance(address, SafeAddress):
            return Choice(candidate, address, tuple(notes))
    return Choice(None, None, tuple(notes))


def _why_not(visit: Visit, address: SafeAddress | Refused, accept: Accept) -> str:
    if isinstance(address, Refused):
        return address.why
    if accept != "any" and not address.is_web:
        return "is no web address"
    if accept == "page" and is_store(address):
        return "is a store page"
    return "points back at the link itself" if _is_this_link(visit, address) else ""


def _is_this_link(visit: Visit, address: SafeAddress) -> bool:
    """Whether following the address would end in a circle: the link itself, with or without `/e/`."""
    if not address.is_web or address.authority != visit.link.domain or not visit.link.path:
        return False
    return unquote(address.path).removeprefix("/").removeprefix("e/").rstrip("/") == visit.link.path.rstrip("/")


def _ios_keys(visit: Visit) -> Iterator[tuple[str, str]]:
    if visit.agent.browser == "WeChat":
        yield "$ios_wechat_url", "ios_wechat_url"
    if visit.has_app:
        yield "$ios_has_app_url", "ios_has_app_url"
    if visit.agent.device == "tablet":
        yield "$ipad_url", "ipad_url"
    if visit.country:
        yield f"$ios_url_{visit.country}", "ios_country_url"
    yield "$ios_url", "ios_url"


def _android_keys(visit: Visit) -> Iterator[tuple[str, str]]:
    if visit.agent.browser == "WeChat":
        yield "$android_wechat_url", "android_wechat_url"
    if visit.agent.brand in BRAND_KEYS:
        yield BRAND_KEYS[visit.agent.brand]
    if visit.country:
        yield f"$android_url_{visit.country}", "android_country_url"
    yield "$android_url", "android_url"


def _android_settings(visit: Visit) -> Iterator[Candidate]:
    config = visit.config
    fire = visit.agent.os == "fire"
    package = config.android_package_name if config.android_app == 1 else ""
    if fire:
        yield from _setting("app_fire_url", "Amazon Fire URL (fire_url)", config.fire_url)
    elif visit.agent.device == "tablet":
        yield from _setting(
            "app_android_tablet_url", "Android tablet URL (android_tablet_url)", config.android_tablet_url
        )
    yield from _setting(
        "app_android_url", "custom Android URL (android_url)", config.android_url if config.android_app == 2 else ""
    )
    if package and fire:
        yield from _setting("amazon_store", "page in Amazon's store (android_package_name)", amazon_store_url(package))
    elif package:
        yield from _setting("play_store", "Play Store page (android_package_name)", play_store_url(package))


def _setting(rule: str, name: str, url: str) -> Iterator[Candidate]:
    if url:
        yield Candidate(rule, "", url, f"the app's {name}")
