"""Kept counts by day: every row once, on its local day, however the counting is cut up. On both stores."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from msgspec.structs import replace

from bough.accounts.creation import NewApp, create_app
from bough.clicks.counts import by_day, counter
from bough.clicks.counts.by_day import ClickFacts, count_new_links, day_counting, referring_host, under_of
from bough.clicks.decision.explain import PLATFORMS
from bough.links import codec
from bough.links.model import Link
from bough.store import Store
from bough.store.journal import NewRow, NewRows, append_batch
from bough.store.transaction import Transaction
from bough.vocabulary.calendar_days import local_day

NOON = 1_772_798_400_000
HOUR = 3_600_000
AGENTS = {platform.name: platform.user_agent for platform in PLATFORMS}


def append(store: Store, app: int, number: int) -> tuple[str, int, int | None]:
    """A row whose time, kind, link and country follow from its number."""
    kind = ("click", "click", "robot", "open")[number % 4]
    at, link = NOON + number * 5 * HOUR, number % 3 or None
    body = {"user_agent": AGENTS["Android, Chrome"], "country": ("DE", "us", "")[number % 3], "referrer": ""}
    store.transact(append_batch, NewRow(at, app, 0, kind, link, msgspec.json.encode(body).decode()))  # type: ignore[arg-type]
    return kind, at, link


def test_counts_are_exact_in_pieces_of_any_size(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    app = int(create_app(store, NewApp(name="A", base_url="http://127.0.0.1:1", timezone="Asia/Tokyo")).app_id)
    rows: list[tuple[str, int, int | None]] = []
    for size, counts_at_once in ((3, 2), (1, 100), (100, 5), (100, 100)):
        monkeypatch.setattr(counter, "COUNTS_AT_ONCE", counts_at_once)
        rows += [append(store, app, len(rows) + place) for place in range(11)]
        days = day_counting(store)
        while days.step(NewRows(store, size)):
            pass
    by_kind = Counter((local_day("Asia/Tokyo", at), kind) for kind, at, _ in rows)
    kept = store.rows("SELECT day, kind, count FROM app_day_count WHERE app = ? AND test = 0", (app,))
    assert {(day, kind): count for day, kind, count in kept} == by_kind
    clicks = [(link, local_day("Asia/Tokyo", at)) for kind, at, link in rows if kind == "click" and link]
    kept = store.rows(
        "SELECT link, day, sum(clicks) FROM link_day_count WHERE dimension = 'platform' GROUP BY link, day"
    )
    assert {(link, day): count for link, day, count in kept} == Counter(clicks)
    countries = Counter(
        (link, local_day("Asia/Tokyo", at), country)
        for number, (kind, at, link) in enumerate(rows)
        if kind == "click" and link and (country := ("DE", "US", "")[number % 3])
    )
    kept = store.rows("SELECT link, day, value, clicks FROM link_day_count WHERE dimension = 'country'")
    assert {(link, day, value): count for link, day, value, count in kept} == countries
    kept = store.rows("SELECT value, sum(clicks) FROM link_day_count WHERE dimension = 'platform' GROUP BY value")
    assert [tuple(row) for row in kept] == [("Android", len(clicks))]
    assert store.rows("SELECT 1 FROM link_day_count WHERE dimension = 'referrer'") == []


def test_new_links_are_counted_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_day, "LINKS_AT_ONCE", 2)
    app = int(create_app(store, NewApp(name="A", base_url="http://127.0.0.1:1")).app_id)
    for number in range(5):
        made = Link(id=10 + number, app=app, test=number == 4, domain="a.example", path=f"{number}", data={})
        store.transact(_store_link, replace(made, created_at=NOON + number * 8 * HOUR))
    while count_new_links(store):
        pass
    assert count_new_links(store) == 0
    kept = store.rows("SELECT test, day, count FROM app_day_count WHERE kind = 'link' ORDER BY test, day")
    first = local_day("UTC", NOON)
    assert [tuple(row) for row in kept] == [(0, first, 2), (0, first + 1, 2), (1, first + 1, 1)]


def _store_link(tx: Transaction, links: list[Link]) -> list[Exception | None]:
    tx.insert("link", codec.COLUMNS, [codec.to_row(one) for one in links])
    return [None] * len(links)


def test_a_day_is_the_local_one() -> None:
    assert local_day("UTC", 0) == 0
    assert local_day("Asia/Tokyo", 15 * HOUR) == 1
    assert local_day("America/New_York", 0) == -1
    before_summer = 1_774_746_000_000  # 2026-03-29T01:00:00Z, when Berlin's clocks go forward
    assert local_day("Europe/Berlin", before_summer + 21 * HOUR - 1) == 20541
    assert local_day("Europe/Berlin", before_summer + 21 * HOUR) == 20542


@pytest.mark.parametrize(
    ("referrer", "host"),
    [
        ("https://www.Example.com/x?y=1", "example.com"),
        ("android-app://com.example.reader/", "com.example.reader"),
        ("http://[broken", ""),
        ("no address", ""),
        ("https://" + "x" * 500 + "/", "x" * by_day.MAX_VALUE),
    ],
)
def test_a_referrer_counts_by_its_host(referrer: str, host: str) -> None:
    assert referring_host(referrer) == host


def test_what_is_not_known_is_empty() -> None:
    assert under_of(ClickFacts()).values == (("platform", ""),)
    assert under_of(ClickFacts(user_agent=AGENTS["iPhone, Safari"])).values == (("platform", "iOS"),)
    assert under_of(ClickFacts(user_agent=AGENTS["Windows"])).values == (("platform", "Windows"),)
