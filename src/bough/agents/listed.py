"""The public list `crawler-user-agents`, and where its names count.

The list's patterns are made to be searched in whole strings, where `Sonic` or `Spider` hit people's phones and apps.
But the list also has strings that it has seen, and these say where a name stands: in `(compatible; Sonic/1.0; …)`,
which no person sends, or behind a full browser's string, as `Chrome-Lighthouse` does. In a string that a person could
send, a name counts only when the list has seen it in such a string, and only as a word of its own.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import re2
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from bough.agents.parts import Parts, Shape, parts_of
from bough.agents.patterns import holds, set_of

RobotKind = Literal["social", "robot", "program"]

PEOPLE = frozenset({"MetaIAB Facebook", "Code\\/1\\.", "Trae\\/", "Fluid"})
"""Patterns of the list that are browsers of people: Meta's in-app view, editors and site-specific browsers."""


class ListedPattern:
    """One pattern of the list."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.pattern: str = entry["pattern"]
        self.kind = _kind_of(entry.get("tags", []))
        self.at_word = _as_word(self.pattern)
        self._examples = [parts_of(text) for text in entry["instances"] if "Mozilla/" in text]

    def name(self, user_agent: str) -> str:
        """The part of the User-Agent that gave it away, e.g. `GPTBot`; empty when it is not in there."""
        match = self._anywhere.search(user_agent)
        return match.group(0).strip("/ ")[:64] if match else ""

    @cached_property
    def _anywhere(self) -> Any:
        return re2.compile(f"(?i){self.pattern}")

    def shapes(self) -> set[Shape]:
        """What people send, of which the list has seen this name."""
        return {
            parts.shape
            for parts in self._examples
            if parts.shape != "none" and re2.search(self.at_word, not_the_makers(parts))
        }


class Names:
    """Those names of the list that count in one kind of string."""

    def __init__(self, entries: list[ListedPattern], patterns: list[str]) -> None:
        self._entries = entries
        self._set = set_of(patterns)

    def on(self, text: str) -> list[ListedPattern]:
        """The entries whose names a text holds."""
        return [self._entries[index] for index in self._set.Match(text) or ()]


_says_otherwise = holds("https?:|compatible;")


def not_the_makers(parts: Parts) -> str:
    """The text that may give a robot away: all but the words of a phone's maker."""
    if parts.is_device and not _says_otherwise(parts.platform):
        return f"{parts.lead}\n{parts.added}\n{parts.tail}"
    platform = parts.platform[10:] if parts.is_compatible else parts.platform
    # `compatible; MSIE` stands in nested strings of old toolbars, and the address is that of a toolkit for Delphi.
    text = f"{parts.lead}\n{platform}\n{parts.tail}".replace("compatible; MSIE ", "MSIE ")
    return text.replace("http://bsalsa.com", "").replace("http://www.bsalsa.com", "")


def _kind_of(tags: list[str]) -> RobotKind:
    if "ai-crawler" in tags:
        return "robot"
    if "social-preview" in tags:
        return "social"
    return "program" if "http-library" in tags else "robot"


def _as_word(pattern: str) -> str:
    """The pattern in any case, not inside another word."""
    end = "" if pattern[-1:] in "/$)" else r"(?:(?-i:[^a-z])|$)"
    return rf"(?i)(?:^|[^A-Za-z])(?:{pattern}){end}"


def _seen_on(*shapes: Shape) -> Names:
    entries = [entry for entry in ENTRIES if not SHAPES[entry.pattern].isdisjoint(shapes)]
    return Names(entries, [entry.at_word for entry in entries])


ENTRIES = [ListedPattern(entry) for entry in CRAWLER_USER_AGENTS_DATA if entry["pattern"] not in PEOPLE]
SHAPES = {entry.pattern: entry.shapes() for entry in ENTRIES}

ANYWHERE = Names(ENTRIES, [entry.pattern for entry in ENTRIES])
"""For strings that no person sends."""

SEEN: dict[Shape, Names] = {
    "browser": _seen_on("browser", "web view"),
    "web view": _seen_on("web view"),
    "phone": _seen_on("phone", "web view"),
}
"""For strings that a person could send, by their shape."""

_programs = [entry for entry in ENTRIES if entry.kind == "program"]
PROGRAMS = Names(_programs, [entry.pattern for entry in _programs])
"""HTTP libraries, which also set themselves before a browser's string."""
