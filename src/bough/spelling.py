"""What somebody may have meant by a name that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

CUTOFF: Final = 0.7
"""Of 1 for equal names; `purchse` and PURCHASE have 0.93, `no_such_event` and `last_event` 0.52."""


def closest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like `name`, without regard to case; empty when none is."""
    by_folded = {one.casefold(): one for one in known if one != name}
    found = get_close_matches(name.casefold(), by_folded, n=1, cutoff=CUTOFF)
    return by_folded[found[0]] if found else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'PURCHASE'?`, to stand behind a sentence without its full stop; empty when nothing is like it."""
    found = closest(name, known)
    return f"; did you mean {found!r}?" if found else ""
