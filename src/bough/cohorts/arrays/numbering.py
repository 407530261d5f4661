"""Whole-number arithmetic on arrays: rows of codes to dense numbers, and sums per cell. Exact throughout."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from threading import Lock
from typing import Final

import numpy as np

from bough.warehouse.columns import Ints

_LARGEST: Final = 2**62
_LOW: Final = 24
"""Bits of a number that are added up apart from those above them, once sums may pass _LARGEST."""
_DENSE: Final = 2**22
"""Sums of as many cells stand in an array; of more, only the cells that occur are kept."""
_PIECES: Final = 2**21


class Numbering:
    """Rows of codes (each from 0 to its size) -> dense numbers in the order of the rows.

    The codes of a row are packed into one number; where that would not fit, what has been packed is numbered first.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes = sizes
        self._steps: list[tuple[range, Ints, Ints | None]] = []
        self.count = 0
        """How many different rows have been learnt."""

    def learn(self, columns: Sequence[Ints], rows: int) -> Ints:
        """Number the rows of `columns`."""
        ids, count, first = np.zeros(rows, np.int64), 1, 0
        long = prod(self._sizes) > _LARGEST
        for place, size in enumerate(self._sizes):
            if count * size > _LARGEST:
                ids, count = self._close(range(first, place), ids, count)
                first = place
            ids = _packed(ids, size, columns[place])
            count *= size
            if long and count <= _few(rows):  # columns that go together take less room when they are numbered early
                ids, count = self._close(range(first, place + 1), ids, count)
                first = place + 1
        if first < len(self._sizes) or not self._steps:
            ids, count = self._close(range(first, len(self._sizes)), ids, count)
        self.count = count
        return ids.astype(np.intp, copy=False)

    def _close(self, places: range, keys: Ints, count: int) -> tuple[Ints, int]:
        if count > _few(len(keys)):
            order = np.argsort(keys)
            ordered = keys[order]
            new = np.ones(len(keys), bool)
            new[1:] = ordered[1:] != ordered[:-1]
            known, ids = ordered[new], np.empty(len(keys), np.int32)
            ids[order] = np.cumsum(new, dtype=np.int32) - 1
            self._steps.append((places, known, None))
            return ids, len(known)
        seen = np.zeros(count, bool)
        seen[keys] = True
        known = np.flatnonzero(seen)
        table = np.full(count, -1, np.int32)
        table[known] = np.arange(len(known), dtype=np.int32)
        self._steps.append((places, known, table))
        return table[keys], len(known)

    def find(self, columns: Sequence[Ints], rows: int) -> Ints:
        """The numbers of rows; -1 for one that has not been learnt or has a negative code."""
        ids, lost = np.zeros(rows, np.int64), np.zeros(rows, bool)
        for places, known, table in self._steps:
            for place in places:
                lost |= columns[place] < 0
                ids = _packed(ids, self._sizes[place], columns[place])
            ids = np.where(lost, 0, ids)
            if table is not None:
                ids = table[ids]
            elif len(known):
                near = np.minimum(np.searchsorted(known, ids), len(known) - 1)
                ids = np.where(known[near] == ids, near, -1)
            lost |= ids < 0
        return np.where(lost, -1, ids)


def _few(rows: int) -> int:
    """As many numbers are looked up in a table; more are sorted."""
    return max(2**16, 8 * rows)


def _packed(ids: Ints, size: int, column: Ints) -> Ints:
    packed = np.multiply(ids, size, dtype=np.int64)
    packed += column
    return packed


def different(columns: Sequence[Ints]) -> list[Ints]:
    """Every row of columns of codes once."""
    sizes, rows = [int(column.max(initial=0)) + 1 for column in columns], len(columns[0])
    if prod(sizes) <= _few(rows):
        keys = columns[0]
        for size, column in zip(sizes[1:], columns[1:], strict=True):
            keys = _packed(keys, size, column)
        seen = np.zeros(prod(sizes), bool)
        seen[keys] = True
        return list(np.unravel_index(np.flatnonzero(seen), sizes))
    numbering = Numbering(sizes)
    ids = numbering.learn(columns, rows)
    sample = np.zeros(numbering.count, np.int64)
    sample[ids] = np.arange(rows)
    return [column[sample] for column in columns]


class Cells:
    """Sums of whole numbers: one row per tuple, one place per band. Several threads may add.

    Sums that might not fit 64 bits are kept in two parts: the numbers' low _LOW bits here, of which 2^38 fit, and what
    is above them in cells of their own, which do the same when they have to. So no sum overflows.
    """

    def __init__(self, rows: int, width: int) -> None:
        self._rows = rows
        self._width = width
        self._above: Cells | None = None
        self._dense = np.zeros(rows * width, np.int64) if rows * width <= _DENSE else None
        self._keys: list[Ints] = []
        self._sums: list[Ints] = []
        self._pending = 0
        self._reached = 0.0
        self._lock = Lock()

    def add(self, keys: Ints, values: Ints | int = 1) -> None:
        """Add to the cells `row * width + place`."""
        reached = float(len(keys))
        if isinstance(values, np.ndarray):
            sizes = values if values.min(initial=0) >= 0 else np.abs(values, dtype=np.float64)
            reached = float(sizes.sum(dtype=np.float64))
            values = values.astype(np.int64, copy=False)
        with self._lock:
            self._reached += reached
            if self._above is None and self._reached >= _LARGEST:
                self._above = Cells(self._rows, self._width)
            if self._above is not None:
                values = np.broadcast_to(np.asarray(values, np.int64), keys.shape)
                self._above.add(keys, values >> _LOW)
                values = values & ((1 << _LOW) - 1)
            if self._dense is not None:
                np.add.at(self._dense, keys, values)
            elif len(keys):
                self._keys.append(keys)
                self._sums.append(np.broadcast_to(np.asarray(values, np.int64), keys.shape))
                self._pending += len(keys)
                if self._pending > _PIECES:
                    self._settle()

    def _settle(self) -> None:
        """One piece with every cell once, in order."""
        if not self._keys:
            self._keys, self._sums = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        keys, sums = np.concatenate(self._keys), np.concatenate(self._sums)
        order = np.argsort(keys)
        keys, sums = keys[order], sums[order]
        starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])) if len(keys) else np.zeros(0, np.int64)
        self._keys = [keys[starts]]
        self._sums = [np.add.reduceat(sums, starts) if len(starts) else sums]
        self._pending = 0

    def row(self, row: int) -> list[int]:
        """The sums of a row."""
        found = self._low(row)
        if self._above is None:
            return found
        return [low + (above << _LOW) for low, above in zip(found, self._above.row(row), strict=True)]

    def _low(self, row: int) -> list[int]:
        first = row * self._width
        if self._dense is not None:
            return self._dense[first : first + self._width].tolist()  # type: ignore[no-any-return]
        if self._pending or not self._keys:
            self._settle()
        low, high = np.searchsorted(self._keys[0], (first, first + self._width))
        found = [0] * self._width
        for key, value in zip(self._keys[0][low:high].tolist(), self._sums[0][low:high].tolist(), strict=True):
            found[key - first] = value
        return found


def distinct(pieces: Sequence[Ints]) -> Ints:
    """Every number once, in order."""
    keys: Ints = pieces[0] if len(pieces) == 1 else np.concatenate([np.zeros(0, np.int64), *pieces])
    if len(keys) > 1 and not bool((keys[1:] > keys[:-1]).all()):
        keys = np.sort(keys)
        keys = keys[np.append(True, keys[1:] != keys[:-1])]
    return keys


def firsts(keys: Ints, size: int) -> Ints:
    """Of sorted numbers, the first of each block of `size`."""
    blocks = keys // size
    return keys[np.append(True, blocks[1:] != blocks[:-1])] if len(keys) else keys


def lasts(keys: Ints, size: int) -> Ints:
    """Of sorted numbers, the last of each block of `size`."""
    blocks = keys // size
    return keys[np.append(blocks[1:] != blocks[:-1], True)] if len(keys) else keys
