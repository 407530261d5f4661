"""Group commit: everything that waits when a transaction begins goes into it, and one commit answers for all.

One thread owns the writing connection. While a commit waits for the disk, new items gather in the queue; the batch is
taken as late as possible, after the write lock is held. An item is answered only after the commit returned. A commit
whose write or fsync failed leaves the file in an unknown state: the process then refuses every later write and says so
(shared design, "Traps already met").
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from queue import Empty, SimpleQueue
from typing import Any

from bough.errors import BoughError, Unavailable
from bough.store.transaction import Batch, Transaction

log = logging.getLogger("bough.store")

MAX_BATCH = 2000
"""Items in one transaction; bounds the time that others wait for the write lock."""

Job = tuple[Batch, Any, Callable[[Any], None]]


class DiskFailure(Exception):
    """A write did not reach the disk; nothing may be acknowledged after it."""


class Writer:
    """The writing thread. `begin` opens a transaction that commits on a clean exit and rolls back on an exception."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Transaction]]) -> None:
        self._begin = begin
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._broken: Unavailable | None = None
        self._thread = threading.Thread(target=self._run, name="bough-writer", daemon=True)
        self._thread.start()

    def submit(self, batch: Batch, item: Any, done: Callable[[Any], None]) -> None:
        """Queue an item; `done(result or exception)` is called in the event loop of the calling thread."""
        loop = asyncio.get_running_loop()
        self._queue.put((batch, item, _in_loop(loop, done)))

    def put(self, batch: Batch, item: Any, done: Callable[[Any], None]) -> None:
        """Queue an item; `done(result or exception)` is called in the writing thread."""
        self._queue.put((batch, item, done))

    def close(self) -> None:
        """Write what is queued and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        running = True
        while running:
            job = self._queue.get()
            if job is None:
                break
            running = self._commit(job)

    def _commit(self, first: Job) -> bool:
        jobs = [first]
        running = True
        try:
            if self._broken is not None:
                raise self._broken
            with self._begin() as tx:
                running = self._gather(jobs)
                answers = _apply(tx, jobs)
        except DiskFailure as error:
            log.critical("A write did not reach the disk; refusing all further writes: %s", error)
            self._broken = Unavailable(
                "The store refuses writes because the disk failed; restart bough once it is sound."
            )
            answers = [(done, self._broken) for _, _, done in jobs]
        except Unavailable as error:
            answers = [(done, error) for _, _, done in jobs]
        except Exception as error:  # noqa: BLE001 - one bad item must not fail the others: each is tried by itself
            answers = [self._alone(job) for job in jobs] if len(jobs) > 1 else [(first[2], error)]
        _deliver(answers)
        return running

    def _gather(self, jobs: list[Job]) -> bool:
        """Add everything that waits; False when the end was asked for."""
        try:
            while len(jobs) < MAX_BATCH:
                job = self._queue.get_nowait()
                if job is None:
                    return False
                jobs.append(job)
        except Empty:
            pass
        return True

    def _alone(self, job: Job) -> tuple[Callable[[Any], None], Any]:
        try:
            with self._begin() as tx:
                return _apply(tx, [job])[0]
        except Exception as error:
            if not isinstance(error, BoughError):
                log.exception("A write failed")
            return job[2], error


Answer = tuple[Callable[[Any], None], Any]


def _apply(tx: Transaction, jobs: list[Job]) -> list[Answer]:
    """Run each kind of batch once, over its items in the order in which they came."""
    groups: dict[Batch, list[Job]] = {}
    for job in jobs:
        groups.setdefault(job[0], []).append(job)
    answers: list[Answer] = []
    for batch, group in groups.items():
        results = batch(tx, [item for _, item, _ in group])
        answers += [(done, result) for (_, _, done), result in zip(group, results, strict=True)]
    return answers


class _InLoop:
    """A `done` that belongs to an event loop; one wake-up of the loop serves a whole commit."""

    __slots__ = ("done", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, done: Callable[[Any], None]) -> None:
        self.loop = loop
        self.done = done

    def __call__(self, result: Any) -> None:
        self.loop.call_soon_threadsafe(self.done, result)


def _in_loop(loop: asyncio.AbstractEventLoop, done: Callable[[Any], None]) -> Callable[[Any], None]:
    return _InLoop(loop, done)


def _deliver(answers: list[Answer]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[Answer]] = {}
    for done, result in answers:
        if isinstance(done, _InLoop):
            by_loop.setdefault(done.loop, []).append((done.done, result))
        else:
            done(result)
    for loop, group in by_loop.items():
        try:
            loop.call_soon_threadsafe(_call_all, group)
        except RuntimeError:  # the loop has closed: nobody waits for these answers any more
            log.info("%d answers came after the server had stopped", len(group))


def _call_all(answers: list[Answer]) -> None:
    for done, result in answers:
        try:
            done(result)
        except Exception:
            log.exception("An answer could not be delivered")
