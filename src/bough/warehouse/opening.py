"""The file of the warehouse: opened by one process at a time, made anew when it is of another release."""

from __future__ import annotations

import logging
from pathlib import Path

import duckdb

from bough.errors import Unavailable
from bough.warehouse.build import Warehouse
from bough.warehouse.schema import Outdated

log = logging.getLogger("bough.warehouse")

FILE_NAME = "warehouse.duckdb"


class WarehouseBusy(Unavailable):
    """Another process owns the warehouse."""


def is_readable(path: Path) -> bool:
    """Whether a segment's file is there and whole."""
    try:
        with duckdb.connect() as connection:
            connection.execute("SELECT count(*) FROM read_parquet($path)", {"path": str(path)})
    except duckdb.Error:
        return False
    return True


def remove_file(folder: Path) -> None:
    """Remove the warehouse's file: it is made again from the store."""
    for name in (FILE_NAME, f"{FILE_NAME}.wal"):
        (folder / name).unlink(missing_ok=True)


def open_file(folder: Path) -> Warehouse:
    """A file with tables of another release is made anew, empty. Raises WarehouseBusy when another process has the
    file."""
    try:
        connection = duckdb.connect(str(folder / FILE_NAME))
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise WarehouseBusy("Another process owns the warehouse.") from error
        raise
    try:
        warehouse = Warehouse(connection, folder)
    except Outdated as error:
        log.warning("%s It is made again from the journal.", error)
        connection.close()
        remove_file(folder)
        warehouse = Warehouse.open(folder / FILE_NAME, folder)
    warehouse.connection.execute("SET TimeZone = 'UTC'")
    warehouse.connection.execute("CREATE TABLE IF NOT EXISTS progress (name VARCHAR, journal BIGINT)")
    return warehouse
