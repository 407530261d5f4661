"""Rows of `activity` that count for the members asked for: one event and a range of members at a time.

Ranges are independent of each other, so they are worked on in as many threads as the database uses: numpy lets go of
the interpreter in its loops. Nothing but sums of whole numbers is shared, so the order of the ranges does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import numpy as np

from bough.cohorts.arrays.members import among, codes_of
from bough.cohorts.arrays.table_facts import State, TableFacts
from bough.cohorts.arrays.threads import in_threads
from bough.cohorts.measures import MeasurePart, Need
from bough.cohorts.plan import Plan
from bough.vocabulary.dimensions import DIMENSIONS, Dimension, DimensionTable
from bough.warehouse import columns
from bough.warehouse.columns import Activity, Copy, Ints

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ROWS: Final = 2**16
"""Rows at a time: bounds the memory of a query, and keeps its arrays in the processor's cache."""

Piece = list[tuple[Activity, int, slice]]
"""Tables, events and their rows that have to be looked at together."""
T = TypeVar("T")


class ActivityRows(NamedTuple):
    """Rows of one event that count."""

    table: Activity
    span: slice
    chosen: Ints | slice
    """Which of the span."""
    place: Ints
    """The number of the tuple or cohort."""
    d: Ints

    def column(self, name: str) -> Ints:
        return self.table.columns[name][self.span][self.chosen]

    def only(self, mask: Ints) -> ActivityRows:
        kept = np.flatnonzero(mask)
        chosen = kept if isinstance(self.chosen, slice) else self.chosen[kept]
        return ActivityRows(self.table, self.span, chosen, self.place[kept], self.d[kept])


class ActivityReader:
    """Finds the rows of a plan's members."""

    def __init__(
        self,
        connection: DuckDBPyConnection,
        plan: Plan,
        facts: TableFacts,
        state: State,
        copy: Copy | None,
        check: Callable[[], None],
    ) -> None:
        self._connection, self._plan, self._state, self._copy, self._check = connection, plan, state, copy, check
        self._contexts: dict[str, Ints] = {}
        self._conditions = [
            (
                DIMENSIONS[f.dimension],
                codes_of(connection, plan, facts, f, f.values) if f.values else None,
                codes_of(connection, plan, facts, f, f.excluded),
            )
            for f in plan.event_filters
        ]
        self.low, self.place = 0, np.zeros(0, np.int32)

    def cover(self, member: Ints) -> None:
        """Look at the rows of these members; none has a place yet."""
        self.low = int(member.min())
        self.place = np.full(int(member.max()) - self.low + 1, -1, np.int32)

    def tables(self, codes: Sequence[int] | None, needs: Sequence[Need]) -> list[Activity]:
        """The activity of the members asked for: main, and the delta when there is one.

        Args:
            codes: of the events that are looked at; None for all.
            needs: what is counted.
        """
        names = {"member", "d", "flags"}
        names |= {"n"} if any(need.part is MeasurePart.COUNT for need in needs) else set()
        names |= {"micro", "missing_rate"} if any(need.part is MeasurePart.REVENUE for need in needs) else set()
        plan, groups = self._plan, [group for group in self._plan.groups if not group.of_member]
        for dimension in [*groups, *(DIMENSIONS[f.dimension] for f in plan.event_filters)]:
            if dimension.place is DimensionTable.CONTEXT:
                names.add("context")
                if dimension.column not in self._contexts:
                    found = columns.contexts(self._connection, self._copy, dimension.column, self._state.delta)
                    self._contexts[dimension.column] = found
            else:
                names.add(dimension.column)
        listed = sorted(names)
        where = f"member BETWEEN {self.low} AND {self.low + len(self.place) - 1}"
        if codes is not None:
            where += f" AND event IN ({', '.join(map(str, codes)) or '-1'})"
        if self._copy is not None:
            tables = [columns.from_copy(self._copy, listed)]
        else:
            tables = [columns.from_tables(self._connection, f"{plan.cohort}_activity_main", where, listed)]
        if self._state.delta:
            tables.append(columns.from_tables(self._connection, f"{plan.cohort}_activity_delta", where, listed))
        return tables

    def pieces(self, together: Iterable[Sequence[tuple[Activity, int]]], whole: bool = False) -> Iterator[Piece]:
        """Cut rows into ranges of members.

        Args:
            together: tables and events whose rows have to be looked at together.
            whole: do not cut: a person may be anywhere.
        """
        ends = self.low + np.asarray((0, len(self.place)))
        for listed in together:
            rows = sum(int(np.diff(table.cuts(code, ends))[0]) for table, code in listed)
            steps = 1 if whole else max(1, -(-rows // _ROWS))
            edges = self.low + len(self.place) * np.arange(steps + 1) // steps
            cuts = [(table, code, table.cuts(code, edges).tolist()) for table, code in listed]
            for i in range(steps):
                piece = [(table, code, slice(at[i], at[i + 1])) for table, code, at in cuts if at[i] < at[i + 1]]
                if piece:
                    yield piece

    def each(self, work: Callable[[Piece], T], pieces: Iterable[Piece]) -> list[T]:
        """Work on pieces in several threads; what has been read need not stay in memory."""

        def done(piece: Piece) -> T:
            found = work(piece)
            for table, _, span in piece:
                table.forget(span)
            return found

        listed = list(pieces)
        if self._copy is not None:
            self._copy.forget_all()
        return in_threads(self._state.threads, done, listed)

    def rows(self, table: Activity, span: slice, everywhere: bool = False) -> ActivityRows:
        """The rows of a span that count, within the requested bands or everywhere."""
        self._check()
        place = self.place[np.subtract(table.columns["member"][span], self.low, dtype=np.intp)]
        d = table.columns["d"][span]
        keep = place >= 0
        keep &= (table.columns["flags"][span] & columns.VARIANT) != self._plan.skipped_variant
        if not everywhere:
            keep &= d < self._plan.bands * self._plan.band_days
        found = ActivityRows(table, span, slice(None), place, d)
        if not keep.all():
            found = found.only(keep)
        for dimension, wanted, unwanted in self._conditions:
            values = self.values(found, dimension)
            mask = np.ones(len(values), bool) if wanted is None else among(values, wanted)
            found = found.only(mask & ~among(values, unwanted))
        return found

    def values(self, rows: ActivityRows, dimension: Dimension) -> Ints:
        """The codes of a conversion dimension."""
        if dimension.place is DimensionTable.CONTEXT:
            return self._contexts[dimension.column][rows.column("context")]
        return rows.column(dimension.column)

    def members(self, rows: ActivityRows) -> Ints:
        """Counted from the lowest member of the request."""
        return np.subtract(rows.column("member"), self.low, dtype=np.intp)
