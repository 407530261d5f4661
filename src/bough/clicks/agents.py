"""From a User-Agent header (and client hints) to an `Agent`, with a bounded cache in front.

A few thousand different strings make up nearly all traffic; the cache answers them in about 0.1 µs, and a miss costs
some ten microseconds whatever the string holds, because all patterns run in linear time (RE2).
"""

from __future__ import annotations

from functools import lru_cache

from msgspec.structs import replace

from bough.agents.robots import robot
from bough.clicks.agent import Agent, OperatingSystem
from bough.clicks.browsers import browser_of
from bough.clicks.devices import device_of

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


def parse(user_agent: str) -> Agent:
    """The Agent behind a User-Agent header; an empty one is a program. Pure and total: no string raises."""
    return _parse(user_agent[:MAX_LENGTH])


def with_hints(agent: Agent, *, platform: str = "", platform_version: str = "", model: str = "") -> Agent:
    """The Agent, with what Chrome's reduced User-Agent hides filled in from client hints.

    The arguments are `Sec-CH-UA-Platform`, `-Platform-Version` and `-Model` as received, with or without quotes.
    Hints of robots, scrapers and programs are not believed.
    """
    system = HINT_PLATFORMS.get(platform.strip(' "'), "")
    if agent.kind != "browser" or system != agent.os or not system:
        return agent
    return _hinted(agent, _printable(platform_version.strip(' "')[:32]), _printable(model.strip(' "')[:64]))


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


def _hinted(agent: Agent, version: str, model: str) -> Agent:
    if agent.os == "android" and model:
        named = device_of(f"Mozilla/5.0 (Linux; Android 0; {model.replace(')', '')}) Mobile")
        agent = replace(agent, model=named.model, brand=named.brand or agent.brand)
    return replace(agent, os_version=version) if version else agent
