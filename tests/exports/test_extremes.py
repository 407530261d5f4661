"""Everything that the edge accepts goes through every consumer: nothing fails, lags or is set aside.

Hypothesis sends events, openings, clicks, links, impressions, costs and files with extreme values, as apps, visitors
and owners can. What is refused is refused with 4xx. Afterwards `readyz`, doctor and another tenant's export are asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bough.store import Store, set_aside
from tests.apps import store_of
from tests.conftest import STORES, fresh_database
from tests.exports.client import bough, write_csv
from tests.exports.holes import PERSON, Tenant, ready
from tests.running import Running, wait_until

TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\U0001f600",
    "‮",
    "x" * 300,
    "x" * 5000,
    "null",
    "NaN",
    "0",
    "-1",
    "'--",
    "{}",
)
NUMBERS: tuple[Any, ...] = (
    *(0, -0.0, 1, -1, 0.1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**12 - 1, 10**12, 10**15),
    *(10**39, 1e-30, 1e15, 1e300, float("inf"), float("nan"), "999999999999.999999999999999999999999999999", "1e11"),
    *("1e12", "1e99", "-999999999999", "1,5", "0x10", "Infinity", "NaN", "1" * 400, True, None),
)
CURRENCIES = ("USD", "eur", "JPY", "KWD", "XXX", "", None, 7)
DATES = ("0001-01-01", "1969-12-31", "1970-01-01", "2026-02-29", "2199-12-31", "9999-12-31", "10000-01-01", "today")
LABELS = ("~campaign", "~channel", "~tags", "$3p", "~cost", "~cost_model", "~cost_currency", "$match_duration",
          "$one_time_use", "~advertising_partner_name", "$idfa", "+clicked_branch_link")  # fmt: skip

text = st.sampled_from(TEXTS) | st.text(max_size=20)
number = st.sampled_from(NUMBERS)
value = st.recursive(
    text | number,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
who = st.sampled_from(("ann", "bob", "guest")) | text
some = st.dictionaries(text, value, max_size=4)
Send = Callable[[Tenant], httpx.Response]


def sent(tenant: Tenant, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    """A POST, with whatever Python can write as JSON: half characters, NaN, numbers of any length."""
    content = json.dumps(body).encode()
    return tenant.http.post(path, content=content, headers={"Content-Type": "application/json", **headers})


@st.composite
def events(draw: st.DrawFn) -> Send:
    money = draw(st.fixed_dictionaries({}, optional={
        "revenue": number, "shipping": number, "tax": number, "currency": st.sampled_from(CURRENCIES),
        "transaction_id": text, "coupon": text}))  # fmt: skip
    item = st.fixed_dictionaries({}, optional={
        "$price": number, "$quantity": number, "$currency": st.sampled_from(CURRENCIES), "$sku": text})  # fmt: skip
    user = {"developer_identity": draw(who), "os": draw(st.sampled_from(("iOS", "Android", "", 7))), **draw(some)}
    kind = draw(st.sampled_from(("standard", "custom")))
    name = draw(st.sampled_from(("PURCHASE", "SEARCH", "SPEND_CREDITS"))) if kind == "standard" else draw(text)
    body = {
        "name": name, "user_data": user, "event_data": {**draw(some), **money}, "custom_data": draw(some),
        "content_items": draw(st.lists(item, max_size=3)), "customer_event_alias": draw(text),
        "branch_sdk_request_unique_id": draw(text), "retryNumber": draw(number),
    }  # fmt: skip
    return lambda tenant: sent(tenant, f"/v2/event/{kind}", {**body, "branch_key": tenant.key})


@st.composite
def openings(draw: st.DrawFn) -> Send:
    body = {
        **draw(some), "identity": draw(who), "hardware_id": draw(text), "os": draw(st.sampled_from(("iOS", "Android"))),
        "update": draw(number), "first_install_time": draw(number), "latest_install_time": draw(number),
        "latest_update_time": draw(number), "previous_update_time": draw(number), "screen_width": draw(number),
        "screen_height": draw(number), "screen_dpi": draw(number), "link_identifier": draw(text),
    }  # fmt: skip
    if query := draw(queries()):
        body["universal_link_url"] = f"BASE/a/KEY?{query}"
    path = draw(st.sampled_from(("/v1/install", "/v1/open", "/v1/pageview", "/v1/profile", "/v1/event")))
    body |= {"event": draw(text), "metadata": draw(some)} if path == "/v1/event" else {}

    def send(tenant: Tenant) -> httpx.Response:
        said = json.loads(json.dumps(body).replace("BASE", tenant.running.base_url).replace("KEY", tenant.key))
        return sent(tenant, path, {**said, "branch_key": tenant.key})

    return send


@st.composite
def queries(draw: st.DrawFn) -> str:
    pairs = draw(st.lists(st.tuples(st.sampled_from(LABELS) | text, text | number), max_size=5))
    return "&".join(f"{quote(key, errors='replace')}={quote(str(said), errors='replace')}" for key, said in pairs)


@st.composite
def clicks(draw: st.DrawFn) -> Send:
    """On a stored link, a long one, a pixel, or nothing."""
    query, place = draw(queries()), draw(st.sampled_from(("stored", "a/KEY", "i/none", "none")))
    agent = draw(st.sampled_from((PERSON, "", "x" * 900, "curl/8", "Mozilla/5.0 (Linux; Android 14) \xe9")))

    def send(tenant: Tenant) -> httpx.Response:
        path = place.replace("KEY", tenant.key)
        address = tenant.stored if place == "stored" else f"{tenant.running.base_url}/{path}"
        return tenant.http.get(f"{address}?{query}", headers={b"User-Agent": agent.encode("latin-1")})

    return send


@st.composite
def links(draw: st.DrawFn) -> Send:
    """A link, and a click on it."""
    data = draw(st.dictionaries(st.sampled_from(LABELS) | text, value, max_size=5))
    body = {"data": data, "campaign": draw(text), "tags": draw(st.lists(text, max_size=2)), "duration": draw(number)}

    def send(tenant: Tenant) -> httpx.Response:
        answer = sent(tenant, "/v1/url", {**body, "branch_key": tenant.key})
        return tenant.click(answer.json()["url"]) if answer.status_code == 200 else answer

    return send


@st.composite
def costs(draw: st.DrawFn) -> Send:
    cost = {"date": draw(st.sampled_from(DATES)), "cost": draw(number), "currency": draw(st.sampled_from(CURRENCIES))}
    cost |= draw(
        st.dictionaries(st.sampled_from(("tilde_campaign", "tilde_tags", "dollar_3p")), text | number, max_size=2)
    )

    def send(tenant: Tenant) -> httpx.Response:
        said = {**cost, "date": tenant.day(0) if cost["date"] == "today" else cost["date"]}
        return sent(tenant, "/api/costs", {"app_id": tenant.app_id, "costs": [said]}, **{"Access-Token": tenant.token})

    return send


def import_files(tenant: Tenant, folder: Path) -> None:
    """A file of events and one of costs with every pair of extremes; what is refused is refused by line."""
    plain = [one.replace("\0", "").encode("utf-8", "replace").decode() for one in TEXTS]
    touch = "last_attributed_touch"
    columns = ("id", "name", "timestamp", "event_data_revenue", "user_data_developer_identity", f"{touch}_type",
               f"{touch}_timestamp", f"{touch}_data_~campaign")  # fmt: skip
    instants = (0, 1, tenant.at(0), 253402300799999, 2**53, 2**63 - 1, "9999-12-31T23:59:59Z", "1e12", "-1")
    rows = [
        (f"{i}-{n}", "PURCHASE" if n % 3 else "INSTALL", instants[n % len(instants)], amount, word,
         "CLICK" if n % 2 else "", instants[(n + i) % len(instants)], word)
        for i, word in enumerate(plain) for n, amount in enumerate(NUMBERS)
    ]  # fmt: skip
    done = tenant.import_events(write_csv(folder / "events.csv", columns, rows), code=1)
    assert re.search(r"[1-9]\d* events, [1-9]\d* lines left out", done.stdout + done.stderr)
    days = [tenant.day(0) if day == "today" else day for day in DATES]
    # Each on a channel of its own: costs of one day and campaign are added up, and such sums are too large.
    costs = [(day, word, f"c{n}", one, "USD") for day in days for word in plain for n, one in enumerate(NUMBERS)]
    done = tenant.import_costs(
        write_csv(folder / "costs.csv", ("date", "tilde_campaign", "tilde_channel", "cost", "currency"), costs), code=1
    )
    assert re.search(r"[1-9]\d* costs", done.stdout)


@pytest.fixture(scope="module", params=STORES)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server."""
    environment = {"BOUGH_RATE_LIMITS": "off"}
    if request.param == "postgres":
        environment["BOUGH_STORE"] = fresh_database(request.getfixturevalue("postgres"))
    server = Running(tmp_path_factory.mktemp("extremes") / "data", "--empty", environment=environment)
    yield server
    server.stop()


def digested(store: Store) -> bool:
    """Whether everything that has arrived went through attribution, counts and warehouse."""
    marks: dict[str, int] = dict(store.rows("SELECT name, journal FROM watermark"))
    newest = store.rows("SELECT max(id) FROM journal")[0][0]
    fed = store.rows("SELECT max(version) FROM attributed")[0][0]
    return all(marks.get(one, 0) >= newest for one in ("counts", "day counts", "attribution")) and (
        marks.get("warehouse.feed", 0) >= fed
    )


def test_everything_that_is_accepted_is_digested(running: Running, tmp_path: Path) -> None:
    tenant, other = Tenant(running), Tenant(running)
    tenant.stored = tenant.link(campaign="c", data={"~cost": "999999999999", "$fallback_url": "https://example.com/"})
    accepted = 0

    @settings(max_examples=80, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.one_of(events(), openings(), clicks(), links(), costs()), min_size=1, max_size=12))
    def send(some: list[Send]) -> None:
        nonlocal accepted
        for one in some:
            answer = one(tenant)
            assert answer.status_code < 500, answer.text
            accepted += answer.status_code < 400

    send()
    assert accepted > 50
    import_files(tenant, tmp_path)
    other.lives()
    store = store_of(running)
    try:
        wait_until(lambda: digested(store), 60, lambda: running.log.read_text(errors="replace")[-3000:])
        assert set_aside.listed(store) == []
    finally:
        store.close()
    tenant.measured("revenue")
    tenant.measured("cost", "install_activity_touch_data_tilde_campaign")
    assert ready(running) == {"status": "ready"}
    assert bough(running, "doctor").stdout == "Nothing is wrong.\n"
    for client in (tenant, other):
        client.http.close()
