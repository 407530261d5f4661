"""Append to the journal and read it (the rows are described in `bough.journal`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from bough.ids import arrived_at, growing_ids
from bough.journal import Row, RowKind
from bough.store.database import Store
from bough.store.transaction import Transaction

COLUMNS = ("id", "at", "app", "test", "kind", "link", "body")
NEWEST_ID = "SELECT max(id) FROM journal"
AFTER = "SELECT id, at, app, test, kind, link, body FROM journal WHERE id > ? ORDER BY id LIMIT ?"
BY_ID = "SELECT id, at, app, test, kind, link, body FROM journal WHERE id = ?"
BY_IDS = "SELECT id, at, app, test, kind, link, body FROM journal WHERE id IN ({})"

_decode = msgspec.json.Decoder(dict[str, Any]).decode


ON_ARRIVAL = 0


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


def read_after(store: Store, watermark: int, at_most: int = 1000) -> Iterator[Row]:
    """Rows that arrived after a watermark (a row's id), oldest first, at most so many."""
    for row in store.rows(AFTER, (watermark, at_most)):
        yield to_row(row)


def to_row(values: tuple[Any, ...]) -> Row:
    """A row of the table as a `Row`."""
    identifier, at, app, test, kind, link, body = values
    return Row(id=identifier, at=at, app=app, test=bool(test), kind=kind, link=link, body=_decode(body))
