"""Groups of rows in memory: how far each has been read, so that its next row can be read on top."""

from __future__ import annotations

from collections import OrderedDict

from msgspec import Struct

from bough.attribution.replay.read import Reading

MAX_LIVE = 10_000
"""Groups kept in memory."""
LARGE = 64
"""Rows from which a group is worth keeping longer: reading it again is what costs."""
MAX_LARGE = 500


class Live(Struct):
    """A group in memory: how far it has been read."""

    reading: Reading
    read_to: tuple[int, int]
    rows: int


class LiveGroups:
    """The groups in memory, the least recently used forgotten first; large ones are kept longer."""

    def __init__(self) -> None:
        self._small: OrderedDict[int, Live] = OrderedDict()
        self._large: OrderedDict[int, Live] = OrderedDict()

    def get(self, group: int) -> Live | None:
        """The group, if it is in memory."""
        for groups in (self._small, self._large):
            if group in groups:
                groups.move_to_end(group)
                return groups[group]
        return None

    def put(self, group: int, live: Live) -> None:
        """Keep a group."""
        self.drop(group)
        groups, room = (self._large, MAX_LARGE) if live.rows >= LARGE else (self._small, MAX_LIVE)
        groups[group] = live
        if len(groups) > room:
            groups.popitem(last=False)

    def drop(self, group: int) -> None:
        """Forget a group."""
        self._small.pop(group, None)
        self._large.pop(group, None)

    def clear(self) -> None:
        """Forget all."""
        self._small.clear()
        self._large.clear()
