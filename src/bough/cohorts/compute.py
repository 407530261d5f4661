"""`Plan` -> numbers: members from the tables, their activity by position from its columns.

    members -> cohorts   people with the same values of the cohort dimensions
            -> tuples    cohorts, split by the values of conversion dimensions that occur in their events
            -> items     the tuples of the answer, in its order, cut to the limit
    activity -> cells    one pass over the rows of each event, a range of members at a time

Everything is whole numbers. Texts are looked up for the values that occur, to put tuples in order, and never joined.
"""

# ruff: noqa: S608 - names come from the tables of this package; numbers are numbers.
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from bough.cohorts.dimensions import DIMENSIONS, Dimension, Kind, Place
from bough.cohorts.facts import Facts, lookup
from bough.cohorts.labels import DAY_SHIFT, Ranks, ranked
from bough.cohorts.measures import Need, Part
from bough.cohorts.numbering import Cells, Numbering, distinct, firsts, lasts
from bough.cohorts.plan import Plan
from bough.cohorts.sql import Writer, active_events, members_query
from bough.warehouse import columns
from bough.warehouse.columns import Activity, Ints

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_WINDOW: Final = 2**14
"""Members at a time: bounds the memory of a query on installs, and keeps its arrays in the processor's cache."""


class Found:
    """The numbers of an answer; `bough.cohorts.result` makes its rows of them."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.total = 0
        """Tuples without a limit."""
        self.users = self.oldest = self.youngest = np.zeros(0, np.int64)
        """By item: people, and the ages in days of the first and the last member."""
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
    return _Computation(connection, plan, lookup(connection, plan), check).run()


class _Rows(NamedTuple):
    """Rows of one event that count: `place` is the number of the tuple or cohort."""

    table: Activity
    rows: slice
    chosen: Ints
    place: Ints
    member: Ints
    """Counted from the lowest member of the request."""
    d: Ints
    flags: Ints

    def column(self, name: str) -> Ints:
        return self.table.columns[name][self.rows][self.chosen]

    def only(self, mask: Ints) -> _Rows:
        kept = np.flatnonzero(mask)
        return _Rows(
            self.table, self.rows, self.chosen[kept], self.place[kept], self.member[kept], self.d[kept],
            self.flags[kept],
        )  # fmt: skip


class _Computation:
    def __init__(
        self, connection: DuckDBPyConnection, plan: Plan, facts: Facts, check: Callable[[], None] = go_on
    ) -> None:
        self.connection, self.plan, self.facts, self.check = connection, plan, facts, check
        self.found = Found(plan)
        self.event_groups = [group for group in plan.groups if not group.of_member]
        self.contexts: dict[str, Ints] = {}
        self.folder = columns.folder_of(connection, facts.copy) if facts.copy else None
        self.conditions = [
            (DIMENSIONS[f.dimension], self._codes(f.dimension, f.values), self._codes(f.dimension, f.excluded))
            for f in plan.event_filters
        ]
        self.event_ranks: list[Ranks] = []
        self.numbering = Numbering(())

    # --- members ------------------------------------------------------------------------------------------------

    def run(self) -> Found:
        writer = Writer(self.plan, self.facts)
        fetched = self.connection.execute(members_query(writer), writer.values).fetchnumpy()
        rows = {name: np.asarray(column) for name, column in fetched.items()}
        if not len(rows["member"]):
            return self.found
        self._place_members(rows)
        cohorts = self._group(rows)
        if self.event_groups:
            self._split(cohorts)
        else:
            self._choose(cohorts, np.flatnonzero(cohorts.large), [], None)
        self._prepare(rows)
        del rows
        if len(self.found):
            self._count()
            self._costs(cohorts)
        return self.found

    def _place_members(self, rows: dict[str, Ints]) -> None:
        number = rows["member"]
        self.low, self.high = int(number.min()), int(number.max())
        self.place = np.full(self.high - self.low + 1, -1, np.int32)

    def _group(self, rows: dict[str, Ints]) -> _Cohorts:
        """Number the members' cohorts in the order of their texts."""
        groups = [(i, group) for i, group in enumerate(self.plan.groups) if group.of_member]
        codes = [rows.pop(f"k{i}") for i, _ in groups]
        codes = [c + DAY_SHIFT if g.kind is Kind.DAY else c for c, (_, g) in zip(codes, groups, strict=True)]
        ranks = ranked(self.connection, [(g, c) for c, (_, g) in zip(codes, groups, strict=True)])
        own = [one.of(column) for one, column in zip(ranks, codes, strict=True)]
        numbering = Numbering([len(one.texts) for one in ranks])
        ids, age = numbering.learn(own, len(rows["member"])), rows["age"].astype(np.int64)
        count = numbering.count
        if self.plan.cohort == "install":
            users = np.bincount(ids, minlength=count)
        else:
            people = rows["person"].astype(np.int64)
            span = int(people.max()) + 1
            users = np.bincount(distinct([ids.astype(np.int64) * span + people]) // span, minlength=count)
        oldest, youngest = np.full(count, -(2**31), np.int64), np.full(count, 2**31, np.int64)
        np.maximum.at(oldest, ids, age)
        np.minimum.at(youngest, ids, age)
        sample = np.zeros(count, np.int64)
        sample[ids] = np.arange(len(ids))
        large = users >= max(1, self.plan.min_users)
        self.place[rows["member"] - self.low] = np.where(large[ids], ids, -1)
        tuples = {i: column[sample] for (i, _), column in zip(groups, own, strict=True)}
        return _Cohorts(users, oldest, youngest, large, tuples, {i: r for (i, _), r in zip(groups, ranks, strict=True)})

    def _prepare(self, rows: dict[str, Ints]) -> None:
        """What distinct counts and reached bands need of every member, and how many people have reached each band."""
        plan, place = self.plan, rows["member"] - self.low
        self.people = None
        if plan.cohort == "reengagement":
            self.people = np.zeros(len(self.place), np.int64)
            self.people[place] = rows["person"]
        if not plan.reach:
            return
        reach = np.where(rows["age"] < 0, -1, rows["age"] // plan.band_days)
        self.reach = np.zeros(len(self.place), np.int32)
        self.reach[place] = reach
        own = self.place[place]
        mine = (own >= 0) & (reach >= 0)
        height = int(own.max(initial=-1)) + 1
        keys = own[mine].astype(np.int64) * plan.bands + np.minimum(reach[mine], plan.bands - 1)
        self.found.reach = Cells(height, plan.bands)
        if self.people is not None:
            size = height * plan.bands
            keys = lasts(distinct([self.people[place[mine]] * size + keys]), plan.bands) % size
        self.found.reach.add(keys)

    # --- tuples -------------------------------------------------------------------------------------------------

    def _split(self, cohorts: _Cohorts) -> None:
        """Tuples of cohort and event values: of any event of the members inside the requested bands."""
        tables = self._tables(None, [])
        pieces: list[list[Ints]] = []
        for table in tables:
            for code in sorted(table.codes()):
                for low, high in self._windows():
                    rows = self._rows(table, code, low, high)
                    values = [rows.place, *(self._values(rows, group) for group in self.event_groups)]
                    numbering = Numbering([int(value.max(initial=0)) + 1 for value in values])
                    ids = numbering.learn(values, len(rows.place))
                    sample = np.zeros(numbering.count, np.int64)
                    sample[ids] = np.arange(len(ids))
                    pieces.append([value[sample] for value in values])
        places, *values = [
            np.concatenate([piece[i] for piece in pieces]) if pieces else np.zeros(0, np.int64)
            for i in range(1 + len(self.event_groups))
        ]
        self.event_ranks = ranked(self.connection, list(zip(self.event_groups, values, strict=True)))
        own = [ranks.of(column) for ranks, column in zip(self.event_ranks, values, strict=True)]
        self.numbering = Numbering([len(cohorts.users), *(len(ranks.texts) for ranks in self.event_ranks)])
        ids = self.numbering.learn([places, *own], len(places))
        sample = np.zeros(self.numbering.count, np.int64)
        sample[ids] = np.arange(len(ids))
        self._choose(cohorts, places[sample], [column[sample] for column in own], self.event_ranks)

    def _choose(self, cohorts: _Cohorts, own: Ints, event_values: list[Ints], event_ranks: list[Ranks] | None) -> None:
        """Put tuples in order, cut them to the limit, number them.

        Args:
            cohorts: all cohorts.
            own: the cohort of each tuple.
            event_values: by conversion dimension, each tuple's rank.
            event_ranks: of those dimensions; None when there are none, and tuples are cohorts in order.
        """
        found, later = self.found, iter(zip(event_ranks or [], event_values, strict=True))
        columns_, ranks_ = [], []
        for i, group in enumerate(self.plan.groups):
            ranks, column = (cohorts.ranks[i], cohorts.values[i][own]) if group.of_member else next(later)
            ranks_.append(ranks)
            columns_.append(column)
        order = np.lexsort(columns_[::-1]) if event_ranks else np.arange(len(own))
        chosen = self._ordered(order, cohorts.users[own], columns_, ranks_)[: self.plan.tuples]
        found.total = len(own)
        found.cohorts = own[chosen]
        found.users, found.oldest = cohorts.users[found.cohorts], cohorts.oldest[found.cohorts]
        found.youngest = cohorts.youngest[found.cohorts]
        found.labels = [(r.texts, column[chosen]) for r, column in zip(ranks_, columns_, strict=True)]
        self.item_of = np.full(len(own), -1, np.int32)
        self.item_of[chosen] = np.arange(len(chosen), dtype=np.int32)
        if event_ranks is None:
            of_cohort = np.full(len(cohorts.users) + 1, -1, np.int32)
            of_cohort[own] = self.item_of
            self.place = of_cohort[self.place]  # -1 takes the last, which is -1
            found.cohorts = np.arange(len(chosen))

    def _ordered(self, order: Ints, users: Ints, values: list[Ints], ranks: list[Ranks]) -> Ints:
        """users, then the tuple; by a dimension, that dimension first (contract/cohort.md §3.3)."""
        by = self.plan.order
        if by.key == "users":
            return _stable(order, users if by.ascending else -users)
        order = _stable(order, -users)
        if by.key == "dimension":
            column, missing = values[by.index], ranks[by.index].missing
            last = np.where(column == missing, len(ranks[by.index].texts), column if by.ascending else -column)
            order = _stable(order, last)
        return order

    # --- activity -----------------------------------------------------------------------------------------------

    def _tables(self, codes: Sequence[int] | None, needs: Sequence[Need]) -> list[Activity]:
        """The activity of the members asked for: main, and the delta when there is one."""
        names = {"member", "d", "flags"}
        names |= {"n"} if any(need.part is Part.COUNT for need in needs) else set()
        names |= {"micro", "missing_rate"} if any(need.part is Part.REVENUE for need in needs) else set()
        for dimension in [*self.event_groups, *(DIMENSIONS[f.dimension] for f in self.plan.event_filters)]:
            if dimension.place is Place.CONTEXT:
                names.add("context")
                if dimension.column not in self.contexts:
                    known = columns.contexts(self.connection, self.folder, dimension.column)
                    self.contexts[dimension.column] = known
            else:
                names.add(dimension.column)
        listed, cohort = sorted(names), self.plan.cohort
        where = f"member BETWEEN {self.low} AND {self.high}"
        if codes is not None:
            where += f" AND event IN ({', '.join(map(str, codes)) or '-1'})"
        main = columns.from_files(self.folder, listed) if self.folder is not None else None
        found = [main or columns.from_tables(self.connection, f"{cohort}_activity_main", where, listed)]
        if self.facts.delta:
            found.append(columns.from_tables(self.connection, f"{cohort}_activity_delta", where, listed))
        return found

    def _windows(self) -> Iterator[tuple[int, int]]:
        """Ranges of members; everything of a person is in one of them."""
        step = _WINDOW if self.plan.cohort == "install" else self.high - self.low + 1
        for low in range(self.low, self.high + 1, step):
            yield low, min(low + step - 1, self.high)

    def _rows(self, table: Activity, code: int, low: int, high: int, everywhere: bool = False) -> _Rows:
        """Rows of an event that count for the members low..high, within the requested bands."""
        self.check()
        rows = table.rows(code, low, high)
        member = table.columns["member"][rows] - self.low
        place, d, flags = self.place[member], table.columns["d"][rows], table.columns["flags"][rows]
        keep = (place >= 0) & ((flags & columns.VARIANT) != self.plan.skipped_variant)
        if not everywhere:
            keep &= d < self.plan.bands * self.plan.band_days
        chosen = np.flatnonzero(keep)
        found = _Rows(table, rows, chosen, place[chosen], member[chosen], d[chosen], flags[chosen])
        for dimension, wanted, unwanted in self.conditions:
            values = self._values(found, dimension)
            mask = np.ones(len(values), bool) if wanted is None else np.isin(values, wanted)
            if unwanted is not None:
                mask &= ~np.isin(values, unwanted)
            found = found.only(mask)
        return found

    def _values(self, rows: _Rows, dimension: Dimension) -> Ints:
        """The codes of a conversion dimension."""
        if dimension.place is Place.CONTEXT:
            return self.contexts[dimension.column][rows.column("context")]
        return rows.column(dimension.column)

    def _codes(self, name: str, values: tuple[str | None, ...]) -> Ints | None:
        """The codes that a condition on a conversion dimension names; None when it names nothing."""
        if not values:
            return None
        found = [0] if None in values else []
        texts = tuple(text for text in dict.fromkeys(values) if text is not None)
        if DIMENSIONS[name].kind is Kind.TEXT:
            found += [code for text in texts if (code := self.facts.texts.get(text)) is not None]
        elif texts:
            writer = Writer(self.plan, self.facts)
            query = f"SELECT code FROM words WHERE {writer.words(texts)}"
            found += [code for (code,) in self.connection.execute(query, writer.values).fetchall()]
        return np.asarray(found, np.int64)

    # --- cells --------------------------------------------------------------------------------------------------

    def _count(self) -> None:
        """Fill the cells of every need."""
        plan = self.plan
        bands, items = plan.bands, len(self.found)
        self.found.cells = [Cells(items, bands + 1 if need.reached else bands) for need in plan.needs]
        late = [i for i, need in enumerate(plan.needs) if need.part is Part.ACTIVE and plan.on_or_after]
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
        tables = self._tables(sorted(wanted), [needs[place] for place in places])
        for low, high in self._windows():
            people: dict[int, list[tuple[Ints, Ints]]] = {}
            for code, counting in wanted.items():
                for table in tables:
                    rows = self._rows(table, code, low, high, everywhere)
                    if len(rows.place):
                        self._add(code, counting, self._in_items(rows), people)
            for place, pieces in people.items():
                self._add_people(place, pieces, everywhere)

    def _events(self, need: Need) -> tuple[int, ...]:
        """Codes of the events that can count for a need."""
        if need.part in (Part.REVENUE, Part.PAYERS):
            return self.facts.revenue_events
        names: tuple[str, ...] = (need.event,)
        if need.part is Part.ACTIVE:
            names = tuple(dict.fromkeys((*active_events(self.plan), "INSTALL", "REINSTALL")))
        return tuple(self.facts.events[name] for name in names if name in self.facts.events)

    def _in_items(self, rows: _Rows) -> _Rows:
        """The rows of the answer's tuples, with the item as their place."""
        if not self.event_groups:
            return rows
        own = [
            ranks.of(self._values(rows, group))
            for ranks, group in zip(self.event_ranks, self.event_groups, strict=True)
        ]
        ids = self.numbering.find([rows.place, *own], len(rows.place))
        items = np.where(ids < 0, -1, self.item_of[ids])
        return rows._replace(place=items).only(items >= 0)

    def _add(self, code: int, counting: list[int], rows: _Rows, people: dict[int, list[tuple[Ints, Ints]]]) -> None:
        """Add rows of one event to the needs that count it; distinct people are gathered for the range of members."""
        plan, found = self.plan, self.found
        band = rows.d // plan.band_days if plan.band_days > 1 else rows.d
        if plan.on_or_after:
            band = np.minimum(band, plan.bands - 1)
        item = rows.place.astype(np.int64)
        keys = item * plan.bands + band
        counted_missing = False
        for place in counting:
            need = plan.needs[place]
            if need.part is Part.REVENUE and not counted_missing:
                found.missing_rates += int(rows.column("missing_rate").sum(dtype=np.int64))
                counted_missing = True
            if need.part in (Part.COUNT, Part.REVENUE):
                values = rows.column("n" if need.part is Part.COUNT else "micro").astype(np.int64)
                if not need.reached:
                    found.cells[place].add(keys, values)
                    continue
                reach = self.reach[rows.member]
                kept = np.flatnonzero(reach >= band)
                first, value = item[kept] * (plan.bands + 1) + band[kept], values[kept]
                found.cells[place].add(first, value)
                found.cells[place].add(first - band[kept] + np.minimum(reach[kept], plan.bands - 1) + 1, -value)
                continue
            own, who = keys, rows.member
            mask = self._counts(need, code, rows)
            if mask is not None:
                own, who = keys[mask], who[mask]
            reach = self.reach[who] if need.reached else np.zeros(0, np.int64)
            person = who if self.people is None else self.people[who]
            own = own + person.astype(np.int64) * (len(found) * plan.bands)
            if not need.reached and len(own):
                own = own[np.append(True, own[1:] != own[:-1])]
            people.setdefault(place, []).append((own, reach))

    def _counts(self, need: Need, code: int, rows: _Rows) -> Ints | None:
        """Which rows of an event count for a need of distinct people; None for all."""
        if need.part is Part.PAYERS:
            return np.flatnonzero(rows.flags & columns.PAID)
        active = {self.facts.events.get(name) for name in active_events(self.plan)}
        if need.part is Part.ACTIVE and code not in active:
            return np.flatnonzero(rows.flags & columns.ENTRY)
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
        if not (self.plan.costed and self.facts.costs):
            return
        writer = Writer(self.plan, self.facts)
        rows = self.connection.execute(writer.costs(), writer.values).fetchall()
        codes = [
            cohorts.ranks[i].codes[ranks] - (DAY_SHIFT if group.kind is Kind.DAY else 0)
            for i, (group, (_, ranks)) in enumerate(zip(self.plan.groups, self.found.labels, strict=True))
        ]
        listed = zip(*(column.tolist() for column in codes), strict=True) if codes else [()]
        items = {key: item for item, key in enumerate(listed)}
        for *key, micro, without in rows:
            if (item := items.get(tuple(key))) is not None:
                self.found.costs[item] = (micro or 0, without)


class _Cohorts(NamedTuple):
    """Members with the same values of the requested cohort dimensions, in the order of their texts."""

    users: Ints
    oldest: Ints
    youngest: Ints
    large: Ints
    """Whether there are as many people as the request asks for."""
    values: dict[int, Ints]
    """By place among the groups: each cohort's rank."""
    ranks: dict[int, Ranks]


def _stable(order: Ints, values: Ints) -> Ints:
    """`order` put in the order of `values`, ties as they stand."""
    return order[np.argsort(columns.narrow(values[order]), kind="stable")]
