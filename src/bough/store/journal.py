"""Append to the journal and read it (the rows are described in `bough.vocabulary.journal_rows`)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import msgspec
from msgspec import Struct

from bough.store.database import Store
from bough.store.transaction import RowValues, Transaction
from bough.vocabulary.ids import arrived_at, growing_ids
from bough.vocabulary.journal_rows import JournalRow, RowKind

COLUMNS = ("id", "at", "app", "test", "kind", "link", "body")
NEWEST_ID = "SELECT max(id) FROM journal"
AFTER = "SELECT id, at, app, test, kind, link, body FROM journal WHERE id > ? ORDER BY id LIMIT ?"
BY_ID = "SELECT id, at, app, test, kind, link, body FROM journal WHERE id = ?"
BY_IDS = "SELECT id, at, app, test, kind, link, body FROM journal WHERE id IN ({})"

_decode = msgspec.json.Decoder(dict[str, Any]).decode


ON_ARRIVAL = 0

READ_AT_ONCE = 3000
"""Rows that are read for all who consume the journal: what many of them add up to takes fewer writes than what a few
do.
"""


class NewRow(Struct, frozen=True):
    """A row that has no id yet."""

    at: int
    """Epoch ms; `ON_ARRIVAL` for what happens now: then time and order of the journal cannot contradict each other."""
    app: int
    test: int
    kind: RowKind
    link: int | None
    body: str
    """JSON."""


def append_batch(tx: Transaction, rows: list[NewRow]) -> list[int | Exception]:
    """Append rows in the order in which they came; the results are their ids."""
    ids = growing_ids(tx.rows(NEWEST_ID)[0][0] or 0)
    numbered = [
        (one, row.at or arrived_at(one), row.app, row.test, row.kind, row.link, row.body)
        for one, row in zip(ids, rows, strict=False)
    ]
    tx.insert("journal", COLUMNS, numbered)
    return [row[0] for row in numbered]


class NewRows:
    """The next rows of the journal, read once for all who follow it at the same place.

    For one round of theirs: what is read may be rewritten when a person is erased.
    """

    def __init__(self, store: Store, at_once: int = READ_AT_ONCE) -> None:
        self._store = store
        self._at_once = at_once
        self._after = 0
        self._rows: list[RowValues] = []
        self._is_end = False
        """Whether there were no more rows."""

    def after(self, watermark: int, at_most: int = READ_AT_ONCE) -> list[RowValues]:
        """Rows as in `COLUMNS` that arrived after a watermark (a row's id), oldest first."""
        at_most = min(at_most, self._at_once)
        if watermark >= self._after:
            start = bisect_right(self._rows, watermark, key=itemgetter(0))
            found = self._rows[start : start + at_most]
            if len(found) == at_most or (found and self._is_end):
                return found
        self._rows = self._store.rows(AFTER, (watermark, at_most))
        self._after, self._is_end = watermark, len(self._rows) < at_most
        return self._rows


def read_after(store: Store, watermark: int, at_most: int = 1000) -> Iterator[JournalRow]:
    """Rows that arrived after a watermark (a row's id), oldest first, at most so many."""
    for row in store.rows(AFTER, (watermark, at_most)):
        yield to_row(row)


def to_row(values: tuple[Any, ...]) -> JournalRow:
    """A row of the table as a `JournalRow`."""
    identifier, at, app, test, kind, link, body = values
    return JournalRow(id=identifier, at=at, app=app, test=bool(test), kind=kind, link=link, body=_decode(body))
