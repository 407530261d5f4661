"""From a number to its rows, the size of a request, and what requests may say (docs/exports.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bough.cohorts.measures import MEASURES
from bough.vocabulary.dimensions import DIMENSIONS
from tests.apps import token_of
from tests.exports.client import Exports, app_in, zone_at_noon
from tests.exports.worked_example import events
from tests.running import Running


@pytest.fixture(scope="module")
def app(exports_server: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exports]:
    """The worked example without its costs."""
    client = app_in(exports_server, zone_at_noon())
    client.import_events(events(client, tmp_path_factory.mktemp("rows") / "events.csv"))
    yield client
    client.http.close()


def ask(app: Exports, **query: str) -> httpx.Response:
    """GET /api/cohorts/rows."""
    return app.http.get("/api/cohorts/rows", params=query, headers={"Access-Token": app.token})


def test_the_events_behind_a_cell_are_those_it_counts(app: Exports) -> None:
    body = app.body(measures=["OPEN", "revenue"])
    job = app.job(body)
    opens = ask(app, job_id=job, measure="OPEN", band="1").json()
    assert (opens["members_total"], opens["events_total"]) == (5, 4)
    assert sorted(event["id"] for event in opens["events"]) == ["A-open-1", "A-open-2", "B-open-0", "D-open-2"]
    assert {event["name"] for event in opens["events"]} == {"OPEN"}
    assert len({member["person"] for member in opens["members"]}) == 5
    paid = ask(app, app_id=app.app_id, request=json.dumps(body), measure="revenue", band="2").json()
    assert [(event["id"], event["revenue_in_usd"]) for event in paid["events"]] == [
        ("D-buy-0", "15.000000"),
        ("D-buy-1", "10.000000"),
    ]


def test_a_row_of_a_tuple_is_asked_for_by_its_values(app: Exports) -> None:
    day = "install_activity_timezone_adjusted_day"
    job = app.job(app.body(measures=["PURCHASE"], dimensions=[day]))
    found = ask(app, job_id=job, measure="PURCHASE", band="1", values=json.dumps({day: app.day(3)})).json()
    assert (found["members_total"], found["events_total"]) == (3, 2)
    assert sorted(event["id"] for event in found["events"]) == ["A-buy-1", "B-buy-0"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, "job_id: job_id or request is required."),
        ({"request": "{"}, "The body is not JSON"),
        ({"measure": "LTV"}, "measure: the answer has no such cell"),
        ({"band": "5"}, "measure: the answer has no such cell"),
        ({"band": "-1"}, "band: must be the number of a band."),
        ({"values": "[]"}, "The body must be a JSON object"),
        ({"values": '{"x": 1}'}, "values: must be an object of dimension to a value or null."),
        ({"values": '{"install_activity_data_os": "IOS"}'}, "values: give one value for each requested dimension"),
    ],
)
def test_what_is_no_cell_is_refused(app: Exports, query: dict[str, str], message: str) -> None:
    known = {"job_id": app.job(app.body())} if query and "request" not in query else {}
    answer = ask(app, **{"measure": "OPEN", **known, **query})
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_rows_need_sensitive_data_and_the_own_organization(app: Exports, stranger: Exports) -> None:
    job = app.job(app.body())
    token = token_of(app.running, ["aggregate_data", "export"])
    refused = app.http.get(
        "/api/cohorts/rows", params={"job_id": job, "measure": "OPEN"}, headers={"Access-Token": token}
    )
    assert (refused.status_code, refused.json()["error"]["message"]) == (400, "Authentication failed !")
    assert ask(stranger, job_id=job, measure="OPEN").status_code == 404
    request = json.dumps(app.body())
    assert ask(stranger, app_id=app.app_id, request=request, measure="OPEN").status_code == 400


def test_a_dry_run_says_what_the_request_would_read_and_write(app: Exports) -> None:
    body = app.body(measures=["OPEN", "users"], dimensions=["install_activity_timezone_adjusted_day"], dry_run=True)
    found = app.post(body).json()
    assert (found["estimate"]["members"], found["estimate"]["objects"]) == (5, 4)
    assert found["estimate"]["activity_rows"] > 5
    assert found["days"] == 2


def test_meta_lists_every_dimension_and_measure(app: Exports) -> None:
    found: dict[str, Any] = app.http.get("/v2/analytics/meta", headers={"Access-Token": app.token}).json()
    named = {dimension["name"] for source in found["data_sources"].values() for dimension in source["dimensions"]}
    assert named == set(DIMENSIONS)
    assert [measure["name"] for measure in found["measures"]] == list(MEASURES)
    assert found["limits"] == {
        "dimensions": 11,
        "measures": 5,
        "days": 90,
        "records": 50_000,
        "default_records": 100,
    }
    assert all(dimension["label"] for source in found["data_sources"].values() for dimension in source["dimensions"])
    assert app.http.get("/v2/analytics/meta").json()["error"]["message"] == "Authentication failed !"
