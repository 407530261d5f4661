"""How far everybody who follows the store is, by name: mostly the newest row that is ingested, 0 before the first."""

from __future__ import annotations

from bough.store.transaction import Reader, Transaction

READ = "SELECT journal FROM watermark WHERE name = ?"
SET = "INSERT INTO watermark (name, journal) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET journal = excluded.journal"


def reached(reader: Reader, name: str) -> int:
    """How far that one is."""
    found = reader.rows(READ, (name,))
    return int(found[0][0]) if found else 0


def advance(tx: Transaction, name: str, to: int) -> None:
    """Say that it is so far: in the transaction that holds what it has made of the rows."""
    tx.run(SET, (name, to))
