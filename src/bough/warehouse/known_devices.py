"""Imported installs and opens count as known users of the app: a live first start of their device is no first install.

Live openings find earlier ones of the same device by `device_key` (`bough.attribution.live.opens`). A segment adds the
identifiers of its app openings there, under its own journal row. Adding them again changes nothing.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package or quoted.
from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np
from duckdb import DuckDBPyConnection

from bough.attribution.live.opens import ADD_KEY, APP_OPENING
from bough.store.database import Store
from bough.store.transaction import Transaction
from bough.vocabulary.lookup_keys import key
from bough.warehouse.quoting import text

KINDS = ("identity", "idfa", "aaid")
"""A browser's id says nothing about an installed app."""

OPENINGS = ("INSTALL", "REINSTALL", "OPEN")
AT_ONCE = 10_000


def make_known(store: Store, connection: DuckDBPyConnection, app: int, row: int, path: Path) -> int:
    """Remember the devices and users of a segment's app openings; returns how many identifiers there are."""
    whole = f"read_parquet({text(str(path))})"
    present = {str(column[0]) for column in connection.execute(f"DESCRIBE FROM {whole}").fetchall()}
    kinds = [kind for kind in KINDS if kind in present]
    names = ", ".join(text(name) for name in OPENINGS)
    app_only = " AND upper(coalesce(platform, '')) NOT LIKE '%WEB%'" if "platform" in present else ""
    found = array("q")
    for kind in kinds:
        cursor = connection.execute(
            f"SELECT DISTINCT {kind} FROM {whole} WHERE {kind} IS NOT NULL AND name IN ({names}){app_only}"
        )
        while values := cursor.fetchmany(AT_ONCE):
            found.extend(key(app, False, f"{APP_OPENING} {kind}", value) for (value,) in values)
    keys = np.sort(np.frombuffer(found, np.int64))  # neighbours share pages: in any order every row would write its own
    for start in range(0, len(keys), AT_ONCE):
        store.transact(_add_batch, [(one, row) for one in keys[start : start + AT_ONCE].tolist()])
    return len(keys)


def _add_batch(tx: Transaction, items: list[list[tuple[int, int]]]) -> list[Exception | None]:
    for found in items:
        tx.insert("device_key", ADD_KEY, found, skip_conflicts=True)
    return [None] * len(items)
