"""`CohortRequest` -> `Plan`: what has to be read, as a frozen tree; `bough.cohorts.arrays.selection` writes the
text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, Literal

from msgspec import Struct

from bough.cohorts.measures import Measure, MeasureOptions, MeasurePart, Need, measure_of
from bough.cohorts.request import CohortRequest
from bough.vocabulary.dimensions import DIMENSIONS, Dimension
from bough.vocabulary.filters import Filter

_EPOCH: Final = date(1970, 1, 1)


class AppScope(Struct, frozen=True):
    """One app that a request covers."""

    app_id: str
    as_of: int
    """Local day of `data_as_of`, as days since 1970-01-01."""


class Order(Struct, frozen=True):
    """By which value the tuples are cut to the limit."""

    key: Literal["users", "dimension", "measure"]
    index: int = 0
    """Place of the dimension among the groups, or of the measure among the measures."""
    ascending: bool = False


class Plan(Struct, frozen=True, kw_only=True):
    """One question to the tables."""

    cohort: Literal["install", "reengagement"]
    apps: tuple[AppScope, ...]
    first_day: int
    last_day: int
    skipped_variant: int
    """Rows of `members` and `activity` with this variant do not count."""
    groups: tuple[Dimension, ...]
    filters: tuple[Filter, ...]
    """The caller's and the mandatory ones, ANDed."""
    needs: tuple[Need, ...]
    bands: int
    band_days: int
    order: Order
    tuples: int | None
    """How many tuples are enough; None when all are needed to find the first."""
    min_users: int
    reach: bool
    """Whether it matters how many people have reached each band."""
    on_or_after: bool

    @property
    def member_filters(self) -> tuple[Filter, ...]:
        """Conditions that select members and costs."""
        return tuple(f for f in self.filters if DIMENSIONS[f.dimension].of_member)

    @property
    def event_filters(self) -> tuple[Filter, ...]:
        """Conditions that select events."""
        return tuple(f for f in self.filters if not DIMENSIONS[f.dimension].of_member)

    @property
    def split_by_event(self) -> bool:
        """Whether rows are split by a dimension of the later event."""
        return any(not dimension.of_member for dimension in self.groups)

    @property
    def costed(self) -> bool:
        """Whether costs can be known: they lack every dimension of the later event (docs/exports.md)."""
        return not self.split_by_event and not self.event_filters


def asked_of(request: CohortRequest) -> MeasureOptions:
    """The switches that measures look at."""
    return MeasureOptions(
        cumulative=request.cumulative,
        per_user=request.per_user,
        unique=request.unique,
        fraction=request.percent_as_fraction,
        observable=request.denominator == "observable",
    )


def measures_of(request: CohortRequest) -> tuple[Measure, ...]:
    """The measures of a request, in its order."""
    return tuple(measure_of(name) for name in request.measures)


def plan(request: CohortRequest, apps: Sequence[AppScope], mandatory: Sequence[Filter] = ()) -> Plan:
    """What has to be read to answer a request.

    Args:
        request: checked (`bough.cohorts.request.parse`).
        apps: the apps it covers, already found to be the caller's.
        mandatory: the caller's data filters, ANDed; they select members, events, users and cost alike.
    """
    asked = asked_of(request)
    measures = measures_of(request)
    needs = dict.fromkeys(need for measure in measures for need in measure.needs(asked))
    order = _order(request)
    return Plan(
        cohort="install" if request.data_source == "install_cohort" else "reengagement",
        apps=tuple(sorted(apps, key=lambda scope: scope.app_id)),
        first_day=(request.start_date - _EPOCH).days,
        last_day=(request.end_date - _EPOCH).days,
        skipped_variant=0 if request.recalculate_installs else 1,
        groups=tuple(DIMENSIONS[name] for name in request.dimensions),
        filters=(*request.filters, *mandatory),
        needs=tuple(needs),
        bands=request.band_count,
        band_days=request.band_days,
        order=order,
        tuples=None if order.key == "measure" else -(-request.limit // len(measures)),
        min_users=request.min_cohort_size,
        reach=request.observable_users or request.band_status or asked.observable,
        on_or_after=request.retention_type == "on_or_after" and any(n.part is MeasurePart.ACTIVE for n in needs),
    )


def _order(request: CohortRequest) -> Order:
    name = request.ordered_by
    if name is None:
        return Order("users", 0, request.ascending)
    if name in request.dimensions:
        return Order("dimension", request.dimensions.index(name), request.ascending)
    return Order("measure", request.measures.index(name), request.ascending)
