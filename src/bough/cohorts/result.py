"""Rows of the query -> exact values per tuple, measure and band (contract/cohort.md §3 and §4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from bough.cohorts.dimensions import Kind
from bough.cohorts.facts import lookup
from bough.cohorts.filter import Filter
from bough.cohorts.measures import MEASURES, Cells, Measure, Need, Number, Part, Retention
from bough.cohorts.numbers import wilson
from bough.cohorts.plan import AppScope, Plan, asked_of, measures_of, plan
from bough.cohorts.request import CohortRequest
from bough.cohorts.sql import Query, render, slots

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_EPOCH: Final = date(1970, 1, 1)


class Item:
    """One tuple of dimension values with its series; the `Row` of `bough.cohorts.measures`."""

    def __init__(self, the_plan: Plan, head: tuple[Any, ...], observable: bool) -> None:
        self._plan = the_plan
        self._observable = observable
        self.bands = the_plan.bands
        self.users: int = head[4]
        self.max_age: int = head[5]
        self.min_age: int = head[6]
        self.cost: int | None = None
        self.values: tuple[str | None, ...] = tuple(
            _day_text(text) if group.kind is Kind.DAY and text is not None else text
            for group, text in zip(the_plan.groups, head[10:], strict=True)
        )
        self._sums: list[tuple[Any, ...]] = []
        self._counted: dict[int, list[int]] = {}
        self._running: dict[int, list[int]] = {}
        self._reach = [0] * self.bands

    def add(self, row: tuple[Any, ...]) -> None:
        """Take one row of the query that belongs to this tuple."""
        kind, slot, band, value = row[0], row[2], row[3], row[4]
        if kind == 1:
            self._sums.append(row)
        elif kind == 2:
            self._counted.setdefault(slot, [0] * self.bands)[band] += value
        elif kind == 3:
            self._reach[band] += value
        elif kind == 4:
            self.cost = None if row[5] else value
        elif kind == 5:
            self._running.setdefault(slot, [0] * self.bands)[band] = value

    def people(self) -> Sequence[int]:
        """What a per-user value is divided by, per band."""
        return self.observable_users() if self._observable else [self.users] * self.bands

    def observable_users(self) -> list[int]:
        """People who have reached the first day of each band."""
        return list(accumulate(reversed(self._reach)))[::-1]

    def started(self, band: int) -> bool:
        """Whether the earliest member has reached the band's first day."""
        return band * self._plan.band_days <= self.max_age

    def status(self, band: int) -> str:
        """complete when every member has passed the band's last day, not_started, else partial."""
        if not self.started(band):
            return "not_started"
        return "complete" if (band + 1) * self._plan.band_days <= self.min_age else "partial"

    def series(self, need: Need) -> Sequence[int]:
        """The series of `need`, one whole number per band."""
        place = self._plan.needs.index(need)
        if need.reached:
            return self._running.get(place, [0] * self.bands)
        if need.part is Part.ACTIVE and self._plan.on_or_after:
            last = self._counted.get(place, [0] * self.bands)
            return list(accumulate(reversed(last)))[::-1]
        if need.part in (Part.PEOPLE, Part.PAYERS, Part.ACTIVE) and self._plan.counted_apart:
            found: Sequence[int] = self._counted.get(place, [0] * self.bands)
        else:
            found = self._summed(need)
        return list(accumulate(found)) if need.running else found

    def _summed(self, need: Need) -> list[int]:
        column = {Part.COUNT: 4, Part.REVENUE: 5, Part.PEOPLE: 7, Part.PAYERS: 8, Part.ACTIVE: 9}[need.part]
        wanted: int | None = None
        if need.part in (Part.COUNT, Part.PEOPLE, Part.ACTIVE):
            wanted = slots(self._plan).index("OPEN" if need.part is Part.ACTIVE else need.event)
        found = [0] * self.bands
        for row in self._sums:
            if wanted is None or row[2] == wanted:
                found[row[3]] += row[column]
        if need.part is Part.ACTIVE:
            found[0] = self.users
        return found


class Shown(Struct):
    """One object of the answer: a tuple and a measure."""

    item: Item
    measure: Measure
    cells: Cells

    def interval(self, band: int) -> tuple[str, str] | None:
        """Wilson's interval of a retention value."""
        people = self.item.people()[band]
        return wilson(self.item.series(Need(Part.ACTIVE))[band], people) if self.item.started(band) else None


class Answer:
    """Everything an answer's file and its status need."""

    def __init__(
        self, request: CohortRequest, the_plan: Plan, rows: list[tuple[Any, ...]], warnings: tuple[str, ...]
    ) -> None:
        """Args:
        request: what was asked.
        the_plan: what `rows` answer.
        rows: of `bough.cohorts.sql`; they are kept as they are until an object is made of them.
        warnings: texts for the job's status.
        """
        self._plan = the_plan
        self._heads = sorted((row for row in rows if row[0] == 0), key=lambda row: row[1])
        self._rows: dict[int, list[tuple[Any, ...]]] = {head[1]: [] for head in self._heads}
        for row in rows:
            if row[0] != 0:
                self._rows[row[1]].append(row)
        total = self._heads[0][7] if self._heads else 0
        self.request = request
        self.measures = measures_of(request)
        self.asked = asked_of(request)
        self.rows_total = total * len(self.measures)
        """Objects without a limit."""
        self.rows = min(request.limit, self.rows_total)
        """Objects in the file."""
        self.truncated = self.rows < self.rows_total
        self.warnings = warnings

    def items(self) -> Iterator[Item]:
        """The tuples in order, made one at a time."""
        found = map(self._item, self._heads)
        return iter(self._by_measure(list(found))) if self._plan.order.key == "measure" else found

    def _item(self, head: tuple[Any, ...]) -> Item:
        item = Item(self._plan, head, self.request.denominator == "observable")
        for row in self._rows[head[1]]:
            item.add(row)
        return item

    def _by_measure(self, items: list[Item]) -> list[Item]:
        """By band 0 as shown, before rounding; undefined values last; ties as they stand."""
        measure, ascending = self.measures[self._plan.order.index], self._plan.order.ascending

        def key(item: Item) -> tuple[bool, Fraction]:
            cell = self.cells(item, measure)[0]
            if cell is None:
                return True, Fraction(0)
            value = Fraction(cell.top, cell.bottom)
            return False, value if ascending else -value

        return sorted(items, key=key)

    def objects(self) -> Iterator[Shown]:
        """The objects in order, cut to the limit, which may cut a tuple in two."""
        left = self.request.limit
        for item in self.items():
            for measure in self.measures[:left]:
                yield Shown(item, measure, self.cells(item, measure))
            left -= len(self.measures)
            if left <= 0:
                return

    def cells(self, item: Item, measure: Measure) -> Cells:
        """Values per band; a band that has not started is null, or 0 if that was asked for."""
        cells = measure.values(item, self.asked)
        later = None
        if self.request.incomplete_bands == "zero" and not (measure.needs_cost() and item.cost is None):
            later = Number(measure.form_of(self.asked), 0)
        return [cell if item.started(band) else later for band, cell in enumerate(cells)]


def answer(
    connection: DuckDBPyConnection,
    request: CohortRequest,
    apps: Sequence[AppScope],
    mandatory: Sequence[Filter] = (),
) -> Answer:
    """Run a request against the tables of the warehouse.

    Args:
        connection: a warehouse (`bough.warehouse.build.Warehouse.cursor`).
        request: checked.
        apps: the apps it covers with the local day of `data_as_of`; at least one.
        mandatory: data filters that the caller cannot widen.
    """
    the_plan = plan(request, apps, mandatory)
    return assemble(
        request,
        the_plan,
        run(connection, render(the_plan, lookup(connection, the_plan))),
        _unknown_events(connection, request),
    )


def run(connection: DuckDBPyConnection, query: Query) -> list[tuple[Any, ...]]:
    """The rows of one query."""
    return connection.execute(query.text, query.values).fetchall()


def assemble(
    request: CohortRequest, the_plan: Plan, rows: list[tuple[Any, ...]], warnings: tuple[str, ...] = ()
) -> Answer:
    """Rows of `bough.cohorts.sql` -> the answer."""
    return Answer(request, the_plan, rows, (*request.warnings, *warnings, *_money_warnings(the_plan, rows)))


def _money_warnings(the_plan: Plan, rows: list[tuple[Any, ...]]) -> tuple[str, ...]:
    warnings = []
    if any(need.part in (Part.REVENUE, Part.PAYERS) for need in the_plan.needs):
        left_out = sum(row[6] or 0 for row in rows if row[0] == 1)
        if left_out:
            warnings.append(f"revenue: {left_out} events have no exchange rate for their date and are left out")
    without = sum(row[5] for row in rows if row[0] == 4)
    if without:
        warnings.append(f"cost: {without} costs have no exchange rate for their date; those rows' cost is null")
    return tuple(warnings)


def _unknown_events(connection: DuckDBPyConnection, request: CohortRequest) -> tuple[str, ...]:
    """Measures that no event has ever been called; they give zeros (contract/cohort.md §4)."""
    names = [name for name in dict.fromkeys(request.measures) if name not in MEASURES]
    return tuple(f"measures: no event is called {name!r}" for name in names if not _has_event(connection, name))


def _has_event(connection: DuckDBPyConnection, name: str) -> bool:
    code = connection.execute("SELECT code FROM words WHERE word = $name", {"name": name}).fetchone()
    if code is None:
        return False
    # the code stands in the text: the search then skips blocks and ends at the first event
    found = connection.execute(f"SELECT 1 FROM events WHERE name = {int(code[0])} LIMIT 1")  # noqa: S608 - a number
    return found.fetchone() is not None


def _day_text(number: str) -> str:
    return (_EPOCH + timedelta(days=int(number))).isoformat()


def has_interval(request: CohortRequest, measure: Measure) -> bool:
    """Whether an object carries the interval of a proportion."""
    return request.interval and isinstance(measure, Retention)
