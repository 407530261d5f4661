"""One step of stored attribution: put rows into their groups, then read what they change."""

from __future__ import annotations

from msgspec import Struct

from bough.attribution import stored
from bough.attribution.entries import Entry
from bough.attribution.group_loading import (
    ON_TOUCHES,
    ROWS_OF_GROUPS,
    TOUCHES_OF_GROUPS,
    Loader,
    entry_keys,
    read_whole,
    result_of,
    touch_entry,
)
from bough.attribution.identifiers import Identifier
from bough.attribution.keys import key
from bough.attribution.live_groups import Live, LiveGroups
from bough.attribution.persons import NOBODY
from bough.attribution.read import Attributed, Reading, WindowsAt
from bough.attribution.row_facts import SettledFacts
from bough.attribution.stored import Change, Stored, TouchOf, exact_row, stored_of, touch_row
from bough.attribution.touch_index import TOUCHES
from bough.attribution.touches import Touch
from bough.journal import Row
from bough.store.database import Store
from bough.store.select_in import select_in
from bough.store.transaction import RowValues

GROUPS_OF_KEYS = "SELECT id, grp FROM group_key WHERE id IN ({})"


class Groups:
    """Puts the rows of one step into groups, in their order."""

    def __init__(
        self,
        store: Store,
        rows: list[RowValues],
        carrying: dict[int, list[Identifier]],
        loader: Loader,
        grouped: Grouped,
        at_most: int,
    ) -> None:
        """`carrying`: what touches carry (`bough.attribution.touch_index.carried`); those that are not in it are
        nobody's. `at_most`: so many rows that are somebody's are taken, the others are left to the next step."""
        self._loader = loader
        self._grouped = grouped
        self._placing: list[tuple[list[int], RowValues, tuple[Entry, Row] | None]] = []
        """The keys of every row. Touches are read only when they turn out to be somebody's."""
        entries = 0
        for values in rows:
            if values[0] in carrying:
                app, test = values[2], bool(values[3])
                self._placing.append(([key(app, test, *one) for one in carrying[values[0]]], values, None))
            elif values[4] not in TOUCHES:
                row = exact_row(values)
                entry = loader.entry(row)
                self._placing.append((entry_keys(entry), values, (entry, row)))
                entries += 1
                if entries == at_most:
                    break
        wanted = {one for keys, _, _ in self._placing for one in keys}
        self._known: dict[int, int] = dict(select_in(store.rows, GROUPS_OF_KEYS, wanted))
        self._into: dict[int, int] = {}
        self.last = self._stop_after(at_most)
        """The last row that is taken; None: all."""

    def _stop_after(self, at_most: int) -> int | None:
        left = at_most
        for number, (keys, values, read) in enumerate(self._placing):
            left -= read is not None or any(one in self._known for one in keys)
            if not left:
                del self._placing[number + 1 :]
                return int(values[0])
        return None

    def place(self) -> None:
        """Every row goes to its group; groups that a row connects become one."""
        for keys, values, read in self._placing:
            found = {self._group(self._known[one]) for one in keys if one in self._known}
            if read is None:
                for group in sorted(found):
                    self._grouped.touch(group, self._loader.touch_entry(values))
                continue
            entry, row = read
            target = self._target(found, entry)
            unknown = [one for one in keys if one not in self._known]
            for one in unknown:
                self._known[one] = target
                self._grouped.change.keys.append((one, target))
            self._grouped.row(target, entry, row, fresh=not found, unknown=unknown)

    def _target(self, found: set[int], entry: Entry) -> int:
        if not found:
            return entry.row
        if len(found) == 1:
            return next(iter(found))
        target = max(found, key=lambda group: (self._grouped.size(group), -group))
        for group in sorted(found - {target}):
            self._into[group] = target
            self._grouped.merge(group, target)
        return target

    def _group(self, group: int) -> int:
        while group in self._into:
            group = self._into[group]
        return group


class _Dirty(Struct):
    """A group that must be read from its first row."""

    sources: list[int]
    """Groups of the store that it is made of."""
    entries: dict[int, Entry]


class Grouped:
    """Reads groups and notes what they change."""

    def __init__(
        self,
        store: Store,
        loader: Loader,
        live: LiveGroups,
        windows: WindowsAt,
        facts: SettledFacts,
        change: Change,
    ) -> None:
        self.change = change
        self._store = store
        self._loader = loader
        self._live = live
        self._windows = windows
        self._facts = facts
        self._dirty: dict[int, _Dirty] = {}
        self._fresh: dict[int, list[Entry]] = {}
        """Groups of this step whose rows were all read on top: their new entries, should they become dirty."""
        self._new_rows: dict[int, Row] = {}
        self._results: dict[int, tuple[int, Attributed]] = {}
        """New rows that were read on top."""
        self._brought: dict[int, list[TouchOf]] = {}
        """By group: touches that were found to be somebody's while reading on top."""

    # --- placing -------------------------------------------------------------------------------------------------

    def touch(self, group: int, entry: Entry) -> None:
        """A touch that carries an identifier of a group."""
        live = None if group in self._dirty else self._live.get(group)
        if live is None or entry.order <= live.read_to:
            self._make_dirty(group)
            return
        live.reading.read(entry)
        live.read_to = entry.order
        self._take(group, live.reading)

    def row(self, group: int, entry: Entry, row: Row, *, fresh: bool, unknown: list[int]) -> None:
        """A row of a group that is no touch. `fresh`: the group begins with it."""
        self._new_rows[entry.row] = row
        if fresh:
            self._dirty[group] = _Dirty(sources=[], entries={entry.row: entry})
            return
        dirty = self._dirty.get(group)
        if dirty is None and self._reads_on(group, entry, unknown):
            return
        self._make_dirty(group).entries[entry.row] = entry

    def merge(self, group: int, into: int) -> None:
        """Two groups are one from here on."""
        gone, target = self._make_dirty(group), self._make_dirty(into)
        del self._dirty[group]
        target.entries.update(gone.entries)
        target.sources.extend(gone.sources)
        if gone.sources:
            self.change.moves.append((group, into))
        self.change.keys = [(one, into if grp == group else grp) for one, grp in self.change.keys]

    def size(self, group: int) -> int:
        """Rows of a group."""
        dirty = self._dirty.get(group)
        new = len(dirty.entries) if dirty is not None else len(self._fresh.get(group, ()))
        return new + int(self._store.rows(stored.SIZE_OF_GROUP, (group,))[0][0])

    def _make_dirty(self, group: int) -> _Dirty:
        found = self._dirty.get(group)
        if found is None:
            entries = {entry.row: entry for entry in self._fresh.pop(group, ())}
            found = self._dirty[group] = _Dirty(sources=[group], entries=entries)
            for row in entries:
                self._results.pop(row, None)
            self._brought.pop(group, None)
            self._live.drop(group)
        return found

    def _reads_on(self, group: int, entry: Entry, unknown: list[int]) -> bool:
        """Read a row on top of its group, if that gives the same as reading the group again."""
        live = self._live.get(group)
        if live is None or entry.order <= live.read_to or entry.claim is None:
            return False
        if unknown and any(
            one[0] in ON_TOUCHES and key(entry.app, entry.test, *one) in unknown for one in entry.claim.identifiers
        ):
            return False  # an earlier touch may carry it
        if not live.reading.goes_on(entry):
            self._live.drop(group)
            return False
        if entry.recorded is not None:
            self._show(live.reading, self._loader.named({group: [entry]})[group])
        result = result_of(live.reading, entry)
        if result is None:
            return False
        live.read_to = entry.order
        live.rows += 1
        self._fresh.setdefault(group, []).append(entry)
        self._results[entry.row] = (group, result)
        self._take(group, live.reading)
        return True

    def _take(self, group: int, reading: Reading) -> None:
        for person, touch in reading.brought:
            self._brought.setdefault(group, []).append(touch_row(person, touch))
        reading.brought.clear()

    # --- reading -------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Read the dirty groups, and note everything that changed."""
        for group, result in self._results.values():
            self._add(group, result)
        for group, some in self._brought.items():
            self.change.touches.extend((group, one) for one in some)
        if self._dirty:
            self._read_dirty()

    def _add(self, group: int, result: Attributed) -> None:
        facts = self._facts.of(self._new_rows[result.id], result.name)
        if facts.missing_day:
            self.change.missing.append((result.id, facts.missing_day, facts.currency))
        self.change.added.append((group, stored_of(result, facts)))

    def _read_dirty(self) -> None:
        sources = {source: group for group, dirty in self._dirty.items() for source in dirty.sources}
        standing: dict[int, dict[int, Stored]] = {group: {} for group in self._dirty}
        for source, *values in select_in(self._store.rows, ROWS_OF_GROUPS, sources):
            group = sources[source]
            row = exact_row(values[8:])
            app, test, person, at, name, counted, touch, body = values[:8]
            standing[group][row.id] = Stored(row.id, app, bool(test), person, at, name, bool(counted), touch, body)
            self._dirty[group].entries[row.id] = self._loader.entry(row)
        had: dict[int, dict[int, TouchOf]] = {group: {} for group in self._dirty}
        for source, touch, app, test, person, at, name, body in select_in(self._store.rows, TOUCHES_OF_GROUPS, sources):
            one = TouchOf(touch, app, bool(test), person, at, name, body)
            had[sources[source]][one.id] = one
        entries = {group: list(dirty.entries.values()) for group, dirty in self._dirty.items()}
        named, owned = self._loader.named(entries), self._loader.carrying(entries, self.change.newest)
        for group in self._dirty:
            self._read_group(group, entries[group], named[group], owned[group], standing[group], had[group])

    def _read_group(
        self,
        group: int,
        entries: list[Entry],
        named: list[Touch],
        owned: list[Touch],
        standing: dict[int, Stored],
        had: dict[int, TouchOf],
    ) -> None:
        reading, results, read_to = read_whole(entries, named, owned, self._windows)
        brought = {one.id: one for one in (touch_row(person, touch) for person, touch in reading.brought)}
        reading.brought.clear()
        self._compare(group, results, standing)
        self._compare_touches(group, brought, had)
        self._merges(results, standing)
        if any(one.person != NOBODY for one in results):
            self._live.put(group, Live(reading=reading, read_to=read_to, rows=len(results)))

    def _compare(self, group: int, results: list[Attributed], standing: dict[int, Stored]) -> None:
        for result in results:
            before = standing.get(result.id)
            if before is None:
                self._add(group, result)
                continue
            after = stored_of(result, stored.facts_kept(stored.kept_of(before.body)))
            if after != before:
                self.change.changed.append((group, after))

    def _compare_touches(self, group: int, brought: dict[int, TouchOf], had: dict[int, TouchOf]) -> None:
        for one in brought.values():
            before = had.get(one.id)
            if before is None:
                self.change.touches.append((group, one))
            elif before != one:
                self.change.touches_changed.append((group, one))
        for before in had.values():
            if before.id not in brought and before.name:
                gone = TouchOf(before.touch, before.app, before.test, before.person, before.at, "", before.body)
                self.change.touches_changed.append((group, gone))

    def _merges(self, results: list[Attributed], standing: dict[int, Stored]) -> None:
        """Persons whose every row has gone to one other person."""
        now = {result.id: result.person for result in results}
        remaining = set(now.values())
        moved: dict[tuple[int, bool, int], set[int]] = {}
        for before in standing.values():
            if before.person not in remaining and before.person != NOBODY:
                moved.setdefault((before.app, before.test, before.person), set()).add(now[before.id])
        for (app, test, person), targets in sorted(moved.items()):
            if len(targets) == 1:
                self.change.merges.append((app, test, person, targets.pop()))

    def _show(self, reading: Reading, touches: list[Touch]) -> None:
        """Make the touches known that an opening is about to name."""
        for touch in touches:
            if touch.direct:
                reading.know([touch])
            else:
                reading.read(touch_entry(touch))
