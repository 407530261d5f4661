"""Who asks when it is no person: search robots, social scrapers and programs (contract/links.md §3.2, first two rows).

The names come from the public list `crawler-user-agents`, matched all at once by an RE2 set, so that the time is linear
in the length of a hostile User-Agent. The list is about *requests*, and a few of its names are also worn by people: an
in-app browser says `Viber/…` just as Viber's preview fetcher does. Those exceptions are the two tables below.
"""

from __future__ import annotations

from typing import Literal

import re2
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

RobotKind = Literal["social", "robot", "program"]

PEOPLE = frozenset({"MetaIAB Facebook", "Code\\/1\\.", "Trae\\/", "Fluid", "Synapse"})
"""Patterns of the list that are browsers of people: Meta's in-app view, editors and site-specific browsers with a web
view, and one (`Synapse`, Matrix's preview fetcher) that matches unrelated in-app tokens."""

BARE_ONLY = frozenset({"Viber", "WhatsApp", "Notion\\/", "Tumblr\\/", "Bluesky\\/", "Goodreads"})
"""Names that a preview fetcher sends alone (`WhatsApp/2.23 A`) and an app's own web view appends to a browser's string;
they count only when the User-Agent does not begin with `Mozilla/`."""

NAMED: tuple[tuple[str, RobotKind, str], ...] = (
    ("kakaotalk-scrap", "social", "KakaoTalk"),
    ("line-poker", "social", "LINE"),
    ("Slackbot", "social", "Slack"),
    ("Slack-ImgProxy", "social", "Slack"),
    ("LinkedInBot", "social", "LinkedIn"),
    ("TelegramBot", "social", "Telegram"),
    ("WhatsApp", "social", "WhatsApp"),
    ("Discordbot", "social", "Discord"),
    ("SkypeUriPreview", "social", "Skype"),
    ("Pinterest", "social", "Pinterest"),
    ("redditbot", "social", "Reddit"),
    ("Snap URL Preview", "social", "Snapchat"),
    ("Viber", "social", "Viber"),
    ("facebookexternalhit", "social", "Facebook"),
    ("Facebot", "social", "Facebook"),
    ("Twitterbot", "social", "X"),
    ("Google-InspectionTool", "robot", "Google-InspectionTool"),
    ("Googlebot", "robot", "Googlebot"),
    ("AASA-Bot", "robot", "AASA-Bot"),
)
"""Names for people, in the order in which they win: KakaoTalk and LINE also say `facebookexternalhit`."""

UNLISTED = re2.compile(r"(?i)bot\b|crawl|spider|slurp|scraper|link ?preview|\+https?://")
"""What robots say that the list does not know yet; `CUBOT` is a make of telephone."""

_KIND_ORDER: tuple[RobotKind, ...] = ("social", "robot", "program")


def robot(user_agent: str) -> tuple[RobotKind, str] | None:
    """The class and name of a robot, scraper or program, or None when a person's browser sent it."""
    matches = _SET.Match(user_agent) or ()
    found = [_ENTRIES[index] for index in matches]
    if user_agent.startswith("Mozilla/"):
        found = [entry for entry in found if not entry.bare_only]
    if found:
        kind = min((entry.kind for entry in found), key=_KIND_ORDER.index)
        return _named(user_agent, kind) or (kind, next(e for e in found if e.kind == kind).name(user_agent))
    if UNLISTED.search(user_agent.replace("CUBOT", "").replace("Cubot", "")):
        return _named(user_agent, "robot") or ("robot", user_agent.split("/", 1)[0][:64])
    if not _looks_like_a_browser(user_agent):
        return "program", user_agent.split("/", 1)[0].strip()[:64]
    return None


class _Entry:
    """One pattern of the public list."""

    def __init__(self, pattern: str, tags: list[str]) -> None:
        self.bare_only = pattern in BARE_ONLY
        self.kind = _kind_of(tags)
        self._pattern = re2.compile(pattern)

    def name(self, user_agent: str) -> str:
        """The part of the User-Agent that gave it away, e.g. `GPTBot`."""
        match = self._pattern.search(user_agent)
        return match.group(0).strip("/ ")[:64] if match else ""


def _kind_of(tags: list[str]) -> RobotKind:
    if "ai-crawler" in tags:
        return "robot"
    if "social-preview" in tags:
        return "social"
    return "program" if "http-library" in tags else "robot"


def _named(user_agent: str, kind: RobotKind) -> tuple[RobotKind, str] | None:
    """The better-known name, when the class agrees or the table overrules it."""
    if "facebookexternalhit" in user_agent and "Twitterbot" in user_agent:
        return "social", "iMessage"
    for token, its_kind, name in NAMED:
        if token in user_agent and (its_kind == kind or its_kind == "robot"):
            return its_kind, name
    return None


def _looks_like_a_browser(user_agent: str) -> bool:
    """Browsers say `Mozilla/… (platform …)`; the few that do not are named."""
    if user_agent.startswith("Mozilla/"):
        return "(" in user_agent
    return user_agent.startswith(("Opera/", "BlackBerry", "Lynx/", "Links (", "UCWEB/"))


_ENTRIES = [
    _Entry(entry["pattern"], entry.get("tags", []))
    for entry in CRAWLER_USER_AGENTS_DATA
    if entry["pattern"] not in PEOPLE
]


def _compiled() -> re2.Set:
    patterns = re2.Set.SearchSet()
    for entry in _ENTRIES:
        patterns.Add(entry._pattern.pattern)
    patterns.Compile()
    return patterns


_SET = _compiled()
