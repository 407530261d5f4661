"""What campaigns cost: files, POST /api/costs, and links that carry their price (docs/exports.md)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from bough.warehouse.link_costs import Price, price_of
from tests.apps import store_of, token_of
from tests.exports.client import Exports, bough, read_csv, write_csv
from tests.running import wait_until

CAMPAIGN = "install_activity_touch_data_tilde_campaign"
CHANNEL = "install_activity_touch_data_tilde_channel"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"
    " Version/17.0 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def app(new_app: Callable[[], Exports], tmp_path: Path) -> Exports:
    """Three installs of two campaigns, three days ago."""
    client = new_app()
    columns = ("name", "timestamp", "user_data_aaid", "attributed", "last_attributed_touch_data_tilde_campaign")
    rows = [("INSTALL", client.at(3), f"d{n}", "true", campaign) for n, campaign in enumerate(("a", "a", "b"))]
    client.import_events(write_csv(tmp_path / "installs.csv", columns, rows))
    return client


def post(app: Exports, costs: Any, **fields: Any) -> httpx.Response:
    """POST /api/costs."""
    body = {"app_id": app.app_id, "costs": costs, **fields}
    return app.http.post("/api/costs", json=body, headers={"Access-Token": app.token})


def costs(app: Exports, *dimensions: str) -> dict[str, str]:
    """Cost by the first dimension, or of everything under the empty name."""
    body = app.body(measures=["cost"], granularity_band_count=1, dimensions=list(dimensions), fresh=True)
    return {row.get(dimensions[0], "") if dimensions else "": row["cost"] for row in read_csv(app.waited(body))}


def test_the_same_day_and_dimensions_again_replace(app: Exports) -> None:
    day = app.day(3)
    first = [{"date": day, "tilde_campaign": "a", "cost": "10"}, {"date": day, CAMPAIGN: "b", "cost": 2.5}]
    assert post(app, first).json() == {"stored": 2}
    assert costs(app, CAMPAIGN) == {"a": "10.00", "b": "2.50"}
    assert post(app, [{"date": day, "tilde_campaign": "a", "cost": "7.005", "currency": "usd"}]).status_code == 200
    assert costs(app, CAMPAIGN) == {"a": "7.00", "b": "2.50"}
    assert costs(app) == {"": "9.50"}


def test_a_cost_of_zero_is_known_and_a_missing_one_is_not(app: Exports) -> None:
    post(app, [{"date": app.day(3), "tilde_campaign": "a", "cost": 0}])
    assert costs(app, CAMPAIGN) == {"a": "0.00", "b": ""}


def test_a_dimension_that_costs_lack_makes_them_unknown(app: Exports) -> None:
    post(app, [{"date": app.day(3), "tilde_campaign": "a", "cost": 5}])
    assert set(costs(app, CHANNEL).values()) == {""}


def test_a_missing_rate_makes_the_rows_cost_unknown_until_it_comes(app: Exports, tmp_path: Path) -> None:
    day = app.day(3)
    post(
        app, [{"date": day, "tilde_campaign": name, "cost": 10, "currency": c} for name, c in (("a", "XPF"), ("b", ""))]
    )
    assert costs(app, CAMPAIGN) == {"a": "", "b": "10.00"}
    document = app.ended(app.job(app.body(measures=["cost"], dimensions=[CAMPAIGN], fresh=True)))
    assert document["warnings"] == ["cost: 1 costs have no exchange rate for their date; those rows' cost is null"]
    bough(
        app.running,
        *(
            "import",
            "rates",
            str(write_csv(tmp_path / "r.csv", ("date", "currency", "usd_rate"), [(day, "XPF", "0.5")])),
        ),
    )
    wait_until(lambda: costs(app, CAMPAIGN) == {"a": "5.00", "b": "10.00"}, 20)


@pytest.mark.parametrize(
    ("cost", "message"),
    [
        ({"cost": 1}, "costs[0].date: must be a date YYYY-MM-DD."),
        ({"date": "2026-02-30", "cost": 1}, "costs[0].date: must be a date YYYY-MM-DD."),
        ({"date": "2026-01-01"}, "costs[0].cost: is missing."),
        ({"date": "2026-01-01", "cost": -1}, "costs[0].cost: must not be negative."),
        ({"date": "2026-01-01", "cost": "much"}, "costs[0].cost: must be a plain number"),
        ({"date": "2026-01-01", "cost": True}, "costs[0].cost: must be a number."),
        ({"date": "2026-01-01", "cost": 1, "currency": "EURO"}, "costs[0].currency: not an ISO 4217"),
        ({"date": "2026-01-01", "cost": 1, "user_data_os": "IOS"}, "costs[0].user_data_os: costs cannot"),
        ({"date": "2026-01-01", "cost": 1, "no_such": "x"}, "costs[0].no_such: costs cannot"),
        ({"date": "2026-01-01", "cost": 1, "tilde_campaign": {}}, "costs[0].tilde_campaign: must be text"),
        ({"date": "2026-01-01", "cost": 1, "tilde_campaign": "x" * 4097}, "costs[0].tilde_campaign: must be text"),
        ("x", "costs[0]: must be an object."),
    ],
)
def test_bad_costs_are_refused_and_nothing_is_stored(app: Exports, cost: Any, message: str) -> None:
    good = {"date": app.day(3), "tilde_campaign": "a", "cost": 1}
    answer = post(app, [cost, good])
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]
    assert costs(app, CAMPAIGN) == {"a": "", "b": ""}


def test_who_may_not_change_costs(app: Exports, stranger: Exports) -> None:
    body = {"app_id": app.app_id, "costs": []}
    reader = token_of(app.running, ["aggregate_data", "export"])
    assert app.http.post("/api/costs", json=body, headers={"Access-Token": reader}).status_code == 403
    assert app.http.post("/api/costs", json=body, headers={"Access-Token": stranger.token}).status_code == 400
    assert app.http.post("/api/costs", json=body).json()["error"]["message"] == "Authentication failed !"
    bad: tuple[dict[str, Any], ...] = ({"costs": {}}, {"costs": None}, {"app_id": ""}, {"costs": [{}] * 10_001})
    for fields in bad:
        assert post(app, **{"costs": [], **fields}).status_code == 400


def test_lines_of_a_file_with_a_fault_are_left_out_and_named(app: Exports, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "c.csv",
        ("date", "tilde_campaign", "cost", "currency"),
        [(app.day(3), "a", "1.50", ""), (app.day(3), "b", "free", ""), (app.day(3), "b", "2", "EURO")],
    )
    done = app.import_costs(path, code=1)
    assert done.stdout == "c.csv: 1 costs\n"
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == ["c.csv line 3", "c.csv line 4"]
    assert costs(app, CAMPAIGN) == {"a": "1.50", "b": ""}


def test_a_thousand_days_at_once_are_all_taken_in(app: Exports) -> None:
    """One save has one number of the watermark, however many days it covers."""
    days = [{"date": app.day(3 + n), "tilde_campaign": "a", "cost": "0.01"} for n in range(1000)]
    assert post(app, days).json() == {"stored": 1000}
    body = app.body(
        start_date=app.day(90), end_date=app.day(1), measures=["cost"], granularity_band_count=1, fresh=True
    )
    found: list[str] = []

    def taken_in() -> bool:
        found.append(read_csv(app.waited(body))[0]["cost"])
        return found[-1] != ""

    wait_until(taken_in, 20)
    assert found[-1] == "0.88"


@pytest.mark.parametrize(
    ("data", "price"),
    [
        ({"~cost": 0.5}, Price("CPC", "0.5", "USD", "{}")),
        (
            {"~cost": "12.30", "~cost_currency": "eur", "~cost_model": "cpm", "~campaign": "x"},
            Price("CPM", "12.30", "EUR", '{"tilde_campaign":"x"}'),
        ),
        ({"~cost": 1, "~cost_model": "CPI", "~tags": ["b", "a"]}, Price("CPI", "1", "USD", '{"tilde_tags":"a,b"}')),
        ({"~cost": 1, "~cost_model": "CPA"}, None),
        ({"~cost": -1}, None),
        ({"~cost": "much"}, None),
        ({"~cost": 1, "~cost_currency": "EURO"}, None),
        ({"~cost": [1]}, None),
        ({}, None),
    ],
)
def test_the_price_that_a_link_carries(data: dict[str, Any], price: Price | None) -> None:
    assert price_of(data) == price


def test_clicks_on_a_priced_link_cost_what_it_says(app: Exports, tmp_path: Path) -> None:
    """Per click and per install; a robot's click costs nothing."""
    store = store_of(app.running)
    try:
        (key,) = store.rows("SELECT branch_key FROM app_key WHERE app = ? AND test = 0", (int(app.app_id),))[0]
    finally:
        store.close()
    for campaign, model, cost in (("clicks", "CPC", 0.25), ("installs", "CPI", 1.1)):
        link = app.http.post(
            "/v1/url",
            json={
                "branch_key": key,
                "campaign": campaign,
                "data": {"~cost": cost, "~cost_model": model, "$fallback_url": "https://example.com/"},
            },
        ).json()["url"]
        for _ in range(3):
            app.http.get(link, headers={"User-Agent": IPHONE})
        app.http.get(link, headers={"User-Agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"})
        install = {
            "branch_key": key,
            "hardware_id": f"device-{campaign}",
            "os": "iOS",
            "update": 0,
            "universal_link_url": link,
            "first_install_time": 1,
            "latest_install_time": 1,
            "latest_update_time": 1,
        }
        assert app.http.post("/v1/install", json=install).status_code == 200
    body = app.body(start_date=app.day(0), end_date=app.day(0), measures=["cost"], dimensions=[CAMPAIGN], fresh=True)

    def found() -> dict[str, str]:
        return {row[CAMPAIGN]: row["cost"] for row in read_csv(app.waited(body))}

    wait_until(lambda: found() == {"clicks": "0.75", "installs": "1.10"}, 20, lambda: str(found()))
    bough(app.running, "warehouse", "rebuild")
    assert found() == {"clicks": "0.75", "installs": "1.10"}
