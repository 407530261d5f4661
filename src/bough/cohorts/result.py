"""The numbers of an answer -> exact values per tuple, measure and band (docs/exports.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING

from msgspec import Struct

from bough.cohorts.measures import Cells, Measure, MeasurePart, Need, Number, Retention
from bough.cohorts.numbers import wilson
from bough.cohorts.plan import AppScope, Plan, asked_of, measures_of, plan
from bough.cohorts.request import CohortRequest
from bough.cohorts.unknown_names import unknown_names
from bough.vocabulary.filters import Filter

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from bough.cohorts.arrays.compute import Found


class Item:
    """One tuple of dimension values with its series; the `Row` of `bough.cohorts.measures`."""

    def __init__(self, the_plan: Plan, found: Found, number: int, observable: bool) -> None:
        self._plan = the_plan
        self._found = found
        self._number = number
        self._observable = observable
        self._known: dict[int, list[int]] = {}
        self.bands = the_plan.bands
        self.users = int(found.users[number])
        self.max_age = int(found.oldest[number])
        self.min_age = int(found.youngest[number])
        micro, without_rate = found.costs.get(number, (None, 0))
        self.cost: int | None = None if without_rate else micro
        self.values = found.texts(number)

    def people(self) -> Sequence[int]:
        """What a per-user value is divided by, per band."""
        return self.observable_users() if self._observable else [self.users] * self.bands

    def observable_users(self) -> list[int]:
        """People who have reached the first day of each band."""
        reach = self._found.reach
        last = [0] * self.bands if reach is None else reach.row(int(self._found.cohorts[self._number]))
        return list(accumulate(reversed(last)))[::-1]

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
        if place not in self._known:
            self._known[place] = self._series(place, need)
        return self._known[place]

    def _series(self, place: int, need: Need) -> list[int]:
        found = self._found.cells[place].row(self._number)
        if need.part is MeasurePart.ACTIVE and self._plan.on_or_after:
            return list(accumulate(reversed(found)))[::-1]  # people by the last band in which they were active
        if need.reached:
            return list(accumulate(found))[: self.bands]  # differences between bands
        return list(accumulate(found)) if need.running else found


class AnswerRow(Struct):
    """One object of the answer: a tuple and a measure."""

    item: Item
    measure: Measure
    cells: Cells

    def interval(self, band: int) -> tuple[str, str] | None:
        """Wilson's interval of a retention value."""
        people = self.item.people()[band]
        return wilson(self.item.series(Need(MeasurePart.ACTIVE))[band], people) if self.item.started(band) else None


class Answer:
    """Everything an answer's file and its status need."""

    def __init__(self, request: CohortRequest, found: Found, warnings: tuple[str, ...]) -> None:
        """Args:
        request: what was asked.
        found: its numbers; rows are made of them one at a time.
        warnings: texts for the job's status.
        """
        self._plan = found.plan
        self._found = found
        self.request = request
        self.measures = measures_of(request)
        self.asked = asked_of(request)
        self.rows_total = found.total * len(self.measures)
        """Objects without a limit."""
        self.rows = min(request.limit, self.rows_total)
        """Objects in the file."""
        self.truncated = self.rows < self.rows_total
        self.warnings = warnings

    def items(self) -> Iterator[Item]:
        """The tuples in order, made one at a time."""
        observable = self.request.denominator == "observable"
        found = (Item(self._plan, self._found, number, observable) for number in range(len(self._found)))
        return iter(self._by_measure(list(found))) if self._plan.order.key == "measure" else found

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

    def objects(self) -> Iterator[AnswerRow]:
        """The objects in order, cut to the limit, which may cut a tuple in two."""
        left = self.request.limit
        for item in self.items():
            for measure in self.measures[:left]:
                yield AnswerRow(item, measure, self.cells(item, measure))
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
    check: Callable[[], None] | None = None,
) -> Answer:
    """Run a request against the tables of the warehouse.

    Args:
        connection: a warehouse (`bough.warehouse.build.Warehouse.cursor`).
        request: checked.
        apps: the apps it covers with the local day of `data_as_of`; at least one.
        mandatory: data filters that the caller cannot widen.
        check: called between the pieces of work that the database cannot interrupt; what it raises ends the answer.
    """
    from bough.cohorts.arrays.compute import compute, go_on  # only here: workers load this module for its types

    the_plan = plan(request, apps, mandatory)
    connection.begin()
    try:
        found = compute(connection, the_plan, check or go_on)
        unknown = unknown_names(connection, request, apps, proposes=not mandatory)
        warnings = (*request.warnings, *unknown, *_money_warnings(found))
    finally:
        connection.rollback()
    return Answer(request, found, warnings)


def _money_warnings(found: Found) -> tuple[str, ...]:
    warnings = []
    if found.missing_rates:
        left_out = found.missing_rates
        warnings.append(f"revenue: {left_out} events have no exchange rate for their date and are left out")
    if without := sum(rows for _, rows in found.costs.values()):
        warnings.append(f"cost: {without} costs have no exchange rate for their date; those rows' cost is null")
    return tuple(warnings)


def has_interval(request: CohortRequest, measure: Measure) -> bool:
    """Whether an object carries the interval of a proportion."""
    return request.interval and isinstance(measure, Retention)
