"""How far the warehouse is, as it tells everybody through the store, and how a rebuild is asked for."""

from __future__ import annotations

from bough.store import watermark
from bough.store.database import Store
from bough.store.transaction import Transaction

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
        wanted = watermark.reached(tx, REBUILD) + 1
        watermark.advance(tx, REBUILD, wanted)
        answers.append(wanted)
    return answers
