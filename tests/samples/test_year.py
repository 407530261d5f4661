"""The demo's year: believable, the same every time, and brought in by the importers."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from bough.accounts.creation import NewApp, as_document, create_app
from bough.accounts.directory import Directory
from bough.samples import year
from bough.samples.bookshop import SAMPLE_CONFIG, create_sample_links
from bough.samples.campaigns import CAMPAIGNS, season
from bough.samples.fill import fill, fill_year
from bough.store import open_store

LAST_DAY = date(2026, 11, 21)
NAME, AT, CAMPAIGN, WHO, PRICE = (
    year.COLUMNS.index(column)
    for column in ("name", "timestamp", f"{year.TOUCH}campaign", "user_data_developer_identity", "event_data_revenue")
)


@pytest.fixture(scope="module")
def rows() -> list[year.Row]:
    return list(year.events(LAST_DAY))


def _day(row: year.Row) -> date:
    return datetime.fromtimestamp(int(row[AT]) / 1000, UTC).date()


def test_it_is_the_same_every_time(rows: list[year.Row]) -> None:
    again = year.events(LAST_DAY)
    assert all(row == next(again) for row in rows[:5000])
    assert {len(row) for row in rows} == {len(year.COLUMNS)}
    assert len({row[0] for row in rows}) == len(rows)


def test_it_ends_with_the_last_day_and_spans_a_year(rows: list[year.Row]) -> None:
    installs = [_day(row) for row in rows if row[NAME] == "INSTALL"]
    assert min(installs) == date(2025, 11, 22)
    assert max(installs) == LAST_DAY


def test_people_come_back_ever_more_rarely(rows: list[year.Row]) -> None:
    installed = {row[WHO]: _day(row) for row in rows if row[NAME] == "INSTALL"}
    back = Counter((_day(row) - installed[row[WHO]]).days for row in rows if row[NAME] == "OPEN")
    shares = [back[day] / len(installed) for day in (1, 3, 7, 14, 30, 90, 180)]
    assert shares == sorted(shares, reverse=True)
    assert 0.25 < shares[0] < 0.45
    assert 0.02 < shares[4] < 0.12


def test_campaigns_run_in_their_months_and_holidays_are_busy(rows: list[year.Row]) -> None:
    months = {campaign.name: campaign.months for campaign in CAMPAIGNS}
    installs = [row for row in rows if row[NAME] == "INSTALL"]
    assert {row[CAMPAIGN] for row in installs} == {"", *months}
    assert [row for row in installs if row[CAMPAIGN] and _day(row).month not in months[row[CAMPAIGN]]] == []
    assert season(date(2025, 12, 18)) > 1.5 * season(date(2026, 6, 18))


def test_it_comes_in_whole_and_once(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    try:
        create_app(store, NewApp(name="Bough Books", base_url="http://127.0.0.1:8000", config=SAMPLE_CONFIG))
        create_sample_links(store)
        app = list(Directory(store).apps.values())[-1]
        filled = fill(store, tmp_path, app)
        assert filled is not None
        rows = store.rows("SELECT kind, count(*) FROM journal GROUP BY kind ORDER BY kind")
        assert rows == [("click", filled.clicks), ("segment", 1)]
        assert store.rows("SELECT count(*), count(DISTINCT currency) FROM rate") == [(730, 2)]
        assert filled.events > 200_000
        assert filled.costs > 500
        assert fill(store, tmp_path, app) is None
        clicked = store.rows("SELECT count(DISTINCT link), max(at) FROM journal WHERE kind = 'click'")
        assert clicked[0][0] == len(CAMPAIGNS) + 1
        dollars = "sum(thousands) * 1000000000 + sum(micro)"
        brought = f"SELECT sum(count), {dollars} FROM link_day_event WHERE app = ? AND name = ?"
        installs, _ = store.rows(brought, (app.id, "INSTALL"))[0]
        assert 3 * installs < filled.clicks < 12 * installs
        sold, micros = store.rows(brought, (app.id, "PURCHASE"))[0]
        assert micros > 3_000_000 * sold > 0
        assert clicked[0][1] < app.created_at
    finally:
        store.close()


def test_only_the_demos_own_app_is_filled(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    try:
        mine = create_app(store, NewApp(name="Bough Books", base_url="http://127.0.0.1:8000", config=SAMPLE_CONFIG))
        (tmp_path / "demo.json").write_bytes(msgspec.json.encode(as_document(mine)))
        later = create_app(store, NewApp(name="Somebody's own", base_url="http://127.0.0.1:8000"))
        assert fill_year(store, tmp_path) is not None
        assert store.rows("SELECT DISTINCT app FROM journal") == [(int(mine.app_id),)]
        assert store.rows("SELECT count(*) FROM cost WHERE app = ?", (int(later.app_id),)) == [(0,)]
        assert fill_year(store, tmp_path) is None
    finally:
        store.close()
