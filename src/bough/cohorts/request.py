"""A POST /v2/analytics body and its query parameters -> a checked `CohortRequest` (docs/exports.md).

Every error is a `BadRequest` that names the field. Unknown body fields are ignored and named in `warnings`; unknown
query parameters are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, cast

import msgspec
from msgspec import Struct

from bough.cohorts.measures import canonical, event_of, is_event
from bough.errors import BadRequest
from bough.spelling import did_you_mean
from bough.vocabulary.dimensions import DIMENSIONS, PREFIX, DataSource
from bough.vocabulary.filters import Filter

Granularity = Literal["day", "week", "month"]
BAND_DAYS: Final[dict[Granularity, int]] = {"day": 1, "week": 7, "month": 30}
FORMATS: Final = ("csv", "json", "ndjson", "parquet")
COMPRESSED: Final = ("csv.gz", "json.gz", "ndjson.gz")

MAX_DIMENSIONS: Final = 11
MAX_MEASURES: Final = 5
MAX_DAYS: Final = 90
MAX_BAND_DAYS: Final = 730
MAX_LIMIT: Final = 50_000
DEFAULT_LIMIT: Final = 100
MAX_FILTER_VALUES: Final = 10_000
MAX_NAME: Final = 255
MAX_TEXT: Final = 4096

_DATE: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?", re.DOTALL | re.ASCII)


class CohortRequest(Struct, frozen=True, kw_only=True):
    """A request that can be answered. Names are canonical; `dimensions` and `measures` keep the caller's order."""

    app_id: str | None = None
    organization_id: str | None = None
    start_date: date
    end_date: date
    data_source: DataSource
    measures: tuple[str, ...]
    band_count: int
    granularity: Granularity = "day"
    dimensions: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    ascending: bool = False
    ordered_by: str | None = None
    """A requested dimension, ``users`` or a requested measure; None orders by users."""
    cumulative: bool = False
    per_user: bool = False
    unique: bool = False
    recalculate_installs: bool = False
    limit: int = DEFAULT_LIMIT
    format: str = "csv"
    compress: bool = False
    # extensions, all off by default (docs/exports.md)
    observable_users: bool = False
    band_status: bool = False
    denominator: Literal["all", "observable"] = "all"
    retention_type: Literal["on", "on_or_after"] = "on"
    interval: bool = False
    """Wilson 95 % interval of Retention."""
    min_cohort_size: int = 1
    incomplete_bands: Literal["null", "zero", "omit"] = "null"
    percent_as_fraction: bool = False
    neutralize_formulas: bool = False
    dry_run: bool = False
    fresh: bool = False
    """Run again although an equal job is there."""
    callback_url: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def band_days(self) -> int:
        """Days per band: 1, 7 or 30."""
        return BAND_DAYS[self.granularity]


def parse_json(body: bytes) -> Mapping[str, Any]:
    """The JSON object in a request body.

    Raises:
        BadRequest: not JSON, or not an object.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"The body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object")
    return value


def parse(
    body: Mapping[str, Any],
    query: Mapping[str, str],
    *,
    today: date,
    default_limit: int = DEFAULT_LIMIT,
    max_limit: int = MAX_LIMIT,
    lookback_months: int = 24,
) -> CohortRequest:
    """Check a request.

    Args:
        body: the JSON object.
        query: query parameters (the edge adds a header's app_id under its name).
        today: the present local date of the app, for the rolling window.
        default_limit: objects when the caller names no limit.
        max_limit: the most objects a caller may ask for.
        lookback_months: months of the rolling window.

    Raises:
        BadRequest: naming the field at fault.
    """
    return _Parser(body).request(query, today, default_limit, max_limit, lookback_months)


class _Parser:
    """Reads fields once each, so that what is left over can be named."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body
        self._seen: set[str] = set()

    def request(
        self, query: Mapping[str, str], today: date, default_limit: int, max_limit: int, months: int
    ) -> CohortRequest:
        app_id, organization_id = self._owner(query, "app_id"), self._owner(query, "organization_id")
        if app_id is None and organization_id is None:
            raise BadRequest("app_id: app_id or organization_id is required")
        start, end = self._dates(today, months)
        source = self._source()
        measures = self._measures()
        granularity = self._choice("granularity", ("day", "week", "month"), "day")
        dimensions = self._dimensions(source)
        written, compress = _format(query)
        request = CohortRequest(
            app_id=app_id,
            organization_id=organization_id,
            start_date=start,
            end_date=end,
            data_source=source,
            measures=measures,
            band_count=self._bands(BAND_DAYS[cast(Granularity, granularity)]),
            granularity=cast(Granularity, granularity),
            dimensions=dimensions,
            filters=(*self._filters("filters", source), *self._filters("filter", source)),
            ascending=self._choice("ordered", ("descending", "ascending"), "descending") == "ascending",
            ordered_by=self._ordered_by(dimensions, measures),
            cumulative=self._flag("cumulative", "cumalative"),
            per_user=self._flag("per_user"),
            unique=self._flag("unique"),
            recalculate_installs=self._flag("enable_install_recalculation", "enable_intall_recalculation"),
            limit=_limit(query, default_limit, max_limit),
            format=written,
            compress=compress,
            observable_users=self._flag("observable_users"),
            band_status=self._flag("band_status"),
            denominator=cast(Any, self._choice("denominator", ("all", "observable"), "all")),
            retention_type=cast(Any, self._choice("retention_type", ("on", "on_or_after"), "on")),
            interval=self._flag("retention_interval"),
            min_cohort_size=self._whole("min_cohort_size", 1, 1, 10**9),
            incomplete_bands=cast(Any, self._choice("incomplete_bands", ("null", "zero", "omit"), "null")),
            percent_as_fraction=self._flag("percent_as_fraction"),
            neutralize_formulas=self._flag("neutralize_formulas"),
            dry_run=self._flag("dry_run"),
            fresh=self._flag("fresh"),
            callback_url=self._text("callback_url"),
        )
        return msgspec.structs.replace(request, warnings=self._warnings())

    def _take(self, name: str) -> Any:
        self._seen.add(name)
        return self._body.get(name)

    def _warnings(self) -> tuple[str, ...]:
        self._seen |= {"organization_id", "app_id"}
        return tuple(f"{name[:MAX_NAME]}: unknown field, ignored" for name in self._body if name not in self._seen)

    def _owner(self, query: Mapping[str, str], name: str) -> str | None:
        """An id of digits stays a text; the query wins over the copy that some clients put into the body."""
        value = self._take(name)
        if query.get(name):
            return query[name]
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise BadRequest(f"{name}: must be a string")
        return str(value)

    def _dates(self, today: date, months: int) -> tuple[date, date]:
        start, end = self._date("start_date"), self._date("end_date")
        if end < start:
            raise BadRequest("end_date: must not be before start_date")
        if (end - start).days + 1 > MAX_DAYS:
            raise BadRequest(f"end_date: at most {MAX_DAYS} days can be queried at a time")
        if start < months_before(today, months):
            raise BadRequest(f"start_date: must lie within the last {months} months")
        return start, end

    def _date(self, name: str) -> date:
        value = self._take(name)
        if value is None:
            raise BadRequest(f"{name}: is required")
        match = _DATE.fullmatch(value) if isinstance(value, str) and len(value) <= 64 else None
        if match is not None:
            try:
                return date.fromisoformat(match[1])
            except ValueError as error:
                raise BadRequest(f"{name}: {match[1]} is not a calendar date") from error
        raise BadRequest(f"{name}: must be a date YYYY-MM-DD")

    def _source(self) -> DataSource:
        value = self._take("data_source")
        if value is None:
            raise BadRequest("data_source: is required")
        if value not in PREFIX if isinstance(value, str) else True:
            shown = value[:MAX_NAME] if isinstance(value, str) else type(value).__name__
            raise BadRequest(
                f"data_source: unsupported data_source {shown!r}; use install_cohort or reengagement_cohort"
            )
        return cast(DataSource, value)

    def _names(self, name: str) -> list[str]:
        value = self._take(name)
        if value is None:
            return []
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
            raise BadRequest(f"{name}: must be an array of strings")
        for item in values:
            if not item or len(event_of(item)) > MAX_NAME or "\0" in item:
                raise BadRequest(f"{name}: a name has 1 to {MAX_NAME} characters")
        return values

    def _measures(self) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(canonical(name) for name in self._names("measures")))
        if not names:
            raise BadRequest("measures: at least one measure is required")
        if len(names) > MAX_MEASURES:
            raise BadRequest(f"measures: at most {MAX_MEASURES} measures")
        return names

    def _dimensions(self, source: DataSource) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(self._names("dimensions")))
        for name in names:
            _check_dimension("dimensions", name, source)
        if len(names) > MAX_DIMENSIONS:
            raise BadRequest(f"dimensions: at most {MAX_DIMENSIONS} dimensions")
        return names

    def _bands(self, days: int) -> int:
        if self._body.get("granularity_band_count") is None:
            raise BadRequest("granularity_band_count: is required")
        return self._whole("granularity_band_count", 1, 1, MAX_BAND_DAYS // days)

    def _ordered_by(self, dimensions: tuple[str, ...], measures: tuple[str, ...]) -> str | None:
        value = self._text("ordered_by")
        if value is None:
            return None
        if value in dimensions:
            return value
        if canonical(value) == "users":
            return None
        if canonical(value) in measures:
            return canonical(value)
        raise BadRequest(
            f"ordered_by: {value[:MAX_NAME]!r} must be one of the requested dimensions, users, or a requested measure"
        )

    def _text(self, name: str) -> str | None:
        value = self._take(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value or len(value) > MAX_TEXT:
            raise BadRequest(f"{name}: must be a string")
        return value

    def _choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self._take(name)
        if value is None:
            return default
        if value in allowed:
            return str(value)
        raise BadRequest(f"{name}: must be one of {', '.join(allowed)}")

    def _whole(self, name: str, default: int, low: int, high: int) -> int:
        value = self._take(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadRequest(f"{name}: must be an integer")
        if not low <= value <= high:
            raise BadRequest(f"{name}: must be between {low} and {high}")
        return value

    def _flag(self, *spellings: str) -> bool:
        given = {name: value for name in spellings if (value := self._take(name)) is not None}
        for name, value in given.items():
            if not isinstance(value, bool):
                raise BadRequest(f"{name}: must be true or false")
        if len(set(given.values())) > 1:
            raise BadRequest(f"{spellings[0]}: conflicts with {spellings[1]}")
        return any(given.values())

    def _filters(self, name: str, source: DataSource) -> tuple[Filter, ...]:
        value = self._take(name)
        if value is None:
            return ()
        if not isinstance(value, dict):
            raise BadRequest(f"{name}: must be an object of dimension to array of strings")
        for key in value:
            _check_dimension(name, key, source)
        return tuple(_filter(name, key, condition) for key, condition in value.items())


def _check_dimension(field: str, name: str, source: DataSource) -> None:
    dimension = DIMENSIONS.get(name)
    if dimension is None:
        known = (one.name for one in DIMENSIONS.values() if source in one.sources)
        raise BadRequest(f"{field}: unknown dimension {name[:MAX_NAME]!r}{did_you_mean(name[:MAX_NAME], known)}")
    if source not in dimension.sources:
        raise BadRequest(f"{field}: {name} cannot be used with data_source {source}")


def _filter(field: str, name: str, condition: Any) -> Filter:
    where = f"{field}.{name}"
    if isinstance(condition, dict):
        if not condition or set(condition) - {"in", "not_in"}:
            raise BadRequest(f"{where}: an object has the keys in and not_in")
        within = _values(f"{where}.in", condition["in"]) if "in" in condition else ()
        without = _values(f"{where}.not_in", condition["not_in"]) if "not_in" in condition else ()
        return Filter(name, _missing(within), _missing(without))
    inside, outside = list[str | None](), list[str | None]()
    for value in _values(where, condition):
        if value is not None and value.startswith("!"):
            outside.append(value[1:])
        else:
            inside.append(value[1:] if value is not None and value.startswith("\\!") else value)
    return Filter(name, _missing(inside), _missing(outside))


def _missing(values: Iterable[str | None]) -> tuple[str | None, ...]:
    """An empty text is a missing value."""
    return tuple(value or None for value in values)


def _values(where: str, value: Any) -> tuple[str | None, ...]:
    values = value if isinstance(value, list) else [value]
    if not values:
        raise BadRequest(f"{where}: give at least one value")
    if len(values) > MAX_FILTER_VALUES:
        raise BadRequest(f"{where}: at most {MAX_FILTER_VALUES} values")
    return tuple(_value(where, item) for item in values)


def _value(where: str, value: Any) -> str | None:
    if value is None or (isinstance(value, str) and len(value) <= MAX_TEXT and "\0" not in value):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        text = f"{Decimal(repr(value)):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    raise BadRequest(f"{where}: values are strings of at most {MAX_TEXT} characters, numbers, true, false or null")


def _format(query: Mapping[str, str]) -> tuple[str, bool]:
    value = query.get("format") or "csv"
    if value in FORMATS:
        return value, False
    if value in COMPRESSED:
        return value.removesuffix(".gz"), True
    raise BadRequest(f"format: must be one of {', '.join((*FORMATS, *COMPRESSED))}")


def _limit(query: Mapping[str, str], default: int, highest: int) -> int:
    text = query.get("limit")
    if text is None or text == "":
        return min(default, highest)
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise BadRequest("limit: must be an integer")
    if not 1 <= int(text) <= highest:
        raise BadRequest(f"limit: must be between 1 and {highest}")
    return int(text)


def months_before(day: date, months: int) -> date:
    """The same day of the month `months` earlier, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    first_after = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), first_after - timedelta(days=1))


def event_names(request: CohortRequest) -> tuple[str, ...]:
    """Names of the events that the request's measures count."""
    return tuple(dict.fromkeys(event_of(name) for name in request.measures if is_event(name)))
