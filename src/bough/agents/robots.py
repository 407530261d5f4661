"""Callers that are no persons: search robots, social scrapers and programs (docs/clicks.md, "People and robots").

The decision looks at the parts of a User-Agent, never at the text as a whole: a maker may call a phone `M bot 60` and
an app may call itself as it likes. A string that a person's browser or app could send is a robot's only when a part
that the maker did not write says so: a second name in `(compatible; …)`, an address to complain to, a remark behind
`like Gecko`, a name that the public list has seen on such a string, or, in a full browser's string, a name that says
what it is for. All other strings are a robot's, a scraper's or a program's.
"""

from __future__ import annotations

import re2

from bough.agents.listed import ANYWHERE, PROGRAMS, SEEN, ListedPattern, RobotKind, not_the_makers
from bough.agents.parts import Parts, parts_of
from bough.agents.patterns import holds
from bough.agents.words import gives_away_a_browser, gives_away_a_program, gives_away_an_app

NAMED: tuple[tuple[str, RobotKind, str], ...] = (
    ("kakaotalk-scrap", "social", "KakaoTalk"),
    ("line-poker", "social", "LINE"),
    ("slackbot", "social", "Slack"),
    ("slack-imgproxy", "social", "Slack"),
    ("linkedinbot", "social", "LinkedIn"),
    ("telegrambot", "social", "Telegram"),
    ("whatsapp", "social", "WhatsApp"),
    ("discordbot", "social", "Discord"),
    ("skypeuripreview", "social", "Skype"),
    ("pinterest", "social", "Pinterest"),
    ("redditbot", "social", "Reddit"),
    ("snap url preview", "social", "Snapchat"),
    ("viber", "social", "Viber"),
    ("facebookexternalhit", "social", "Facebook"),
    ("facebot", "social", "Facebook"),
    ("twitterbot", "social", "X"),
    ("google-inspectiontool", "robot", "Google-InspectionTool"),
    ("googlebot", "robot", "Googlebot"),
    ("aasa-bot", "robot", "AASA-Bot"),
)
"""Names for people, in the order in which they win: KakaoTalk and LINE also say `facebookexternalhit`."""

_KIND_ORDER: tuple[RobotKind, ...] = ("social", "robot", "program")

_is_an_app = holds(
    r"(?i)\b(?:iOS|iPhone|iPad|iPadOS|tvOS|macOS|Mac OS|Android|Dalvik|CFNetwork|Darwin|Windows|podcast)\b"
)
"""What an app's own requests name: they fetch what a person asked for, and are programs whatever the app is called."""

_OWN_NAME = re2.compile(
    r"[A-Za-z][\w.-]*(?i:bot|crawler|spider)\b|compatible[;,] *([^;/)]+)|([^\s/;()]+)/?[\d.]*[);]*$"
)


def robot(user_agent: str) -> tuple[RobotKind, str] | None:
    """The class and name of a robot, scraper or program, or None when a person's browser sent it."""
    parts = parts_of(user_agent)
    if parts.shape == "none":
        return _of_no_browser(parts, user_agent)
    if parts.lead and (found := PROGRAMS.on(parts.lead)):
        return _called(parts, user_agent, found, "program")
    text = not_the_makers(parts)
    gives_away = gives_away_a_browser if parts.shape == "browser" else gives_away_an_app
    if found := SEEN[parts.shape].on(text):
        return _called(parts, user_agent, found, "program")
    if gives_away(text) or parts.is_headed:
        return _called(parts, user_agent, ANYWHERE.on(text), "robot")
    return None


def _of_no_browser(parts: Parts, user_agent: str) -> tuple[RobotKind, str]:
    """The class and name of what no person sends. An app may run on a phone called `M bot 60`."""
    is_mozilla = "Mozilla/" in user_agent
    is_app = not is_mozilla and _is_an_app(user_agent)
    text = f"{parts.lead}\n{parts.tail}" if is_app and "Android" in parts.platform else user_agent
    if found := ANYWHERE.on(text):
        return _called(parts, user_agent, found, "program")
    is_disguise = is_mozilla and bool(parts.platform or parts.tail)
    if is_disguise or (not is_app and gives_away_a_program(text)):
        return _called(parts, user_agent, [], "robot")
    return "program", user_agent.split("/", 1)[0].strip()[:64]


def _called(parts: Parts, user_agent: str, found: list[ListedPattern], least: RobotKind) -> tuple[RobotKind, str]:
    """The strongest class of what was found, but `least` at least, with the name that people know it by."""
    found = [entry for entry in found if _KIND_ORDER.index(entry.kind) <= _KIND_ORDER.index(least)]
    kind = min((entry.kind for entry in found), key=_KIND_ORDER.index, default=least)
    kinds = (kind,) if found else _KIND_ORDER
    if named := next(filter(None, (_named(user_agent.lower(), one) for one in kinds)), None):
        return named
    names = (entry.name(user_agent) for entry in found if entry.kind == kind)
    return kind, next(names, "") or _own_name(parts, user_agent)


def _named(text: str, kind: RobotKind) -> tuple[RobotKind, str] | None:
    """The better-known name, when the class agrees or the table overrules it."""
    if "facebookexternalhit" in text and "twitterbot" in text:
        return "social", "iMessage"
    for token, its_kind, name in NAMED:
        if token in text and (its_kind == kind or its_kind == "robot"):
            return its_kind, name
    return None


def _own_name(parts: Parts, user_agent: str) -> str:
    """What an unknown robot calls itself: a robot's word, the name behind `compatible`, else the last word."""
    if "Mozilla/" not in user_agent:
        return user_agent.split("/", 1)[0].strip()[:64]
    match = _OWN_NAME.search(f"{parts.lead} {parts.platform}) {parts.tail}".rstrip(" )"))
    if match is None:
        return parts.platform[:64]
    name: str = next(text for text in (match.group(1), match.group(2), match.group(0)) if text)
    return name.strip()[:64]
