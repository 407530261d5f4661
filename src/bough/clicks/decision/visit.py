"""A click request made ready for deciding: the merged link, the platform, and what people call the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

from msgspec import Struct

from bough.accounts.model import AppConfig
from bough.agents.agent import Agent
from bough.clicks.decision import merge
from bough.clicks.decision.model import ClickRequest
from bough.clicks.query import Query
from bough.links.model import Link

Platform = Literal["ios", "android", "desktop", "windows_phone", "blackberry"]

PLATFORMS: dict[str, Platform] = {
    "ios": "ios",
    "android": "android",
    "fire": "android",
    "windows_phone": "windows_phone",
    "blackberry": "blackberry",
}
"""Operating system to the row of docs/clicks.md; all others are desktops."""

SYSTEM_NAMES = {
    "android": "Android",
    "fire": "Amazon Fire",
    "mac": "Mac",
    "windows": "Windows",
    "linux": "Linux",
    "chromeos": "ChromeOS",
    "windows_phone": "Windows Phone",
    "blackberry": "BlackBerry",
}
"""What a sentence calls the operating system; on iOS the model says more."""


class Visit(Struct, frozen=True, kw_only=True):
    """One visit to a known link."""

    request: ClickRequest
    link: Link
    """Merged with the query."""
    appended: Mapping[str, str]
    """What the click's own query says, which beats the stored data of the same kind."""
    stored: Mapping[str, Any]
    """The data of the link alone."""
    forwarded: Query
    has_app: bool | None
    """None: nothing is known."""
    country: str
    """Lower-case alpha-2, or empty."""

    @property
    def agent(self) -> Agent:
        return self.request.agent

    @property
    def config(self) -> AppConfig:
        return self.request.app.config

    @property
    def data(self) -> Mapping[str, Any]:
        """Stored and appended keys together."""
        return self.link.data

    @property
    def platform(self) -> Platform:
        return PLATFORMS.get(self.agent.os, "desktop")

    @property
    def is_mobile(self) -> bool:
        return self.platform != "desktop"

    @property
    def link_url(self) -> str:
        return self.request.link_url or f"https://{self.link.domain}/{quote(self.link.path, errors='replace')}"


def visit(request: ClickRequest, link: Link) -> Visit:
    """Merge the query and read the switches."""
    query = merge.accepted(request.query)
    country = request.country.lower()
    return Visit(
        request=request,
        link=merge.merge(link, query),
        appended={} if merge.is_long(link) else dict(query),
        stored=link.data,
        forwarded=merge.forwarded(link, query),
        has_app=merge.has_app(request.query, request.installed),
        country=country if len(country) == 2 and country.isascii() and country.isalpha() else "",
    )


def called(agent: Agent) -> str:
    """What a sentence calls the visitor: `iPhone`, `Android (WeChat)`, `Mac`, `Googlebot`, `curl`."""
    if agent.kind != "browser":
        return agent.browser or "A program"
    name = SYSTEM_NAMES.get(agent.os, agent.model or "Desktop")
    if agent.os == "android" and agent.brand in ("Samsung", "Huawei"):
        name = f"{agent.brand} {name}"
    return f"{name} (WeChat)" if agent.browser == "WeChat" else name
