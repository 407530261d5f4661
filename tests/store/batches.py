"""Batches for tests: they write rows that are easy to count."""

from __future__ import annotations

from bough.errors import BadRequest
from bough.store import Store, Transaction

INSERT = "INSERT INTO watermark (name, journal) VALUES (?, ?)"
NAMES = "SELECT name FROM watermark ORDER BY name"


def put_batch(tx: Transaction, names: list[str]) -> list[str | Exception]:
    """Store names. `bad…` is refused as a batch should; `poison…` raises, which a batch should not."""
    results: list[str | Exception] = []
    for name in names:
        if name.startswith("bad"):
            results.append(BadRequest(f"{name} is refused."))
            continue
        tx.run(INSERT, (name, 1))
        if name.startswith("poison"):
            raise ValueError(name)
        results.append(name)
    return results


def names(store: Store) -> list[str]:
    """What is stored."""
    return [name for (name,) in store.rows(NAMES)]
