"""The embedded store: one SQLite file in WAL mode, every commit fsynced before anybody is told of it.

All processes of a data folder write through one file lock, so that a waiting writer sleeps in the kernel and not in
SQLite's polling busy handler. The lock is held while a transaction decides and writes its pages, not while the disk
takes them: SQLite itself commits without waiting (`synchronous=NORMAL`, which still orders log, database file and
checkpoints), and `begin` then syncs the write-ahead log before it returns. Whoever commits meanwhile stands behind in
the same log, so no commit reaches the disk without those before it. A commit can be read a moment before it is on disk,
or until the next one is (`transact(…, settle=False)`); who keeps what was read in another file calls `settle` first.

Rows are inserted many at a time by one statement: each step of a statement gives up the interpreter lock, and a busy
event loop makes getting it back expensive.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import cast

import apsw

from bough.errors import SERVER_FAULT, ConfigurationError, Unavailable
from bough.store.database import Store
from bough.store.migrate import migrate
from bough.store.transaction import SKIP_CONFLICTS, RowValues, Value
from bough.store.version import SharedVersion
from bough.store.writer import Busy, DiskFailure

log = logging.getLogger("bough.store")

CHECKPOINT_PAGES = 16_000
"""Pages of write-ahead log before it is folded back: SQLite's 1,000 put the 99th percentile at 13 ms."""

MAX_LOG_PAGES = 4 * CHECKPOINT_PAGES
"""From here on a commit folds all of it back, however long others wait."""

QUICK_SYNC = 0.0005
"""Seconds. An event loop waits for a disk that syncs in less; a slower one would hold up other requests."""

MAX_ROWS = 128
"""Rows of one INSERT: apsw keeps prepared statements of up to 16 KB of text, and preparing longer ones again and again
costs more than the rows."""

PURGE_SECONDS = 60.0
"""How long to wait for readers before the log can be emptied."""

MAX_EXACT = 64
"""Up to so many rows there is a statement for each number, above one for each power of two."""

STATEMENTS = 512
"""Prepared statements that the writing connection keeps."""

FILE_NAME = "bough.db"
LOG_NAME = f"{FILE_NAME}-wal"

_sync = getattr(os, "fdatasync", os.fsync)  # macOS has the second one only


class SqliteTransaction:
    """A `Transaction` on the writing connection."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.announced = 0
        self.settles = True

    def rows(self, sql: str, params: Sequence[Value] = ()) -> list[RowValues]:
        return self._connection.execute(sql, params).fetchall()

    def run(self, sql: str, params: Sequence[Value] = ()) -> int:
        self._connection.execute(sql, params).fetchall()
        return self._connection.changes()

    def each(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        if rows:
            self._connection.executemany(sql, rows)

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Value]],
        *,
        skip_conflicts: bool = False,
        on_conflict: str = "",
    ) -> list[int]:
        stored: list[int] = []
        start = 0
        while start < len(rows):
            # One statement where it can be: each gives up the interpreter lock while others wait for the write lock.
            count = min(len(rows) - start, MAX_ROWS)
            if count > MAX_EXACT:
                count = 1 << count.bit_length() - 1
            chunk = rows[start : start + count]
            start += count
            values = chunk[0] if count == 1 else list(chain.from_iterable(chunk))
            try:
                self._connection.execute(_insert_sql(table, tuple(columns), count, on_conflict), values)
            except apsw.ConstraintError:
                if not skip_conflicts:
                    raise
                # The failed statement is undone as a whole. Conflicts are rare, and asking each row for its id would
                # give up the interpreter lock once per row.
                statement = _insert_sql(table, tuple(columns), count, SKIP_CONFLICTS)
                stored += [row[0] for row in self._connection.execute(statement, values)]
            else:
                if skip_conflicts:
                    place = columns.index("id")
                    stored += [cast(int, row[place]) for row in chunk]
        return stored

    def announce(self, version: int) -> None:
        self.announced = max(self.announced, version)


@lru_cache(maxsize=256)
def _insert_sql(table: str, columns: tuple[str, ...], count: int, tail: str) -> str:
    row = "(" + ",".join("?" * len(columns)) + ")"
    return f"INSERT INTO {table} ({','.join(columns)}) VALUES {','.join([row] * count)} {tail}"  # noqa: S608


class SqliteStore(Store):
    """See `Store`. Opening creates the folder and brings the tables up to date."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock_file = os.open(folder / "bough.lock", os.O_RDWR | os.O_CREAT, 0o600)
            self.version = SharedVersion(folder)
        except OSError as error:
            raise ConfigurationError(f"The data folder {folder} cannot be used: {error.strerror}.") from error
        self._path = folder / FILE_NAME
        self._log = -1
        """The write-ahead log, the same file as long as a connection is open."""
        self._settled_log = -1
        """The same file, opened by itself for `settle`."""
        self._is_lost = False
        """Whether `settle` has found that something did not reach the disk."""
        self._in_use = threading.Lock()
        """Held by whoever uses the writing connection: the writing thread or the event loop."""
        self._log_pages = 0
        """Pages of the log after the last commit."""
        self._is_folding = False
        self._is_mostly_folded = False
        """Whether the next commit folds the rest of the log back."""
        self._sync_seconds = float("inf")
        self._readers = threading.local()
        try:
            self._writing = apsw.Connection(str(self._path), statementcachesize=STATEMENTS)
        except apsw.Error as error:
            self.version.close()
            os.close(self._lock_file)
            raise ConfigurationError(f"The database {self._path} cannot be opened: {error}.") from error
        try:
            with self._locked(wait=True):  # SQLite waits for nobody when it makes a new file one with a log
                _prepare(self._writing)
            self._writing.set_wal_hook(self._on_commit)
            with self.begin() as tx:
                migrate(tx, "sqlite")
            self._settled_log = os.open(self._path.with_name(LOG_NAME), os.O_RDWR)
        except ConfigurationError:
            self.close()
            raise
        except (apsw.Error, DiskFailure, OSError) as error:
            self.close()
            raise ConfigurationError(f"The database {self._path} cannot be opened: {error}.") from error
        _sync_folder(folder)

    def rows(self, sql: str, params: Sequence[Value] = ()) -> list[RowValues]:
        connection: apsw.Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = apsw.Connection(str(self._path))
            _prepare(connection)
            self._readers.connection = connection
        return connection.execute(sql, params).fetchall()

    def find(self, sql: str, params: Sequence[Value]) -> list[RowValues]:
        """A few rows by a key, for the event loop.

        The writing connection is asked while nobody uses it: its own commits leave its pages in memory, while all of a
        reader's are dropped by every commit.
        """
        if not self._in_use.acquire(blocking=False):
            return self.rows(sql, params)
        try:
            return self._writing.execute(sql, params).fetchall()
        finally:
            self._in_use.release()

    async def fetch(self, sql: str, params: Sequence[Value] = ()) -> list[RowValues]:
        # A lookup takes 6-8 µs, less than handing it to a thread.
        return self.rows(sql, params)

    def purge(self) -> None:
        # A file lock of its own: this process' writer holds the other one.
        lock = os.open(self._path.parent / "bough.lock", os.O_RDWR)
        connection = apsw.Connection(str(self._path))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            connection.set_busy_timeout(10_000)
            connection.execute("PRAGMA secure_delete=ON").fetchall()
            connection.execute("VACUUM").fetchall()
            deadline = time.monotonic() + PURGE_SECONDS
            # The log is emptied once no reader needs it; readers are short.
            while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]:
                if time.monotonic() > deadline:
                    raise Unavailable("The database's log is read without end; it will be emptied later.")
                time.sleep(0.05)
        except apsw.BusyError as error:
            raise Unavailable("The database is busy; what was deleted will be overwritten later.") from error
        finally:
            connection.close()
            os.close(lock)

    def close(self) -> None:
        self._close_writer()
        self._pool.shutdown()
        self._writing.close()
        connection: apsw.Connection | None = getattr(self._readers, "connection", None)
        if connection is not None:
            connection.close()
        for opened in (self._log, self._settled_log):
            if opened >= 0:
                os.close(opened)
        self.version.close()
        os.close(self._lock_file)

    @property
    def is_quick(self) -> bool:
        return self._sync_seconds < QUICK_SYNC

    @contextmanager
    def begin(self, *, wait: bool = True) -> Iterator[SqliteTransaction]:
        tx = SqliteTransaction(self._writing)
        with self._locked(wait=wait):
            try:
                self._writing.execute("BEGIN IMMEDIATE")
                yield tx
                self._writing.execute("COMMIT")
            except BaseException as error:
                self._roll_back()
                raise _failure(error) from error
            if wait and self._is_fold_due:
                self._fold_rest()
        if self._log_pages >= CHECKPOINT_PAGES and not self._is_folding:
            self._start_folding()
        if tx.settles:
            self._sync_log()
        self.version.raise_to(tx.announced)

    @contextmanager
    def _locked(self, *, wait: bool) -> Iterator[None]:
        """The writing connection, and the write lock of all processes. Raises Busy instead of waiting for long."""
        if (not wait and self._is_fold_due) or not self._in_use.acquire(blocking=wait):
            raise Busy
        try:
            try:
                fcntl.flock(self._lock_file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Busy from error
            try:
                yield
            finally:
                fcntl.flock(self._lock_file, fcntl.LOCK_UN)
        finally:
            self._in_use.release()

    @property
    def _is_fold_due(self) -> bool:
        return self._is_mostly_folded or self._log_pages >= MAX_LOG_PAGES

    def _start_folding(self) -> None:
        with suppress(RuntimeError):  # the process ends, and whoever opens the database next folds the log back
            self._is_folding = True
            self._pool.submit(self._fold_most)

    def _fold_most(self) -> None:
        """Copy the write-ahead log into the database beside all writing: what takes long of folding it back."""
        try:
            connection = apsw.Connection(str(self._path))
            try:
                connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()  # one that read nothing has no log
                _, folded = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            finally:
                connection.close()
            self._is_mostly_folded = folded > 0
        except apsw.BusyError:
            log.debug("Another process folds the write-ahead log back")
        except apsw.Error as error:
            log.warning("The write-ahead log could not be folded back: %s", error)
        finally:
            self._is_folding = False

    def _fold_rest(self) -> None:
        """Copy what was written meanwhile, under the write lock: a log without a rest begins anew.

        What fails here is tried again, and nothing is lost.
        """
        self._is_mostly_folded = False
        self._log_pages = 0  # the next commit says how many there are
        try:
            self._writing.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:
            log.debug("Another process folds the write-ahead log back")
        except apsw.Error as error:
            log.warning("The write-ahead log could not be folded back: %s", error)

    def _on_commit(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK

    def settle(self) -> None:
        # The system tells of a failure once to each who has the file open: the writer must hear of it itself, and who
        # settles must hear of those that other processes have heard of.
        try:
            if not self._is_lost:
                _sync(self._settled_log)
        except OSError as error:
            self._is_lost = True
            log.critical("The write-ahead log could not be synced: %s", error)
        if self._is_lost:
            raise Unavailable(SERVER_FAULT)

    def _sync_log(self) -> None:
        """Returns when everything that was committed is on disk. Raises DiskFailure."""
        try:
            if self._log < 0:
                self._log = os.open(self._path.with_name(LOG_NAME), os.O_RDWR)
            began = time.perf_counter()
            _sync(self._log)
            self._note_sync(time.perf_counter() - began)
        except OSError as error:
            raise DiskFailure(f"the write-ahead log could not be synced: {error}") from error

    def _note_sync(self, seconds: float) -> None:
        """The shortest of late, rising slowly: in a busy thread the time to get the interpreter lock back is in it."""
        known = self._sync_seconds
        self._sync_seconds = seconds if seconds < known else known + (seconds - known) / 16

    def _roll_back(self) -> None:
        try:
            if self._writing.in_transaction:
                self._writing.execute("ROLLBACK")
        except apsw.Error as error:
            raise DiskFailure(f"a transaction could not be rolled back: {error}") from error


def _prepare(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(10_000)
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "cache_size=-65536",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _failure(error: BaseException) -> BaseException:
    """What the writer is told. A full disk is found before anything is written over and may pass; the rest may not."""
    if isinstance(error, apsw.FullError):
        return Unavailable("The disk is full; nothing was stored.")
    if isinstance(error, apsw.IOError | apsw.CorruptError | apsw.NotADBError):
        return DiskFailure(str(error))
    return error


def _sync_folder(folder: Path) -> None:
    """A new file survives a power cut only after its folder is on disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
