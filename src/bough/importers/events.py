"""`bough import events`: Branch's raw exports become segments of the journal.

A file is read, checked line by line and written as one Parquet *segment* in the data folder, in our fields; a journal
row of kind `segment` names it. Millions of events so take one journal row, and the segment is as durable as any row:
it is fsynced, with its folder, before the row is written. The warehouse process takes segments in
(`bough.warehouse.segments`), each event once by its id.

Importing a file again finds its segment by content and does nothing, so an interrupted import is simply repeated.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package or quoted.
from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import msgspec
from duckdb import DuckDBPyConnection
from msgspec import Struct

from bough.errors import BadRequest
from bough.ids import now_ms
from bough.importers import records
from bough.importers.checks import checked
from bough.importers.kept import misfits, unknown
from bough.importers.quoting import text
from bough.importers.records import LineError
from bough.importers.sources import Format, Source, first_line, format_of, numbered_csv, numbered_json, source_of
from bough.store.database import Store
from bough.store.journal import NewRow, append_batch
from bough.store.transaction import Transaction

FOLDER = "segments"
MAX_ERRORS_SHOWN = 1000
FORM = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, WRITE_BLOOM_FILTER false"
"""How segments are written; nobody looks a single value up in one."""

SEEN = "SELECT id FROM segment WHERE app = ? AND sha256 = ?"

Read = Callable[[int], object]
"""Told how many bytes of a file have been read since it was told before."""


class Segment(Struct, frozen=True, kw_only=True):
    """What became of one file."""

    row: int
    """The journal row; that of the first import when the file was imported before."""
    rows: int
    errors: tuple[LineError, ...] = ()
    """At most MAX_ERRORS_SHOWN, by line."""
    error_count: int = 0
    repeated: bool = False
    unknown: tuple[tuple[str, int], ...] = ()
    """Columns of the file that no export has, and how many values of them are not kept."""
    misfits: tuple[tuple[str, int], ...] = ()
    """Columns with values that are none of their type, and how many; they are kept as they are."""


def import_file(store: Store, data: Path, path: Path, app: int, read: Read = int) -> Segment:
    """Make a file's events part of the journal; durable when it returns.

    Raises:
        BadRequest: the file cannot be read at all, or lacks a required column.
    """
    kind = format_of(path)
    digest = _digest(path, read)
    seen = store.rows(SEEN, (app, digest))
    if seen:
        return Segment(row=seen[0][0], rows=0, repeated=True)
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{app}-{digest[:32]}.parquet"
    with tempfile.TemporaryDirectory(prefix=".import-", dir=folder) as scratch:
        made = Path(scratch) / name
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            try:
                written = _convert(connection, path, kind, made)
            except duckdb.Error as error:
                raise BadRequest(f"{path.name}: cannot be read: {first_line(error)}") from error
            except (OSError, EOFError) as error:
                raise BadRequest(f"{path.name}: cannot be read: {error}.") from error
        _sync(made)
        made.replace(folder / name)
    _sync(folder)
    body = {
        "file": name,
        "rows": written.rows,
        "sha256": digest,
        "source": path.name,
        "errors": written.error_count,
        **({"unknown": dict(written.unknown)} if written.unknown else {}),
    }
    identifier = store.transact(_record_batch, (app, name, digest, msgspec.json.encode(body).decode()))
    return msgspec.structs.replace(written, row=identifier)


def _convert(connection: DuckDBPyConnection, path: Path, kind: Format, made: Path) -> Segment:
    """Write the good lines; what became of them, without a journal row."""
    try:
        source = source_of(connection, path, kind)
        written = _write(connection, source, made)
        if source.lines or not written.error_count:
            return written
    except duckdb.Error:
        if kind == "parquet":
            raise
        # not even columns, quotes and letters fit: the second reading says where
    copy = made.with_suffix(f".{kind}")
    if kind == "ndjson":
        records.copy_numbered(path, copy)
        return _write(connection, numbered_json(connection, copy), made)
    header = records.header_of(path)
    with copy.open("w", encoding="utf-8", newline="") as file:
        misshapen, misshapen_count = records.copy_good(path, header, file, MAX_ERRORS_SHOWN)
    written = _write(connection, numbered_csv(copy, header), made)
    errors = sorted([*misshapen, *written.errors], key=lambda error: error.line)[:MAX_ERRORS_SHOWN]
    return msgspec.structs.replace(written, errors=tuple(errors), error_count=written.error_count + misshapen_count)


def _write(connection: DuckDBPyConnection, source: Source, made: Path) -> Segment:
    """The good lines as a Parquet file, in one pass when all are good."""
    rows, errors, count = _write_lines(connection, source, made)
    if count and not source.lines:
        return Segment(row=0, rows=rows, errors=tuple(errors), error_count=count)
    return Segment(
        row=0,
        rows=rows,
        errors=tuple(errors),
        error_count=count,
        unknown=tuple(unknown(connection, source)),
        misfits=tuple(misfits(connection, made)),
    )


def _write_lines(connection: DuckDBPyConnection, source: Source, made: Path) -> tuple[int, list[LineError], int]:
    every = made.with_suffix(".all")
    sql = checked(source.sql, source.fields, readable=source.readable)
    connection.execute(f"COPY ({sql}) TO {text(str(every))} ({FORM})")
    whole = f"read_parquet({text(str(every))})"
    row = connection.execute(f"SELECT count(*), count(error) FROM {whole}").fetchone()
    total, count = (0, 0) if row is None else row
    if count == 0:
        every.replace(made)
        return total, [], 0
    found = connection.execute(
        f"SELECT line, error FROM {whole} WHERE error IS NOT NULL ORDER BY line LIMIT {MAX_ERRORS_SHOWN}"
    ).fetchall()
    if source.lines:
        connection.execute(
            f"COPY (SELECT * REPLACE (CAST(NULL AS VARCHAR) AS error) FROM {whole} WHERE error IS NULL)"
            f" TO {text(str(made))} ({FORM})"
        )
    return total - count, [LineError(line, error) for line, error in found] if source.lines else [], count


def _record_batch(tx: Transaction, segments: list[tuple[int, str, str, str]]) -> list[int | Exception]:
    """Journal segments: (app, file, digest, body) each."""
    identifiers: list[int | Exception] = []
    for app, name, digest, body in segments:
        (identifier,) = append_batch(tx, [NewRow(now_ms(), app, 0, "segment", None, body)])
        if not isinstance(identifier, Exception):
            tx.insert("segment", ("id", "app", "file_name", "sha256"), [(identifier, app, name, digest)])
        identifiers.append(identifier)
    return identifiers


def _digest(path: Path, read: Read) -> str:
    hashed = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                hashed.update(chunk)
                read(len(chunk))
    except OSError as error:
        raise BadRequest(f"{path}: cannot be read: {error.strerror}.") from error
    return hashed.hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
