"""One step of stored attribution: read what its rows change.

A row at the end of its group's time that joins nobody is read on top of the group in memory. Where it joins persons, or
connects its group with another one, only the persons concerned are read again, and the rows of the smaller group. A
group that is not in memory, a late row, and an identifier that turns out to be shared make the whole group be read.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from bough.attribution.replay.entries import JournalEntry
from bough.attribution.replay.read import Attributed, Reading, WindowsAt
from bough.attribution.rules.persons import NOBODY
from bough.attribution.rules.sharing import Shared
from bough.attribution.rules.touches import Touch
from bough.attribution.stored import tables
from bough.attribution.stored.group_cache import LARGE, Live, LiveGroups
from bough.attribution.stored.group_loading import (
    ON_TOUCHES,
    ROWS_OF_GROUPS,
    ROWS_OF_IDS,
    TOUCHES_OF_GROUPS,
    TOUCHES_OF_IDS,
    Borne,
    Loader,
    read_whole,
    result_of,
    touch_entry,
)
from bough.attribution.stored.group_results import Results
from bough.attribution.stored.group_splitting import split
from bough.attribution.stored.result_row import Stored
from bough.attribution.stored.row_values import SettledFacts
from bough.attribution.stored.tables import AttributionChange, TouchOf, exact_row, touch_row
from bough.store.database import Store
from bough.store.select_in import select_in
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.lookup_keys import key


class _Dirty(Struct):
    """A group of which something must be read again."""

    sources: list[int]
    """Groups of the store whose rows are to be read from the first one."""
    entries: dict[int, JournalEntry]
    """Rows of this step."""
    live: Live | None = None
    """The group as it is in memory, where only some persons are read again; the fields below are for that."""
    joined: dict[int, JournalEntry] = {}
    """Rows of this step that the reading has met."""
    touches: list[JournalEntry] = []
    persons: set[int] = set()
    """Those to be read again."""


class Grouped:
    """Reads groups and notes what they change."""

    def __init__(
        self,
        store: Store,
        loader: Loader,
        live: LiveGroups,
        windows: WindowsAt,
        facts: SettledFacts,
        shared: Shared,
        change: AttributionChange,
    ) -> None:
        self.change = change
        self.shared = shared
        self._store = store
        self._loader = loader
        self._live = live
        self._windows = windows
        self._noted = Results(change, facts)
        self._dirty: dict[int, _Dirty] = {}
        self._fresh: dict[int, dict[int, JournalEntry]] = {}
        """By group: entries of this step that were read on top, should they have to be read again."""
        self._results: dict[int, tuple[int, Attributed]] = {}
        """New rows that were read on top."""
        self._brought: dict[int, list[TouchOf]] = {}
        """By group: touches that were found to be somebody's while reading on top."""

    # --- placing -------------------------------------------------------------------------------------------------

    def touch(self, group: int, entry: JournalEntry) -> None:
        """A touch that carries an identifier of a group."""
        dirty = self._dirty.get(group)
        live = self._live.get(group) if dirty is None else dirty.live
        if live is None or entry.order <= live.read_to:
            self._make_whole(group)
        elif dirty is not None:
            dirty.touches.append(entry)
        else:
            live.reading.read(entry)
            live.read_to = entry.order
            self._take(group, live.reading)

    def row(self, group: int, entry: JournalEntry, row: JournalRow, *, fresh: bool, unknown: list[int]) -> None:
        """A row of a group that is no touch. `fresh`: the group begins with it."""
        self._noted.arrived(row)
        if fresh:
            self._dirty[group] = _Dirty(sources=[], entries={entry.row: entry})
            return
        dirty = self._dirty.get(group)
        live = self._live.get(group) if dirty is None else dirty.live
        if live is not None and (entry.order <= live.read_to or entry.claim is None):
            self._make_whole(group).entries[entry.row] = entry
        elif dirty is not None or live is None or self._may_be_on_touches(entry, unknown):
            self._make_dirty(group).entries[entry.row] = entry
        else:
            self._read_on(group, live, entry)

    def merge(self, group: int, into: int) -> None:
        """Two groups are one from here on: the rows of `group` are read again."""
        gone, target = self._make_whole(group), self._make_dirty(into)
        del self._dirty[group]
        target.entries.update(gone.entries)
        target.sources.extend(gone.sources)
        if gone.sources:
            self.change.moves.append((group, into))
        self.change.keys = [(one, into if grp == group else grp) for one, grp in self.change.keys]

    def size(self, group: int) -> int:
        """Rows of a group."""
        dirty = self._dirty.get(group)
        live = self._live.get(group) if dirty is None else dirty.live
        new = len(dirty.entries) + len(dirty.joined) if dirty is not None else 0
        if live is not None:
            return live.rows + new
        sources = [group] if dirty is None else dirty.sources
        return new + sum(int(self._store.rows(tables.SIZE_OF_GROUP, (one,))[0][0]) for one in sources)

    def _make_dirty(self, group: int) -> _Dirty:
        """Persons of the group are to be read again; all of it, unless it is in memory."""
        found = self._dirty.get(group)
        if found is not None:
            return found
        live = self._live.get(group)
        if live is None or live.reading.undecided:
            return self._make_whole(group)
        made = self._dirty[group] = _Dirty(sources=[], entries={}, live=live)
        return made

    def _make_whole(self, group: int) -> _Dirty:
        """The group is to be read from its first row."""
        found = self._dirty.get(group)
        if found is None:
            found = self._dirty[group] = _Dirty(sources=[group], entries={})
        elif found.live is None:
            return found
        else:
            found.live = None
            found.sources.append(group)
            found.entries.update(found.joined)
        fresh = self._fresh.pop(group, {})
        found.entries.update(fresh)
        for row in fresh:
            self._results.pop(row, None)
        self._brought.pop(group, None)
        self._live.drop(group)
        return found

    def _may_be_on_touches(self, entry: JournalEntry, unknown: list[int]) -> bool:
        """Whether earlier touches may carry an identifier that the group did not have until now."""
        return bool(unknown) and any(
            one[0] in ON_TOUCHES and key(entry.app, entry.test, *one) in unknown
            for one in (entry.claim.identifiers if entry.claim is not None else ())
        )

    def _read_on(self, group: int, live: Live, entry: JournalEntry) -> None:
        """Read a row on top of its group, if that gives the same as reading its persons again."""
        again = live.reading.join(entry)
        if again is None:
            self._make_whole(group).entries[entry.row] = entry
            return
        if again:
            dirty = self._make_dirty(group)
            dirty.persons |= again
            (dirty.entries if dirty.live is None else dirty.joined)[entry.row] = entry
            return
        if entry.recorded is not None:
            self._show(live.reading, self._loader.named({group: [entry]})[group])
        result = result_of(live.reading, entry)
        assert result is not None
        live.read_to = entry.order
        live.rows += 1
        if live.rows == LARGE:
            self._live.put(group, live)
        self._fresh.setdefault(group, {})[entry.row] = entry
        self._results[entry.row] = (group, result)
        self._take(group, live.reading)

    def _take(self, group: int, reading: Reading) -> None:
        for person, touch in reading.brought:
            self._brought.setdefault(group, []).append(touch_row(person, touch))
        reading.brought.clear()

    # --- reading -------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Read the dirty groups, and note everything that changed."""
        self._read_persons()
        for group, result in self._results.values():
            self._noted.add(group, result)
        for group, some in self._brought.items():
            self.change.touches.extend((group, one) for one in some)
        if self._dirty:
            self._read_dirty()

    def _read_dirty(self) -> None:
        sources = {source: group for group, dirty in self._dirty.items() for source in dirty.sources}
        standing: dict[int, dict[int, Stored]] = {group: {} for group in self._dirty}
        for source, *values in select_in(self._store.rows, ROWS_OF_GROUPS, sources):
            entry, stands = self._loaded(values)
            standing[sources[source]][entry.row] = stands
            self._dirty[sources[source]].entries[entry.row] = entry
        had: dict[int, dict[int, TouchOf]] = {group: {} for group in self._dirty}
        for source, *values in select_in(self._store.rows, TOUCHES_OF_GROUPS, sources):
            one = _touch_of(values)
            had[sources[source]][one.id] = one
        entries = {group: list(dirty.entries.values()) for group, dirty in self._dirty.items()}
        named, owned = self._loader.named(entries), self._loader.carrying(entries, self.change.newest)
        for group in self._dirty:
            self._read_group(group, entries[group], named[group], owned[group], standing[group], had[group])

    def _loaded(self, values: list[Any]) -> tuple[JournalEntry, Stored]:
        """A row of the store, parsed, and what was said of it."""
        app, test, person, at, name, counted, touch, body = values[:8]
        row = exact_row(values[8:])
        return self._loader.entry(row), Stored(row.id, app, bool(test), person, at, name, bool(counted), touch, body)

    def _read_group(
        self,
        group: int,
        entries: list[JournalEntry],
        named: list[Touch],
        owned: list[Touch],
        standing: dict[int, Stored],
        had: dict[int, TouchOf],
    ) -> None:
        whole = read_whole(entries, named, owned, self._windows, self.shared)
        brought = _taken(whole.reading)
        self._noted.compare(group, whole.results, standing)
        self._noted.compare_touches(group, brought, had)
        self._noted.merges(whole.results, standing)
        if whole.crossed:
            self.change.shared.extend((*world, *one) for world, one in whole.crossed)
            split(self.change, entries, brought.values(), self.shared)
        elif any(one.person != NOBODY for one in whole.results):
            self._live.put(group, Live(reading=whole.reading, read_to=whole.read_to, rows=len(whole.results)))

    # --- reading persons ------------------------------------------------------------------------------------------

    def _read_persons(self) -> None:
        """Read again the persons concerned of groups in memory, on top of which their new rows and the rows of groups
        that were connected with them are read."""
        pending = {group: dirty for group, dirty in self._dirty.items() if dirty.live is not None}
        sources = {source: group for group, dirty in pending.items() for source in dirty.sources}
        standing: dict[int, dict[int, Stored]] = {group: {} for group in pending}
        for source, *values in select_in(self._store.rows, ROWS_OF_GROUPS, sources):
            entry, stands = self._loaded(values)
            standing[sources[source]][entry.row] = stands
            pending[sources[source]].entries[entry.row] = entry
        had: dict[int, dict[int, TouchOf]] = {group: {} for group in pending}
        for source, *values in select_in(self._store.rows, TOUCHES_OF_GROUPS, sources):
            one = _touch_of(values)
            had[sources[source]][one.id] = one
        new = {group: self._join(group, dirty) for group, dirty in pending.items()}
        carrying = self._loader.carrying_any({group: some for group, some in new.items() if some}, self.change.newest)
        for group, dirty in pending.items():
            if dirty.live is not None:
                self._read_persons_of(group, dirty, dirty.live, carrying.get(group, []), standing[group], had[group])

    def _join(self, group: int, dirty: _Dirty) -> set[Borne]:
        """Let the reading meet the new rows; the identifiers that are new to it."""
        new: set[Borne] = set()
        for entry in sorted(dirty.entries.values(), key=lambda one: one.order):
            assert dirty.live is not None
            new.update((entry.app, entry.test, one) for one in dirty.live.reading.unknown(entry))
            again = dirty.live.reading.join(entry)
            if again is None:
                self._make_whole(group)
                return set()
            dirty.persons |= again
        return new

    def _read_persons_of(
        self,
        group: int,
        dirty: _Dirty,
        live: Live,
        carrying: list[Touch],
        standing: dict[int, Stored],
        had: dict[int, TouchOf],
    ) -> None:
        reading = live.reading
        entries = {**dirty.entries, **dirty.joined}
        new_rows = len(entries)
        (world,) = {(entry.app, entry.test) for entry in (*entries.values(), *dirty.touches)}
        arriving = {entry.row for entry in dirty.touches}
        for touch in carrying:
            if touch.id not in arriving:
                dirty.persons |= reading.lacking(world, touch)
        forgotten = reading.forget(world, dirty.persons)
        self._fetch(group, [row for _, history in forgotten for row in history.rows], entries, standing)
        owned = [(person, touch) for person, history in forgotten for touch in history.touch_ids]
        ids = [key(*world, f"touch of {person}", str(touch)) for person, touch in owned]
        for _, *values in select_in(self._store.rows, TOUCHES_OF_IDS, ids):
            one = _touch_of(values)
            had[one.id] = one
        self._brought[group] = [one for one in self._brought.get(group, ()) if one.person not in dirty.persons]
        owners: dict[int, JournalEntry] = {}
        for entry in entries.values():
            owners.setdefault(reading.person(entry), entry)
        again = [entry for person, entry in owners.items() if person in dirty.persons]
        borne = {group: {(*world, one) for entry in again for one in reading.known_by(entry)}}
        touches = [*carrying, *self._loader.carrying_any(borne, self.change.newest)[group]]
        touches += self._loader.named({group: list(entries.values())})[group]
        reading.know(touch for touch in touches if touch.direct)
        walk = {touch.id: touch_entry(touch) for touch in touches if not touch.direct}
        walk.update((entry.row, entry) for entry in (*dirty.touches, *entries.values()))
        ordered = sorted(walk.values(), key=lambda one: one.order)
        read = [result_of(reading, entry) for entry in ordered]
        results = [one for one in read if one is not None]
        self._noted.compare(group, results, standing)
        self._noted.compare_touches(group, _taken(reading), had)
        self._noted.merges(results, standing)
        del self._dirty[group]
        self._live.put(
            group, Live(reading=reading, read_to=max(live.read_to, ordered[-1].order), rows=live.rows + new_rows)
        )

    def _fetch(
        self, group: int, rows: list[int], entries: dict[int, JournalEntry], standing: dict[int, Stored]
    ) -> None:
        """The rows of persons to be read again: of this step, and from the store."""
        fresh = self._fresh.get(group, {})
        for row in rows:
            if row in fresh:
                entries[row] = fresh[row]
                self._results.pop(row, None)
        wanted = [row for row in rows if row not in entries]
        for _, *values in select_in(self._store.rows, ROWS_OF_IDS, wanted):
            entry, stands = self._loaded(values)
            entries[entry.row], standing[entry.row] = entry, stands

    def _show(self, reading: Reading, touches: list[Touch]) -> None:
        """Make the touches known that an opening is about to name."""
        for touch in touches:
            if touch.direct:
                reading.know([touch])
            else:
                reading.read(touch_entry(touch))


def _taken(reading: Reading) -> dict[int, TouchOf]:
    """What the reading has found to be somebody's since the last time."""
    found = {one.id: one for one in (touch_row(person, touch) for person, touch in reading.brought)}
    reading.brought.clear()
    return found


def _touch_of(values: list[Any]) -> TouchOf:
    touch, app, test, person, at, name, body = values
    return TouchOf(touch, app, bool(test), person, at, name, body)
