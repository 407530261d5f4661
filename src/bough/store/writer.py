"""Group commit: everything that waits when a transaction begins goes into it, and one commit answers for all.

What an event loop submits in two turns goes together: all requests that had arrived by then, and those that came while
these were read. There are two ways:

* The writing thread takes it. While a commit waits for the disk, more gathers; the batch is taken as late as possible,
  after the write lock is held.
* At once, at the end of them and in the event loop itself, when all of it is light, the disk is quick
  (`Store.is_quick`) and nobody else is writing. A thread that wants the interpreter lock back is woken each time the
  busy loop lets go of it, once per request and in vain: that cost more than the whole commit, disk included.

An item is answered only after the commit returned.

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
from typing import Any, NamedTuple, Protocol

from bough.errors import BoughError, Unavailable
from bough.store.transaction import Batch, Transaction

log = logging.getLogger("bough.store")

MAX_BATCH = 2000
"""Items in one transaction; bounds the time that others wait for the write lock."""

CLOSED = "The server is stopping; nothing was stored."
BROKEN = "The store refuses writes because the disk failed; restart bough once it is sound."


MAX_AT_ONCE = 256
"""Items that the event loop writes itself; bounds the time that other requests wait for it."""


class DiskFailure(Exception):
    """A write did not reach the disk; nothing may be acknowledged after it."""


class Busy(Exception):
    """A transaction that waits for nobody would have to wait."""


Job = tuple[Batch, Any, Callable[[Any], None], asyncio.AbstractEventLoop | None, bool]
"""One item to write: its batch, the item, what is given the result or exception, the event loop in which that is called
(None: in the writing thread), and whether it has to be on disk before. One is made for every click, and a bare tuple
takes a tenth of a named one's time.
"""

Answer = tuple[Job, Any]


class Failed(NamedTuple):
    """Items whose common transaction was rolled back in the event loop."""

    jobs: list[Job]
    error: Exception


class Transactions(Protocol):
    """What a store offers to its writer."""

    @property
    def is_quick(self) -> bool:
        """Whether the event loop may wait for a commit."""

    def begin(self, *, wait: bool = True) -> AbstractContextManager[Transaction]:
        """A transaction that is on disk after a clean exit, if it `settles`, and rolled back after an exception.

        Raises Busy when it must not wait and something is in its way.
        """


class Writer:
    """Writes what is submitted. `submit` is for one event loop at a time."""

    def __init__(self, store: Transactions, max_batch: int = MAX_BATCH) -> None:
        self._store = store
        self._max_batch = max_batch
        self._gathering: list[Job] = []
        """Submitted in these turns of the event loop, or while the thread was busy."""
        self._is_light = True
        """Whether all that was gathered is light."""
        self._thread_is_busy = False
        """Whether the thread has something of the loop and will call `_hand_over` when it is through."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: SimpleQueue[list[Job] | Failed | None] = SimpleQueue()
        self._waiting: deque[Job] = deque()
        """Taken out of the queue and not written yet; of the writing thread alone, as the next two."""
        self._rolled_back: deque[Failed] = deque()
        self._ending = False
        self._closed = False
        self._broken: Unavailable | None = None
        self._thread = threading.Thread(target=self._run, name="bough-writer", daemon=True)
        self._thread.start()

    def submit(self, batch: Batch, item: Any, done: Callable[[Any], None], *, light: bool) -> None:
        """Queue an item; `done(result or exception)` is called in the event loop of the calling thread.

        `light`: the batch takes about as long as answering the request. Raises Unavailable after `close`, as `put`.
        """
        if not self._gathering:
            if self._closed:
                raise Unavailable(CLOSED)
            self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._loop.call_soon, self._hand_over)
        self._gathering.append((batch, item, done, self._loop, True))
        if not light:
            self._is_light = False

    def put(self, batch: Batch, item: Any, done: Callable[[Any], None], *, settle: bool = True) -> None:
        """Queue an item; `done(result or exception)` is called in the writing thread. See `Store.transact`."""
        if self._closed:
            raise Unavailable(CLOSED)
        self._queue.put([(batch, item, done, None, settle)])

    @property
    def broken(self) -> Unavailable | None:
        """Why it refuses every write; None while it does not."""
        return self._broken

    def close(self) -> None:
        """Write what was submitted and end the thread."""
        self._closed = True
        self._queue.put(self._gathered())
        self._queue.put(None)
        self._thread.join()

    # In the event loop.

    def _hand_over(self) -> None:
        if not self._gathering:
            return
        if self._is_light and self._store.is_quick:
            if not self._thread_is_busy:
                self._write_at_once(self._gathered())
        else:
            self._give(self._gathered())

    def _gathered(self) -> list[Job]:
        jobs, self._gathering, self._is_light = self._gathering, [], True
        return jobs

    def _give(self, jobs: list[Job] | Failed) -> None:
        self._thread_is_busy = True
        self._queue.put(jobs)

    def _write_at_once(self, jobs: list[Job]) -> None:
        if self._broken is not None or len(jobs) > min(MAX_AT_ONCE, self._max_batch):
            self._give(jobs)
            return
        try:
            with self._store.begin(wait=False) as tx:
                answers = _apply(tx, jobs)
        except Busy:
            self._give(jobs)
        except Exception as error:  # noqa: BLE001 - every fault becomes the answer of the items it hit
            self._give(Failed(jobs, error))
        else:
            _call_all(answers)

    # In the writing thread.

    def _run(self) -> None:
        while not self._ending:
            self._receive(self._queue.get())
            try:
                self._turn()
            except Exception:
                log.exception("The writing thread goes on after a fault")

    def _turn(self) -> None:
        while self._waiting:
            self._commit()
        while self._rolled_back:
            _deliver(self._failed(*self._rolled_back.popleft()))
        self._thread_is_busy = False
        if self._gathering and self._loop is not None:
            _call_in(self._loop, self._hand_over)

    def _receive(self, found: list[Job] | Failed | None) -> None:
        if found is None:
            self._ending = True
        elif isinstance(found, Failed):
            self._rolled_back.append(found)
        else:
            self._waiting += found

    def _commit(self) -> None:
        jobs: list[Job] = []
        try:
            with self._transaction() as tx:
                jobs = self._take()
                tx.settles = any(job[4] for job in jobs)
                answers = _apply(tx, jobs)
        except Exception as error:  # noqa: BLE001 - every fault becomes the answer of the items it hit
            answers = self._failed(jobs or self._take(), error)
        _deliver(answers)

    def _transaction(self) -> AbstractContextManager[Transaction]:
        if self._broken is not None:
            raise self._broken
        return self._store.begin()

    def _take(self) -> list[Job]:
        """The next batch, with everything that has come until now."""
        waiting = self._waiting
        try:
            while len(waiting) < self._max_batch and not self._ending:
                self._receive(self._queue.get_nowait())
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
    batches = dict.fromkeys([job[0] for job in jobs])
    answers: list[Answer] = []
    for batch in batches:
        group = jobs if len(batches) == 1 else [job for job in jobs if job[0] == batch]
        answers += zip(group, batch(tx, [job[1] for job in group]), strict=True)
    return answers


def _deliver(answers: list[Answer]) -> None:
    for loop in {job[3] for job, _ in answers}:
        group = [answer for answer in answers if answer[0][3] is loop]
        if loop is None:
            _call_all(group)
            continue
        _call_in(loop, _call_all, group)


def _call_in(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: Any) -> None:
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:  # the loop has closed: nobody waits for an answer any more
        log.info("An answer came after the server had stopped")


def _call_all(answers: list[Answer]) -> None:
    for (_, _, done, _, _), result in answers:
        try:
            done(result)
        except Exception:
            log.exception("An answer could not be delivered")
