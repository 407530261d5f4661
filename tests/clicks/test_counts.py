"""Kept counts: every journal row is counted once, however the counting is cut up. On both stores."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from bough.clicks import counts
from bough.clicks.counts import LINK_COUNTS, fold_counts
from bough.store import Store
from bough.store.journal import NewRow, NewRows, append_batch

KINDS = ("click", "robot", "prefetch", "open")


def append(store: Store, number: int) -> NewRow:
    """A row whose kind, app and link follow from its number."""
    row = NewRow(1000 + number, 1 + number % 2, number % 3 % 2, KINDS[number % 4], number % 7 or None, "{}")  # type: ignore[arg-type]
    store.transact(append_batch, row)
    return row


def counted(store: Store) -> dict[int, tuple[int, int]]:
    """Clicks and the time of the last, by link."""
    found = {}
    for link in range(1, 7):
        if rows := store.rows(LINK_COUNTS, (link,)):
            found[link] = (rows[0][0], rows[0][1])
    return found


def check(store: Store, rows: list[NewRow]) -> None:
    """Compare with counting by hand."""
    clicks = [row for row in rows if row.kind == "click" and row.link is not None]
    by_link = Counter(row.link for row in clicks)
    last = {row.link: row.at for row in clicks}
    assert counted(store) == {link: (count, last[link]) for link, count in by_link.items()}
    by_kind = store.rows("SELECT app, test, kind, count FROM app_count")
    assert {tuple(row[:3]): row[3] for row in by_kind} == Counter((row.app, row.test, row.kind) for row in rows)


def test_counts_are_exact_in_pieces_of_any_size(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[NewRow] = []
    for size, links, more in ((3, 2, 20), (1, 1000, 5), (1000, 1, 40), (1000, 3, 40), (1000, 1000, 40), (7, 2, 0)):
        monkeypatch.setattr(counts, "LINKS_AT_ONCE", links)
        rows += [append(store, len(rows)) for _ in range(more)]
        pieces = []
        while piece := fold_counts(store, NewRows(store, size)):
            pieces.append(piece)
        assert sum(pieces) == more
        assert all(piece <= size for piece in pieces)
        check(store, rows)


def test_two_that_count_at_once_count_every_row_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [append(store, number) for number in range(60)]
    monkeypatch.setattr(counts, "LINKS_AT_ONCE", 2)

    def count() -> None:
        while fold_counts(store, NewRows(store, 3)):
            pass

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(store, rows)
