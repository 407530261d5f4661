"""`bough import events`: Branch's raw exports become segments of the journal.

A file is read, checked line by line and written as one Parquet *segment* in the data folder, in our fields; a journal
row of kind `segment` names it. Millions of events so take one journal row, and the segment is as durable as any row:
it is fsynced, with its folder, before the row is written. The warehouse process takes segments in
(`bough.warehouse.segments`), each event once by its id.

Importing a file again finds its segment by content, stores nothing and tells the same faults, so an interrupted import
is simply repeated.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package or quoted.
from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import msgspec
from duckdb import DuckDBPyConnection
from msgspec import Struct

from bough.csv_text import Header
from bough.errors import BadRequest
from bough.importers import records, repeats
from bough.importers.checks import checked
from bough.importers.kept import misfits, unknown
from bough.importers.records import LineError
from bough.importers.sources import Format, Source, first_line, format_of, numbered_csv, numbered_json, source_of
from bough.store.database import Store
from bough.store.journal import NewRow, append_batch
from bough.store.transaction import Transaction
from bough.text_files import TextFile, look
from bough.vocabulary.ids import now_ms
from bough.warehouse.quoting import text

FOLDER = "segments"
MAX_ERRORS_SHOWN = 1000
FORM = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, WRITE_BLOOM_FILTER false"
"""How segments are written; nobody looks a single value up in one."""

SEEN = "SELECT s.id, j.body FROM segment AS s LEFT JOIN journal AS j ON j.id = s.id WHERE s.app = ? AND s.sha256 = ?"
EARLIER = "SELECT file_name FROM segment WHERE app = ? ORDER BY id"

Mark = Callable[[DuckDBPyConnection, str], int]
"""Fills the table `known` as `bough.importers.repeats.mark` does."""

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
    known: int = 0
    """Rows that repeat an event that counts already, and say the same."""
    repeated: bool = False
    """Whether the whole file was imported before; what is said of it is what was said then."""
    unknown: tuple[tuple[str, int], ...] = ()
    """Columns of the file that no export has, and how many values of them are not kept."""
    misfits: tuple[tuple[str, int], ...] = ()
    """Columns with values that are none of their type, and how many; they are kept as they are."""


class _Lines(Struct, frozen=True, kw_only=True):
    """What became of the lines of one file."""

    rows: int
    errors: tuple[LineError, ...] = ()
    error_count: int = 0
    known: int = 0
    unknown: tuple[tuple[str, int], ...] = ()
    misfits: tuple[tuple[str, int], ...] = ()


class _Journalled(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of a segment's journal row."""

    file: str
    rows: int
    sha256: str
    source: str
    errors: int = 0
    known: int = 0
    faults: tuple[LineError, ...] = ()
    """The first of the errors, so that a repeated import tells them again."""
    unknown: dict[str, int] = {}
    misfits: dict[str, int] = {}


def import_file(store: Store, data: Path, path: Path, app: int, read: Read = int) -> Segment:
    """Make a file's events part of the journal; durable when it returns.

    Raises:
        BadRequest: the file cannot be read at all, or lacks a required column.
    """
    kind = format_of(path)
    digest = _digest(path, read)
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder, app):
        seen = store.rows(SEEN, (app, digest))
        if seen:
            return _told_again(*seen[0])
        name = f"{app}-{digest[:32]}.parquet"
        earlier = [folder / file for (file,) in store.rows(EARLIER, (app,)) if (folder / file).exists()]

        def mark(connection: DuckDBPyConnection, whole: str) -> int:
            return repeats.mark(connection, whole, earlier, store, app)

        lines = _make(path, kind, folder / name, mark)
        body = _Journalled(
            file=name,
            rows=lines.rows,
            sha256=digest,
            source=path.name,
            errors=lines.error_count,
            known=lines.known,
            faults=lines.errors,
            unknown=dict(lines.unknown),
            misfits=dict(lines.misfits),
        )
        identifier = store.transact(_record_batch, (app, name, digest, msgspec.json.encode(body).decode()))
    return Segment(
        row=identifier,
        rows=lines.rows,
        errors=lines.errors,
        error_count=lines.error_count,
        known=lines.known,
        unknown=lines.unknown,
        misfits=lines.misfits,
    )


@contextmanager
def _alone(folder: Path, app: int) -> Iterator[None]:
    """No other import for the app goes on: two at once would not see each other's events."""
    with (folder / f".importing-{app}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for left in folder.glob(f".import-{app}-*"):  # of an import that was killed
            shutil.rmtree(left, ignore_errors=True)
        yield


def _told_again(row: int, body: str | None) -> Segment:
    told = msgspec.json.decode(body, type=_Journalled) if body else None
    if told is None:
        return Segment(row=row, rows=0, repeated=True)
    return Segment(
        row=row,
        rows=told.rows,
        errors=told.faults,
        error_count=told.errors,
        known=told.known,
        unknown=tuple(told.unknown.items()),
        misfits=tuple(told.misfits.items()),
        repeated=True,
    )


def _make(path: Path, kind: Format, target: Path, mark: Mark) -> _Lines:
    """Write a file's good lines as a segment; it is on disk when this returns."""
    app = target.name.partition("-")[0]
    with tempfile.TemporaryDirectory(prefix=f".import-{app}-", dir=target.parent) as scratch:
        made = Path(scratch) / target.name
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            try:
                lines = _convert(connection, path, kind, made, mark)
            except duckdb.Error as error:
                raise BadRequest(f"{path.name}: cannot be read: {first_line(error)}") from error
            except (OSError, EOFError) as error:
                raise BadRequest(f"{path.name}: cannot be read: {error}.") from error
        _sync(made)
        made.replace(target)
    _sync(target.parent)
    return lines


def _convert(connection: DuckDBPyConnection, path: Path, kind: Format, made: Path, mark: Mark) -> _Lines:
    """Write the good lines; what became of all of them."""
    now = now_ms()
    if kind == "parquet":
        return _write(connection, source_of(connection, path, kind, None), made, mark, now)
    found = look(path)
    header = records.header_of(path, found) if kind == "csv" else None
    if header is None:
        records.check_json(path, found)
    if _is_quick(path, found, header):
        try:
            lines = _write(connection, source_of(connection, path, kind, header), made, mark, now)
            if lines.error_count == 0:
                return lines
        except duckdb.Error:
            pass  # not even columns, quotes and letters fit: the second reading says where
    copy = made.with_suffix(f".{kind}")
    if header is None:
        records.copy_numbered(path, found, copy)
        return _write(connection, numbered_json(connection, copy), made, mark, now)
    with copy.open("w", encoding="utf-8", newline="") as file:
        misshapen, misshapen_count = records.copy_good(path, found, header, file, MAX_ERRORS_SHOWN)
    lines = _write(connection, numbered_csv(copy, header), made, mark, now)
    errors = sorted([*misshapen, *lines.errors], key=lambda error: error.line)[:MAX_ERRORS_SHOWN]
    return msgspec.structs.replace(lines, errors=tuple(errors), error_count=lines.error_count + misshapen_count)


def _is_quick(path: Path, found: TextFile, header: Header | None) -> bool:
    """Whether DuckDB reads the file's bytes as they are, and as `bough.importers.records` does."""
    usual = header is None or (header.separator == "," and not header.before)
    return usual and found.plain and found.packed == path.name.lower().endswith(".gz")


def _write(connection: DuckDBPyConnection, source: Source, made: Path, mark: Mark, now: int) -> _Lines:
    """The good lines that are not known yet as a Parquet file, and what of the file's columns is to be said."""
    lines = _write_lines(connection, source, made, mark, now)
    if lines.error_count and not source.lines:
        return lines  # to be read again, line by line
    return msgspec.structs.replace(
        lines, unknown=tuple(unknown(connection, source)), misfits=tuple(misfits(connection, made))
    )


def _write_lines(connection: DuckDBPyConnection, source: Source, made: Path, mark: Mark, now: int) -> _Lines:
    """The good lines that are not known yet as a Parquet file, in one pass when all are."""
    every = made.with_suffix(".all")
    sql = checked(source.sql, source.fields, now=now, readable=source.readable)
    connection.execute(f"COPY ({sql}) TO {text(str(every))} ({FORM})")
    whole = f"read_parquet({text(str(every))}, file_row_number = true)"
    known = mark(connection, whole)
    faults = f"SELECT line, error FROM {whole} WHERE error IS NOT NULL"
    if known:
        faults += (
            f" UNION ALL SELECT w.line, min(k.error) FROM {whole} AS w JOIN known AS k ON k.row = w.file_row_number"
            " WHERE k.error IS NOT NULL GROUP BY w.file_row_number, w.line"
        )
    total, count = _counts(connection, f"(SELECT count(*) FROM {whole}), (SELECT count(*) FROM ({faults}))")
    if count and not source.lines:
        return _Lines(rows=0, error_count=count)
    if not (count or known):
        every.replace(made)
        return _Lines(rows=total)
    connection.execute(
        f"COPY (SELECT * EXCLUDE (file_row_number) REPLACE (CAST(NULL AS VARCHAR) AS error) FROM {whole}"
        f" WHERE error IS NULL AND file_row_number NOT IN (SELECT row FROM known)) TO {text(str(made))} ({FORM})"
    )
    (rows,) = _counts(connection, f"(SELECT count(*) FROM read_parquet({text(str(made))}))")
    found = connection.execute(f"{faults} ORDER BY line LIMIT {MAX_ERRORS_SHOWN}").fetchall()
    errors = tuple(LineError(line, error) for line, error in found)
    return _Lines(rows=rows, errors=errors, error_count=count, known=total - rows - count)


def _counts(connection: DuckDBPyConnection, values: str) -> tuple[int, ...]:
    row = connection.execute(f"SELECT {values}").fetchone()
    return () if row is None else tuple(int(value) for value in row)


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
