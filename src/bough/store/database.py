"""What both stores offer: reads, and write transactions that many callers share.

SQL is written once, in the subset that SQLite and PostgreSQL have in common, with `?` for parameters; it stands only in
`queries.py` files and migrations. Only a `Batch` writes, and batches run one after another over the whole installation
(a file lock for SQLite, an advisory lock for PostgreSQL), so a batch may read, decide and write without races.
"""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from bough.errors import SERVER_FAULT, BoughError, Unavailable
from bough.store.transaction import Batch, RowValues, Transaction, Value
from bough.store.version import SharedVersion
from bough.store.writer import Writer

Item = TypeVar("Item")
Result = TypeVar("Result")

READING_THREADS = 4


class Rows(Protocol):
    """How code reads that works on the whole store and inside a transaction alike."""

    def __call__(self, sql: str, params: Sequence[Value] = (), /) -> list[RowValues]: ...


class Store(ABC):
    """A database with durable, grouped writes. `write` may be called from many tasks; it returns after the commit."""

    version: SharedVersion

    def __init__(self) -> None:
        self._writer: Writer | None = None
        self._writer_guard = threading.Lock()
        self._pool = ThreadPoolExecutor(READING_THREADS, thread_name_prefix="bough-read")

    @abstractmethod
    def rows(self, sql: str, params: Sequence[Value] = ()) -> list[RowValues]:
        """Read in the calling thread. For the command line and background work, and for the event loop when `local`."""

    @abstractmethod
    async def fetch(self, sql: str, params: Sequence[Value] = ()) -> list[RowValues]:
        """Read from the event loop."""

    async def beside(self, read: Callable[..., Result], *arguments: Any) -> Result:
        """Run a function that reads with `rows` beside the event loop: for reads that can take long."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, read, *arguments)

    @abstractmethod
    def begin(self, *, wait: bool = True) -> AbstractContextManager[Transaction]:
        """A write transaction: commits on a clean exit, rolls back on an exception. For the writer only.

        Raises `writer.Busy` when it must not `wait` and something is in its way.
        """

    @property
    def is_quick(self) -> bool:
        """Whether a commit takes so little that an event loop may wait for it."""
        return False

    @abstractmethod
    def purge(self) -> None:
        """Have nothing left on disk of what was deleted or overwritten. Takes long, and writers wait meanwhile."""

    @abstractmethod
    def close(self) -> None:
        """Finish what was submitted and let go of the database."""

    def submit(self, batch: Batch, item: Any, done: Callable[[Any], None], *, light: bool = False) -> None:
        """Write one item together with others; `done(result or exception)` runs in the event loop after the commit.

        A `light` batch takes about as long as answering the request, and may run in the event loop itself.
        """
        (self._writer or self._the_writer()).submit(batch, item, done, light=light)

    async def write(self, batch: Callable[[Transaction, list[Item]], list[Result | Exception]], item: Item) -> Result:
        """Write one item together with others; returns after the commit that holds it is on disk.

        Raises what the batch gave for the item, or Unavailable when the commit failed.
        """
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.submit(batch, item, lambda value: None if answer.done() else answer.set_result(value))
        result: Result = _value(await answer)
        return result

    def transact(
        self,
        batch: Callable[[Transaction, list[Item]], list[Result | Exception]],
        item: Item,
        *,
        settle: bool = True,
    ) -> Result:
        """Write one item from the calling thread (command line, background work); on disk when it returns.

        Without `settle` it can be lost with the power, together with nothing but what was written after it: enough for
        what is then made from the journal again, and it keeps the disk free for those who wait for it.
        """
        answers: SimpleQueue[Any] = SimpleQueue()
        self._the_writer().put(batch, item, answers.put, settle=settle)
        result: Result = _value(answers.get())
        return result

    def settle(self) -> None:  # noqa: B027 - one that has nothing to do is complete
        """Return when everything that can be read now is on disk, for those who remember elsewhere what they have read.

        Raises Unavailable when the disk failed. A store whose commits can be read only once they are on disk has
        nothing to do.
        """

    def check_writing(self) -> None:
        """Raises Unavailable when this process writes no more, because its disk has failed."""
        if self._writer is not None and (broken := self._writer.broken) is not None:
            raise broken

    def start_writing(self) -> None:
        """Start the writing thread now, so that it keeps the priority that the calling thread has at this moment.

        A process that then lowers its own priority still holds the write lock, for which all others wait, no longer
        than they do.
        """
        self._the_writer()

    def _the_writer(self) -> Writer:
        if self._writer is None:
            with self._writer_guard:
                if self._writer is None:
                    self._writer = Writer(self)
        return self._writer

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _value(result: Any) -> Any:
    if isinstance(result, BoughError):
        raise result
    if isinstance(result, Exception):
        raise Unavailable(SERVER_FAULT) from result
    return result
