"""Columns of the warehouse as arrays: what a query computes with.

The rows of an event stand together, sorted by member, so that the rows of a range of members are found by a binary
search and joined by position. They are mapped from the copy of main (`bough.warehouse.copies`) or come from the tables.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package; numbers are numbers.
from __future__ import annotations

import json
import mmap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Ints = np.ndarray[Any, np.dtype[Any]]
"""One-dimensional, of whole numbers."""

FARTHEST: Final = 32_767
"""Later days count as this one; no request has bands as late."""
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


def narrow(values: Ints) -> Ints:
    """The same numbers in the narrowest type that holds them."""
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    for kind in _TYPES:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind, copy=False)
    return values


class Copy:
    """An opened copy: arrays by name, mapped; nothing is read before it is used, and its file may be removed."""

    def __init__(self, folder: Path) -> None:
        """Raises:
        FileNotFoundError: newer copies have taken its place.
        """
        self._arrays: dict[str, tuple[str, int, int]] = json.loads((folder / INDEX).read_bytes())
        with (folder / ARRAYS).open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __getitem__(self, name: str) -> Ints:
        kind, first, count = self._arrays[name]
        return np.frombuffer(self._map, kind, count, first)

    def forget_all(self) -> None:
        """What has been read need not stay in the process's memory; it comes back when it is read again."""
        self._map.madvise(mmap.MADV_DONTNEED)

    def forget(self, names: Iterable[str], rows: slice) -> None:
        """Rows of columns have been read for the last time."""
        for name in names:
            kind, start, _ = self._arrays[name]
            first, end = (start + place * np.dtype(kind).itemsize for place in (rows.start, rows.stop))
            first -= first % mmap.PAGESIZE
            self._map.madvise(mmap.MADV_DONTNEED, first, end - first)


INDEX: Final = "columns.json"
"""Of a copy: name → type, place in `ARRAYS` in bytes, length."""
ARRAYS: Final = "columns.bin"


class Activity:
    """Rows of `activity`, sorted by event, then member."""

    def __init__(
        self, spans: Ints, columns: dict[str, Ints], paid: Ints | None = None, copy: Copy | None = None
    ) -> None:
        """Args:
        spans: the events that occur, with the first row and the one after the last: shape (events, 3).
        columns: equally long arrays by name.
        paid: the codes of events with money or a missing rate; None when any may have some.
        copy: where the arrays are mapped from.
        """
        self._spans = {code: (first, end) for code, first, end in spans.tolist()}
        self.columns = columns
        self.paid = set(self._spans) if paid is None else set(paid.tolist())
        self._copy = copy

    def codes(self) -> set[int]:
        """The events that occur."""
        return set(self._spans)

    def cuts(self, event: int, edges: Ints) -> Ints:
        """By member at the edges: the first row of an event of it or a later member."""
        first, end = self._spans.get(event, (0, 0))
        member = self.columns["member"][first:end]
        # as numbers of the column's own type: for others the whole column would be converted
        cuts: Ints = first + np.searchsorted(member, edges.astype(member.dtype), "left")
        return cuts

    def forget(self, rows: slice) -> None:
        """Rows have been read for the last time."""
        if self._copy is not None:
            self._copy.forget(self.columns, rows)


def spans_of(events: Ints) -> Ints:
    """(code, first row, row after the last) of sorted codes."""
    if not len(events):
        return np.zeros((0, 3), np.int64)
    starts = np.flatnonzero(np.append(True, events[1:] != events[:-1]))
    return np.stack([events[starts].astype(np.int64), starts, np.append(starts[1:], len(events))], axis=1)


def from_tables(connection: DuckDBPyConnection, table: str, where: str, names: Sequence[str]) -> Activity:
    """Arrays from a table of the database: rows that are not in a copy."""
    listed = ", ".join(f"{ACTIVITY[name]} AS {name}" for name in names)
    found = connection.execute(
        f"SELECT event, {listed} FROM {table} WHERE {where} ORDER BY event, member, d"
    ).fetchnumpy()
    return Activity(spans_of(np.asarray(found.pop("event"))), {name: np.asarray(found[name]) for name in names})


def from_copy(copy: Copy, names: Sequence[str]) -> Activity:
    """The rows of main."""
    return Activity(copy["spans"].reshape(-1, 3), {name: copy[name] for name in names}, copy["paid"], copy)


def contexts(connection: DuckDBPyConnection, copy: Copy | None, column: str, grown: bool) -> Ints:
    """The codes of a column of `contexts` by number; what is not in the copy comes from the table.

    Args:
        connection: a warehouse.
        copy: of the same transaction.
        column: one of `CONTEXT_CODES`.
        grown: whether there are rows that are younger than the copy, and contexts perhaps.
    """
    known = np.zeros(1, np.int32) if copy is None else copy[f"contexts.{column}"]
    if copy is not None and not grown:
        return known
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
