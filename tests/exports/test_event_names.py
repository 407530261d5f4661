"""Events that share a name with a measure, names that nothing has, and currencies that have no rate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bough.vocabulary.currencies import CURRENCIES
from tests.exports.client import Exports, bough, write_csv

CLASHING = ("revenue", "users", "Retention", "cost", "LTV", "roas")


@pytest.fixture
def app(exports: Exports, tmp_path: Path) -> Exports:
    """One person: an install, a purchase of 5 dollars, one event of each clashing name, two level_up."""
    names = ("INSTALL", "PURCHASE", *CLASHING, "level_up", "level_up")
    columns = ("name", "timestamp", "user_data_developer_identity", "event_data_revenue",
               "last_attributed_touch_data_tilde_campaign", "last_attributed_touch_type")  # fmt: skip
    rows = [
        (name, exports.at(3, minute), "jane", "5" if name == "PURCHASE" else "", "spring", "CLICK")
        for minute, name in enumerate(names)
    ]
    exports.import_events(write_csv(tmp_path / "e.csv", columns, rows))
    return exports


def _band0(app: Exports, **asked: Any) -> dict[str, Any]:
    objects = json.loads(app.file(app.body(fresh=True, **asked), format="json"))
    return {one["measure"]: one["data"]["day0"] for one in objects}


def test_the_measures_name_is_the_measure_and_the_prefix_asks_for_the_event(app: Exports) -> None:
    assert _band0(app, measures=["revenue", "event:revenue", "users", "event:users", "Retention"]) == {
        "revenue": "5.00", "event:revenue": 1, "users": 1, "event:users": 1, "Retention": "1"
    }  # fmt: skip
    assert _band0(app, measures=["event:Retention", "event:cost", "event:LTV", "event:roas", "event:level_up"]) == {
        "event:Retention": 1, "event:cost": 1, "event:LTV": 1, "event:roas": 1, "event:level_up": 2
    }  # fmt: skip
    assert _band0(app, measures=["event:purchase", "event:level_up"], unique=True) == {
        "event:PURCHASE": 1, "event:level_up": 1
    }  # fmt: skip


def test_such_an_event_orders_filters_and_shows_its_rows(app: Exports) -> None:
    body = app.body(measures=["event:revenue"], ordered_by="event:revenue", fresh=True)
    body["filters"] = {"user_data_custom_events_completed": ["users"]}
    job = app.job(body)
    assert "warnings" not in app.ended(job)
    query = {"job_id": job, "measure": "event:revenue", "band": "0", "values": "{}"}
    cell = app.http.get("/api/cohorts/rows", params=query, headers={"Access-Token": app.token}).json()
    assert cell["members_total"] == 1
    done = bough(app.running, "export", "--app", app.app_id, "--start-date", app.day(3), "--end-date", app.day(2),
                 "--data-source", "install_cohort", "--measures", "revenue,event:revenue",
                 "--granularity-band-count", "1")  # fmt: skip
    assert [line.split(",")[0] for line in done.stdout.splitlines()] == ["measure", "revenue", "event:revenue"]


def test_meta_says_how_an_event_is_asked_for(app: Exports) -> None:
    meta = app.http.get("/v2/analytics/meta", headers={"Access-Token": app.token}).json()
    assert meta["event_prefix"] == "event:"


def test_a_name_that_nothing_has_comes_with_a_warning_and_a_proposal(app: Exports) -> None:
    touch = "install_activity_touch_data_tilde_"
    body = app.body(
        measures=["lvl_up", "revnue", "SUBSCRIBE", "event:usres", "users"],
        dimensions=[f"{touch}campaign", f"{touch}keyword"],
        filters={
            f"{touch}campaign": ["sprnig"],
            "user_data_custom_events_completed": ["level_upp"],
            "install_activity_data_os": ["!zzzzz"],
        },
        fresh=True,
    )
    assert app.ended(app.job(body))["warnings"] == [
        "measures: no event is called 'lvl_up'; did you mean 'level_up'?",
        "measures: no event is called 'revnue'; did you mean 'revenue'?",
        "measures: no SUBSCRIBE has ever been recorded",
        "measures: no event is called 'usres'; did you mean 'users'?",
        f"dimensions: nothing that was recorded has ever had a {touch}keyword",
        f"filters.{touch}campaign: nothing that was recorded has ever had 'sprnig'; did you mean 'spring'?",
        "filters.user_data_custom_events_completed: no event is called 'level_upp'; did you mean 'level_up'?",
        "filters.install_activity_data_os: nothing that was recorded has ever had 'zzzzz'",
    ]


def test_an_unknown_dimension_is_refused_with_a_proposal(app: Exports) -> None:
    answer = app.post(app.body(dimensions=["install_activity_data_so"]))
    assert answer.status_code == 400
    message = "dimensions: unknown dimension 'install_activity_data_so'; did you mean 'install_activity_data_os'?"
    assert answer.json()["error"]["message"] == message


def test_names_of_one_app_are_not_proposed_to_another(app: Exports, stranger: Exports) -> None:
    document = stranger.ended(stranger.job(stranger.body(measures=["lvl_up"], fresh=True)))
    assert document["warnings"] == ["measures: no event is called 'lvl_up'"]


SDK_ONLY = ("CLF", "MXV", "COU", "CHE", "CHW", "BOV", "XAU", "XAG", "XXX", "UYI", "USN", "USS", "mxv")


@pytest.mark.parametrize("code", SDK_ONLY)
def test_what_branchs_sdks_offer_as_a_currency_is_taken(exports: Exports, code: str) -> None:
    card = exports.running.card
    body = {
        "name": "PURCHASE", "branch_key": card["branch_key"], "user_data": {"developer_identity": "jane"},
        "event_data": {"revenue": 2, "currency": code}, "content_items": [{"$price": 1, "$currency": code}],
    }  # fmt: skip
    answer = exports.http.post("/v2/event/standard", json=body)
    assert answer.status_code == 200, answer.text


def test_an_amount_without_a_rate_is_left_out_and_said(exports: Exports, tmp_path: Path) -> None:
    columns = ("name", "timestamp", "user_data_developer_identity", "event_data_revenue", "event_data_currency")
    rows: list[tuple[Any, ...]] = [("INSTALL", exports.at(3), "jane", "", "")]
    codes = enumerate(("CLF", "xau", "DEM", "USD"), 1)
    rows += [("PURCHASE", exports.at(3, n), "jane", "5", code) for n, code in codes]
    exports.import_events(write_csv(tmp_path / "e.csv", columns, rows))
    job = exports.job(exports.body(measures=["revenue", "PURCHASE"], fresh=True), format="json")
    document = exports.ended(job)
    assert document["warnings"] == ["revenue: 3 events have no exchange rate for their date and are left out"]
    first = {one["measure"]: one["data"]["day0"] for one in exports.http.get(document["response_url"]).json()}
    assert first == {"revenue": "5.00", "PURCHASE": 4}


def test_the_table_of_currencies_is_iso_4217_in_full() -> None:
    assert len(CURRENCIES) == 307
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in CURRENCIES)
