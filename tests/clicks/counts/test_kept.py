"""Kept counts: every journal row is counted once, however the counting is cut up. On both stores."""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest

from bough.clicks.counts import counter as counting
from bough.clicks.counts.counter import Counting, place_of
from bough.clicks.counts.kept import LINK_COUNTS, WATERMARK, link_counting
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
        monkeypatch.setattr(counting, "COUNTS_AT_ONCE", links)
        rows += [append(store, len(rows) + place) for place in range(more)]
        pieces = []
        clicks = link_counting(store)
        while piece := clicks.step(NewRows(store, size)):
            pieces.append(piece)
        assert sum(pieces) == more
        assert all(piece <= size for piece in pieces)
        check(store, rows)


def test_rows_are_gathered_while_there_are_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "READ_AT_ONCE", 5)
    monkeypatch.setattr(counting, "ROWS_AT_MOST", 15)
    rows = [append(store, number) for number in range(22)]
    clicks = link_counting(store)

    def step() -> int:
        clicks.step(NewRows(store, 5))
        return sum(count for (count,) in store.rows("SELECT count FROM app_count"))

    assert [step() for _ in range(6)] == [0, 0, 15, 15, 22, 22]
    check(store, rows)


class Killed(Exception):
    """The process ends here."""


def killed_after(counting: Counting, pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count until so many transactions are written, or to the end."""
    store, left = counting._store, [pieces]
    real = store.transact

    def transact(*arguments: object, **options: object) -> object:
        if not left[0]:
            raise Killed
        left[0] -= 1
        return real(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(store, "transact", transact)
        try:
            while counting.step(NewRows(store, 4)):
                pass
        except Killed:
            pass


@pytest.mark.parametrize("seed", range(6))
def test_a_span_is_finished_by_whoever_finds_it_open(store: Store, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that end between two transactions, others that go on with old sums, and rows that come meanwhile."""
    chance = random.Random(seed)
    monkeypatch.setattr(counting, "COUNTS_AT_ONCE", 2)
    monkeypatch.setattr(counting, "READ_AT_ONCE", 4)
    rows: list[NewRow] = []
    known = [link_counting(store) for _ in range(3)]
    opened = 0
    for _ in range(25):
        rows += [append(store, len(rows) + place) for place in range(chance.randrange(30))]
        monkeypatch.setattr(counting, "ROWS_AT_MOST", chance.choice((4, 12, 100)))
        if chance.random() < 0.5:
            known[chance.randrange(3)] = link_counting(store)
        killed_after(chance.choice(known), chance.randrange(4), monkeypatch)
        opened += place_of(store, WATERMARK).is_open
    assert opened
    last = chance.choice(known)
    while last.step():
        pass
    check(store, rows)
    assert not place_of(store, WATERMARK).is_open


def test_sums_of_more_rows_than_an_open_span_has_are_thrown_away(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNTS_AT_ONCE", 1)
    rows = [append(store, number) for number in range(24)]
    first, second = link_counting(store), link_counting(store)
    killed_after(second, 1, monkeypatch)
    rows += [append(store, number) for number in range(24, 48)]
    first._add(NewRows(store).after(0))
    assert place_of(store, WATERMARK).until < first._read
    while first.step():
        pass
    check(store, rows)


def test_counts_of_one_link_are_written_together() -> None:
    counts = [(1, "a"), (2, "a"), (2, "b"), (2, "c"), (3, "a")]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(counting, "COUNTS_AT_ONCE", 2)
        assert list(counting._pieces(counts)) == [(counts[:4], False), (counts[4:], True)]
    assert list(counting._pieces(counts)) == [(counts, True)]
    assert list(counting._pieces([])) == [([], True)]


def test_two_that_count_at_once_count_every_row_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [append(store, number) for number in range(60)]
    monkeypatch.setattr(counting, "COUNTS_AT_ONCE", 2)

    def count() -> None:
        clicks = link_counting(store)
        while clicks.step(NewRows(store, 30)):
            pass

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(store, rows)
