"""How far the warehouse is, as it tells everybody through the store, and how a rebuild is asked for."""

from __future__ import annotations

from bough.store.database import Store
from bough.store.transaction import Transaction

PUBLISH = (
    "INSERT INTO watermark (name, journal) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET journal = excluded.journal"
)
PUBLISHED = "SELECT journal FROM watermark WHERE name = ?"

REBUILD = "warehouse.rebuild"
REBUILT = "warehouse.rebuilt"
"""The rebuild that was asked for and the one that was done."""


def ask_for_rebuild(store: Store) -> int:
    """Have the warehouse made again from the store; the number that `REBUILT` shows when it is done."""
    return store.transact(ask_batch, None)


def ask_batch(tx: Transaction, items: list[None]) -> list[int | Exception]:
    """The batch behind `ask_for_rebuild`."""
    answers: list[int | Exception] = []
    for _ in items:
        rows = tx.rows(PUBLISHED, (REBUILD,))
        wanted = (int(rows[0][0]) if rows else 0) + 1
        tx.run(PUBLISH, (REBUILD, wanted))
        answers.append(wanted)
    return answers


def published(store: Store, name: str) -> int:
    """How far the warehouse is, as told to everybody."""
    rows = store.rows(PUBLISHED, (name,))
    return int(rows[0][0]) if rows else 0
