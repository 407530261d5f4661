"""Light items are written by the event loop itself while the disk is quick and nobody else writes (SQLite)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from bough.errors import BadRequest, Unavailable
from bough.store import Store, Transaction, open_store, sqlite
from bough.store.writer import BROKEN, MAX_AT_ONCE
from tests.running import wait_until
from tests.store.batches import names, put_batch


class Recorded:
    """A batch that remembers what came together and in which thread."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.in_loop: list[bool] = []

    def __call__(self, tx: Transaction, items: list[str]) -> list[str | Exception]:
        self.batches.append(list(items))
        self.in_loop.append(threading.current_thread() is threading.main_thread())
        return put_batch(tx, items)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store on a disk that counts as quick, whatever it is."""
    monkeypatch.setattr(sqlite, "QUICK_SYNC", 10.0)
    opened = open_store(tmp_path / "data")
    yield opened
    opened.close()


def submitted(
    store: Store, batch: Callable[..., Any], items: list[str], *, light: bool = True
) -> asyncio.Future[list[Any]]:
    """Submit all in this turn of the event loop; their results, in order, or exceptions."""
    answers: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
    results: dict[int, Any] = {}

    def done_with(number: int) -> Callable[[Any], None]:
        def done(result: Any) -> None:
            results[number] = result
            if len(results) == len(items):
                answers.set_result([results[place] for place in range(len(items))])

        return done

    for number, item in enumerate(items):
        store.submit(batch, item, done_with(number), light=light)
    return answers


def written(store: Store, batch: Callable[..., Any], items: list[str], *, light: bool = True) -> list[Any]:
    """The results of items that were submitted together."""

    async def run() -> list[Any]:
        return await submitted(store, batch, items, light=light)

    return asyncio.run(run())


def test_light_items_of_one_turn_share_a_commit_in_the_event_loop(store: Store) -> None:
    batch = Recorded()
    wanted = [f"item-{number:03}" for number in range(100)]
    assert written(store, batch, wanted) == wanted
    assert batch.batches == [wanted]
    assert batch.in_loop == [True]
    assert names(store) == wanted


def test_what_comes_in_the_next_turn_goes_along(store: Store) -> None:
    batch = Recorded()

    async def run() -> None:
        first = submitted(store, batch, ["first"])
        await asyncio.sleep(0)
        second = submitted(store, batch, ["second"])
        assert await first + await second == ["first", "second"]

    asyncio.run(run())
    assert batch.batches == [["first", "second"]]


def test_they_are_on_disk_before_they_are_answered(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sqlite._sync
    seen: list[str] = []

    def sync(descriptor: int) -> None:
        real(descriptor)
        seen.append("synced")

    async def run() -> None:
        answered = asyncio.Event()

        def done(result: Any) -> None:
            seen.append(result)
            answered.set()

        store.submit(put_batch, "a", done, light=True)
        await answered.wait()

    monkeypatch.setattr(sqlite, "_sync", sync)
    asyncio.run(run())
    assert seen == ["synced", "a"]


def test_the_thread_writes_what_is_not_light_and_what_came_with_it(store: Store) -> None:
    batch = Recorded()

    async def run() -> None:
        light = submitted(store, batch, ["a"])
        heavy = submitted(store, batch, ["b"], light=False)
        assert await light + await heavy == ["a", "b"]

    asyncio.run(run())
    assert batch.batches == [["a", "b"]]
    assert batch.in_loop == [False]


def test_the_thread_writes_when_the_disk_is_slow(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "QUICK_SYNC", 0.0)
    batch = Recorded()
    assert written(store, batch, ["a", "b"]) == ["a", "b"]
    assert batch.in_loop == [False]


def test_the_thread_writes_when_there_are_many(store: Store) -> None:
    batch = Recorded()
    many = [f"item-{number:03}" for number in range(MAX_AT_ONCE + 1)]
    assert written(store, batch, many) == many
    assert batch.in_loop == [False]


def test_while_another_process_writes_the_loop_goes_on_and_gathers(store: Store, tmp_path: Path) -> None:
    other = open_store(tmp_path / "data")
    batch = Recorded()
    turns = 0

    async def run() -> None:
        nonlocal turns
        with other.begin() as tx:
            put_batch(tx, ["of the other"])
            first = submitted(store, batch, ["first"])
            later = []
            for number in range(3):
                await asyncio.sleep(0.01)
                later.append(submitted(store, batch, [f"later-{number}"]))
                turns += 1
            assert not first.done()
        assert await first == ["first"]
        assert await asyncio.gather(*later) == [[f"later-{number}"] for number in range(3)]
        assert await submitted(store, batch, ["last"]) == ["last"]

    asyncio.run(run())
    other.close()
    assert turns == 3
    assert batch.batches == [["first"], ["later-0", "later-1", "later-2"], ["last"]]
    assert batch.in_loop == [False, True, True]
    assert names(store) == sorted(["of the other", "first", "later-0", "later-1", "later-2", "last"])


def test_items_of_threads_go_between(store: Store) -> None:
    batch = Recorded()

    async def run() -> list[Any]:
        threads = [asyncio.to_thread(store.transact, batch, f"thread-{number}") for number in range(20)]
        both = await asyncio.gather(*threads, *(submitted(store, batch, [f"loop-{number}"]) for number in range(20)))
        return [*both[:20], *(result for (result,) in both[20:])]

    wanted = [f"thread-{number}" for number in range(20)] + [f"loop-{number}" for number in range(20)]
    assert asyncio.run(run()) == wanted
    assert names(store) == sorted(wanted)


def test_threads_that_always_write_do_not_keep_the_loop_waiting(store: Store) -> None:
    """Four threads write without a pause; each item of the loop is answered all the same."""
    ended = threading.Event()

    def write_on(name: str) -> int:
        number = 0
        while not ended.is_set():
            store.transact(put_batch, f"{name}-{number}")
            number += 1
        return number

    async def run() -> list[int]:
        threads = [asyncio.create_task(asyncio.to_thread(write_on, f"thread-{number}")) for number in range(4)]
        for number in range(200):
            assert await asyncio.wait_for(submitted(store, put_batch, [f"loop-{number}"]), 10) == [f"loop-{number}"]
        ended.set()
        return list(await asyncio.gather(*threads))

    written_by_threads = sum(asyncio.run(run()))
    assert len(names(store)) == written_by_threads + 200


def test_a_refused_item_and_a_poison_item_fail_alone(store: Store) -> None:
    batch = Recorded()
    first, second, third, fourth = written(store, batch, ["a", "bad", "poison", "d"])
    assert (first, fourth) == ("a", "d")
    assert isinstance(second, BadRequest)
    assert isinstance(third, ValueError)
    assert names(store) == ["a", "d"]
    assert batch.in_loop == [True, False, False, False, False]


def test_an_answer_that_raises_disturbs_nobody(store: Store) -> None:
    async def run() -> list[Any]:
        def broken(_result: Any) -> None:
            raise RuntimeError("the connection is gone")

        store.submit(put_batch, "a", broken, light=True)
        return await submitted(store, put_batch, ["b"])

    assert asyncio.run(run()) == ["b"]
    assert names(store) == ["a", "b"]


def test_a_log_that_cannot_be_synced_ends_all_writing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError("Input/output error")

    assert written(store, put_batch, ["kept"]) == ["kept"]
    with monkeypatch.context() as broken:
        broken.setattr(sqlite, "_sync", fail)
        assert [error.message for error in written(store, put_batch, ["lost", "too"])] == [BROKEN, BROKEN]
    assert [error.message for error in written(store, put_batch, ["later"])] == [BROKEN]
    with pytest.raises(Unavailable, match=BROKEN):
        store.transact(put_batch, "later still")


def test_the_log_is_folded_back_beside_the_writing_and_stays_small(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 50)
    batch = Recorded()
    for number in range(1000):
        written(store, batch, [f"{number:04}{'x' * 3000}"])
        if number % 10 == 0:  # the thread that folds must get its turn
            time.sleep(0.001)
    assert len(names(store)) == 1000
    assert 5 < batch.in_loop.count(False) < 250
    assert (tmp_path / "data" / sqlite.LOG_NAME).stat().st_size < 400 * 4200


def test_a_log_that_grows_too_far_is_folded_back_by_a_commit(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when another process began to fold it back and does not get on."""
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 50)
    monkeypatch.setattr(sqlite, "MAX_LOG_PAGES", 100)
    monkeypatch.setattr(sqlite.SqliteStore, "_fold_most", lambda _store: None)
    batch = Recorded()
    for number in range(300):
        written(store, batch, [f"{number:04}{'x' * 3000}"])
    assert len(names(store)) == 300
    assert 2 < batch.in_loop.count(False) < 50
    assert (tmp_path / "data" / sqlite.LOG_NAME).stat().st_size < 130 * 4200


def test_closing_writes_what_the_loop_has_gathered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "QUICK_SYNC", 10.0)
    store = open_store(tmp_path / "data")

    async def run() -> None:
        submitted(store, put_batch, ["gathered"])
        store.close()

    asyncio.run(run())
    again = open_store(tmp_path / "data")
    assert names(again) == ["gathered"]
    again.close()


def test_the_thread_takes_what_was_gathered_while_it_wrote(store: Store, tmp_path: Path) -> None:
    """A heavy item among them makes all of it the thread's."""
    other = open_store(tmp_path / "data")
    batch = Recorded()

    async def run() -> None:
        with other.begin():
            first = submitted(store, batch, ["a"])
            await asyncio.sleep(0.01)
            light = submitted(store, batch, ["b"])
            await asyncio.sleep(0.01)
            heavy = submitted(store, batch, ["c"], light=False)
            await asyncio.sleep(0.01)
        assert await first + await light + await heavy == ["a", "b", "c"]

    asyncio.run(run())
    other.close()
    assert batch.batches == [["a"], ["b", "c"]]
    assert batch.in_loop == [False, False]
    wait_until(lambda: not store._the_writer()._thread_is_busy)


def syncs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The descriptors that are synced from now on."""
    synced: list[int] = []
    real = sqlite._sync

    def sync(descriptor: int) -> None:
        synced.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(sqlite, "_sync", sync)
    return synced


def test_what_is_made_from_the_journal_again_does_not_wait_for_the_disk(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = syncs(monkeypatch)
    assert store.transact(put_batch, "counted", settle=False) == "counted"
    assert synced == []
    assert names(store) == ["counted"]
    store.settle()
    assert len(synced) == 1
    assert store.transact(put_batch, "promised") == "promised"
    assert len(synced) == 2


def test_who_shares_a_transaction_with_one_that_waits_for_the_disk_waits_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = syncs(monkeypatch)
    began, gate = threading.Event(), threading.Event()

    def slow(tx: Transaction, items: list[str]) -> list[str | Exception]:
        began.set()
        gate.wait(10)
        return put_batch(tx, items)

    answers: SimpleQueue[Any] = SimpleQueue()
    writer = store._the_writer()
    writer.put(slow, "first", answers.put, settle=False)
    assert began.wait(10)
    for name, settle in (("second", False), ("third", True), ("fourth", False)):
        writer.put(put_batch, name, answers.put, settle=settle)
    gate.set()
    assert [answers.get(timeout=10) for _ in range(4)] == ["first", "second", "third", "fourth"]
    assert len(synced) == 1
