"""The one table of measures: what each needs from the warehouse and how a row's bands become exact numbers.

Formulas: docs/exports.md; whole micro-USD and counts go in, `Number`s (a whole numerator over a whole
denominator) come out, and nothing is rounded here.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from types import MappingProxyType
from typing import ClassVar, Final, Literal, NamedTuple, Protocol

from bough.vocabulary.event_groups import STANDARD_EVENTS

Metric = Literal["total_count", "unique_count", "revenue", "cost"]
MICRO: Final = 1_000_000

EVENT_PREFIX: Final = "event:"
"""`event:NAME` asks for the event NAME, also where NAME alone is a measure such as `revenue`."""


class Form(Enum):
    """How a number is written (docs/exports.md)."""

    COUNT = "count"
    MONEY = "money"
    """Whole micro-USD; two decimals."""
    RATIO = "ratio"
    """Ten significant digits."""


class Number(NamedTuple):
    """`top / bottom`, exactly; COUNT and MONEY have bottom 1."""

    form: Form
    top: int
    bottom: int = 1


Cells = list[Number | None]


class MeasurePart(Enum):
    """What a measure asks the warehouse for, per row and band."""

    COUNT = "count"
    """Events of one name."""
    PEOPLE = "people"
    """Distinct people with an event of one name."""
    REVENUE = "revenue"
    PAYERS = "payers"
    """Distinct people with a payment above 0."""
    ACTIVE = "active"
    """Distinct people with a session, the cohort event included."""


class Need(NamedTuple):
    """One series of a row; `running` sums or distinct counts over the bands 0..b instead of band b alone."""

    part: MeasurePart
    event: str = ""
    running: bool = False
    reached: bool = False
    """Only people who have reached band b count for band b; for running values over observable people."""


class MeasureRow(Protocol):
    """The parts of one result row. Every series has one whole number per requested band."""

    users: int
    cost: int | None
    """Micro-USD; None when unknown."""
    bands: int

    def series(self, need: Need) -> Sequence[int]:
        """The series of `need`."""

    def people(self) -> Sequence[int]:
        """What a per-user value is divided by, per band: all users, or those who have reached the band."""


class MeasureOptions(NamedTuple):
    """The switches of a request that measures look at."""

    cumulative: bool = False
    per_user: bool = False
    unique: bool = False
    fraction: bool = False
    observable: bool = False
    """Divide by the people who have reached the band; costs were paid for all and are divided by all."""


class Measure:
    """One measure of a request."""

    metric: ClassVar[Metric]
    empty: ClassVar[Form] = Form.RATIO
    """How a band without anything is written when 0 is asked for instead of null."""

    def __init__(self, name: str) -> None:
        self.name = name

    def metric_of(self, asked: MeasureOptions) -> Metric:
        """The word in the output's `metric`."""
        return self.metric

    def form_of(self, asked: MeasureOptions) -> Form:
        """The form of its numbers."""
        return self.empty

    def needs(self, asked: MeasureOptions) -> tuple[Need, ...]:
        """The series that `values` reads."""
        raise NotImplementedError

    def values(self, row: MeasureRow, asked: MeasureOptions) -> Cells:
        """One value per band; None is undefined."""
        raise NotImplementedError

    def needs_cost(self) -> bool:
        """Whether an unknown cost makes it unknown."""
        return False


def _ratio(top: int, bottom: int) -> Number | None:
    return None if bottom == 0 else Number(Form.RATIO, top, bottom)


def _plain(form: Form, values: Sequence[int]) -> Cells:
    return [Number(form, value) for value in values]


def _over(values: Sequence[int], people: Sequence[int], unit: int = 1) -> Cells:
    """Each value over the people of its band."""
    return [_ratio(value, unit * count) for value, count in zip(values, people, strict=True)]


class EventCount(Measure):
    """Events of one name, or with `unique` the people who had one."""

    metric = "total_count"
    empty = Form.COUNT

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.event = event_of(name)

    def metric_of(self, asked: MeasureOptions) -> Metric:
        return "unique_count" if asked.unique else "total_count"

    def form_of(self, asked: MeasureOptions) -> Form:
        return Form.RATIO if asked.per_user else Form.COUNT

    def _need(self, asked: MeasureOptions) -> Need:
        reached = asked.per_user and asked.cumulative and asked.observable
        return Need(MeasurePart.PEOPLE if asked.unique else MeasurePart.COUNT, self.event, asked.cumulative, reached)

    def needs(self, asked: MeasureOptions) -> tuple[Need, ...]:
        return (self._need(asked),)

    def values(self, row: MeasureRow, asked: MeasureOptions) -> Cells:
        series = row.series(self._need(asked))
        return _over(series, row.people()) if asked.per_user else _plain(Form.COUNT, series)


class Users(Measure):
    """The people of the row, in every band."""

    metric = "unique_count"
    empty = Form.COUNT

    def needs(self, asked: MeasureOptions) -> tuple[Need, ...]:
        return ()

    def values(self, row: MeasureRow, asked: MeasureOptions) -> Cells:
        return [Number(Form.COUNT, row.users)] * row.bands


class Retention(Measure):
    """People with a session in the band over all people, as a fraction."""

    metric = "unique_count"

    def needs(self, asked: MeasureOptions) -> tuple[Need, ...]:
        return (Need(MeasurePart.ACTIVE),)

    def values(self, row: MeasureRow, asked: MeasureOptions) -> Cells:
        return _over(row.series(Need(MeasurePart.ACTIVE)), row.people())


class Revenue(Measure):
    """Net revenue in US dollars; per user it is ARPU."""

    metric = "revenue"
    empty = Form.MONEY

    def form_of(self, asked: MeasureOptions) -> Form:
        return Form.RATIO if asked.per_user else Form.MONEY

    def _running(self, asked: MeasureOptions) -> bool:
        return asked.cumulative

    def _per_user(self, asked: MeasureOptions) -> bool:
        return asked.per_user

    def needs(self, asked: MeasureOptions) -> tuple[Need, ...]:
        running = self._running(asked)
        return (Need(MeasurePart.REVENUE, "", running, running and asked.observable and self._per_user(asked)),)

    def values(self, row: MeasureRow, asked: MeasureOptions) -> Cells:
        series = row.series(self.needs(asked)[0])
        return _over(series, row.people(), MICRO) if self._per_user(asked) else _plain(Form.MONEY, series)


class Arpu(Revenue):
    """Revenue over all people."""

    empty = Form.RATIO

    def form_of(self, asked: MeasureOptions) -> Form:
        return Form.RATIO

    def _per_user(self, asked: MeasureOptions) -> bool:
        return True


class Ltv(Arpu):
    """Revenue of the bands so far over all people."""

    def _running(self, asked: MeasureOptions) -> bool:
        return True


class Arppu(Measure):
    """Revenue over those who paid."""

    metric = "revenue"

    def needs(self, asked: MeasureOptions) -> tuple[Need, ...]:
        return (Need(MeasurePart.REVENUE, running=asked.cumulative), Need(MeasurePart.PAYERS, running=asked.cumulative))

    def values(self, row: MeasureRow, asked: MeasureOptions) -> Cells:
        revenue, payers = (row.series(need) for need in self.needs(asked))
        return [_ratio(micro, MICRO * people) for micro, people in zip(revenue, payers, strict=True)]


class CostMeasure(Measure):
    """Money spent, booked once in band 0."""

    metric: ClassVar[Metric] = "cost"
    empty = Form.MONEY

    def form_of(self, asked: MeasureOptions) -> Form:
        return Form.RATIO if asked.per_user else Form.MONEY

    def needs(self, asked: MeasureOptions) -> tuple[Need, ...]:
        return ()

    def needs_cost(self) -> bool:
        return True

    def values(self, row: MeasureRow, asked: MeasureOptions) -> Cells:
        if row.cost is None:
            return [None] * row.bands
        return _money(_booked(row.cost, row.bands, asked), row, asked)


def _money(values: list[int], row: MeasureRow, asked: MeasureOptions) -> Cells:
    return _over(values, [row.users] * row.bands, MICRO) if asked.per_user else _plain(Form.MONEY, values)


def _booked(cost: int, bands: int, asked: MeasureOptions) -> list[int]:
    return [cost if band == 0 or asked.cumulative else 0 for band in range(bands)]


class GrossProfit(CostMeasure):
    """Revenue less cost."""

    metric: ClassVar[Metric] = "revenue"

    def needs(self, asked: MeasureOptions) -> tuple[Need, ...]:
        return (Need(MeasurePart.REVENUE, running=asked.cumulative),)

    def values(self, row: MeasureRow, asked: MeasureOptions) -> Cells:
        if row.cost is None:
            return [None] * row.bands
        revenue = row.series(self.needs(asked)[0])
        booked = _booked(row.cost, row.bands, asked)
        return _money([r - c for r, c in zip(revenue, booked, strict=True)], row, asked)


class Roas(Measure):
    """Revenue as a percentage of cost."""

    metric = "revenue"

    def needs(self, asked: MeasureOptions) -> tuple[Need, ...]:
        return (Need(MeasurePart.REVENUE, running=asked.cumulative),)

    def needs_cost(self) -> bool:
        return True

    def _gain(self, row: MeasureRow, asked: MeasureOptions) -> list[int]:
        return list(row.series(self.needs(asked)[0]))

    def values(self, row: MeasureRow, asked: MeasureOptions) -> Cells:
        gain = self._gain(row, asked)
        if row.cost is None:
            return [None] * len(gain)
        unit = 1 if asked.fraction else 100
        return [_ratio(unit * micro, row.cost) for micro in gain]


class Roi(Roas):
    """Profit as a percentage of cost."""

    def _gain(self, row: MeasureRow, asked: MeasureOptions) -> list[int]:
        revenue = super()._gain(row, asked)
        cost = _booked(row.cost or 0, len(revenue), asked)
        return [r - c for r, c in zip(revenue, cost, strict=True)]


class Ecpa(Measure):
    """Cost per purchase."""

    metric = "cost"

    def needs(self, asked: MeasureOptions) -> tuple[Need, ...]:
        return (Need(MeasurePart.COUNT, "PURCHASE", asked.cumulative),)

    def needs_cost(self) -> bool:
        return True

    def values(self, row: MeasureRow, asked: MeasureOptions) -> Cells:
        purchases = row.series(self.needs(asked)[0])
        if row.cost is None:
            return [None] * len(purchases)
        return [_ratio(row.cost, MICRO * count) for count in purchases]


_UNMEASURED: Final = ("INITIATE_STREAM", "COMPLETE_STREAM", "OPT_IN", "OPT_OUT")

MEASURES: Final = MappingProxyType(
    {
        "OPEN": EventCount,
        "users": Users,
        "Retention": Retention,
        "ARPPU": Arppu,
        "LTV": Ltv,
        "ARPU": Arpu,
        "revenue": Revenue,
        **{name: EventCount for name in STANDARD_EVENTS if name not in _UNMEASURED},
        "cost": CostMeasure,
        "GROSS_PROFIT": GrossProfit,
        "ROI": Roi,
        "ROAS": Roas,
        "eCPA": Ecpa,
    }
)
"""The seed's measures; any other name is a custom event (`EventCount`)."""

_CANONICAL: Final = {**{name.upper(): name for name in MEASURES}, "SPENG_CREDITS": "SPEND_CREDITS"}


def canonical(name: str) -> str:
    """The spelling of a built-in measure in any letter case; another name unchanged (docs/exports.md).

    With EVENT_PREFIX the name is an event's: a built-in event's in any letter case, or another one letter by letter.
    """
    if name.startswith(EVENT_PREFIX):
        event = name.removeprefix(EVENT_PREFIX)
        built_in = _CANONICAL.get(event.upper(), event)
        return EVENT_PREFIX + (built_in if is_event(built_in) else event)
    return _CANONICAL.get(name.upper(), name)


def event_of(name: str) -> str:
    """The event that a canonical name of an event's measure counts."""
    return name.removeprefix(EVENT_PREFIX) or name


def measure_of(name: str) -> Measure:
    """The measure of a canonical name."""
    return MEASURES.get(name, EventCount)(name)


def is_event(name: str) -> bool:
    """Whether the measure counts events of one name."""
    return MEASURES.get(name, EventCount) is EventCount
