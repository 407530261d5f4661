"""The documented rate limits, per app and operation, held across all workers of a data folder (contract/links.md §1.9).

A limit is three fixed windows (second, minute, hour). Counts live in a file mapped by every worker. Each worker writes
only its own cells and reads everybody's, so no count is lost and no lock is taken on the way; a new (app, operation)
pair gets its row under a file lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bough.errors import RateLimited

ROWS = 4096
"""(app, operation) pairs with counts at the same time; more than that are not limited."""

WORKERS = 32
_WINDOWS = (1, 60, 3600)
_CELL = struct.Struct("<qq")
_KEY = struct.Struct("<q")
_WORKER_BYTES = _CELL.size * len(_WINDOWS)
_ROW_BYTES = _KEY.size + WORKERS * _WORKER_BYTES
_HEADER = struct.Struct("<q")
"""How many workers' cells were ever used: the others need not be read."""


class Limit(NamedTuple):
    """Requests per second, minute and hour."""

    second: int
    minute: int
    hour: int


LIMITS = {
    "create": Limit(200, 12_000, 300_000),
    "read": Limit(100, 5_500, 100_000),
    "update": Limit(100, 1_000, 10_000),
    "delete": Limit(100, 1_000, 10_000),
    "qr": Limit(25, 100, 1_000),
    "analytics": Limit(2, 5, 150),
    "analytics_status": Limit(50, 3_000, 100_000),
}
"""By operation. DELETE is undocumented and counts as an update does; quick links (type 2) count as creates."""


class Limits:
    """The counters of one process. `clock` gives seconds since the epoch."""

    def __init__(self, folder: Path, *, enabled: bool = True, clock: Callable[[], float] = time.time) -> None:
        self._enabled = enabled
        self._clock = clock
        self._rows: dict[tuple[int, str], int] = {}
        if not enabled:
            return
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / "bough.limits", os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(self._file, _HEADER.size + ROWS * _ROW_BYTES)
        self._memory = mmap.mmap(self._file, _HEADER.size + ROWS * _ROW_BYTES)
        self._worker = self._take_worker(folder)
        if self._worker >= _HEADER.unpack_from(self._memory, 0)[0]:
            _HEADER.pack_into(self._memory, 0, self._worker + 1)

    def check(self, app: int, operation: str, cost: int = 1) -> None:
        """Count one request. Raises RateLimited, with the seconds until the window ends, when there were too many."""
        if not self._enabled:
            return
        row = self._row(app, operation)
        if row is None:
            return
        now = self._clock()
        counts = [self._count(row, index, int(now) // length) for index, length in enumerate(_WINDOWS)]
        for index, (length, most) in enumerate(zip(_WINDOWS, LIMITS[operation], strict=True)):
            if counts[index] + cost > most:
                raise RateLimited(max(1, length - int(now) % length))
        for index, length in enumerate(_WINDOWS):
            self._add(row, index, int(now) // length, cost)

    def close(self) -> None:
        """Unmap."""
        if self._enabled:
            self._memory.close()
            os.close(self._file)
            os.close(self._worker_file)

    def _count(self, row: int, window_index: int, window: int) -> int:
        """Requests of all workers in a window."""
        total = 0
        start = _place(row) + _KEY.size + window_index * _CELL.size
        for worker in range(_HEADER.unpack_from(self._memory, 0)[0]):
            cell_window, count = _CELL.unpack_from(self._memory, start + worker * _WORKER_BYTES)
            if cell_window == window:
                total += count
        return total

    def _add(self, row: int, window_index: int, window: int, cost: int) -> None:
        offset = _place(row) + _KEY.size + self._worker * _WORKER_BYTES + window_index * _CELL.size
        cell_window, count = _CELL.unpack_from(self._memory, offset)
        _CELL.pack_into(self._memory, offset, window, count + cost if cell_window == window else cost)

    def _row(self, app: int, operation: str) -> int | None:
        key = (app, operation)
        if key not in self._rows:
            row = self._find_row(key)
            if row is None:
                return None
            self._rows[key] = row
        return self._rows[key]

    def _find_row(self, key: tuple[int, str]) -> int | None:
        digest = hashlib.blake2b(f"{key[0]} {key[1]}".encode(), digest_size=8).digest()
        wanted = int.from_bytes(digest, "little", signed=True) or 1
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            for step in range(ROWS):
                row = (wanted + step) % ROWS
                (found,) = _KEY.unpack_from(self._memory, _place(row))
                if found == 0:
                    _KEY.pack_into(self._memory, _place(row), wanted)
                if found in (0, wanted):
                    return row
            return None
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _take_worker(self, folder: Path) -> int:
        """A cell number that no other living process has: the first of the lock file's bytes that can be locked."""
        self._worker_file = os.open(folder / "bough.limits.lock", os.O_RDWR | os.O_CREAT, 0o600)
        for worker in range(WORKERS):
            try:
                fcntl.lockf(self._worker_file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, worker)
            except BlockingIOError:
                continue
            return worker
        return WORKERS - 1


def _place(row: int) -> int:
    """Where a row of cells begins in the file."""
    return _HEADER.size + row * _ROW_BYTES
