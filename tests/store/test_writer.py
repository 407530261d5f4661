"""Group commit: who shares a batch, who fails with whom, and when answers come. On both stores."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from bough.errors import BadRequest, Unavailable
from bough.store import Store, Transaction
from bough.store.writer import Writer
from tests.running import wait_until
from tests.store.batches import names, put_batch
from tests.store.conftest import Place


class Recorded:
    """A batch that remembers what came together, and can hold the writing thread up."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.entered = threading.Event()
        self.may_go = threading.Event()
        self.may_go.set()

    def __call__(self, tx: Transaction, items: list[str]) -> list[str | Exception]:
        self.batches.append(list(items))
        self.entered.set()
        assert self.may_go.wait(10)
        return put_batch(tx, items)


async def all_of(store: Store, batch: Callable[..., Any], items: list[str]) -> list[Any]:
    """Write all at once; results or exceptions."""
    return await asyncio.gather(*(store.write(batch, item) for item in items), return_exceptions=True)


def test_what_is_submitted_in_one_turn_of_the_loop_shares_one_commit(store: Store) -> None:
    batch = Recorded()
    wanted = [f"item-{number:03}" for number in range(100)]
    assert asyncio.run(all_of(store, batch, wanted)) == wanted
    assert batch.batches == [wanted]
    assert names(store) == wanted


def test_what_comes_during_a_commit_shares_the_next(store: Store) -> None:
    batch = Recorded()
    batch.may_go.clear()

    async def run() -> None:
        first = asyncio.create_task(store.write(batch, "first"))
        await asyncio.to_thread(batch.entered.wait, 10)
        later = []
        for number in range(10):
            later.append(asyncio.create_task(store.write(batch, f"later-{number}")))
            await asyncio.sleep(0)  # each in a turn of its own
        await asyncio.sleep(0)
        batch.may_go.set()
        await asyncio.gather(first, *later)

    asyncio.run(run())
    assert batch.batches == [["first"], [f"later-{number}" for number in range(10)]]


def test_a_batch_has_at_most_so_many_items(store: Store) -> None:
    batch = Recorded()
    writer = Writer(store, max_batch=4)
    answers: list[Any] = []

    async def run() -> None:
        finished = asyncio.Event()

        def done(result: Any) -> None:
            answers.append(result)
            if len(answers) == 10:
                finished.set()

        for number in range(10):
            writer.submit(batch, f"item-{number}", done, light=False)
        await finished.wait()

    asyncio.run(run())
    writer.close()
    assert [len(items) for items in batch.batches] == [4, 4, 2]
    assert answers == names(store) == [f"item-{number}" for number in range(10)]


def test_a_refused_item_is_answered_so_and_the_others_are_stored(store: Store) -> None:
    first, second, third = asyncio.run(all_of(store, put_batch, ["a", "bad", "c"]))
    assert (first, third) == ("a", "c")
    assert isinstance(second, BadRequest)
    assert names(store) == ["a", "c"]


def test_a_poison_item_fails_alone_and_leaves_nothing_behind(store: Store) -> None:
    batch = Recorded()
    results = asyncio.run(all_of(store, batch, ["a", "poison", "c"]))
    assert results[0] == "a"
    assert results[2] == "c"
    assert isinstance(results[1], Unavailable)
    assert results[1].message.startswith("The server could not complete your request")
    assert names(store) == ["a", "c"]
    assert batch.batches == [["a", "poison", "c"], ["a"], ["poison"], ["c"]]


def test_what_the_database_refuses_fails_alone_too(store: Store) -> None:
    """A key that is taken breaks the transaction in PostgreSQL: the others are written in ones of their own."""
    results = asyncio.run(all_of(store, put_batch, ["a", "same", "same", "z"]))
    assert results[:2] == ["a", "same"]
    assert isinstance(results[2], Unavailable)
    assert results[3] == "z"
    assert names(store) == ["a", "same", "z"]


def test_kinds_of_items_share_a_transaction(store: Store) -> None:
    seen: list[list[str]] = []

    def other_batch(tx: Transaction, items: list[str]) -> list[str | Exception]:
        seen.append([name for (name,) in tx.rows("SELECT name FROM watermark")])
        return [*items]

    async def run() -> list[Any]:
        return list(
            await asyncio.gather(
                store.write(put_batch, "a"), store.write(other_batch, "x"), store.write(put_batch, "b")
            )
        )

    assert asyncio.run(run()) == ["a", "x", "b"]
    assert [sorted(names) for names in seen] == [["a", "b"]]  # in the same transaction, after both


def test_answers_come_in_the_loop_and_after_the_commit(store: Store, place: Place) -> None:
    other = place.open()
    seen: list[Any] = []

    async def run() -> None:
        answered = asyncio.Event()

        def done(result: Any) -> None:
            seen.append((threading.current_thread() is threading.main_thread(), result, names(other)))
            answered.set()

        store.submit(put_batch, "a", done)
        await answered.wait()

    asyncio.run(run())
    other.close()
    assert seen == [(True, "a", ["a"])]


def test_a_caller_who_gave_up_disturbs_nobody(store: Store) -> None:
    async def run() -> str:
        gone = asyncio.create_task(store.write(put_batch, "gone"))
        stays = asyncio.create_task(store.write(put_batch, "stays"))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    assert asyncio.run(run()) == "stays"
    assert names(store) == ["gone", "stays"]


def test_an_answer_that_raises_disturbs_nobody(store: Store) -> None:
    async def run() -> str:
        def broken(_result: Any) -> None:
            raise RuntimeError("the connection is gone")

        store.submit(put_batch, "a", broken)
        return await store.write(put_batch, "b")

    assert asyncio.run(run()) == "b"


def test_threads_write_too(store: Store) -> None:
    threads = [threading.Thread(target=store.transact, args=(put_batch, f"thread-{n}")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(store) == [f"thread-{n}" for n in range(8)]
    with pytest.raises(BadRequest, match="bad is refused"):
        store.transact(put_batch, "bad")


def test_closing_writes_what_was_submitted_and_takes_no_more(place: Place) -> None:
    store = place.open()
    store.transact(put_batch, "before")
    batch = Recorded()
    batch.may_go.clear()
    held = threading.Thread(target=store.transact, args=(batch, "held"))
    held.start()
    assert batch.entered.wait(10)
    queued = [threading.Thread(target=store.transact, args=(batch, f"queued-{n}")) for n in range(5)]
    for thread in queued:
        thread.start()
    writer = store._writer
    assert writer is not None
    wait_until(lambda: writer._queue.qsize() == len(queued))
    closing = threading.Thread(target=writer.close)
    closing.start()
    batch.may_go.set()
    for thread in (held, *queued, closing):
        thread.join(10)
    with pytest.raises(Unavailable, match="stopping"):
        writer.put(put_batch, "after", print)
    with pytest.raises(Unavailable, match="stopping"):
        writer.submit(put_batch, "after", print, light=True)
    store.close()
    again = place.open()
    assert names(again) == ["before", "held", *(f"queued-{n}" for n in range(5))]
    again.close()


def test_a_commit_of_nothing_answers_at_once(store: Store) -> None:
    def nothing(_tx: Transaction, items: list[int]) -> list[int | Exception]:
        return [*items]

    assert store.transact(nothing, 1) == 1
