"""The server store: PostgreSQL, every write batched with `unnest`.

All writing transactions take one advisory lock first, so that journal ids appear in commit order and batches may read,
decide and write without races, as with the embedded store. The data folder still holds the version word that the
processes of one host share; several hosts hear of each other's changes by the poll (within a second).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import psycopg
import psycopg.sql

from bough.errors import ConfigurationError, Unavailable
from bough.store.database import Store
from bough.store.migrate import migrate
from bough.store.transaction import SKIP_CONFLICTS, RowValues, Value
from bough.store.version import SharedVersion
from bough.store.writer import Busy

WRITE_LOCK = 0x626F756768
"""The advisory lock of the writer ("bough")."""

COLUMN_TYPES = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"

OWN_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name"


@lru_cache(maxsize=1024)
def _dialect(sql: str) -> str:
    """`?` parameters in psycopg's spelling. SQL texts of bough hold no other question mark."""
    return sql.replace("%", "%%").replace("?", "%s")


class PostgresTransaction:
    """A `Transaction` on the writing connection."""

    def __init__(self, connection: psycopg.Connection, column_types: dict[tuple[str, str], str]) -> None:
        self._connection = connection
        self._column_types = column_types
        self.announced = 0
        self.settles = True

    def rows(self, sql: str, params: Sequence[Value] = ()) -> list[RowValues]:
        return self._connection.execute(_dialect(sql), params).fetchall()

    def run(self, sql: str, params: Sequence[Value] = ()) -> int:
        return self._connection.execute(_dialect(sql), params).rowcount

    def each(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        if rows:
            with self._connection.cursor() as cursor:
                cursor.executemany(_dialect(sql), rows)

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Value]],
        *,
        skip_conflicts: bool = False,
        on_conflict: str = "",
    ) -> list[int]:
        if not rows:
            return []
        by_column = [list(values) for values in zip(*rows, strict=True)]
        types = tuple(self._column_types[table, column] for column in columns)
        sql = _insert_sql(table, tuple(columns), types, SKIP_CONFLICTS if skip_conflicts else on_conflict)
        cursor = self._connection.execute(sql, by_column)
        return [row[0] for row in cursor.fetchall()] if skip_conflicts else []

    def announce(self, version: int) -> None:
        self.announced = max(self.announced, version)


@lru_cache(maxsize=256)
def _insert_sql(table: str, columns: tuple[str, ...], types: tuple[str, ...], tail: str) -> str:
    arrays = ", ".join(f"%s::{kind}[]" for kind in types)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({arrays}) {tail}"  # noqa: S608


class PostgresStore(Store):
    """See `Store`. Opening connects and brings the tables up to date."""

    def __init__(self, folder: Path, address: str, *, makes: bool = True) -> None:
        super().__init__()
        self._address = address
        self._reading = threading.local()
        self._connections: list[psycopg.Connection] = []
        self._writing: psycopg.Connection | None = None
        self._column_types: dict[tuple[str, str], str] = {}
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.version = SharedVersion(folder)
        except OSError as error:
            raise ConfigurationError(f"The data folder {folder} cannot be used: {error.strerror}.") from error
        try:
            with self.begin() as tx:
                if not makes and tx.rows("SELECT to_regclass('migration')::text")[0][0] is None:
                    raise ConfigurationError(
                        "BOUGH_STORE: the database holds nothing of bough; name the server's database, or start "
                        "`bough serve` with this one to make its tables."
                    )
                migrate(tx, "postgres")
            self._column_types = {(table, column): kind for table, column, kind in self.rows(COLUMN_TYPES)}
        except ConfigurationError:
            self.close()
            raise
        except (psycopg.Error, Unavailable) as error:
            self.close()
            raise ConfigurationError(f"BOUGH_STORE: PostgreSQL cannot be used: {error}".strip()) from error

    def rows(self, sql: str, params: Sequence[Value] = ()) -> list[RowValues]:
        for last_try in (False, True):
            connection: psycopg.Connection | None = getattr(self._reading, "connection", None)
            try:
                if connection is None or connection.closed:
                    connection = self._reading.connection = psycopg.connect(self._address, autocommit=True)
                    self._connections.append(connection)
                return connection.execute(_dialect(sql), params, prepare=True).fetchall()
            except psycopg.OperationalError as error:
                if connection is not None:
                    connection.close()
                if last_try:
                    raise Unavailable("The database cannot be reached; try again later.") from error
        raise AssertionError("unreachable")

    async def fetch(self, sql: str, params: Sequence[Value] = ()) -> list[RowValues]:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.rows, sql, params)

    def purge(self) -> None:
        try:
            with psycopg.connect(self._address, autocommit=True) as connection:
                for (table,) in connection.execute(OWN_TABLES).fetchall():
                    connection.execute(psycopg.sql.SQL("VACUUM FULL {}").format(psycopg.sql.Identifier(table)))
        except psycopg.OperationalError as error:
            raise Unavailable("The database cannot be reached; try again later.") from error

    def close(self) -> None:
        self._close_writer()
        self._pool.shutdown()
        for connection in self._connections:
            connection.close()
        if self._writing is not None:
            self._writing.close()
        self.version.close()

    @contextmanager
    def begin(self, *, wait: bool = True) -> Iterator[PostgresTransaction]:
        if not wait:
            raise Busy
        try:
            connection = self._writing_connection()
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (WRITE_LOCK,))
                tx = PostgresTransaction(connection, self._column_types)
                yield tx
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if self._writing is not None:
                self._writing.close()
            raise Unavailable("The database cannot be reached; try again later.") from error
        self.version.raise_to(tx.announced)

    def _writing_connection(self) -> psycopg.Connection:
        if self._writing is None or self._writing.closed:
            self._writing = psycopg.connect(self._address, autocommit=True)
        return self._writing
