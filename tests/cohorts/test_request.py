"""What a cohort request may say, and what the answer to a wrong one names (docs/exports.md)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bough.cohorts.measures import MEASURES
from bough.cohorts.request import CohortRequest, months_before, parse, parse_json
from bough.errors import BadRequest
from bough.vocabulary.dimensions import DIMENSIONS, dimensions_of
from bough.vocabulary.filters import Filter

TODAY = date(2024, 6, 1)
OS = "install_activity_data_os"
BODY: dict[str, Any] = {
    "start_date": "2024-05-01",
    "end_date": "2024-05-02",
    "data_source": "install_cohort",
    "measures": ["OPEN"],
    "granularity_band_count": 7,
}


def read(query: dict[str, str] | None = None, **fields: Any) -> CohortRequest:
    body = {key: value for key, value in {**BODY, **fields}.items() if value is not ...}
    return parse(body, {"app_id": "1", **(query or {})}, today=TODAY)


def test_the_seeds_own_example_is_read() -> None:
    campaign = "install_activity_touch_data_tilde_campaign"
    found = read(
        {"limit": "50000", "format": "json"},
        dimensions=[campaign],
        filters={campaign: ["A4G"]},
        ordered="descending",
        ordered_by=campaign,
        enable_intall_recalculation=True,
    )
    assert found.filters == (Filter(campaign, ("A4G",)),)
    assert (found.recalculate_installs, found.limit, found.format, found.warnings) == (True, 50_000, "json", ())


def test_defaults() -> None:
    found = read()
    assert (found.limit, found.format, found.granularity, found.ascending) == (100, "csv", "day", False)
    assert (found.cumulative, found.per_user, found.unique, found.recalculate_installs) == (False,) * 4


@pytest.mark.parametrize("name", [d.name for d in dimensions_of("install_cohort")])
def test_every_dimension_groups_and_filters(name: str) -> None:
    found = read(dimensions=[name], filters={name: ["x"]}, filter={name: "y"})
    assert found.dimensions == (name,)
    assert found.filters == (Filter(name, ("x",)), Filter(name, ("y",)))


@pytest.mark.parametrize("name", list(MEASURES))
def test_built_in_measures_in_any_letter_case(name: str) -> None:
    assert read(measures=name.swapcase()).measures == (name,)


@pytest.mark.parametrize(
    ("fields", "field", "value"),
    [
        ({"measures": "SPENG_CREDITS"}, "measures", ("SPEND_CREDITS",)),
        ({"measures": ["my event", "my event"]}, "measures", ("my event",)),
        ({"cumalative": True}, "cumulative", True),
        ({"cumalative": True, "cumulative": True}, "cumulative", True),
        ({"start_date": "2024-05-01T10:00:00Z"}, "start_date", date(2024, 5, 1)),
        ({"dimensions": [OS, OS]}, "dimensions", (OS,)),
        ({"dimensions": OS}, "dimensions", (OS,)),
        ({"dimensions": [], "ordered_by": "USERS"}, "ordered_by", None),
        ({"ordered_by": "open"}, "ordered_by", "OPEN"),
        (
            {"filters": {OS: [True, 1, 1.5, 2.0, None, ""]}},
            "filters",
            (Filter(OS, ("true", "1", "1.5", "2", None, None)),),
        ),
        ({"filters": {OS: ["A", "!B", "\\!C"]}}, "filters", (Filter(OS, ("A", "!C"), ("B",)),)),
        ({"filters": {OS: {"in": ["!A"], "not_in": [None]}}}, "filters", (Filter(OS, ("!A",), (None,)),)),
        ({"foo": 1, "app_id": "1", "organization_id": 2}, "warnings", ("foo: unknown field, ignored",)),
        ({"app_id": 5}, "app_id", "1"),
        ({"granularity": "month", "granularity_band_count": 24}, "band_count", 24),
        ({"start_date": "2024-02-01", "end_date": "2024-04-30"}, "end_date", date(2024, 4, 30)),
        ({"start_date": "2022-06-01", "end_date": "2022-06-02"}, "start_date", date(2022, 6, 1)),
        ({"measures": ["a", "b", "c", "d", "e"]}, "measures", ("a", "b", "c", "d", "e")),
    ],
)
def test_accepted_spellings_and_bounds(fields: dict[str, Any], field: str, value: Any) -> None:
    assert getattr(read(**fields), field) == value


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"start_date": ...}, "start_date"),
        ({"start_date": "2024-02-30"}, "start_date"),
        ({"start_date": 20240501}, "start_date"),
        ({"end_date": "2024-04-30"}, "end_date"),
        ({"start_date": "2024-02-01", "end_date": "2024-05-01"}, "end_date"),
        ({"start_date": "2022-05-31", "end_date": "2022-06-02"}, "start_date"),
        ({"data_source": ...}, "data_source"),
        ({"data_source": "eo_install"}, "unsupported data_source"),
        ({"data_source": ["install_cohort"]}, "data_source"),
        ({"measures": []}, "measures"),
        ({"measures": [1]}, "measures"),
        ({"measures": ["a", "b", "c", "d", "e", "f"]}, "measures"),
        ({"dimensions": ["nonsense"]}, "dimensions"),
        ({"dimensions": ["reengagement_activity_data_os"]}, "dimensions"),
        ({"dimensions": [d.name for d in dimensions_of("install_cohort")][:12]}, "dimensions"),
        ({"filters": [OS]}, "filters"),
        ({"filters": {"nonsense": ["x"]}}, "filters"),
        ({"filters": {OS: []}}, OS),
        ({"filters": {OS: [{}]}}, OS),
        ({"filters": {OS: {"like": "x"}}}, OS),
        ({"granularity_band_count": ...}, "granularity_band_count"),
        ({"granularity_band_count": 0}, "granularity_band_count"),
        ({"granularity_band_count": "7"}, "granularity_band_count"),
        ({"granularity_band_count": True}, "granularity_band_count"),
        ({"granularity_band_count": 731}, "granularity_band_count"),
        ({"granularity": "month", "granularity_band_count": 25}, "granularity_band_count"),
        ({"granularity": "hour"}, "granularity"),
        ({"ordered": "up"}, "ordered"),
        ({"ordered_by": OS}, "ordered_by"),
        ({"cumulative": "yes"}, "cumulative"),
        ({"cumulative": True, "cumalative": False}, "cumulative"),
        ({"denominator": "some"}, "denominator"),
        ({"min_cohort_size": 0}, "min_cohort_size"),
    ],
)
def test_refused_with_the_field_named(fields: dict[str, Any], names: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(**fields)
    assert names in caught.value.message


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "50001"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"format": "xls"}, "format"),
    ],
)
def test_query_parameters_refused(query: dict[str, str], names: str) -> None:
    with pytest.raises(BadRequest, match=names):
        read(query)


def test_app_or_organization_is_required() -> None:
    with pytest.raises(BadRequest, match="app_id"):
        parse(BODY, {}, today=TODAY)
    assert parse({**BODY, "app_id": 12}, {}, today=TODAY).app_id == "12"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_bodies_that_are_no_object(body: bytes) -> None:
    with pytest.raises(BadRequest, match="body"):
        parse_json(body)


def test_window_ends_on_the_last_day_of_a_short_month() -> None:
    assert months_before(date(2024, 3, 31), 1) == date(2024, 2, 29)
    assert months_before(date(2024, 1, 15), 24) == date(2022, 1, 15)


def test_no_dimension_is_listed_twice() -> None:
    assert len(DIMENSIONS) == 47 * 2 + 12 + 2
