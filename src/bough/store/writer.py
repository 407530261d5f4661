"""Group commit: everything that waits when a transaction begins goes into it, and one commit answers for all.

One thread owns the writing connection. What an event loop submits in one turn is handed over at the end of that turn,
all requests that had arrived together, so that the loop and the writing thread wake each other once per commit and not
once per item. While a commit waits for the disk, more gathers; the batch is taken as late as possible, after the write
lock is held. An item is answered only after the commit returned.

A commit whose write or fsync failed leaves the file in an unknown state: the process then refuses every later write and
says so (shared design, "Traps already met").
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from queue import Empty, SimpleQueue
from typing import Any

from bough.errors import BoughError, Unavailable
from bough.store.transaction import Batch, Transaction

log = logging.getLogger("bough.store")

MAX_BATCH = 2000
"""Items in one transaction; bounds the time that others wait for the write lock."""

CLOSED = "The server is stopping; nothing was stored."
BROKEN = "The store refuses writes because the disk failed; restart bough once it is sound."


class DiskFailure(Exception):
    """A write did not reach the disk; nothing may be acknowledged after it."""


Job = tuple[Batch, Any, Callable[[Any], None], asyncio.AbstractEventLoop | None]
"""One item to write: its batch, the item, what is given the result or exception, and the event loop in which that is
called (None: in the writing thread). One is made for every click, and a bare tuple takes a tenth of a named one's time.
"""

Answer = tuple[Job, Any]


class Writer:
    """The writing thread. `begin` opens a transaction that commits on a clean exit and rolls back on an exception.

    `submit` is for one event loop at a time.
    """

    def __init__(self, begin: Callable[[], AbstractContextManager[Transaction]], max_batch: int = MAX_BATCH) -> None:
        self._begin = begin
        self._max_batch = max_batch
        self._gathering: list[Job] = []
        """Submitted in this turn of the event loop."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: SimpleQueue[list[Job] | None] = SimpleQueue()
        self._waiting: deque[Job] = deque()
        """Taken out of the queue and not written yet; of the writing thread alone, as `_ending`."""
        self._ending = False
        self._closed = False
        self._broken: Unavailable | None = None
        self._thread = threading.Thread(target=self._run, name="bough-writer", daemon=True)
        self._thread.start()

    def submit(self, batch: Batch, item: Any, done: Callable[[Any], None]) -> None:
        """Queue an item; `done(result or exception)` is called in the event loop of the calling thread.

        Raises Unavailable after `close`, as `put`.
        """
        if not self._gathering:
            if self._closed:
                raise Unavailable(CLOSED)
            self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._hand_over)
        self._gathering.append((batch, item, done, self._loop))

    def put(self, batch: Batch, item: Any, done: Callable[[Any], None]) -> None:
        """Queue an item; `done(result or exception)` is called in the writing thread."""
        if self._closed:
            raise Unavailable(CLOSED)
        self._queue.put([(batch, item, done, None)])

    def close(self) -> None:
        """Write what was submitted and end the thread."""
        self._closed = True
        self._hand_over()
        self._queue.put(None)
        self._thread.join()

    def _hand_over(self) -> None:
        if self._gathering:
            jobs, self._gathering = self._gathering, []
            self._queue.put(jobs)

    # In the writing thread.

    def _run(self) -> None:
        while not self._ending:
            if (jobs := self._queue.get()) is None:
                return
            self._waiting += jobs
            while self._waiting:
                self._commit()

    def _commit(self) -> None:
        jobs: list[Job] = []
        try:
            with self._transaction() as tx:
                jobs = self._take()
                answers = _apply(tx, jobs)
        except Exception as error:  # noqa: BLE001 - every fault becomes the answer of the items it hit
            answers = self._failed(jobs or self._take(), error)
        _deliver(answers)

    def _transaction(self) -> AbstractContextManager[Transaction]:
        if self._broken is not None:
            raise self._broken
        return self._begin()

    def _take(self) -> list[Job]:
        """The next batch, with everything that has come until now."""
        waiting = self._waiting
        try:
            while len(waiting) < self._max_batch and not self._ending:
                if (jobs := self._queue.get_nowait()) is None:
                    self._ending = True
                else:
                    waiting += jobs
        except Empty:
            pass
        return [waiting.popleft() for _ in range(min(len(waiting), self._max_batch))]

    def _failed(self, jobs: list[Job], error: Exception) -> list[Answer]:
        """What to answer when a transaction was rolled back. One bad item must not fail those beside it."""
        if isinstance(error, DiskFailure):
            log.critical("A write did not reach the disk; refusing all further writes: %s", error)
            error = self._broken = Unavailable(BROKEN)
        if isinstance(error, Unavailable):
            return [(job, error) for job in jobs]
        if len(jobs) > 1:
            return [self._alone(job) for job in jobs]
        if not isinstance(error, BoughError):
            log.error("A write failed", exc_info=error)
        return [(job, error) for job in jobs]

    def _alone(self, job: Job) -> Answer:
        try:
            with self._transaction() as tx:
                answers = _apply(tx, [job])
        except Exception as error:  # noqa: BLE001 - as in _commit
            answers = self._failed([job], error)
        return answers[0]


def _apply(tx: Transaction, jobs: list[Job]) -> list[Answer]:
    """Run each kind of batch once, over its items in the order in which they came."""
    groups: dict[Batch, list[Job]] = {}
    for job in jobs:
        if job[0] in groups:
            groups[job[0]].append(job)
        else:
            groups[job[0]] = [job]
    answers: list[Answer] = []
    for batch, group in groups.items():
        answers += zip(group, batch(tx, [item for _, item, _, _ in group]), strict=True)
    return answers


def _deliver(answers: list[Answer]) -> None:
    for loop in {job[3] for job, _ in answers}:
        group = [answer for answer in answers if answer[0][3] is loop]
        if loop is None:
            _call_all(group)
            continue
        try:
            loop.call_soon_threadsafe(_call_all, group)
        except RuntimeError:  # the loop has closed: nobody waits for these answers any more
            log.info("%d answers came after the server had stopped", len(group))


def _call_all(answers: list[Answer]) -> None:
    for (_, _, done, _), result in answers:
        try:
            done(result)
        except Exception:
            log.exception("An answer could not be delivered")
