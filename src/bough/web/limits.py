"""The documented rate limits, per operation and app (exports: organization), held across all workers of a data folder
(docs/errors.md, docs/exports.md).

A limit is three fixed windows (second, minute, hour). Counts live in a file mapped by every worker. Each worker writes
only its own cells and reads everybody's, so no count is lost and no lock is taken on the way; a new worker its cells
and a new (app, operation) pair its row are added under a file lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from bough.errors import BadRequest, RateLimited


class LimitedConfig(Protocol):
    """The part of an app's configuration that is looked at here."""

    @property
    def rate_limits(self) -> Mapping[str, tuple[int, int, int]]:
        """The app's own limits by operation."""


class LimitedApp(Protocol):
    """An app whose requests are counted."""

    @property
    def id(self) -> int:
        """Its number."""

    @property
    def config(self) -> LimitedConfig:
        """Its configuration."""


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


def check_own_limits(given: Mapping[str, tuple[int, int, int]]) -> None:
    """Raises BadRequest unless an app's setting `rate_limits` names operations of `LIMITS`."""
    for name, numbers in given.items():
        if name not in LIMITS:
            raise BadRequest(f"rate_limits: {name!r} is not one of {', '.join(LIMITS)}.")
        if min(numbers) < 1:
            raise BadRequest(f"rate_limits.{name}: must be three whole numbers from 1: a second, a minute, an hour.")


def _own(app: LimitedApp, operation: str) -> Limit | None:
    numbers = app.config.rate_limits.get(operation)
    return None if numbers is None else Limit(*numbers)


class Limits:
    """The counters of one process. `clock` gives seconds since the epoch."""

    def __init__(self, folder: Path, *, enabled: bool = True, clock: Callable[[], float] = time.time) -> None:
        self._enabled = enabled
        self._clock = clock
        self._rows: dict[tuple[int, str], int] = {}
        if not enabled:
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(folder / "bough.limits", os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(self._file, _HEADER.size + ROWS * _ROW_BYTES)
        self._memory = mmap.mmap(self._file, _HEADER.size + ROWS * _ROW_BYTES)
        self._worker = self._take_worker(folder)
        with self._locked():  # workers that start together would lower what the other has written
            if self._worker >= _HEADER.unpack_from(self._memory, 0)[0]:
                _HEADER.pack_into(self._memory, 0, self._worker + 1)

    def check_app(self, app: LimitedApp, operation: str) -> None:
        """Count one request of an app, against its own limit where it has one. Raises RateLimited."""
        self.check(app.id, operation, limit=_own(app, operation))

    def check_export(self, organization: int, apps: Iterable[LimitedApp], operation: str) -> None:
        """Count one export or question against the organization's limit, or that of its apps that have their own.

        The organization is the scope that is documented (docs/exports.md). Raises RateLimited.
        """
        apps = list(apps)
        own = [app for app in apps if operation in app.config.rate_limits]
        if len(own) < len(apps) or not apps:
            self.check(organization, operation)
        for app in own:
            self.check_app(app, operation)

    def check(self, scope: int, operation: str, cost: int = 1, limit: Limit | None = None) -> None:
        """Count one request. Raises RateLimited, with the seconds until the window ends, when there were too many.

        `limit` takes the documented one's place. When the clock is set back, the counts of windows that it has left
        are gone; when it is set forward, those windows are simply over. Neither locks anyone out.
        """
        if not self._enabled:
            return
        row = self._row(scope, operation)
        if row is None:
            return
        now = self._clock()
        counts = [self._count(row, index, int(now) // length) for index, length in enumerate(_WINDOWS)]
        for index, (length, most) in enumerate(zip(_WINDOWS, limit or LIMITS[operation], strict=True)):
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

    def _row(self, scope: int, operation: str) -> int | None:
        key = (scope, operation)
        if key not in self._rows:
            row = self._find_row(key)
            if row is None:
                return None
            self._rows[key] = row
        return self._rows[key]

    def _find_row(self, key: tuple[int, str]) -> int | None:
        digest = hashlib.blake2b(f"{key[0]} {key[1]}".encode(), digest_size=8).digest()
        wanted = int.from_bytes(digest, "little", signed=True) or 1
        with self._locked():
            for step in range(ROWS):
                row = (wanted + step) % ROWS
                (found,) = _KEY.unpack_from(self._memory, _place(row))
                if found == 0:
                    _KEY.pack_into(self._memory, _place(row), wanted)
                if found in (0, wanted):
                    return row
            return None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
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
