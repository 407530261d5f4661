"""What anybody can send, with no key or a public one, touches nobody else and no money but its own; both stores."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apps import store_of
from tests.conftest import STORES, fresh_database
from tests.exports.client import bough, write_csv
from tests.exports.holes import CAMPAIGN, Tenant, ready
from tests.running import Running, wait_until
from tests.signin.browser import Browser, sign_up

LARGEST = "999999999999"


@pytest.fixture(scope="module", params=STORES)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server."""
    environment = {"BOUGH_RATE_LIMITS": "off"}
    if request.param == "postgres":
        environment["BOUGH_STORE"] = fresh_database(request.getfixturevalue("postgres"))
    server = Running(tmp_path_factory.mktemp("holes") / "data", "--empty", environment=environment)
    yield server
    server.stop()


@pytest.fixture
def tenant(running: Running) -> Iterator[Tenant]:
    """Who is attacked, or attacks."""
    client = Tenant(running)
    yield client
    client.http.close()


@pytest.fixture
def other(running: Running) -> Iterator[Tenant]:
    """Who must not notice."""
    client = Tenant(running)
    yield client
    client.http.close()


def long_link(tenant: Tenant, query: str) -> str:
    """The address of a long link of the app."""
    return f"{tenant.running.base_url}/a/{tenant.key}?{query}"


def test_no_address_sets_what_a_campaign_costs(tenant: Tenant, other: Tenant) -> None:
    free = tenant.link(campaign="free", data={"$fallback_url": "https://example.com/"})
    data = base64.b64encode(json.dumps({"~cost": 77, "~campaign": "free"}).encode()).decode()
    hostile = [
        f"{free}?~cost=99999999999999",
        f"{free}?~cost=12345",
        f"{free}?%7Ecost=5&~cost_model=CPM",
        f"{free}?~cost=1e11&~cost_currency=KWD",
        f"{free}?~cost=9&~cost_model=CPI&$3p=a_google",
        long_link(tenant, "~cost=12345&~campaign=free"),
        long_link(tenant, f"data={data}"),
        f"{tenant.running.base_url}/i/{free.rpartition('/')[2]}?~cost=5&~cost_model=CPM",
    ]
    for number, address in enumerate(hostile):
        assert tenant.click(address).status_code < 500
        tenant.install(f"own {number}", universal_link_url=address)
    tenant.install("plain", universal_link_url=free)
    unknown = {"free": "", "": ""}  # nobody has said what they cost
    wait_until(lambda: tenant.measured("cost", CAMPAIGN) == unknown, 40, lambda: str(tenant.measured("cost", CAMPAIGN)))
    priced = tenant.link(campaign="priced", data={"~cost": 0.5, "$fallback_url": "https://example.com/"})
    for query in ("", "?~cost=900", "?~cost_model=CPI", "?~cost_currency=KWD", "?~cost="):
        assert tenant.click(priced + query).status_code < 500
    tenant.install("paid", universal_link_url=f"{priced}?~cost=900&~cost_model=CPI")
    wait_until(
        lambda: tenant.measured("cost", CAMPAIGN) == {**unknown, "priced": "2.50"},
        40,
        lambda: str(tenant.measured("cost", CAMPAIGN)),
    )
    other.lives()
    assert ready(tenant.running) == {"status": "ready"}


def test_amounts_that_fit_nowhere_are_refused_by_name(tenant: Tenant, tmp_path: Path) -> None:
    def said(answer: object) -> str:
        return str(answer.json()["error"]["message"])  # type: ignore[attr-defined]

    over = "1" + "0" * 12
    assert said(tenant.event("PURCHASE", "u", revenue=8_999_999_999_999)) == "event_data.revenue: must be below 10^12."
    assert said(tenant.event("PURCHASE", "u", revenue=over)).startswith("event_data.revenue: must be a plain number")
    assert said(tenant.event("PURCHASE", "u", shipping=over)).startswith("event_data.shipping: must be a plain number")
    assert said(tenant.event("PURCHASE", "u", tax="1e12")).startswith("event_data.tax: must be a plain number")
    day = tenant.day(0)
    assert said(tenant.costs({"date": day, "cost": over})).startswith(
        "costs[0].cost: must be a plain number below 10^12"
    )
    for cost in (10**12, -(10**12), 1e300, over, "1e99"):
        answer = tenant.http.post("/v1/url", json={"branch_key": tenant.key, "data": {"~cost": cost}})
        assert (answer.status_code, said(answer)) == (400, "data.~cost: must be a number below 10^12.")
    columns = ("name", "timestamp", "user_data_aaid", "event_data_revenue")
    rows = [("PURCHASE", tenant.at(0), f"d{n}", amount) for n, amount in enumerate(("1e99", over, LARGEST, "1e11"))]
    done = tenant.import_events(write_csv(tmp_path / "events.csv", columns, rows), code=1)
    assert "2 lines left out" in done.stdout + done.stderr
    rates = write_csv(tmp_path / "rates.csv", ("date", "currency", "usd_rate"), [(day, "EUR", "1000000")])
    refused = bough(tenant.running, "import", "rates", str(rates), code=1)
    assert "must be below 1000000 dollars for one unit" in refused.stdout + refused.stderr


def test_the_largest_amounts_add_up_exactly(tenant: Tenant, other: Tenant) -> None:
    tenant.install("rich")
    for _ in range(30):
        assert tenant.event("PURCHASE", "rich", revenue=LARGEST).status_code == 200
    total = f"{30 * int(LARGEST)}.00"
    assert 30 * int(LARGEST) * 10**6 > 2**64
    wait_until(lambda: tenant.measured("revenue") == {"": total}, 40, lambda: str(tenant.measured("revenue")))
    day = tenant.day(0)
    saved = tenant.costs(*({"date": day, "cost": LARGEST, "tilde_campaign": f"c{n}"} for n in range(30)))
    assert saved.status_code == 200
    assert tenant.measured("cost") == {"": total}
    link = tenant.link(campaign="dear", data={"~cost": int(LARGEST), "$fallback_url": "https://example.com/"})
    for _ in range(12):
        tenant.click(link)
    grown = f"{42 * int(LARGEST)}.00"
    wait_until(lambda: tenant.measured("cost") == {"": grown}, 40, lambda: str(tenant.measured("cost")))
    store = store_of(tenant.running)
    try:

        def kept() -> int:
            sums = "SELECT sum(thousands), sum(micro) FROM app_day_event WHERE app = ? AND name = 'PURCHASE'"
            thousands, rest = store.rows(sums, (int(tenant.app_id),))[0]
            return int(thousands or 0) * 10**9 + int(rest or 0)

        wait_until(lambda: kept() == 30 * int(LARGEST) * 10**6, 40, lambda: str(kept()))
    finally:
        store.close()
    other.lives()
    assert ready(tenant.running) == {"status": "ready"}


def test_a_row_that_nothing_can_read_is_told_by_all_and_stops_nobody(tenant: Tenant, other: Tenant) -> None:
    running = tenant.running
    poison = tenant.below("event", '{"name": "PURCHASE", "user_data": ')
    other.lives()
    tenant.lives()
    degraded = {"status": "degraded", "problems": [{"part": "attribution", "state": "set aside"}]}
    assert ready(running) == degraded
    doctor = bough(running, "doctor", code=1).stdout
    assert "- App Tenant: Attribution: 1 row is set aside; `bough journal set-aside` shows why" in doctor
    (line,) = bough(running, "journal", "set-aside").stdout.splitlines()
    told = json.loads(line)
    assert (told["consumer"], told["app_id"], told["id"]) == ("attribution", tenant.app_id, str(poison))
    browser = sign_up(running)
    page = browser.http.get("/dashboard/settings/health", params={"format": "json", "table": "set_aside"}).json()
    assert [(row["part"], row["item"]) for row in page["rows"]] == [("Attribution", str(poison))]
    Browser.opened.remove(browser)
    browser.http.close()
    running.kill()
    running.start()
    wait_until(lambda: ready(running) == degraded, 30, lambda: str(ready(running)))
    store = store_of(running)
    try:
        body = json.dumps({"name": "SEARCH", "user_data": {"developer_identity": "late"}, "event_data": {}})
        store.transact(_mended, (body, poison))
        assert "1 row is tried again" in bough(running, "journal", "replay", "--id", str(poison)).stdout
        wait_until(lambda: ready(running) == {"status": "ready"}, 40, lambda: str(ready(running)))
        assert store.rows("SELECT name FROM attributed WHERE id = ?", (poison,)) == [("SEARCH",)]
    finally:
        store.close()
    assert bough(running, "journal", "replay").stdout == "Nothing like that is set aside.\n"


def _mended(tx, items):  # type: ignore[no-untyped-def]
    tx.each("UPDATE journal SET body = ? WHERE id = ?", items)
    return [None] * len(items)
