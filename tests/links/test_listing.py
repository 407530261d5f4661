"""Listings on a store of 100,000 links: exact pages, and plans that use an index."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bough.links import queries
from bough.links.codec import COLUMNS, to_row
from bough.links.listing import Filters, Listing, list_links
from bough.links.model import Link
from bough.store import Store, Transaction, open_store
from bough.store.postgres import PostgresStore
from tests.conftest import STORES, fresh_database

LINKS = 100_000
APP, OTHER = 1, 2


def link(number: int) -> Link:
    """Every tenth link is another app's; every thousandth campaign is rare."""
    return Link(
        id=number,
        app=OTHER if number % 10 == 0 else APP,
        test=number % 4 == 0,
        domain="go.example.com",
        path=f"p{number}",
        campaign="rare" if number % 1000 == 1 else "common",
        data={"$og_title": f"Title {number}"},
        created_at=number,
        updated_at=number,
    )


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    address = fresh_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""
    opened = open_store(tmp_path_factory.mktemp("listing"), address)
    opened.transact(_fill, None)
    if isinstance(opened, PostgresStore):  # its autovacuum does so; SQLite does without
        opened.transact(_analyze, None)
    yield opened
    opened.close()


def _fill(tx: Transaction, _: list[None]) -> list[Exception | None]:
    for start in range(1, LINKS + 1, 5000):
        tx.insert("link", COLUMNS, [to_row(link(number)) for number in range(start, min(start + 5000, LINKS + 1))])
    return [None]


def _analyze(tx: Transaction, _: list[None]) -> list[Exception | None]:
    tx.run("ANALYZE link")
    return [None]


def ids(store: Store, listing: Listing) -> tuple[list[int], int | None]:
    page = list_links(store.rows, listing)
    return [listed.link.id for listed in page.links], page.next_cursor


def expected(*streams: tuple[int, bool], below: int = LINKS + 1) -> list[int]:
    return [n for n in range(below - 1, 0, -1) if (link(n).app, link(n).test) in streams]


@pytest.mark.parametrize(
    "streams",
    [((APP, False),), ((APP, False), (APP, True)), ((APP, True), (OTHER, False), (OTHER, True), (99, False))],
)
def test_pages_merge_apps_and_environments(store: Store, streams: tuple[tuple[int, bool], ...]) -> None:
    wanted = expected(*streams)
    first, cursor = ids(store, Listing(streams=streams, limit=50))
    assert first == wanted[:50]
    assert cursor == wanted[49]
    second, _ = ids(store, Listing(streams=streams, limit=500, cursor=cursor))
    assert second == wanted[50:550]


def test_the_last_page_has_no_cursor(store: Store) -> None:
    assert ids(store, Listing(streams=((APP, False),), limit=5, cursor=6)) == ([5, 3, 2, 1], None)
    assert ids(store, Listing(streams=((APP, False),), limit=4, cursor=6)) == ([5, 3, 2, 1], None)
    assert ids(store, Listing(streams=((APP, False),), limit=3, cursor=6)) == ([5, 3, 2], 2)
    assert ids(store, Listing(streams=(), limit=3)) == ([], None)


def test_a_search_looks_through_all_windows(store: Store) -> None:
    streams = ((APP, False), (APP, True))
    rare = [n for n in expected(*streams) if n % 1000 == 1]
    found, cursor = ids(store, Listing(streams=streams, filters=Filters(campaign="rare"), limit=30))
    assert found == rare[:30]
    rest, end = ids(store, Listing(streams=streams, filters=Filters(campaign="rare"), limit=500, cursor=cursor))
    assert rest == rare[30:]
    assert end is None
    assert ids(store, Listing(streams=streams, filters=Filters(search="TITLE 77777"))) == ([77777], None)
    assert ids(store, Listing(streams=streams, filters=Filters(created_after=500, created_before=503))) == (
        [502, 501],
        None,
    )


def test_a_search_that_takes_too_long_says_where_to_go_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bough.links.listing.SEARCH_SECONDS", -1.0)
    listing = Listing(streams=((APP, False),), filters=Filters(campaign="rare"), limit=500)
    found: list[int] = []
    cursor: int | None = LINKS + 1
    rounds = 0
    while cursor is not None:
        some, cursor = ids(store, Listing(streams=listing.streams, filters=listing.filters, limit=500, cursor=cursor))
        found += some
        rounds += 1
    assert found == [n for n in expected((APP, False)) if n % 1000 == 1]
    assert rounds > 3


@pytest.mark.parametrize("streams", [1, 2, 6])
def test_the_plan_of_a_listing_uses_an_index_and_reads_no_more_than_it_shows(store: Store, streams: int) -> None:
    values = [APP, 0, LINKS + 1, 0, 101] * streams
    plan = _plan(store, queries.page(streams, ()), (*values, 101))
    if isinstance(store, PostgresStore):
        assert "Seq Scan on link " not in plan
        assert "Index" in plan
    else:
        assert plan.count("SEARCH link USING INDEX link_by_app (app=? AND test=? AND id>? AND id<?)") == streams
        assert "SCAN link" not in plan


def test_the_plan_of_a_search_window_needs_the_index_alone(store: Store) -> None:
    plan = _plan(store, queries.window(2), (APP, 0, LINKS + 1, 20_000, APP, 1, LINKS + 1, 20_000, 20_000))
    if isinstance(store, PostgresStore):
        assert "Seq Scan" not in plan
    else:
        assert plan.count("USING COVERING INDEX link_by_app") == 2


def _plan(store: Store, sql: str, values: tuple[int | str, ...]) -> str:
    command = "EXPLAIN " if isinstance(store, PostgresStore) else "EXPLAIN QUERY PLAN "
    return "\n".join(str(row[-1]) for row in store.rows(command + sql, values))


def test_paths_are_looked_up_by_index(store: Store) -> None:
    plan = _plan(store, queries.by_paths(3), ("go.example.com", "p1", "p2", "p3"))
    assert "Seq Scan" not in plan
    assert "SCAN link" not in plan
