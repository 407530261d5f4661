"""What a consumer could not digest: set aside with the reason, so that everything behind it goes on.

A consumer is whatever makes something else of stored rows: counts, attribution, the warehouse. When a row makes it
fail, it tries fewer rows (`Halving`) down to the one at fault, stores that one here and goes on behind it. Only what a
row can be blamed for is treated so (`is_of_row`): a disk that is full or a database that does not answer is waited for.

Rows stay until they are replayed (`bough journal replay`, after a new release has mended the fault): `replay` marks
them, and their consumer tries each once more. Setting aside the same row again replaces what was said of it, so it does
not matter where a process dies in between.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from bough.errors import SERVER_FAULT, Unavailable
from bough.store.transaction import Reader, RowValues, Transaction
from bough.store.writer import Busy, DiskFailure
from bough.vocabulary.ids import growing_ids, now_ms

COUNTS, DAY_COUNTS = "counts", "day counts"
TOUCHES = "touches"
"""Finding clicks and impressions again."""
ATTRIBUTION = "attribution"
MONEY = "money"
"""Dollars of an event's revenue; the event itself is attributed."""
EVENTS, PERSONS, FILES = "warehouse events", "warehouse persons", "warehouse files"
COSTS, LINK_COSTS = "costs", "link costs"
CONSUMERS = (
    COUNTS, DAY_COUNTS, TOUCHES, ATTRIBUTION, MONEY, EVENTS, PERSONS, FILES, COSTS, LINK_COSTS
)  # fmt: skip
OF_ATTRIBUTION = (TOUCHES, ATTRIBUTION, MONEY)
OF_WAREHOUSE = (EVENTS, PERSONS, FILES, COSTS, LINK_COSTS)

MAX_REASON = 500
REPLAYED_AT_ONCE = 100

COLUMNS = ("id", "consumer", "app", "kind", "item", "reason", "at", "replay")
_SELECTED = ", ".join(COLUMNS)
NEWEST = "SELECT max(id) FROM set_aside"
PUT = (
    f"INSERT INTO set_aside ({_SELECTED}) VALUES (?, ?, ?, ?, ?, ?, ?, 0)"  # noqa: S608 - names of this module
    " ON CONFLICT (consumer, kind, item) DO UPDATE SET reason = excluded.reason, at = excluded.at, replay = 0"
)
ITEMS = "SELECT item FROM set_aside WHERE consumer = ?"
WANTED = "SELECT item FROM set_aside WHERE consumer = ? AND replay = 1 ORDER BY id LIMIT ?"
DONE = "DELETE FROM set_aside WHERE consumer = ? AND item = ?"
FORGET = "DELETE FROM set_aside WHERE consumer = ?"
LISTED = f"SELECT {_SELECTED} FROM set_aside ORDER BY id DESC LIMIT ?"  # noqa: S608
OF_APP = f"SELECT {_SELECTED} FROM set_aside WHERE app = ? ORDER BY id DESC LIMIT ?"  # noqa: S608
COUNTED = "SELECT consumer, app, count(*) FROM set_aside GROUP BY consumer, app ORDER BY consumer, app"
REPLAY_ALL = "UPDATE set_aside SET replay = 1"
REPLAY_OF = "UPDATE set_aside SET replay = 1 WHERE consumer = ?"
REPLAY_ITEM = "UPDATE set_aside SET replay = 1 WHERE item = ?"


class SetAside(Struct, frozen=True, kw_only=True):
    """One thing that a consumer could not digest."""

    consumer: str
    """One of CONSUMERS."""
    app: int
    kind: str
    """What it is: the kind of a journal row, `cost`, `person` or `link`."""
    item: int
    """The id of the journal row, cost, person or link."""
    reason: str
    at: int = 0
    """Epoch ms when it was tried last."""
    replay: bool = False
    """Whether it is to be tried once more."""


class Halving:
    """How many rows are tried together: all, after a failure half as many, down to the one at fault."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.size = most

    @property
    def is_whole(self) -> bool:
        """Whether nothing has failed lately."""
        return self.size == self._most

    def failed(self, tried: int) -> bool:
        """So many rows were tried in vain: whether there was only one, which is then at fault."""
        if tried <= 1:
            return True
        self.size = max(1, min(self.size, tried) // 2)
        return False

    def succeeded(self) -> None:
        """The rows were digested."""
        self.size = min(self._most, 2 * self.size)


def is_of_row(error: Exception) -> bool:
    """Whether an exception can be blamed on the rows, not on the machine or the database."""
    if isinstance(error, Unavailable) and error.message == SERVER_FAULT and isinstance(error.__cause__, Exception):
        return is_of_row(error.__cause__)  # what a transaction has failed for
    if isinstance(error, (Unavailable, DiskFailure, Busy, OSError, MemoryError)):
        return False
    # Only what is loaded can have raised something: no process loads a database that it does not use.
    engine = sys.modules.get(type(error).__module__.partition(".")[0])
    if engine is not None and engine.__name__ == "apsw":
        machine = (engine.SQLError, engine.BusyError, engine.FullError, engine.IOError, engine.CantOpenError)
        return not isinstance(error, machine)
    if engine is not None and engine.__name__ == "psycopg":
        return isinstance(error, (engine.DataError, engine.IntegrityError))
    return True


def reason_of(error: Exception) -> str:
    """What is kept of an exception."""
    cause = error.__cause__ if isinstance(error, Unavailable) and error.__cause__ is not None else error
    return f"{type(cause).__name__}: {cause}"


def of_row(consumer: str, row: RowValues, error: Exception) -> SetAside:
    """A row of the journal (`bough.store.journal.COLUMNS`) that is to be set aside."""
    return SetAside(consumer=consumer, app=row[2], kind=row[4], item=row[0], reason=reason_of(error))


def put(tx: Transaction, some: Iterable[SetAside]) -> None:
    """Set things aside in an open transaction."""
    listed = list(some)
    if listed:
        ids = growing_ids(tx.rows(NEWEST)[0][0] or 0)
        tx.each(
            PUT,
            [(next(ids), one.consumer, one.app, one.kind, one.item, _storable(one.reason), now_ms()) for one in listed],
        )


def _storable(reason: str) -> str:
    """PostgreSQL takes no NUL, and neither database half a character."""
    return reason.replace("\0", "").encode("utf-8", "replace").decode()[:MAX_REASON]


def put_batch(tx: Transaction, items: list[list[SetAside]]) -> list[Exception | None]:
    """The `Batch` behind setting aside outside of another transaction."""
    for some in items:
        put(tx, some)
    return [None] * len(items)


def done_batch(tx: Transaction, items: list[list[tuple[str, int]]]) -> list[Exception | None]:
    """The `Batch` that takes each (consumer, item) off the list: it has been digested, or is gone."""
    for some in items:
        tx.each(DONE, some)
    return [None] * len(items)


def forget(tx: Transaction, consumers: Iterable[str]) -> None:
    """Forget what these consumers set aside: they begin anew and will see it again."""
    tx.each(FORGET, [(one,) for one in consumers])


def forget_batch(tx: Transaction, items: list[list[str]]) -> list[Exception | None]:
    """The `Batch` behind `forget`."""
    for consumers in items:
        forget(tx, consumers)
    return [None] * len(items)


def items(reader: Reader, consumer: str) -> frozenset[int]:
    """Everything that a consumer has set aside."""
    return frozenset(item for (item,) in reader.rows(ITEMS, (consumer,)))


def wanted(reader: Reader, consumer: str) -> list[int]:
    """The next things that a consumer is to try once more."""
    return [item for (item,) in reader.rows(WANTED, (consumer, REPLAYED_AT_ONCE))]


def listed(reader: Reader, app: int | None = None, most: int = 1000) -> list[SetAside]:
    """What is set aside, newest first; of one app or of all."""
    rows = reader.rows(LISTED, (most,)) if app is None else reader.rows(OF_APP, (app, most))
    return [msgspec.convert(dict(zip(COLUMNS[1:], (*row[1:7], bool(row[7])), strict=True)), SetAside) for row in rows]


def counted(reader: Reader) -> list[tuple[str, int, int]]:
    """(consumer, app, how many) of everything that is set aside."""
    return [(consumer, app, count) for consumer, app, count in reader.rows(COUNTED)]


def replay_batch(tx: Transaction, some: list[tuple[str, int]]) -> list[int | Exception]:
    """Mark to be tried once more: of a consumer, an item, or everything (empty, 0); how many there were."""
    answers: list[int | Exception] = []
    for consumer, item in some:
        if item:
            answers.append(tx.run(REPLAY_ITEM, (item,)))
        else:
            answers.append(tx.run(REPLAY_OF, (consumer,)) if consumer else tx.run(REPLAY_ALL))
    return answers
