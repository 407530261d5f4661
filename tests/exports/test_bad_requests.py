"""Every documented limit passed by one and every wrong type: 400 that names the field, in both places."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bough.cohorts.request import MAX_FILTER_VALUES, months_before
from bough.vocabulary.dimensions import dimensions_of
from tests.exports.client import Exports, app_in, zone_at_noon
from tests.running import Running

INSTALL = [dimension.name for dimension in dimensions_of("install_cohort")]
OS = "install_activity_data_os"
MISSING = object()


@pytest.fixture(scope="module")
def app(exports_server: Running) -> Any:
    """A client of a new app; nothing in it is needed."""
    client = app_in(exports_server, zone_at_noon())
    yield client
    client.http.close()


BODIES: list[tuple[dict[str, Any], str]] = [
    ({"measures": ["OPEN", "users", "revenue", "LTV", "ARPU", "cost"]}, "measures: at most 5 measures"),
    ({"measures": []}, "measures: at least one measure is required"),
    ({"measures": MISSING}, "measures: at least one measure is required"),
    ({"measures": [1]}, "measures: must be an array of strings"),
    ({"measures": {"a": 1}}, "measures: must be an array of strings"),
    ({"measures": ["x" * 256]}, "measures: a name has 1 to 255 characters"),
    ({"measures": [""]}, "measures: a name has 1 to 255 characters"),
    ({"dimensions": INSTALL[:12]}, "dimensions: at most 11 dimensions"),
    ({"dimensions": ["no_such"]}, "dimensions: unknown dimension 'no_such'"),
    ({"dimensions": "no_such"}, "dimensions: unknown dimension 'no_such'"),
    ({"dimensions": [None]}, "dimensions: must be an array of strings"),
    ({"dimensions": 7}, "dimensions: must be an array of strings"),
    (
        {"dimensions": ["reengagement_activity_data_os"]},
        "dimensions: reengagement_activity_data_os cannot be used with data_source install_cohort",
    ),
    (
        {"data_source": "reengagement_cohort", "dimensions": [OS]},
        f"dimensions: {OS} cannot be used with data_source reengagement_cohort",
    ),
    (
        {"data_source": "reengagement_cohort", "filters": {OS: ["IOS"]}},
        f"filters: {OS} cannot be used with data_source reengagement_cohort",
    ),
    ({"filter": {"no_such": ["x"]}}, "filter: unknown dimension 'no_such'"),
    ({"filters": ["IOS"]}, "filters: must be an object of dimension to array of strings"),
    ({"filters": {OS: []}}, f"filters.{OS}: give at least one value"),
    ({"filters": {OS: ["x"] * (MAX_FILTER_VALUES + 1)}}, f"filters.{OS}: at most {MAX_FILTER_VALUES} values"),
    ({"filters": {OS: {}}}, f"filters.{OS}: an object has the keys in and not_in"),
    ({"filters": {OS: {"in": ["a"], "or": ["b"]}}}, f"filters.{OS}: an object has the keys in and not_in"),
    (
        {"filters": {OS: [["a"]]}},
        f"filters.{OS}: values are strings of at most 4096 characters, numbers, true, false or null",
    ),
    (
        {"filters": {OS: ["x" * 4097]}},
        f"filters.{OS}: values are strings of at most 4096 characters, numbers, true, false or null",
    ),
    ({"start_date": MISSING}, "start_date: is required"),
    ({"end_date": None}, "end_date: is required"),
    ({"start_date": "yesterday"}, "start_date: must be a date YYYY-MM-DD"),
    ({"start_date": 20240501}, "start_date: must be a date YYYY-MM-DD"),
    ({"start_date": "2024-02-30"}, "start_date: 2024-02-30 is not a calendar date"),
    ({"start_date": "2024-5-1"}, "start_date: must be a date YYYY-MM-DD"),
    ({"end_date": "٢٠٢٤-٠٥-٠١"}, "end_date: must be a date YYYY-MM-DD"),
    ({"data_source": MISSING}, "data_source: is required"),
    ({"data_source": ["install_cohort"]}, "list"),
    ({"granularity_band_count": MISSING}, "granularity_band_count: is required"),
    ({"granularity_band_count": 0}, "granularity_band_count: must be between 1 and 730"),
    ({"granularity_band_count": 731}, "granularity_band_count: must be between 1 and 730"),
    (
        {"granularity_band_count": 105, "granularity": "week"},
        "granularity_band_count: must be between 1 and 104",
    ),
    ({"granularity_band_count": 25, "granularity": "month"}, "granularity_band_count: must be between 1 and 24"),
    ({"granularity_band_count": "7"}, "granularity_band_count: must be an integer"),
    ({"granularity_band_count": 7.5}, "granularity_band_count: must be an integer"),
    ({"granularity_band_count": True}, "granularity_band_count: must be an integer"),
    ({"granularity": "hour"}, "granularity: must be one of day, week, month"),
    ({"ordered": "up"}, "ordered: must be one of descending, ascending"),
    (
        {"ordered_by": OS},
        f"ordered_by: '{OS}' must be one of the requested dimensions, users, or a requested measure",
    ),
    ({"ordered_by": 1}, "ordered_by: must be a string"),
    ({"cumulative": "true"}, "cumulative: must be true or false"),
    ({"cumulative": True, "cumalative": False}, "cumulative: conflicts with cumalative"),
    ({"per_user": 1}, "per_user: must be true or false"),
    ({"unique": "no"}, "unique: must be true or false"),
    (
        {"enable_install_recalculation": True, "enable_intall_recalculation": False},
        "enable_install_recalculation: conflicts with enable_intall_recalculation",
    ),
    ({"min_cohort_size": 0}, "min_cohort_size: must be between 1 and 1000000000"),
    ({"denominator": "some"}, "denominator: must be one of all, observable"),
    ({"retention_type": "after"}, "retention_type: must be one of on, on_or_after"),
    ({"callback_url": "gopher://x"}, "callback_url: must be an http or https address."),
]


def _refused(answer: Any, message: str) -> None:
    assert answer.status_code == 400, answer.text
    document = answer.json()
    assert message in document["error"]["message"]
    assert document == {
        "error": {"code": 400, "message": document["error"]["message"]},
        "code": 400,
        "error_message": document["error"]["message"],
    }


@pytest.mark.parametrize(("fields", "message"), BODIES, ids=[message[:60] for _, message in BODIES])
def test_the_field_at_fault_is_named(app: Exports, fields: dict[str, Any], message: str) -> None:
    body = {name: value for name, value in app.body(**fields).items() if value is not MISSING}
    _refused(app.post(body), message)


def test_90_days_are_accepted_and_91_are_not(app: Exports) -> None:
    assert app.post(app.body(start_date=app.day(89), end_date=app.day(0))).status_code == 200
    _refused(
        app.post(app.body(start_date=app.day(90), end_date=app.day(0))),
        "end_date: at most 90 days can be queried at a time",
    )


def test_the_end_must_not_come_before_the_start(app: Exports) -> None:
    _refused(app.post(app.body(start_date=app.day(1), end_date=app.day(2))), "end_date: must not be before start_date")


def test_the_window_is_24_months_back_to_the_day(app: Exports) -> None:
    first = months_before(app.today, 24)
    assert app.post(app.body(start_date=first.isoformat(), end_date=first.isoformat())).status_code == 200
    before = (first - timedelta(days=1)).isoformat()
    _refused(app.post(app.body(start_date=before, end_date=before)), "start_date: must lie within the last 24 months")


@pytest.mark.parametrize(
    "source", ["eo_install", "eo_open", "eo_commerce_event", "cost", "xx_click", "INSTALL_COHORT", ""]
)
def test_the_aggregate_api_of_the_same_address_is_refused_in_words(app: Exports, source: str) -> None:
    body = app.body(data_source=source, aggregation="total_count")
    _refused(app.post(body), f"data_source: unsupported data_source '{source}'")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"limit": "0"}, "limit: must be between 1 and 50000"),
        ({"limit": "50001"}, "limit: must be between 1 and 50000"),
        ({"limit": "many"}, "limit: must be an integer"),
        ({"limit": "-1"}, "limit: must be an integer"),
        ({"limit": "1e3"}, "limit: must be an integer"),
        ({"limit": "9" * 400}, "limit: must be an integer"),
        ({"format": "xlsx"}, "format: must be one of csv, json, ndjson, parquet"),
        ({"format": "parquet.gz"}, "format: must be one of csv, json, ndjson, parquet"),
    ],
)
def test_query_parameters_are_checked(app: Exports, query: dict[str, str], message: str) -> None:
    _refused(app.post(app.body(), **query), message)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b"null", b"\xff\xfe", b'{"a":' * 20_000])
def test_a_body_that_is_no_object_is_refused(app: Exports, content: bytes) -> None:
    answer = app.http.post(
        "/v2/analytics", params={"app_id": app.app_id}, content=content, headers={"Access-Token": app.token}
    )
    _refused(answer, "The body")


def test_an_app_or_organization_is_needed(app: Exports) -> None:
    answer = app.http.post("/v2/analytics", json=app.body(), headers={"Access-Token": app.token})
    assert answer.status_code == 400
    assert answer.json() == {"error": {"code": 400, "message": "Authentication failed !"}}, "as documented"


def test_limits_themselves_are_accepted(app: Exports) -> None:
    body = app.body(
        measures=["OPEN", "users", "revenue", "LTV", "ARPU"], dimensions=INSTALL[:11], granularity_band_count=730
    )
    assert app.waited(body, limit="50000").decode().count("\n") == 1


def test_what_branchs_own_mcp_server_sends_is_accepted(app: Exports) -> None:
    """It copies app_id and organization_id into the body and names the filter in the singular."""
    body = app.body(app_id=app.app_id, organization_id=app.organization_id, filter={OS: ["IOS"]})
    answer = app.http.post(
        "/v2/analytics", params={"app_id": app.app_id}, json=body, headers={"access-token": app.token}
    )
    assert answer.status_code == 200
    assert "warnings" not in answer.json()
    alone = app.http.post("/v2/analytics", json=body, headers={"access-token": app.token})
    assert alone.status_code == 200


def test_what_airbyte_sends_is_accepted(app: Exports) -> None:
    """ISO times as dates, `offset` in the query, no limit or format."""
    body = app.body(start_date=app.day(3) + "T00:00:00Z", end_date=app.day(2) + "T00:00:00.000Z")
    answer = app.post(body, offset="0", page_size="50000")
    assert (answer.status_code, answer.json()["code"]) == (200, 200)


def test_branchs_spelling_mistakes_are_accepted(app: Exports) -> None:
    body = app.body(
        measures="SPENG_CREDITS", cumalative=True, enable_intall_recalculation=True, granularity_band_count=1
    )
    content = app.waited(body).decode()
    assert content == "measure,metric,per_user,cumulative,users,cost,day0\n"
    mixed = app.post(app.body(measures=["retention", "ECPA", "Users", "open"], dry_run=True))
    assert mixed.status_code == 200
