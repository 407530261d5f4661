"""Patterns as questions about a text, answered by RE2 in time linear in a hostile text.

A set of one pattern is asked, which takes half the time of a search because no match is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import re2


def set_of(patterns: Iterable[str]) -> re2.Set:
    """All patterns at once; `Match` gives the places of those that a text holds."""
    found = re2.Set.SearchSet()
    for pattern in patterns:
        found.Add(pattern)
    found.Compile()
    return found


def holds(*patterns: str) -> Callable[[str], bool]:
    """The question whether a text holds one of the patterns."""
    match = set_of(patterns).Match
    return lambda text: bool(match(text))
