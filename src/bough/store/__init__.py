"""Where everything is kept: SQLite in the data folder, or PostgreSQL by setting."""

from __future__ import annotations

from pathlib import Path

from bough.store.database import Store
from bough.store.sqlite import SqliteStore
from bough.store.transaction import Transaction

__all__ = ["Store", "Transaction", "open_store"]


def open_store(folder: Path, address: str = "", *, makes: bool = True) -> Store:
    """Open the store of a data folder; `address` is a postgresql:// URL, or empty for the embedded database.

    `makes`: whether tables are made in a PostgreSQL database that holds none of bough's.
    """
    if address:
        # Its driver takes longer to load than the rest of bough, and most installations do not need it.
        from bough.store.postgres import PostgresStore

        return PostgresStore(folder, address, makes=makes)
    return SqliteStore(folder)
