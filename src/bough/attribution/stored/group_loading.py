"""The rows of groups and their touches, from the store."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from msgspec import Struct

from bough.agents.recognition import parse
from bough.attribution.replay.entries import JournalEntry, entry_of
from bough.attribution.replay.read import Attributed, Reading, WindowsAt
from bough.attribution.rules.persons import NOBODY, Claim
from bough.attribution.rules.sharing import Shared, World, usable
from bough.attribution.rules.touches import Links, Touch
from bough.attribution.stored.increments import touch_ids
from bough.attribution.stored.tables import exact_row
from bough.attribution.stored.touch_index import TOUCHES, TouchIndex, is_row_id
from bough.errors import BadRequest
from bough.events.identifiers import HARDWARE, Identifier
from bough.store.journal import BY_IDS
from bough.store.select_in import select_in
from bough.store.transaction import Reader, RowValues
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.lookup_keys import key

log = logging.getLogger("bough.attribution")

ROWS_OF_GROUPS = (
    "SELECT a.grp, a.app, a.test, a.person, a.at, a.name, a.counted, a.touch, a.body,"
    " j.id, j.at, j.app, j.test, j.kind, j.link, j.body"
    " FROM attributed a JOIN journal j ON j.id = a.id WHERE a.grp IN ({})"
)
ROWS_OF_IDS = ROWS_OF_GROUPS.replace("a.grp IN", "a.id IN")
TOUCHES_OF_GROUPS = "SELECT grp, touch, app, test, person, at, name, body FROM person_touch WHERE grp IN ({})"
TOUCHES_OF_IDS = TOUCHES_OF_GROUPS.replace("grp IN", "id IN")
TOUCHES_OF_KEYS = "SELECT key, touch FROM touch_key WHERE touch <= ? AND key IN ({})"

Borne = tuple[int, bool, Identifier]
"""An identifier with its app and environment."""

ON_TOUCHES = frozenset({"browser", *HARDWARE})
"""Kinds of identifiers that a touch can carry."""


def entry_keys(entry: JournalEntry, shared: Shared) -> list[int]:
    """The identifiers by which a row that is no touch finds its group; those that are shared lead nowhere."""
    if entry.claim is None:
        return []
    nobodys = shared.get((entry.app, entry.test), set())
    found = {key(entry.app, entry.test, kind, value) for kind, value in usable(entry.claim, nobodys).identifiers}
    if entry.request_id and ("request", entry.request_id) not in nobodys:
        found.add(key(entry.app, entry.test, "request", entry.request_id))
    return sorted(found)


class Loader:
    """Reads rows and touches of groups."""

    def __init__(self, reader: Reader, links: Links, index: TouchIndex) -> None:
        self._reader = reader
        self._links = links
        self._index = index

    def touch_entry(self, values: RowValues) -> JournalEntry:
        """A touch, parsed."""
        return touch_entry(self._index.parsed(values, self._links))

    def entry(self, row: JournalRow) -> JournalEntry:
        """A journal row, parsed; one that cannot be read is unowned: it must not stop everybody's attribution."""
        if row.kind in TOUCHES:
            return touch_entry(self._index.of_row(row, self._links))
        try:
            return entry_of(row, self._links, parse)
        except BadRequest as error:
            log.warning("Journal row %s cannot be read: %s", row.id, error.message)
            claim = Claim(row.id, row.at, ())
            return JournalEntry(row=row.id, at=row.at, app=row.app, test=row.test, kind=row.kind, claim=claim)

    def named(self, entries: dict[int, list[JournalEntry]]) -> dict[int, list[Touch]]:
        """By group: the touches that its answered openings name, other openings' own addresses among them."""
        wanted: dict[int, set[int]] = {}
        for group, some in entries.items():
            wanted[group] = {
                one for entry in some if entry.recorded for one in touch_ids(entry.recorded) if one != entry.row
            }
        found = self._touches({one for some in wanted.values() for one in some})
        return {group: [found[one] for one in sorted(some) if one in found] for group, some in wanted.items()}

    def carrying(self, entries: dict[int, list[JournalEntry]], newest: int) -> dict[int, list[Touch]]:
        """By group: the touches that carry one of its identifiers."""
        borne = {
            group: {(entry.app, entry.test, one) for entry in some if entry.claim for one in entry.claim.identifiers}
            for group, some in entries.items()
        }
        return self.carrying_any(borne, newest)

    def carrying_any(self, borne: Mapping[int, Iterable[Borne]], newest: int) -> dict[int, list[Touch]]:
        """By group: the touches that carry one of these identifiers."""
        groups: dict[int, set[int]] = {}
        firsts: dict[tuple[int, bool, int], set[int]] = {}
        for group, some in borne.items():
            for app, test, (kind, value) in some:
                if kind in ON_TOUCHES:
                    name = kind if kind == "browser" else f"given {kind}"
                    for sort in ("", "impression "):
                        groups.setdefault(key(app, test, sort + name, value), set()).add(group)
                if kind == "browser" and is_row_id(value) and int(value) <= newest:
                    firsts.setdefault((app, test, int(value)), set()).add(group)
        wanted: dict[int, set[int]] = {group: set() for group in borne}
        for one, number in select_in(self._reader.rows, TOUCHES_OF_KEYS, groups, before=(newest,)):
            for group in groups[one]:
                wanted[group].add(number)
        found = self._touches({*(one for some in wanted.values() for one in some), *(first[2] for first in firsts)})
        for (app, test, number), known_by_it in firsts.items():
            first = found.get(number)
            if first is not None and first.is_first and (first.app, first.test) == (app, test):
                for group in known_by_it:
                    wanted[group].add(number)
        return {group: [found[one] for one in sorted(some) if one in found] for group, some in wanted.items()}

    def _touches(self, wanted: Iterable[int]) -> dict[int, Touch]:
        found: dict[int, Touch] = {}
        missing: list[int] = []
        for one in wanted:
            touch = self._index.cached(one)
            if touch is None:
                missing.append(one)
            else:
                found[one] = touch
        for values in select_in(self._reader.rows, BY_IDS, missing):
            touch = self._touch_of(values)
            if touch is not None:
                found[touch.id] = touch
        return found

    def _touch_of(self, values: RowValues) -> Touch | None:
        if values[4] in TOUCHES:
            return self._index.parsed(values, self._links)
        if values[4] not in ("open", "install"):
            return None
        entry = self.entry(exact_row(values))
        return next((one for one in entry.direct.values() if (one.app, one.test) == (entry.app, entry.test)), None)


class Whole(Struct):
    """A group that was read from its first row."""

    reading: Reading
    results: list[Attributed]
    """For every row that is no touch."""
    read_to: tuple[int, int]
    """The last row's order."""
    crossed: list[tuple[World, Identifier]]
    """Identifiers that were found to be shared."""


def read_whole(
    entries: Iterable[JournalEntry],
    named: Iterable[Touch],
    carrying: Iterable[Touch],
    windows: WindowsAt,
    shared: Shared,
) -> Whole:
    """Read a group from its first row; what it shows to be shared is added to `shared`."""
    reading = Reading(windows, shared)
    named = list(named)
    touches = {touch.id: touch for touch in (*named, *carrying) if not touch.direct}
    reading.know(touch for touch in named if touch.direct)
    ordered = sorted((*entries, *(touch_entry(touch) for touch in touches.values())), key=lambda one: one.order)
    crossed = reading.meet_all(ordered)
    results = [result_of(reading, entry) for entry in ordered]
    return Whole(reading, [one for one in results if one is not None], ordered[-1].order, crossed)


def result_of(reading: Reading, entry: JournalEntry) -> Attributed | None:
    """Read one row; None for touches only. A row that merely says who somebody is is kept as part of its group."""
    result = reading.read(entry)
    if result is not None or entry.touch is not None:
        return result
    return Attributed(
        id=entry.row, at=entry.at, app=entry.app, test=entry.test, person=NOBODY, name="", uncounted="nobody"
    )


def touch_entry(touch: Touch) -> JournalEntry:
    """A touch as a row to read."""
    return JournalEntry(row=touch.id, at=touch.at, app=touch.app, test=touch.test, kind=touch.kind, touch=touch)
