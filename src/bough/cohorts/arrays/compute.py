"""`Plan` -> numbers: members from the tables, their activity by position from its columns.

    members -> cohorts   people with the same values of the cohort dimensions
            -> tuples    cohorts, split by the values of conversion dimensions that occur in their events
            -> items     the tuples of the answer, in its order, cut to the limit
    activity -> cells    one pass over the rows of each event, a range of members at a time

Everything is whole numbers. Texts are looked up for the values that occur, to put tuples in order, and never joined.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from bough.cohorts.arrays.activity_rows import ActivityReader, ActivityRows, Piece
from bough.cohorts.arrays.labels import DAY_SHIFT, Ranks, ranked
from bough.cohorts.arrays.members import Members, picked
from bough.cohorts.arrays.numbering import Cells, Numbering, different, distinct, firsts, lasts
from bough.cohorts.arrays.selection import SelectionWriter, active_events
from bough.cohorts.arrays.table_facts import lookup, state_of
from bough.cohorts.arrays.threads import in_threads
from bough.cohorts.measures import MeasurePart, Need
from bough.cohorts.plan import Plan
from bough.vocabulary.dimensions import Kind
from bough.warehouse import columns
from bough.warehouse.columns import Ints
from bough.warehouse.copies import opened
from bough.warehouse.dictionary import Words

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MONEY: Final = (MeasurePart.REVENUE, MeasurePart.PAYERS)


class Found:
    """The numbers of an answer; `bough.cohorts.result` makes its rows of them."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.total = 0
        """Tuples without a limit."""
        self.users: Ints = np.zeros(0, np.int64)
        """By item: people."""
        self.oldest: Ints = self.users
        """By item: the age in days of the first member."""
        self.youngest: Ints = self.users
        """By item: the age in days of the last member."""
        self.labels: list[tuple[list[str | None], Ints]] = []
        """By group: texts by rank, and the rank of each item."""
        self.costs: dict[int, tuple[int, int]] = {}
        """By item: micro-USD, and how many costs have no rate."""
        self.missing_rates = 0
        self.cells: list[Cells] = []
        """By need; a reached one holds differences between bands."""
        self.reach: Cells | None = None
        self.cohorts = np.zeros(0, np.int64)
        """By item: the row of `reach`."""

    def __len__(self) -> int:
        return len(self.users)

    def texts(self, item: int) -> tuple[str | None, ...]:
        """The values of an item."""
        return tuple(texts[ranks[item]] for texts, ranks in self.labels)


def go_on() -> None:
    """Nothing stops a computation."""


def compute(connection: DuckDBPyConnection, plan: Plan, check: Callable[[], None] = go_on) -> Found:
    """Answer a plan from one state of the warehouse: call it inside a transaction.

    Args:
        connection: a warehouse.
        plan: what is asked.
        check: called before every piece of work on arrays; what it raises ends the computation.
    """
    return _Computation(connection, plan, check).run()


class _Computation:
    def __init__(self, connection: DuckDBPyConnection, plan: Plan, check: Callable[[], None]) -> None:
        self.connection, self.plan = connection, plan
        self.state = state_of(connection, plan.cohort)
        self.copy = opened(self.state.database, self.state.copy)
        self.words = Words(connection, self.copy, self.state.words)
        self.facts = lookup(connection, plan, self.words.codes)
        self.found = Found(plan)
        self.reader = ActivityReader(connection, plan, self.facts, self.state, self.copy, check)
        self.event_groups = [group for group in plan.groups if not group.of_member]
        self.event_ranks: list[Ranks] = []
        self.numbering = Numbering(())

    # --- members ------------------------------------------------------------------------------------------------

    def run(self) -> Found:
        members = picked(self.connection, self.plan, self.facts, self.state, self.copy)
        if not len(members.member):
            return self.found
        self.reader.cover(members.member)
        cohorts = self._group(members)
        if self.event_groups:
            self._split(cohorts)
        else:
            self._choose(cohorts, np.flatnonzero(cohorts.large), [], None)
        self._prepare(members)
        del members
        if len(self.found):
            self._count()
            self._costs(cohorts)
        return self.found

    def _group(self, members: Members) -> _Cohorts:
        """Number the members' cohorts in the order of their texts."""
        groups = [(i, group) for i, group in enumerate(self.plan.groups) if group.of_member]
        codes = [
            np.add(code, DAY_SHIFT, dtype=np.int32) if group.kind is Kind.DAY else code
            for code, (_, group) in zip(members.codes, groups, strict=True)
        ]
        ranks = ranked(self.words, [(g, c) for c, (_, g) in zip(codes, groups, strict=True)], self.state.threads)
        own = in_threads(self.state.threads, lambda one: one[0].of(one[1]), list(zip(ranks, codes, strict=True)))
        del codes
        numbering = Numbering([len(one.texts) for one in ranks])
        ids = numbering.learn(own, len(members.member))
        count = numbering.count
        if members.person is None:
            users = np.bincount(ids, minlength=count)
        else:
            people = members.person.astype(np.int64)
            span = int(people.max()) + 1
            users = np.bincount(distinct([ids.astype(np.int64) * span + people]) // span, minlength=count)
        sample = np.zeros(count, np.int32)
        sample[ids] = np.arange(len(ids), dtype=np.int32)
        large = users >= max(1, self.plan.min_users)
        place = members.member - self.reader.low
        self.reader.place[place] = ids if large.all() else np.where(large[ids], ids, -1)
        columns_ = {i: column for (i, _), column in zip(groups, own, strict=True)}
        return _Cohorts(users, large, sample, columns_, {i: r for (i, _), r in zip(groups, ranks, strict=True)})

    def _prepare(self, members: Members) -> None:
        """Ages of the chosen cohorts, and what distinct counts and reached bands need of every member."""
        plan, place, found = self.plan, members.member - self.reader.low, self.found
        own = self.reader.place[place]
        height = int(own.max(initial=-1)) + 1
        # one more for those who are in no item: place -1
        oldest, youngest = np.full(height + 1, -(2**31), np.int32), np.full(height + 1, 2**31 - 1, np.int32)
        np.maximum.at(oldest, own, members.age)
        np.minimum.at(youngest, own, members.age)
        found.oldest, found.youngest = oldest[found.cohorts], youngest[found.cohorts]
        self.people = None
        if members.person is not None:
            self.people = np.zeros(len(self.reader.place), np.int64)
            self.people[place] = members.person
        if not plan.reach:
            return
        reach = np.where(members.age < 0, -1, members.age // plan.band_days)
        self.reach = np.zeros(len(self.reader.place), np.int32)
        self.reach[place] = reach
        mine = np.flatnonzero((own >= 0) & (reach >= 0))
        keys = own[mine].astype(np.int64) * plan.bands + np.minimum(reach[mine], plan.bands - 1)
        found.reach = Cells(height, plan.bands)
        if self.people is not None:
            size = height * plan.bands
            keys = lasts(distinct([self.people[place[mine]] * size + keys]), plan.bands) % size
        found.reach.add(keys)

    # --- tuples -------------------------------------------------------------------------------------------------

    def _split(self, cohorts: _Cohorts) -> None:
        """Tuples of cohort and event values: of any event of the members inside the requested bands."""
        tables = self.reader.tables(None, [])
        cut = self.reader.pieces([(table, code)] for table in tables for code in sorted(table.codes()))
        pieces = self.reader.each(self._tuples, cut)
        places, *values = [
            np.concatenate([piece[i] for piece in pieces]) if pieces else np.zeros(0, np.int64)
            for i in range(1 + len(self.event_groups))
        ]
        self.event_ranks = ranked(self.words, list(zip(self.event_groups, values, strict=True)), self.state.threads)
        own = [ranks.of(column) for ranks, column in zip(self.event_ranks, values, strict=True)]
        self.numbering = Numbering([len(cohorts.users), *(len(ranks.texts) for ranks in self.event_ranks)])
        ids = self.numbering.learn([places, *own], len(places))
        sample = np.zeros(self.numbering.count, np.int64)
        sample[ids] = np.arange(len(ids))
        self._choose(cohorts, places[sample], [column[sample] for column in own], self.event_ranks)

    def _tuples(self, piece: Piece) -> list[Ints]:
        """The different tuples of cohort and event values of some rows."""
        found = []
        for table, _, span in piece:
            rows = self.reader.rows(table, span)
            found.append(different([rows.place, *(self.reader.values(rows, group) for group in self.event_groups)]))
        return [np.concatenate(column) for column in zip(*found, strict=True)]

    def _choose(self, cohorts: _Cohorts, own: Ints, event_values: list[Ints], event_ranks: list[Ranks] | None) -> None:
        """Put tuples in order, cut them to the limit, number them.

        Args:
            cohorts: all cohorts.
            own: the cohort of each tuple.
            event_values: by conversion dimension, each tuple's rank.
            event_ranks: of those dimensions; None when there are none, and tuples are cohorts in order.
        """
        found, later = self.found, iter(zip(event_ranks or [], event_values, strict=True))
        groups: list[tuple[Ranks, Callable[[Ints], Ints]]] = []
        for i, group in enumerate(self.plan.groups):
            if group.of_member:
                groups.append((cohorts.ranks[i], partial(cohorts.values, i, own)))
            else:
                ranks, column = next(later)
                groups.append((ranks, column.__getitem__))
        order = np.arange(len(own))
        if event_ranks:
            order = np.lexsort([values(order) for _, values in groups[::-1]])
        chosen = self._ordered(order, cohorts.users[own], groups)[: self.plan.tuples]
        found.total = len(own)
        found.cohorts = own[chosen]
        found.users = cohorts.users[found.cohorts]
        found.labels = [(ranks.texts, values(chosen)) for ranks, values in groups]
        self.item_of = np.full(len(own), -1, np.int32)
        self.item_of[chosen] = np.arange(len(chosen), dtype=np.int32)
        if event_ranks is None:
            of_cohort = np.full(len(cohorts.users) + 1, -1, np.int32)
            of_cohort[own] = self.item_of
            self.reader.place = of_cohort[self.reader.place]  # -1 takes the last, which is -1
            found.cohorts = np.arange(len(chosen))

    def _ordered(self, order: Ints, users: Ints, groups: list[tuple[Ranks, Callable[[Ints], Ints]]]) -> Ints:
        """users, then the tuple; by a dimension, that dimension first (docs/exports.md)."""
        by = self.plan.order
        if by.key == "users":
            return _stable(order, users if by.ascending else -users)
        order = _stable(order, -users)
        if by.key == "dimension":
            ranks, values = groups[by.index]
            column = values(np.arange(len(users)))
            last = np.where(column == ranks.missing, len(ranks.texts), column if by.ascending else -column)
            order = _stable(order, last)
        return order

    # --- cells --------------------------------------------------------------------------------------------------

    def _count(self) -> None:
        """Fill the cells of every need."""
        plan = self.plan
        bands, items = plan.bands, len(self.found)
        self.found.cells = [Cells(items, bands + 1 if need.reached else bands) for need in plan.needs]
        late = [i for i, need in enumerate(plan.needs) if need.part is MeasurePart.ACTIVE and plan.on_or_after]
        usual = [i for i, _ in enumerate(plan.needs) if i not in late]
        for places, everywhere in ((usual, False), (late, True)):
            if places:
                self._pass(places, everywhere)

    def _pass(self, places: list[int], everywhere: bool) -> None:
        """One look at the rows of every event that some of these needs counts."""
        needs = self.plan.needs
        wanted: dict[int, list[int]] = {}
        for place in places:
            for code in self._events(needs[place]):
                wanted.setdefault(code, []).append(place)
        tables = self.reader.tables(sorted(wanted), [needs[place] for place in places])
        other = {code for code, counting in wanted.items() if any(needs[i].part not in _MONEY for i in counting)}
        listed = [(table, code) for table in tables for code in wanted if code in other | table.paid]
        # to count distinct people, a member's rows of all events are looked at together, and a person's memberships
        people = any(needs[place].part not in (MeasurePart.COUNT, MeasurePart.REVENUE) for place in places)
        together = [listed] if people else [[one] for one in listed]
        cut = self.reader.pieces(together, whole=people and self.people is not None)

        def count(piece: Piece) -> int:
            found: dict[int, list[tuple[Ints, Ints]]] = {}
            missing = 0
            for table, code, span in piece:
                rows = self._in_items(self.reader.rows(table, span, everywhere))
                if len(rows.place):
                    missing += self._add(code, wanted[code], rows, found)
            for place, pieces in found.items():
                self._add_people(place, pieces, everywhere)
            return missing

        self.found.missing_rates += sum(self.reader.each(count, cut))

    def _events(self, need: Need) -> tuple[int, ...]:
        """Codes of the events that can count for a need."""
        if need.part in _MONEY:
            return self.facts.revenue_events
        names: tuple[str, ...] = (need.event,)
        if need.part is MeasurePart.ACTIVE:
            names = tuple(dict.fromkeys((*active_events(self.plan), "INSTALL", "REINSTALL")))
        return tuple(self.facts.events[name] for name in names if name in self.facts.events)

    def _in_items(self, rows: ActivityRows) -> ActivityRows:
        """The rows of the answer's tuples, with the item as their place."""
        if not self.event_groups:
            return rows
        own = [
            ranks.of(self.reader.values(rows, group))
            for ranks, group in zip(self.event_ranks, self.event_groups, strict=True)
        ]
        ids = self.numbering.find([rows.place, *own], len(rows.place))
        items = np.where(ids < 0, -1, self.item_of[ids])
        return rows._replace(place=items).only(items >= 0)

    def _add(
        self, code: int, counting: list[int], rows: ActivityRows, people: dict[int, list[tuple[Ints, Ints]]]
    ) -> int:
        """Add rows of one event to the needs that count it; distinct people are gathered for the range of members.

        Returns: how many amounts have no rate.
        """
        plan, found = self.plan, self.found
        band = rows.d // plan.band_days if plan.band_days > 1 else rows.d
        if plan.on_or_after:
            band = np.minimum(band, plan.bands - 1)
        keys = np.multiply(rows.place, plan.bands, dtype=np.int64)
        keys += band
        missing = 0
        for place in counting:
            need = plan.needs[place]
            if need.part is MeasurePart.REVENUE:
                missing = int(rows.column("missing_rate").sum(dtype=np.int64))
            if need.part in (MeasurePart.COUNT, MeasurePart.REVENUE):
                values = rows.column("n" if need.part is MeasurePart.COUNT else "micro")
                if not need.reached:
                    found.cells[place].add(keys, values)
                    continue
                reach = self.reach[self.reader.members(rows)]
                kept = np.flatnonzero(reach >= band)
                first = rows.place[kept].astype(np.int64) * (plan.bands + 1) + band[kept]
                value = values[kept].astype(np.int64)
                found.cells[place].add(first, value)
                found.cells[place].add(first - band[kept] + np.minimum(reach[kept], plan.bands - 1) + 1, -value)
                continue
            own, who = keys, self.reader.members(rows)
            mask = self._counts(need, code, rows)
            if mask is not None:
                own, who = keys[mask], who[mask]
            reach = self.reach[who] if need.reached else np.zeros(0, np.int64)
            person = who if self.people is None else self.people[who]
            own = own + person.astype(np.int64) * (len(found) * plan.bands)
            if not need.reached and len(own):
                own = own[np.append(True, own[1:] != own[:-1])]
            people.setdefault(place, []).append((own, reach))
        return missing

    def _counts(self, need: Need, code: int, rows: ActivityRows) -> Ints | None:
        """Which rows of an event count for a need of distinct people; None for all."""
        if need.part is MeasurePart.PAYERS:
            return np.flatnonzero(rows.column("flags") & columns.PAID)
        active = {self.facts.events.get(name) for name in active_events(self.plan)}
        if need.part is MeasurePart.ACTIVE and code not in active:
            return np.flatnonzero(rows.column("flags") & columns.ENTRY)
        return None

    def _add_people(self, place: int, pieces: list[tuple[Ints, Ints]], everywhere: bool) -> None:
        """Distinct people per band; running: by the first band in which they count; late: by the last."""
        need, bands, cells = self.plan.needs[place], self.plan.bands, self.found.cells[place]
        size = len(self.found) * bands
        if need.reached:
            self._add_reached(cells, np.concatenate([p[0] for p in pieces]), np.concatenate([p[1] for p in pieces]))
            return
        keys = distinct([keys for keys, _ in pieces])
        if everywhere:
            keys = lasts(keys, bands)
        elif need.running:
            keys = firsts(keys, bands)
        cells.add(keys % size)

    def _add_reached(self, cells: Cells, keys: Ints, reach: Ints) -> None:
        """People by band b who have counted by then in a membership that has reached b: a union of spans of bands."""
        bands, size = self.plan.bands, len(self.found) * self.plan.bands
        first = keys % bands
        kept = np.flatnonzero(reach >= first)
        order = kept[np.argsort(keys[kept], kind="stable")]
        keys, end = keys[order], np.minimum(reach[order], bands - 1)
        if not len(keys):
            return
        # on one line: every (person, item) has the places block..block + bands - 1, and spans never leave their block
        block = keys - keys % bands
        covered = np.maximum.accumulate(block + end)
        start = keys.copy()
        start[1:] = np.maximum(keys[1:], covered[:-1] + 1)
        fresh = np.flatnonzero(start <= block + end)
        item = (block[fresh] % size) // bands * (bands + 1)
        cells.add(item + (start - block)[fresh])
        cells.add(item + end[fresh] + 1, np.full(len(fresh), -1, np.int64))

    # --- costs --------------------------------------------------------------------------------------------------

    def _costs(self, cohorts: _Cohorts) -> None:
        if not (self.plan.costed and self.state.costs):
            return
        writer = SelectionWriter(self.plan, self.facts)
        rows = self.connection.execute(writer.costs(), writer.values).fetchall()
        codes = [
            cohorts.ranks[i].codes[ranks] - (DAY_SHIFT if group.kind is Kind.DAY else 0)
            for i, (group, (_, ranks)) in enumerate(zip(self.plan.groups, self.found.labels, strict=True))
        ]
        listed = zip(*(column.tolist() for column in codes), strict=True) if codes else [()]
        items = {key: item for item, key in enumerate(listed)}
        for *key, micro, without in rows:
            if (item := items.get(tuple(key))) is not None:
                self.found.costs[item] = (int(micro or 0), without)


class _Cohorts(NamedTuple):
    """Members with the same values of the requested cohort dimensions, in the order of their texts."""

    users: Ints
    large: Ints
    """Whether there are as many people as the request asks for."""
    sample: Ints
    """One member of each, by its place among them."""
    columns: dict[int, Ints]
    """By place among the groups: each member's rank."""
    ranks: dict[int, Ranks]

    def values(self, group: int, cohorts: Ints, chosen: Ints) -> Ints:
        """The ranks of some of these cohorts in a group."""
        return self.columns[group][self.sample[cohorts[chosen]]]


def _stable(order: Ints, values: Ints) -> Ints:
    """`order` put in the order of `values`, ties as they stand."""
    return order[np.argsort(columns.narrow(values[order]), kind="stable")]
