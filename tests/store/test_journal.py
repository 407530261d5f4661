"""Journal ids grow in the order of commits, over all processes: a reader with a watermark misses nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest

from bough.store import Store
from bough.store.journal import NewRow, NewRows, append_batch, read_after
from bough.store.transaction import RowValues, Value
from bough.vocabulary.ids import arrived_at, growing_ids, now_ms
from tests.store.append import ROUNDS, ROWS
from tests.store.conftest import Place

WRITERS = 3


def test_a_reader_with_a_watermark_sees_every_row_of_all_processes(place: Place, store: Store) -> None:
    command = [sys.executable, "-m", "tests.store.append", str(place.folder), place.address]
    writers = [subprocess.Popen([*command, f"w{n}"], stdout=subprocess.PIPE, text=True) for n in range(WRITERS)]
    seen: list[int] = []
    watermark = 0
    running = True
    while running:
        running = any(writer.poll() is None for writer in writers)  # asked first: one more look after the last end
        for row in read_after(store, watermark, 10_000):
            seen.append(row.id)
            watermark = row.id
    acknowledged = [[int(word) for word in (writer.stdout or []).read().split()] for writer in writers]  # type: ignore[union-attr]
    assert [writer.wait() for writer in writers] == [0] * WRITERS
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.close()
    assert all(ids == sorted(ids) and len(ids) == ROUNDS * ROWS for ids in acknowledged)
    assert seen == sorted({number for ids in acknowledged for number in ids})
    assert len(seen) == WRITERS * ROUNDS * ROWS


def test_ids_grow_although_the_clock_went_back(store: Store) -> None:
    future = (now_ms() + 3_600_000) << 20
    store.transact(lambda tx, _: [tx.insert("journal", JOURNAL, [(future, 0, 1, 0, "click", None, "{}")])], None)
    ids = [store.transact(append_batch, NewRow(now_ms(), 1, 0, "click", None, "{}")) for _ in range(5)]
    assert ids == sorted(ids)
    assert ids[0] > future
    assert [row.id for row in read_after(store, 0)] == [future, *ids]


JOURNAL = ("id", "at", "app", "test", "kind", "link", "body")


def test_ids_carry_their_time_and_have_19_digits() -> None:
    before = now_ms()
    ids = growing_ids(0)
    some = [next(ids) for _ in range(1000)]
    assert some == sorted(set(some))
    assert all(len(str(number)) == 19 for number in some)
    assert before <= arrived_at(some[0]) <= now_ms()


def test_steps_between_ids_differ() -> None:
    ids = growing_ids(0, Random(7))
    some = [next(ids) for _ in range(500)]
    steps = {later - earlier for earlier, later in pairwise(some)}
    assert min(steps) >= 1
    assert max(steps) <= 1024
    assert len(steps) > 300


def test_rows_come_back_as_they_were_written(store: Store) -> None:
    body = '{"url":"https://e.example/\\u0000","user_agent":"é🌳\\\\"}'
    number = store.transact(append_batch, NewRow(5, 7, 1, "prefetch", 9, body))
    (row,) = read_after(store, 0)
    assert (row.id, row.at, row.app, row.test, row.kind, row.link) == (number, 5, 7, True, "prefetch", 9)
    assert row.body == {"url": "https://e.example/\0", "user_agent": "é🌳\\"}


def test_rows_are_read_once_for_all_who_follow_at_the_same_place(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [store.transact(append_batch, NewRow(now_ms(), 1, 0, "click", None, "{}")) for _ in range(7)]
    real, read = store.rows, []

    def rows(sql: str, params: Sequence[Value] = ()) -> list[RowValues]:
        read.append(params)
        return real(sql, params)

    monkeypatch.setattr(store, "rows", rows)

    def after(watermark: int, at_most: int) -> list[int]:
        return [row[0] for row in journal.after(watermark, at_most)]

    journal = NewRows(store, 5)
    assert after(0, 9) == ids[:5]
    assert after(0, 5) == ids[:5]
    assert after(ids[1], 2) == ids[2:4]
    assert len(read) == 1
    assert after(ids[2], 3) == ids[3:6]  # more of them than were read
    assert after(ids[5], 3) == ids[6:]
    assert len(read) == 3
    assert after(ids[5], 9) == ids[6:]  # there were no more
    assert len(read) == 3
    assert after(ids[0], 2) == ids[1:3]  # somebody is behind
    assert after(ids[6], 9) == []
    store.transact(append_batch, NewRow(now_ms(), 1, 0, "click", None, "{}"))
    assert len(after(ids[6], 9)) == 1
