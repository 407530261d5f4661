"""A cohort question as a form's address and as a request of the API: pure.

Dimensions are named as in `bough.accounts.data_filters`, without the cohort's prefix, so that the data source can be
changed and everything else stays. Dates are `days=28` (up to today) or start and end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from msgspec import Struct

from bough.accounts.data_filters import COLUMNS
from bough.cohorts.request import BAND_DAYS, MAX_BAND_DAYS
from bough.errors import BadRequest
from bough.vocabulary.dimensions import DIMENSIONS, PREFIX, DataSource

MAX_FILTERS = 8
MAX_LENGTH = 90
BANDS = {"day": 14, "week": 8, "month": 6}
"""How many, when nothing is said."""

SHOWN = 300
"""Objects of a page; its files hold up to 50,000."""

DAY = "timezone_adjusted_day"


class FilterLine(Struct, frozen=True, kw_only=True):
    """One condition of the form."""

    dimension: str = ""
    operator: str = "is"
    """`is` or `not`."""
    values: str = ""
    """With `|` between them; nothing between two stands for a missing value."""


class CohortQuestion(Struct, frozen=True, kw_only=True):
    """What the form says."""

    source: DataSource = "install_cohort"
    days: str = "28"
    start: str = ""
    end: str = ""
    measures: tuple[str, ...] = ("Retention",)
    custom: str = ""
    """Names of own events, with commas."""
    granularity: str = "day"
    bands: str = ""
    dimensions: tuple[str, ...] = (DAY,)
    filters: tuple[FilterLine, ...] = ()
    cumulative: bool = False
    per_user: bool = False
    unique: bool = False
    recalculate: bool = False
    ordered_by: str = ""
    ordered: str = ""
    min_size: str = ""


def parse(pairs: Sequence[tuple[str, str]]) -> CohortQuestion:
    """The question of an address's query. Raises BadRequest naming the field."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)

    def one(name: str, default: str = "") -> str:
        return given.get(name, [default])[-1].strip()

    source = one("source", "install_cohort") or "install_cohort"
    if source not in PREFIX:
        raise BadRequest("source: must be install_cohort or reengagement_cohort.")
    granularity = one("granularity", "day") or "day"
    if granularity not in BAND_DAYS:
        raise BadRequest("granularity: must be day, week or month.")
    columns = given.get("f-dim", [])
    filters = tuple(
        FilterLine(dimension=name, operator=operator, values=values)
        for name, operator, values in zip(
            columns, given.get("f-op", ["is"] * len(columns)), given.get("f-val", [""] * len(columns)), strict=False
        )
        if name
    )[:MAX_FILTERS]
    return CohortQuestion(
        source="reengagement_cohort" if source == "reengagement_cohort" else "install_cohort",
        days=one("days", "" if one("start") else "28"),
        start=one("start"),
        end=one("end"),
        measures=tuple(given.get("measure", ())) or (() if one("custom") else ("Retention",)),
        custom=one("custom"),
        granularity=granularity,
        bands=one("bands"),
        dimensions=tuple(dict.fromkeys(d for d in given.get("dim", () if "measure" in given else (DAY,)) if d)),
        filters=filters,
        cumulative=one("cumulative") == "on",
        per_user=one("per_user") == "on",
        unique=one("unique") == "on",
        recalculate=one("recalculate") == "on",
        ordered_by=one("ordered_by"),
        ordered=one("ordered"),
        min_size=one("min_size"),
    )


def pairs_of(question: CohortQuestion) -> list[tuple[str, str]]:
    """The address's query of a question: the inverse of `parse`."""
    pairs: list[tuple[str, str]] = [("source", question.source)]
    if question.start:
        pairs += [("start", question.start), ("end", question.end)]
    else:
        pairs.append(("days", question.days))
    pairs += [("measure", name) for name in question.measures]
    pairs += [("custom", question.custom), ("granularity", question.granularity), ("bands", question.bands)]
    pairs += [("dim", name) for name in question.dimensions] or [("dim", "")]
    for line in question.filters:
        pairs += [("f-dim", line.dimension), ("f-op", line.operator), ("f-val", line.values)]
    for name in ("cumulative", "per_user", "unique", "recalculate"):
        if getattr(question, name):
            pairs.append((name, "on"))
    pairs += [(name, getattr(question, name)) for name in ("ordered_by", "ordered", "min_size")]
    return [(name, value) for name, value in pairs if value or name == "dim"]


def full_name(source: DataSource, name: str) -> str:
    """A dimension's name in the API."""
    return PREFIX[source] + name if PREFIX[source] + name in DIMENSIONS else name


def short_name(name: str) -> str:
    """The inverse of `full_name`."""
    for prefix in PREFIX.values():
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def label_of(name: str) -> str:
    """What a dimension is called."""
    found = DIMENSIONS.get(full_name("install_cohort", name)) or DIMENSIONS.get(name)
    return found.label if found is not None else name


def choices() -> list[tuple[str, str, bool]]:
    """(name, label, whether it is of the cohort event) of every dimension."""
    found = []
    for name in COLUMNS:
        dimension = DIMENSIONS.get(full_name("install_cohort", name))
        if dimension is not None:
            found.append((name, dimension.label, dimension.of_member))
    return found


def body_of(question: CohortQuestion, today: date) -> dict[str, Any]:
    """The body of POST /v2/analytics that asks the question. Raises BadRequest naming the field."""
    start, end = _dates(question, today)
    body: dict[str, Any] = {
        "start_date": start,
        "end_date": end,
        "data_source": question.source,
        "measures": [*question.measures, *(one.strip() for one in question.custom.split(",") if one.strip())],
        "granularity": question.granularity,
        "granularity_band_count": _bands(question),
        "dimensions": [full_name(question.source, name) for name in question.dimensions],
    }
    filters: dict[str, dict[str, list[str | None]]] = {}
    for line in question.filters:
        key, values = full_name(question.source, line.dimension), [v.strip() or None for v in line.values.split("|")]
        before = filters.setdefault(key, {})
        before.setdefault("not_in" if line.operator == "not" else "in", []).extend(values)
    if filters:
        body["filters"] = filters
    for name, key in (
        ("cumulative", "cumulative"), ("per_user", "per_user"), ("unique", "unique"),
        ("recalculate", "enable_install_recalculation"),
    ):  # fmt: skip
        if getattr(question, name):
            body[key] = True
    ordered_by = question.ordered_by or (DAY if question.dimensions[:1] == (DAY,) else "")
    if ordered_by and (ordered_by not in COLUMNS or ordered_by in question.dimensions):
        body["ordered_by"] = full_name(question.source, ordered_by)
    if question.ordered in ("ascending", "descending"):
        body["ordered"] = question.ordered
    if question.min_size.isascii() and question.min_size.isdigit():
        body["min_cohort_size"] = int(question.min_size)
    return body


def for_page(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same question with everything that the heat map says besides."""
    return {**body, "observable_users": True, "band_status": True, "retention_interval": True}


def _dates(question: CohortQuestion, today: date) -> tuple[str, str]:
    if question.start:
        return question.start, question.end or today.isoformat()
    if not (question.days.isascii() and question.days.isdigit() and 1 <= int(question.days) <= MAX_LENGTH):
        raise BadRequest(f"days: must be a whole number from 1 to {MAX_LENGTH}.")
    return (today - timedelta(days=int(question.days) - 1)).isoformat(), today.isoformat()


def _bands(question: CohortQuestion) -> int:
    if not question.bands:
        return BANDS[question.granularity]
    most = MAX_BAND_DAYS // {"day": 1, "week": 7, "month": 30}[question.granularity]
    if not (question.bands.isascii() and question.bands.isdigit() and 1 <= int(question.bands) <= most):
        raise BadRequest(f"bands: must be a whole number from 1 to {most}.")
    return int(question.bands)
