"""Kept counts of links that are gone: cleared away a day after the link, when the last late row about it is counted.

A link's id is never given again, so nothing that is still shown is lost. Totals of apps have rows of their own.
"""

from __future__ import annotations

from bough.store import watermark
from bough.store.database import Store
from bough.store.transaction import Transaction
from bough.vocabulary.ids import RANDOM_BITS, now_ms

LATE_MS = 86_400_000
CHANGES_AT_ONCE = 500

WATERMARK = "deleted links"
LAST_DUE = (
    "SELECT max(id) FROM (SELECT id FROM change WHERE id > ? AND id < ? AND link IS NOT NULL ORDER BY id LIMIT ?)"
    " AS due"
)
GONE = (
    "SELECT DISTINCT c.link FROM change AS c WHERE c.id > ? AND c.id <= ? AND c.link IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM link WHERE link.id = c.link)"
)
CLEAR = (
    "DELETE FROM link_count WHERE link = ?",
    "DELETE FROM link_day_count WHERE link = ?",
    "DELETE FROM link_day_event WHERE link = ?",
)


def clear_deleted(store: Store, late_ms: int = LATE_MS) -> int:
    """Clear the counts of the next links that were deleted more than `late_ms` ago; how many links there were."""
    after = watermark.reached(store, WATERMARK)
    before = (now_ms() - late_ms) << RANDOM_BITS
    last = store.rows(LAST_DUE, (after, before, CHANGES_AT_ONCE))[0][0]
    return 0 if last is None else store.transact(_clear, (after, int(last)))


def start_again(tx: Transaction) -> None:
    """Look at every deletion once more: for who has made the counts anew."""
    watermark.advance(tx, WATERMARK, 0)


def _clear(tx: Transaction, items: list[tuple[int, int]]) -> list[int | Exception]:
    counts: list[int | Exception] = []
    for after, last in items:
        gone = tx.rows(GONE, (after, last))
        for statement in CLEAR:
            tx.each(statement, gone)
        watermark.advance(tx, WATERMARK, last)
        counts.append(len(gone))
    return counts
