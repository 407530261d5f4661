"""Kept counts of live apps for pages: events and dollars per app, local day and name, in the store's `app_day_event`.

The warehouse holds every event once, imported ones included, so its own sums are the truth; they are made anew after an
intake and only what differs is written. Making them takes 60 ms for 10 million events, so they are made at most
once in RATE times as long as it took.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from bough.store import watermark
from bough.store.database import Store
from bough.store.transaction import Transaction
from bough.vocabulary.ids import now_ms
from bough.vocabulary.money import joined, parted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

RATE: Final = 20
LEAST_PAUSE: Final = 1.0
"""Seconds."""

WATERMARK: Final = "day totals"
"""Epoch ms up to which everything that had arrived is in the sums."""

ROWS_AT_ONCE: Final = 1000

SUMS: Final = (
    "SELECT CAST(a.word AS BIGINT), e.day, n.word, count(*),"
    " coalesce(sum(CASE WHEN r.name IS NULL THEN 0 ELSE e.micro END), 0)"
    " FROM events AS e JOIN words AS a ON a.code = e.app JOIN words AS n ON n.code = e.name"
    " LEFT JOIN revenue_events AS r ON r.app = e.app AND r.name = e.name GROUP BY 1, 2, 3"
)
KEPT: Final = "SELECT app, day, name, count, thousands, micro FROM app_day_event"
SET: Final = (
    "INSERT INTO app_day_event (app, day, name, count, thousands, micro) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (app, day, name)"
    " DO UPDATE SET count = excluded.count, thousands = excluded.thousands, micro = excluded.micro"
)
GONE: Final = "DELETE FROM app_day_event WHERE app = ? AND day = ? AND name = ?"

_Key = tuple[int, int, str]
_Totals = dict[_Key, tuple[int, int]]


class _Piece(NamedTuple):
    changed: list[tuple[int, int, str, int, int]]
    gone: list[_Key]
    as_of: int
    """0: more pieces follow."""


class DayTotals:
    """Keeps the sums of one warehouse. For one thread."""

    def __init__(self, store: Store, cursor: Callable[[], DuckDBPyConnection]) -> None:
        self._store = store
        self._cursor = cursor
        self._not_before = 0.0
        self._as_of = -1

    def refresh(self, as_of: int, *, changed: bool) -> bool:
        """Bring the kept sums up to `as_of` (epoch ms); whether there was anything to do.

        `changed`: whether the warehouse took anything in since the last time that this returned True.
        """
        if time.monotonic() < self._not_before or (not changed and self._as_of >= 0):
            return False
        started = time.monotonic()
        cursor = self._cursor()
        try:
            found = cursor.execute(SUMS).fetchall()
        finally:
            cursor.close()
        totals: _Totals = {(app, day, name): (count, micro) for app, day, name, count, micro in found}
        kept: _Totals = {(app, day, name): (n, joined(*parts)) for app, day, name, n, *parts in self._store.rows(KEPT)}
        took = time.monotonic() - started  # waiting for the store's write lock takes nothing from anybody
        for piece in pieces(kept, totals, as_of or now_ms()):
            self._store.transact(_write, piece)
        self._as_of = as_of
        self._not_before = time.monotonic() + max(LEAST_PAUSE, RATE * took)
        return True


def pieces(kept: _Totals, totals: _Totals, as_of: int) -> list[_Piece]:
    """What has to be written to make `kept` equal to `totals`, in transactions of bounded size."""
    changed = [(*key, *value) for key, value in totals.items() if kept.get(key) != value]
    gone = [key for key in kept if key not in totals]
    size = max(len(changed), len(gone))
    starts = range(0, max(size, 1), ROWS_AT_ONCE)
    return [
        _Piece(changed[at : at + ROWS_AT_ONCE], gone[at : at + ROWS_AT_ONCE], as_of if at == starts[-1] else 0)
        for at in starts
    ]


def _write(tx: Transaction, items: list[_Piece]) -> list[Exception | None]:
    for piece in items:
        tx.each(GONE, piece.gone)
        tx.each(SET, [(app, day, name, count, *parted(micro)) for app, day, name, count, micro in piece.changed])
        if piece.as_of:
            watermark.advance(tx, WATERMARK, piece.as_of)
    return [None] * len(items)
