"""Incremental attribution: read again only what new rows can have changed.

Two rows can influence each other only through something they share: an identifier, a click id, a one-time link, a
request id, or, for a click and an app opening, a network address at about the same time. `keys_of` lists these things
for one row. Rows that are connected through keys form a *group*; `read.attribute` over one group gives exactly what it
gives for those rows within the whole journal (the property tests hold it to that). So a store needs an index
key → group: new rows join (and merge) groups, and each touched group is read again from its rows. In the usual case a
group is one person and the clicks near them.

`Follower` is that in memory: the reference for a store's implementation, and enough for tests and simulation.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from bough.attribution.replay.entries import JournalEntry, entry_of
from bough.attribution.replay.read import Attributed, Reading, WindowsAt
from bough.attribution.rules.matching import look_back, wanted
from bough.attribution.rules.sharing import Shared, usable
from bough.attribution.rules.touches import Links, ParseAgent, Touch
from bough.events.identifiers import Identifier
from bough.events.server_fields import Recorded
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.windows import DAY

Key = tuple[Hashable, ...]


def keys_of(entry: JournalEntry, shared: Shared) -> list[Key]:
    """Everything through which this row can influence another one or be influenced; what is shared is left out."""
    world = (entry.app, entry.test)
    nobodys = shared.get(world, set())
    keys: list[Key] = [("click", str(entry.row))]
    if entry.touch is not None:
        keys.extend(_touch_keys(world, entry.touch, nobodys))
        if entry.touch.ip and entry.touch.kind == "click":
            last = (entry.at + look_back(entry.touch)) // DAY
            keys.extend(("near", *world, entry.touch.ip, day) for day in range(entry.at // DAY, last + 1))
    if entry.claim is not None:
        keys.extend(("id", *world, *one) for one in usable(entry.claim, nobodys).identifiers)
    if entry.request_id and ("request", entry.request_id) not in nobodys:
        keys.append(("request", *world, entry.request_id))
    opening = entry.opening
    if entry.recorded is not None:
        # It was decided with everything that was there then; only the touches that it names are needed again.
        keys.extend(("click", str(one)) for one in touch_ids(entry.recorded))
    elif opening is not None:
        asked = wanted(opening)
        for named in asked.named:
            keys.append(("click", named))
            keys.append(("id", *world, "browser", named))
        for touch in entry.direct.values():
            keys.extend(_touch_keys(world, touch, nobodys))
        if asked.address:
            keys.append(("near", *world, asked.address, entry.at // DAY))
        if opening.ip and opening.server_to_server:
            keys.append(("server open", *world, opening.ip))
    return keys


def touch_ids(recorded: Recorded) -> tuple[int, ...]:
    """The touches that an answered opening needs to be read again."""
    return (recorded.click, *recorded.named) if recorded.click else recorded.named


def _touch_keys(world: tuple[int, bool], touch: Touch, nobodys: set[Identifier]) -> list[Key]:
    carried: list[Identifier] = list(touch.given)
    if touch.browser:
        carried.append(("browser", touch.browser))
    keys: list[Key] = [("id", *world, *one) for one in carried if one not in nobodys]
    if touch.once:
        keys.append(("once", *world, touch.once))
    return keys


class Group:
    """Rows that can influence each other, and how far they have been read.

    A row that comes after all others of its group in time, and joins no persons, is read on top of what was read
    before; anything else makes the group read again from its first row. Both end in the same results.
    """

    def __init__(self, windows: WindowsAt, shared: Shared) -> None:
        self.entries: dict[int, JournalEntry] = {}
        self.keys: set[Key] = set()
        self._windows = windows
        self._shared = shared
        self._waiting: list[JournalEntry] = []
        self._reading: Reading | None = None
        self._read_to: tuple[int, int] = (0, 0)

    def add(self, entry: JournalEntry, keys: Iterable[Key]) -> None:
        """Take in one row."""
        self.entries[entry.row] = entry
        self.keys.update(keys)
        self._waiting.append(entry)

    def swallow(self, other: Group) -> None:
        """Take in another group that a row has connected with this one."""
        self.entries.update(other.entries)
        self.keys |= other.keys
        self._reading = None

    def read(self) -> list[Attributed]:
        """The results that may be new or different since the last call."""
        waiting = sorted(self._waiting, key=lambda entry: entry.order)
        self._waiting = []
        if not waiting or self._reading is None or waiting[0].order < self._read_to or not self._goes_on(waiting):
            waiting = sorted(self.entries.values(), key=lambda entry: entry.order)
            self._reading = Reading(self._windows, self._shared)
            self._reading.meet_all(waiting)
        if waiting:
            self._read_to = waiting[-1].order
        results = [self._reading.read(entry) for entry in waiting]
        return [result for result in results if result is not None]

    def _goes_on(self, waiting: list[JournalEntry]) -> bool:
        return self._reading is not None and all(self._reading.goes_on(entry) for entry in waiting)


class Follower:
    """Follows a journal: takes rows in any order and pieces, keeps the attribution of all rows so far."""

    def __init__(self, windows: WindowsAt, links: Links, parse: ParseAgent) -> None:
        self._windows = windows
        self._links = links
        self._parse = parse
        self._shared: Shared = {}
        self._groups: dict[int, Group] = {}
        self._group_of: dict[Key, int] = {}
        self._seen: set[int] = set()
        self._results: dict[int, Attributed] = {}

    def add(self, rows: Iterable[JournalRow]) -> list[Attributed]:
        """Take in rows; answers the results that are new or different now, in the order of (at, id)."""
        touched: set[int] = set()
        for row in rows:
            if row.id not in self._seen:
                self._seen.add(row.id)
                touched.add(self._place(entry_of(row, self._links, self._parse)))
        changed: list[Attributed] = []
        for group in touched & self._groups.keys():
            for result in self._groups[group].read():
                if self._results.get(result.id) != result:
                    self._results[result.id] = result
                    changed.append(result)
        return sorted(changed, key=lambda result: (result.at, result.id))

    def results(self) -> list[Attributed]:
        """The attribution of all rows so far, in the order of (at, id)."""
        return sorted(self._results.values(), key=lambda result: (result.at, result.id))

    def _place(self, entry: JournalEntry) -> int:
        """Put an entry into the group of its keys, merging the groups that it connects into the largest."""
        keys = keys_of(entry, self._shared)
        groups = {self._group_of[key] for key in keys if key in self._group_of}
        if groups:
            target = max(groups, key=lambda group: (len(self._groups[group].entries), -group))
        else:
            target = entry.row
            self._groups[target] = Group(self._windows, self._shared)
        for group in groups - {target}:
            swallowed = self._groups.pop(group)
            self._groups[target].swallow(swallowed)
            self._group_of.update((key, target) for key in swallowed.keys)
        self._groups[target].add(entry, keys)
        self._group_of.update((key, target) for key in keys)
        return target
