"""`activity` as arrays: what a query reads, one file per column beside the database.

The rows of an event stand together, sorted by member, so that the rows of a range of members are found by a binary
search and joined by position. The files are a copy of `…_activity_main` and `contexts`, made when main has been
written; the database says which copy belongs to it, and without one (a database in memory, small tables, files that
are gone) the same arrays come from the tables. Each column but `member` has the narrowest type that
holds its values.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package; numbers are numbers.
from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bough.warehouse.schema import COHORTS, CONTEXT_CODES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Ints = np.ndarray[Any, np.dtype[Any]]
"""One-dimensional, of whole numbers."""

FARTHEST: Final = 32_767
"""Later days count as this one; no request has bands as late."""
WORTH_FILES: Final = 100_000
"""Fewer rows are read from the tables as fast."""
VARIANT, ENTRY, PAID = 3, 4, 8
"""`flags`: the variant's two bits, the cohort event itself, a payment."""

ACTIVITY: Final[dict[str, str]] = {
    "member": "member",
    "d": f"CAST(least(d, {FARTHEST}) AS SMALLINT)",
    "flags": f"CAST(variant + {ENTRY} * entry + {PAID} * paid AS TINYINT)",
    "n": "n",
    "micro": "micro",
    "missing_rate": "missing_rate",
    "context": "context",
    "standard_events": "standard_events",
    "custom_events": "custom_events",
    "has_clicked_ad": "has_clicked_ad",
    "has_clicked_email": "has_clicked_email",
}
"""Columns of the arrays and what they are made of."""
_TYPES: Final = (np.int8, np.int16, np.int32)


class Activity:
    """Rows of `activity`, sorted by event, then member."""

    def __init__(self, events: Ints, columns: dict[str, Ints]) -> None:
        """Args:
        events: the codes that occur, with the first and the last row after: shape (events, 3).
        columns: equally long arrays by name.
        """
        self._spans = {int(code): (int(first), int(end)) for code, first, end in events}
        self.columns = columns

    def codes(self) -> set[int]:
        """The events that occur."""
        return set(self._spans)

    def rows(self, event: int, low: int, high: int) -> slice:
        """The rows of an event of the members low..high."""
        first, end = self._spans.get(event, (0, 0))
        member = self.columns["member"][first:end]
        # as numbers of the column's own type: for others the whole column would be converted
        edges = np.asarray((low, high + 1), member.dtype)
        start, stop = np.searchsorted(member, edges, "left").tolist()
        return slice(first + start, first + stop)


def _spans(events: Ints) -> Ints:
    """(code, first row, row after the last) of sorted codes."""
    if not len(events):
        return np.zeros((0, 3), np.int64)
    starts = np.flatnonzero(np.append(True, events[1:] != events[:-1]))
    return np.stack([events[starts].astype(np.int64), starts, np.append(starts[1:], len(events))], axis=1)


def from_tables(connection: DuckDBPyConnection, table: str, where: str, names: Sequence[str]) -> Activity:
    """The same arrays from a table of the database: rows that are not in files."""
    listed = ", ".join(f"{ACTIVITY[name]} AS {name}" for name in names)
    found = connection.execute(
        f"SELECT event, {listed} FROM {table} WHERE {where} ORDER BY event, member, d"
    ).fetchnumpy()
    return Activity(_spans(np.asarray(found.pop("event"))), {name: np.asarray(found[name]) for name in names})


# --- files ----------------------------------------------------------------------------------------------------------


def folder_of(connection: DuckDBPyConnection, copy: int) -> Path | None:
    """Where a copy lies; None for a database in memory."""
    row = connection.execute("SELECT path FROM duckdb_databases() WHERE database_name = current_database()").fetchone()
    return None if row is None or not row[0] else Path(f"{row[0]}.columns") / str(copy)


def from_files(folder: Path, names: Iterable[str]) -> Activity | None:
    """Open a copy; nothing is read before it is used. None when it is gone: newer ones have taken its place."""
    try:
        return Activity(np.load(folder / "events.npy"), {name: _mapped(folder, name) for name in names})
    except FileNotFoundError:
        return None


def _mapped(folder: Path, name: str) -> Ints:
    return np.load(folder / f"{name}.npy", mmap_mode="r").view(np.ndarray)  # type: ignore[no-any-return]


def contexts(connection: DuckDBPyConnection, folder: Path | None, column: str) -> Ints:
    """The codes of a column of `contexts` by number; what is not in files comes from the table."""
    known = np.zeros(1, np.int32)
    if folder is not None:
        with contextlib.suppress(FileNotFoundError):
            known = _mapped(folder, f"context_{column}")
    found = connection.execute(
        f"SELECT context, {column} AS code FROM contexts WHERE context >= {len(known)}"
    ).fetchnumpy()
    numbers, codes = np.asarray(found["context"]), np.asarray(found["code"])
    if not len(numbers):
        return known
    whole = np.zeros(int(numbers.max()) + 1, np.int32)
    whole[: len(known)] = known
    whole[numbers] = codes
    return whole


def copy_main(connection: DuckDBPyConnection) -> None:
    """Write files of what main holds now, in the transaction that has written it, and note them.

    A copy that another transaction has noted is never touched; the one before it is kept for queries that still read
    it.
    """
    for cohort in COHORTS:
        row = connection.execute(f"SELECT count(*) FROM {cohort}_activity_main").fetchone()
        count = 0 if row is None else int(row[0])
        copy = secrets.randbits(62) | 1 if count >= WORTH_FILES else 0
        folder = folder_of(connection, copy)
        if folder is None or not copy:
            copy = 0
        else:
            _write(connection, cohort, folder)
        before = f"(SELECT value FROM counters WHERE name = '{cohort}_copy')"
        connection.execute(f"UPDATE counters SET value = {before} WHERE name = '{cohort}_copy_before'")
        connection.execute(f"UPDATE counters SET value = {copy} WHERE name = '{cohort}_copy'")


def remove_old_copies(connection: DuckDBPyConnection) -> None:
    """Remove the files of copies that are neither the present ones nor those before; after the transaction."""
    folder = folder_of(connection, 0)
    if folder is None or not folder.parent.exists():
        return
    kept = connection.execute("SELECT value FROM counters WHERE name LIKE '%\\_copy%' ESCAPE '\\'").fetchall()
    for found in folder.parent.iterdir():
        if found.name not in {str(copy) for (copy,) in kept}:
            shutil.rmtree(found)


def _write(connection: DuckDBPyConnection, cohort: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    table = f"{cohort}_activity_main"
    _save(folder, "events", _spans(_column(connection, f"SELECT event AS c FROM {table}")))
    for name, sql in ACTIVITY.items():
        values = _column(connection, f"SELECT {sql} AS c FROM {table}")
        _save(folder, name, values if name == "member" else narrow(values))
    numbers = _column(connection, "SELECT context AS c FROM contexts")
    for name in CONTEXT_CODES:
        codes = _column(connection, f"SELECT {name} AS c FROM contexts")
        whole = np.zeros(int(numbers.max(initial=0)) + 1, np.int32)
        whole[numbers] = codes
        _save(folder, f"context_{name}", narrow(whole))
    for place in (folder, folder.parent):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _column(connection: DuckDBPyConnection, sql: str) -> Ints:
    return np.asarray(connection.execute(sql).fetchnumpy()["c"])


def narrow(values: Ints) -> Ints:
    """The same numbers in the narrowest type that holds them."""
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    for kind in _TYPES:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind, copy=False)
    return values


def _save(folder: Path, name: str, values: Ints) -> None:
    with (folder / f"{name}.npy").open("wb") as file:
        np.save(file, values)
        file.flush()
        os.fsync(file.fileno())
