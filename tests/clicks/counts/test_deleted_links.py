"""What was counted of a link goes when the link has been gone for a day; on both stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bough.attribution.stored.consumer import EMPTIED_AT_ONCE, empty_tables, start_rebuild
from bough.clicks.counts.deleted_links import clear_deleted
from bough.store import Store, open_store
from bough.store.changes import Change, record
from bough.store.transaction import Transaction
from bough.vocabulary.ids import now_ms
from tests.conftest import STORES

GONE, KEPT = 11, 12
TABLES = ("link_count", "link_day_count", "link_day_event")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store with counts of a link that was deleted just now, of one that was changed, and of an app (link 0)."""
    address = request.getfixturevalue("database") if request.param == "postgres" else ""
    opened = open_store(tmp_path / "data", address)
    opened.transact(_fill, None)
    yield opened
    opened.close()


def _fill(tx: Transaction, items: list[None]) -> list[Exception | None]:
    columns = ("id", "app", "test", "domain", "path", "type", "data", "tags", "duration", "source",
               "created_at", "updated_at")  # fmt: skip
    tx.insert("link", columns, [(KEPT, 1, 0, "d", "kept", 0, "{}", "[]", 7200, 0, now_ms(), now_ms())])
    _count(tx)
    record(tx, [Change(subject="link", app=1, link=link, domain="d", path=str(link)) for link in (GONE, KEPT)])
    return [None]


def _count(tx: Transaction) -> None:
    for link in (GONE, KEPT):
        tx.run("INSERT INTO link_count (link, clicks, last_click_at) VALUES (?, 3, 5)", (link,))
        tx.run(
            "INSERT INTO link_day_count (link, day, dimension, value, clicks) VALUES (?, 9, 'platform', '', 3)", (link,)
        )
    _count_events(tx, [None])


def _count_events(tx: Transaction, items: list[None]) -> list[Exception | None]:
    values = [(link, 1, 0, 9, "OPEN", 1, 0) for link in (0, GONE, KEPT)]
    tx.insert("link_day_event", ("link", "app", "test", "day", "name", "count", "micro"), values)
    return list(items)


def links(store: Store) -> list[set[int]]:
    """Of which links each table knows something."""
    return [{link for (link,) in store.rows(f"SELECT link FROM {table}")} for table in TABLES]


def test_counts_go_when_a_day_has_passed(store: Store) -> None:
    assert clear_deleted(store) == 0
    assert links(store) == [{GONE, KEPT}, {GONE, KEPT}, {0, GONE, KEPT}]
    assert clear_deleted(store, late_ms=-60_000) == 1
    assert links(store) == [{KEPT}, {KEPT}, {0, KEPT}]
    assert clear_deleted(store, late_ms=-60_000) == 0


def test_after_a_rebuild_they_go_again(store: Store) -> None:
    assert clear_deleted(store, late_ms=-60_000) == 1
    store.transact(start_rebuild, None)
    while store.transact(empty_tables, EMPTIED_AT_ONCE):
        pass
    store.transact(_count_events, None)
    assert clear_deleted(store, late_ms=-60_000) == 1
    assert links(store)[2] == {0, KEPT}
