"""Stored attribution: consumes the journal, step by step, and keeps `attributed` up to date.

Rows that share an identifier or a request id form a *group* (`group_key`: identifier → group). Openings were decided
when they were answered, so groups never need network addresses; a group is nearly always one person. A step takes the
next rows, finds their groups, and

* reads a row on top of what is in memory when it comes after all others of its group and joins nobody (the usual case);
* reads the whole group again otherwise: unknown group, late row, persons that merge, a group that is not in memory.

Both end in the same rows (`tests/attribution/test_following.py`). Everything of a step and the watermark is written in
one transaction, computed before the write lock is taken; a step that another process has overtaken is thrown away.

A row that makes a step fail is set aside (`bough.store.set_aside`): fewer rows are taken until it is alone.
"""

from __future__ import annotations

import logging
from decimal import Decimal

import msgspec

from bough.accounts.directory import Directory
from bough.accounts.setting_history import ALL, SettingHistory
from bough.attribution.rates import StoredRates
from bough.attribution.rules.money import micro_usd
from bough.attribution.rules.sharing import Shared
from bough.attribution.stored import day_results, tables
from bough.attribution.stored.group_cache import LiveGroups
from bough.attribution.stored.group_loading import Loader
from bough.attribution.stored.group_placing import Groups
from bough.attribution.stored.group_reading import Grouped
from bough.attribution.stored.links import StoredLinks
from bough.attribution.stored.result_row import Stored
from bough.attribution.stored.row_values import SettledFacts
from bough.attribution.stored.tables import AttributionChange, counter, exact_row, position
from bough.attribution.stored.touch_index import TOUCHES, TouchIndex
from bough.clicks.counts import deleted_links
from bough.events.identifiers import Identifier
from bough.store import set_aside, watermark
from bough.store.changes import NEWEST as NEWEST_CHANGE
from bough.store.database import Store
from bough.store.journal import BY_ID, BY_IDS, READ_AT_ONCE, NewRows
from bough.store.select_in import select_in
from bough.store.set_aside import Halving, SetAside
from bough.store.transaction import RowValues, Transaction
from bough.vocabulary.calendar_days import local_day
from bough.vocabulary.windows import Windows, windows_from_days

log = logging.getLogger("bough.attribution")

ROWS_AT_ONCE = 150
"""Rows of one step that are somebody's: its transaction must not keep clicks waiting."""

LOOKED_AT = READ_AT_ONCE // ROWS_AT_ONCE
"""So many times more rows are looked at in one step while most of them have no known person: hardly anything is
written for those."""

NO_EVENTS = frozenset({"prefetch", "robot", "segment"})
"""Kinds of rows that are neither touches nor anybody's event; a segment's events are the warehouse's business."""

RATED = (
    "SELECT m.id, a.app, a.test, a.person, a.at, a.name, a.counted, a.touch, a.body, a.grp, r.usd_rate"
    " FROM rate_missing m JOIN rate r ON r.day = m.day AND r.currency = m.currency"
    " JOIN attributed a ON a.id = m.id ORDER BY m.id LIMIT ?"
)

ATTRIBUTED_BY_ID = (
    "SELECT a.id, a.app, a.test, a.person, a.at, a.name, a.counted, a.touch, a.body, a.grp FROM attributed a"
    " JOIN journal j ON j.id = a.id WHERE a.id IN ({}) ORDER BY a.id"
)

EMPTY_TABLES = (
    "DELETE FROM attributed WHERE id IN (SELECT id FROM attributed LIMIT ?)",
    "DELETE FROM person_touch WHERE id IN (SELECT id FROM person_touch LIMIT ?)",
    "DELETE FROM group_key WHERE id IN (SELECT id FROM group_key LIMIT ?)",
    "DELETE FROM shared_identifier WHERE id IN (SELECT id FROM shared_identifier LIMIT ?)",
    "DELETE FROM rate_missing WHERE id IN (SELECT id FROM rate_missing LIMIT ?)",
    day_results.EMPTY,
)
EMPTIED_AT_ONCE = 5000


class StoredFollower:
    """Follows the journal of one store. One process follows at a time; a second one does no harm."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._directory = Directory(store)
        self._links = StoredLinks(store.rows, self._directory)
        self._index = TouchIndex()
        self._loader = Loader(store, self._links, self._index)
        self._live = LiveGroups()
        self._shared: Shared | None = None
        """As in the store; None when it must be read again."""
        self._reached = 0
        self._looked_at = LOOKED_AT
        """At most LOOKED_AT; fewer after a step with as many rows of somebody's as it may have: the rest is read again.
        """
        self._halving = Halving(READ_AT_ONCE)
        self._seen_change = -1
        self._history = SettingHistory((), ())
        self._windows: dict[tuple[tuple[str, object], ...], Windows] = {}
        self._rates = StoredRates(store)

    def step(self, at_most: int = ROWS_AT_ONCE, journal: NewRows | None = None) -> int:
        """Attribute the next rows, at most so many that are somebody's; returns how many were looked at or mended.

        Raises Unavailable when the store cannot be written.
        """
        after = position(self._store)
        if after == tables.REBUILDING:
            self._index.follow(self._store, self._links, ())
            self._forget()
            self._index.forget()
            return self._store.transact(empty_tables, EMPTIED_AT_ONCE)
        if after != self._reached:
            self._forget()
        values = (journal or NewRows(self._store)).after(after, min(self._looked_at * at_most, self._halving.size))
        # Settings are read after the rows: a row that was stored under new settings then finds them.
        self._refresh()
        if not values:
            self._index.follow(self._store, self._links, values)
            return self._replay(after) or self._mend_money(at_most)
        try:
            done = self._digest(values, at_most, after)
        except Exception as error:
            if not set_aside.is_of_row(error):
                raise
            self._failed(values, after, error)
            return len(values)
        if not self._halving.is_whole:
            self._halving.succeeded()
        return done + self._replay(position(self._store))

    def _digest(self, values: list[RowValues], at_most: int, after: int) -> int:
        """Attribute rows; returns how many of them were looked at."""
        carrying = self._index.follow(self._store, self._links, values)
        rows = [one for one in values if one[4] not in NO_EVENTS]
        change = self._change(after, values[-1][0])
        facts = SettledFacts(self._history, self._rates.of)
        grouped = self._grouped(facts, change)
        self._read(rows, carrying, grouped, at_most)
        change.set_aside.extend(facts.faults)
        self._write(change)
        return sum(one[0] <= change.newest for one in values)

    def _grouped(self, facts: SettledFacts, change: AttributionChange) -> Grouped:
        if self._shared is None:
            self._shared = tables.shared_of(self._store.rows(tables.SHARED))
        return Grouped(self._store, self._loader, self._live, self._windows_at, facts, self._shared, change)

    def _change(self, after: int, newest: int) -> AttributionChange:
        return AttributionChange(
            after=after, newest=newest, version=counter(self._store, tables.VERSION), day_of=self._day_of
        )

    def _failed(self, values: list[RowValues], after: int, error: Exception) -> None:
        """Take fewer rows from now on, or set the only one aside."""
        self._forget()
        if self._halving.failed(len(values)):
            log.warning("Journal row %s cannot be attributed and is set aside", values[0][0], exc_info=error)
            fault = set_aside.of_row(set_aside.ATTRIBUTION, values[0], error)
            self._store.transact(_skip, (after, fault))

    def _replay(self, after: int) -> int:
        """Attribute once more what was set aside; returns how many there were."""
        wanted = {one: set_aside.wanted(self._store, one) for one in set_aside.OF_ATTRIBUTION}
        if not any(wanted.values()):
            return 0
        for consumer in (set_aside.TOUCHES, set_aside.ATTRIBUTION):
            rows = select_in(self._store.rows, BY_IDS, wanted[consumer])
            for row in sorted(rows):
                self._replay_row(consumer, row, after)
            gone = set(wanted[consumer]) - {row[0] for row in rows}
            self._store.transact(set_aside.done_batch, [(consumer, one) for one in gone])
        self._replay_money(wanted[set_aside.MONEY], after)
        return sum(map(len, wanted.values()))

    def _replay_row(self, consumer: str, row: RowValues, after: int) -> None:
        try:
            carrying = self._index.replay(self._store, self._links, [row]) if row[4] in TOUCHES else {}
            change = self._change(after, after)
            if not self._store.rows(tables.GROUP_OF_ROW, (row[0],)):
                facts = SettledFacts(self._history, self._rates.of)
                grouped = self._grouped(facts, change)
                Groups(self._store, [row], carrying, self._loader, grouped, 1).place()
                grouped.finish()
                change.set_aside.extend(facts.faults)
            if consumer == set_aside.ATTRIBUTION:
                change.replayed.append((consumer, row[0]))
            self._write(change)
        except Exception as error:
            self._forget()
            if not set_aside.is_of_row(error):
                raise
            self._store.transact(set_aside.put_batch, [set_aside.of_row(consumer, row, error)])

    def _replay_money(self, wanted: list[int], after: int) -> None:
        """Settle once more what events brought whose dollars were too many; a rate may have been corrected."""
        change = self._change(after, after)
        change.replayed = [(set_aside.MONEY, one) for one in wanted]
        facts = SettledFacts(self._history, self._rates.of)
        for *values, group in select_in(self._store.rows, ATTRIBUTED_BY_ID, wanted):
            identifier, app, test, person, at, name, counted, touch, body = values
            one = Stored(identifier, app, bool(test), person, at, name, bool(counted), touch, body)
            row = exact_row(self._store.rows(BY_ID, (one.id,))[0])
            settled = facts.of(row, one.name)
            kept = tables.kept_of(one.body)
            if settled.missing_day:
                change.missing.append((one.id, settled.missing_day, settled.currency))
            change.changed.append((group, msgspec.structs.replace(one, body=tables.with_facts(kept, settled))))
        change.set_aside = facts.faults
        self._write(change)

    def _read(
        self, rows: list[RowValues], carrying: dict[int, list[Identifier]], grouped: Grouped, at_most: int
    ) -> None:
        try:
            groups = Groups(self._store, rows, carrying, self._loader, grouped, at_most)
            if groups.last is None:
                self._looked_at = min(LOOKED_AT, 2 * self._looked_at)
            else:
                grouped.change.newest = groups.last
                self._looked_at = max(1, sum(one[0] <= groups.last for one in rows) // at_most)
            groups.place()
            grouped.finish()
        except BaseException:
            self._forget()  # what was read on top of them is not written
            raise

    def _write(self, change: AttributionChange) -> None:
        try:
            written = self._store.transact(tables.apply, change, settle=False)
        except BaseException:
            self._forget()
            raise
        if written:
            self._reached = change.newest
        else:
            self._forget()

    def _forget(self) -> None:
        """Drop what is in memory beyond the store."""
        self._live.clear()
        self._shared = None

    def _refresh(self) -> None:
        newest = self._store.rows(NEWEST_CHANGE)[0][0] or 0
        if newest != self._seen_change:
            self._directory.load()
            self._history = SettingHistory(self._directory.apps.values(), self._store.rows(ALL))
            self._seen_change = newest
        self._rates.refresh()

    def _windows_at(self, app: int, at: int) -> Windows:
        days = self._history.at(app, at).attribution_windows
        key = tuple(sorted(days.items()))
        found = self._windows.get(key)
        if found is None:
            found = self._windows[key] = windows_from_days(days)
        return found

    def _day_of(self, app: int, at: int) -> int:
        return local_day(self._history.at(app, at).timezone, at)

    def _mend_money(self, at_most: int) -> int:
        """Convert amounts whose rate has come since; returns how many."""
        if counter(self._store, tables.MENDED) == self._rates.version:
            return 0
        rows = self._store.rows(RATED, (at_most,))
        after = position(self._store)
        change = self._change(after, after)
        for identifier, app, test, person, at, name, counted, touch, body, group, rate in rows:
            kept = tables.kept_of(body)
            micro = micro_usd(Decimal(kept.revenue), Decimal(rate))
            if micro is None:
                reason = f"revenue: {kept.revenue} {kept.currency} is more than an event can hold"
                change.set_aside.append(
                    SetAside(consumer=set_aside.MONEY, app=app, kind="event", item=identifier, reason=reason)
                )
            mended = SettledFacts.mended(kept, micro)
            one = Stored(identifier, app, bool(test), person, at, name, bool(counted), touch, mended)
            change.changed.append((group, one))
            change.found.append(identifier)
        if not rows:
            change.counters.append((tables.MENDED, self._rates.version))
        self._write(change)
        return len(rows)


def _skip(tx: Transaction, items: list[tuple[int, SetAside]]) -> list[Exception | None]:
    """Go on behind rows that are set aside, unless another process has gone on already."""
    for after, fault in items:
        if position(tx) == after:
            set_aside.put(tx, [fault])
            watermark.advance(tx, tables.WATERMARK, fault.item)
    return [None] * len(items)


def empty_tables(tx: Transaction, limits: list[int]) -> list[int | Exception]:
    """Empty the tables of attribution piece by piece while the watermark says `REBUILDING`; then start at 0."""
    answers: list[int | Exception] = []
    for limit in limits:
        if position(tx) != tables.REBUILDING:
            answers.append(0)
            continue
        gone = sum(tx.run(statement, (limit,)) for statement in EMPTY_TABLES)
        if not gone:
            watermark.advance(tx, tables.WATERMARK, 0)
            set_aside.forget(tx, set_aside.OF_ATTRIBUTION)
            deleted_links.start_again(tx)
        answers.append(max(gone, 1))
    return answers


def start_rebuild(tx: Transaction, items: list[None]) -> list[Exception | None]:
    """Mark everything as out of date: whoever follows empties the tables and reads the journal from its start."""
    watermark.advance(tx, tables.WATERMARK, tables.REBUILDING)
    return [None] * len(items)
