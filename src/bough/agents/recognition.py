"""From a User-Agent header (and client hints) to an `Agent`, with a bounded cache in front.

A few thousand different strings make up nearly all traffic; the cache answers them in about 0.1 µs, and a miss costs
some ten microseconds whatever the string holds, because all patterns run in linear time (RE2).
"""

from __future__ import annotations

from functools import lru_cache

from msgspec.structs import replace

from bough.agents.agent import Agent, OperatingSystem
from bough.agents.browsers import browser_of
from bough.agents.devices import DeviceType, android_device, device_of
from bough.agents.robots import robot

MAX_LENGTH = 1024
"""Characters of a User-Agent that are looked at; real ones stay below 500."""

CACHE_SIZE = 8192
"""Different User-Agents kept, at most about 8 MB."""

HINT_PLATFORMS: dict[str, OperatingSystem] = {
    "Android": "android",
    "iOS": "ios",
    "macOS": "mac",
    "Windows": "windows",
    "Linux": "linux",
    "Chrome OS": "chromeos",
    "Chromium OS": "chromeos",
}
"""Values of `Sec-CH-UA-Platform`."""

UNHINTED = ("ios", "windows_phone", "blackberry")
"""Systems whose browsers send no hints."""

BROWSER_MAKES = {"Samsung Internet": "Samsung", "Huawei Browser": "Huawei", "MIUI Browser": "Xiaomi"}
"""Browsers that tell a make when nothing else does."""

_AGREEING: dict[str, tuple[str, ...]] = {"fire": ("fire", "android"), "android": ("android", "linux")}
"""Platforms that say nothing against a system: Fire OS is an Android, and that a Linux."""


def parse(user_agent: str) -> Agent:
    """The Agent behind a User-Agent header; an empty one is a program. Pure and total: no string raises."""
    return _parse(user_agent[:MAX_LENGTH])


def with_hints(
    agent: Agent,
    *,
    platform: str = "",
    platform_version: str = "",
    model: str = "",
    mobile: str = "",
    form_factors: str = "",
) -> Agent:
    """The Agent, with what its browser says of itself in client hints laid over what its User-Agent pretends.

    The arguments are `Sec-CH-UA-Platform`, `-Platform-Version`, `-Model`, `-Mobile` and `-Form-Factors` as received,
    with or without quotes. Only Chromium sends hints, so that a platform that disagrees with a desktop's or Android's
    string is the truth: a tablet in desktop mode says `X11; Linux` and `"Android"`. No browser of iOS, Windows Phone or
    BlackBerry sends them, so that hints beside such a string come from something else and are not believed; neither are
    those of robots, scrapers and programs.
    """
    if agent.kind != "browser" or agent.os in UNHINTED:
        return agent
    system = HINT_PLATFORMS.get(_unquoted(platform), "")
    if system and system not in _AGREEING.get(agent.os, (agent.os,)):
        agent = _disguised(agent, system)
    version = _printable(_unquoted(platform_version)[:32])
    if system and version and agent.os != "fire":
        agent = replace(agent, os_version=version)
    if agent.os != "android":
        return agent
    agent = replace(agent, device=_form(mobile, form_factors) or agent.device)
    return _with_model(agent, _printable(_unquoted(model)[:64]), version)


def usual_hints(agent: Agent) -> tuple[bytes, bytes]:
    """The platform and the mobile hint that say nothing new beside an Agent's User-Agent."""
    platform = next((name for name, system in HINT_PLATFORMS.items() if system == agent.os), "")
    platform = "Android" if agent.os == "fire" else platform
    return f'"{platform}"'.encode(), b"?1" if agent.device == "phone" else b"?0"


@lru_cache(maxsize=CACHE_SIZE)
def _parse(header: str) -> Agent:
    user_agent = _printable(header)
    if found := robot(user_agent):
        kind, name = found
        return Agent(kind=kind, browser=name)
    device = device_of(user_agent)
    browser, version = browser_of(user_agent)
    return Agent(
        kind="browser",
        os=device.os,
        os_version=device.os_version,
        device=device.device,
        brand=device.brand,
        model=device.model,
        browser=browser,
        browser_version=version,
    )


def _printable(text: str) -> str:
    """Control characters and broken Unicode become `?`: names and models end up in rows and pages."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text)


def _unquoted(hint: str) -> str:
    return hint.strip(' "')


def _disguised(agent: Agent, system: OperatingSystem) -> Agent:
    """The Agent on the system that its hint names; what its string says of another machine is dropped."""
    brand = BROWSER_MAKES.get(agent.browser, "") if system == "android" else ""
    brand = "Apple" if system in ("ios", "mac") else brand
    model = {"ios": "iPad", "mac": "Mac"}.get(system, "")
    device: DeviceType = "tablet" if system in ("android", "ios") else "desktop"
    return replace(agent, os=system, os_version="", device=device, brand=brand, model=model)


def _with_model(agent: Agent, model: str, version: str) -> Agent:
    """An Android's model and make by the model's hint; `version` is what the platform's version hint says."""
    if model in ("", "K"):
        return agent
    known = version or (agent.os_version if agent.model else "")  # beside `K` the version is frozen, too
    main = known.partition(".")[0][:3]
    brand, name, device = android_device(model, int(main) if main.isdecimal() else 0, agent.device)
    system: OperatingSystem = "fire" if brand == "Amazon" else "android"
    return replace(agent, os=system, device=device, brand=brand or agent.brand, model=name)


def _form(mobile: str, form_factors: str) -> DeviceType:
    """Phone or tablet by `Sec-CH-UA-Form-Factors`, else by `Sec-CH-UA-Mobile`; empty when they do not say."""
    factors = {_unquoted(one) for one in form_factors.split(",")}
    if "Tablet" in factors:
        return "tablet"
    said = "?1" if "Mobile" in factors else mobile.strip()
    return "phone" if said == "?1" else "tablet" if said == "?0" else ""
