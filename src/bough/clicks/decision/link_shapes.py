"""What of a stored link decides where people go, besides the addresses: its shape.

Most links of an app are alike but for their addresses, and what was decided for one of a shape is known for all
(`bough.clicks.plans`). Shapes are numbered, so that a link keeps a number only.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import count
from typing import Literal

from bough.clicks.decision import controls
from bough.links.model import Link
from bough.links.targets import target_use

SEEN_BY_ROBOTS = ("$og_", "$twitter_", "$canonical_")
"""Beginnings of control parameters that make previews and never decide where a person goes."""

MAX_NUMBERED = 4096

_SWITCHES = (str, int, float, bool, type(None))

_numbers: dict[tuple[object, ...], int] = {}
_next_number = count(1)


def shape_number(link: Link) -> int:
    """The number of the link's shape in this process: links with the same one have the same shape. 0: it has none."""
    shape = shape_of(link)
    if shape is None:
        return 0
    number = _numbers.get(shape)
    if number is None:
        if len(_numbers) >= MAX_NUMBERED:
            _numbers.clear()  # numbers are not used again
        number = _numbers[shape] = next(_next_number)
    return number


def shape_of(link: Link) -> tuple[object, ...] | None:
    """The same control parameters, and addresses under the same keys; None when it is hard to say."""
    words: list[object] = [link.type, link.test]
    for key, value in link.data.items():
        decides = _decides(key)
        if decides == "nothing":
            continue
        if decides == "target":
            if controls.text(link.data, key):
                words.append(key)
        elif isinstance(value, _SWITCHES):
            words.append(f"{key}={value!r}")
        else:
            return None
    return tuple(words)


@lru_cache(maxsize=4096)
def _decides(key: str) -> Literal["nothing", "target", "way"]:
    """What a key of a link's data decides about where people go."""
    if not key.startswith("$") or key.startswith(SEEN_BY_ROBOTS):
        return "nothing"
    return "target" if target_use(key) == "redirect" else "way"
