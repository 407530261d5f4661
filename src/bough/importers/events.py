"""`bough import events`: Branch's raw exports become segments of the journal.

A file is read, checked line by line and written as one Parquet *segment* in the data folder, in our fields; a journal
row of kind `segment` names it. Millions of events so take one journal row, and the segment is as durable as any row:
it is fsynced, with its folder, before the row is written. The warehouse process takes segments in
(`bough.warehouse.segments`), each event once by its id.

Importing a file again finds its segment by content and does nothing, so an interrupted import is simply repeated.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package or quoted; values are bound.
from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import duckdb
import msgspec
from msgspec import Struct

from bough.cohorts.dimensions import TOUCH_COLUMNS, USER_COLUMNS, Kind
from bough.cohorts.measures import MEASURES, is_event
from bough.errors import BadRequest
from bough.events.currencies import CURRENCIES
from bough.ids import now_ms
from bough.importers.columns import IDENTIFIERS, REQUIRED, SOURCES
from bough.store.database import Store
from bough.store.journal import NewRow, append_batch
from bough.store.transaction import Transaction
from bough.warehouse.event import LATEST_INSTANT

FOLDER = "segments"
MAX_ERRORS_SHOWN = 1000
MAX_NAME = 255
MAX_TEXT = 4096

SEEN = "SELECT id FROM segment WHERE app = ? AND sha256 = ?"

Format = Literal["csv", "ndjson", "parquet"]

_SETS = frozenset(column for column, kind in TOUCH_COLUMNS if kind is Kind.SET)
_NUMBER = r"[+-]?([0-9]{1,15}([.][0-9]{0,12})?|[.][0-9]{1,12})"
_NOBODY = ("null", "none", "nil", "undefined", "unknown", "na", "n/a", "bnc_no_value", "false", "true")


class LineError(Struct, frozen=True):
    """One line that was left out."""

    line: int
    error: str


class Segment(Struct, frozen=True, kw_only=True):
    """What became of one file."""

    row: int
    """The journal row; that of the first import when the file was imported before."""
    rows: int
    errors: tuple[LineError, ...] = ()
    """At most MAX_ERRORS_SHOWN."""
    error_count: int = 0
    repeated: bool = False


def format_of(path: Path) -> Format:
    """By the file's ending, before `.gz`. Raises BadRequest for another one."""
    name = path.name.removesuffix(".gz").lower()
    for ending, kind in ((".csv", "csv"), (".ndjson", "ndjson"), (".jsonl", "ndjson"), (".json", "ndjson")):
        if name.endswith(ending):
            return kind  # type: ignore[return-value]
    if name.endswith(".parquet"):
        return "parquet"
    raise BadRequest(f"{path.name}: must end in .csv, .ndjson, .jsonl or .parquet (or .gz of these).")


def import_file(store: Store, data: Path, path: Path, app: int) -> Segment:
    """Make a file's events part of the journal; durable when it returns.

    Raises:
        BadRequest: the file cannot be read at all, or lacks a required column.
    """
    kind = format_of(path)
    digest = _digest(path)
    seen = store.rows(SEEN, (app, digest))
    if seen:
        return Segment(row=seen[0][0], rows=0, repeated=True)
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET preserve_insertion_order = true")
        try:
            _stage(connection, path, kind)
        except duckdb.Error as error:
            raise BadRequest(f"{path.name}: cannot be read: {str(error).splitlines()[0]}") from error
        errors = list(_errors(connection))
        count = _one(connection, "SELECT count(*) FROM checked WHERE error IS NOT NULL") + _rejected_count(connection)
        rows = _one(connection, "SELECT count(*) FROM checked WHERE error IS NULL")
        name = f"{app}-{digest[:32]}.parquet"
        _write(connection, folder, name)
    body = {"file": name, "rows": rows, "sha256": digest, "source": path.name, "errors": count}
    identifier = store.transact(_record_batch, (app, name, digest, msgspec.json.encode(body).decode()))
    return Segment(row=identifier, rows=rows, errors=tuple(errors), error_count=count)


def _record_batch(tx: Transaction, segments: list[tuple[int, str, str, str]]) -> list[int | Exception]:
    """Journal segments: (app, file, digest, body) each."""
    identifiers: list[int | Exception] = []
    for app, name, digest, body in segments:
        (identifier,) = append_batch(tx, [NewRow(now_ms(), app, 0, "segment", None, body)])
        if not isinstance(identifier, Exception):
            tx.insert("segment", ("id", "app", "file_name", "sha256"), [(identifier, app, name, digest)])
        identifiers.append(identifier)
    return identifiers


def _stage(connection: duckdb.DuckDBPyConnection, path: Path, kind: Format) -> None:
    """The table `checked`: line, our fields as text, and the first thing that is wrong with the line."""
    source = _csv_source(path) if kind == "csv" else _json_source(path, kind)
    connection.execute(f"CREATE TEMP TABLE raw AS {source}")
    connection.execute(
        "CREATE TEMP VIEW typed AS SELECT *,"
        f" {_instant('timestamp')} AS ms, {_instant('touch_at')} AS touch_ms,"
        " upper(coalesce(currency, 'USD')) AS code FROM raw"
    )
    connection.execute(f"CREATE TEMP TABLE checked AS SELECT *, {_fault()} AS error FROM typed")


def _csv_source(path: Path) -> str:
    header = _csv_header(path)
    for name in REQUIRED:
        if not set(SOURCES[name]) & set(header):
            raise BadRequest(f"{path.name}: has no column {SOURCES[name][0]}.")
    columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in header)
    fields = ", ".join(f"{_first(source, header)} AS {field}" for field, source in SOURCES.items())
    return (
        f"SELECT row_number() OVER () + 1 AS line, true AS readable, {fields}"
        f" FROM read_csv({_text(str(path))}, columns = {{{columns}}},"
        " auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', ignore_errors = true,"
        " store_rejects = true, rejects_limit = 0, max_line_size = 16000000)"
    )


def _csv_header(path: Path) -> list[str]:
    opened = duckdb.connect()  # reads .gz too
    try:
        line = opened.execute(
            "SELECT line FROM read_csv($path, columns = {'line': 'VARCHAR'}, auto_detect = false, header = false,"
            " delim = '\x02', quote = '', escape = '', max_line_size = 16000000) LIMIT 1",
            {"path": str(path)},
        ).fetchone()
    except duckdb.Error as error:
        raise BadRequest(f"{path.name}: cannot be read: {str(error).splitlines()[0]}") from error
    finally:
        opened.close()
    names = next(csv.reader([(line[0] if line else "").lstrip("\ufeff")]), [])
    if len(set(names)) != len(names) or not all(names):
        raise BadRequest(f"{path.name}: the header has an empty or a repeated column name.")
    return names


def _first(sources: tuple[str, ...], header: list[str]) -> str:
    present = [f"nullif({_name(source)}, '')" for source in sources if source in header]
    return f"coalesce({', '.join(present)})" if present else "CAST(NULL AS VARCHAR)"


def _json_source(path: Path, kind: Format) -> str:
    if kind == "parquet":
        lines = f"SELECT row_number() OVER () AS line, to_json(t) AS text FROM read_parquet({_text(str(path))}) AS t"
    else:
        lines = (
            f"SELECT row_number() OVER () AS line, line AS text FROM read_csv({_text(str(path))},"
            " columns = {'line': 'VARCHAR'}, auto_detect = false, header = false, delim = '\x02', quote = '',"
            " escape = '', max_line_size = 16000000)"
        )
    paths = [path for sources in SOURCES.values() for source in sources for path in _json_paths(source)]
    fields, at = [], 1
    for field, sources in SOURCES.items():
        count = sum(len(_json_paths(source)) for source in sources)
        found = ", ".join(f"nullif(nullif(v[{at + i}], ''), 'null')" for i in range(count))
        fields.append(f"coalesce({found}) AS {field}")
        at += count
    listed = ", ".join(_text(path) for path in paths)
    return (
        f"SELECT line, readable, {', '.join(fields)} FROM (SELECT line, json_valid(text) AS readable,"
        " CASE WHEN json_valid(text) THEN"
        f" json_extract_string(text, [{listed}]) END AS v FROM ({lines}) WHERE trim(coalesce(text, '')) <> '')"
    )


def _json_paths(source: str) -> tuple[str, ...]:
    place, dot, name = source.partition(".")
    return (f'$."{place}"."{name}"',) if dot else (f'$."{place}"',)


def _instant(field: str) -> str:
    """Epoch milliseconds from digits or ISO 8601 (UTC when it has no offset); NULL when it is neither."""
    return (
        f"CASE WHEN {field} IS NULL THEN NULL WHEN regexp_full_match({field}, '[0-9]{{1,15}}')"
        f" THEN CAST({field} AS BIGINT) ELSE epoch_ms(TRY_CAST({field} AS TIMESTAMPTZ)) END"
    )


def _fault() -> str:
    """The first thing that is wrong with a line, as one sentence; NULL when it is good."""
    codes = ", ".join(_text(code) for code in sorted(CURRENCIES))
    built_in = ", ".join(_text(name.lower()) for name in sorted(MEASURES) if not is_event(name))
    amount = f"regexp_full_match(coalesce(revenue, '0'), '{_NUMBER}([eE][+-]?[0-9]{{1,2}})?')"
    faults = (
        ("NOT readable", "is not valid JSON"),
        ("name IS NULL", "name: is missing"),
        (f"length(name) > {MAX_NAME}", f"name: longer than {MAX_NAME} characters"),
        (f"lower(name) IN ({built_in})", "name: is the name of a measure"),
        ("timestamp IS NULL", "timestamp: is missing"),
        (
            f"ms IS NULL OR ms < 0 OR ms >= {LATEST_INSTANT}",
            "timestamp: must be epoch milliseconds or ISO 8601, from 1970 to 2199",
        ),
        ("touch_at IS NOT NULL AND touch_ms IS NULL", "last_attributed_touch_timestamp: is no time"),
        (
            "lower(coalesce(attributed, 'true')) NOT IN ('true', 'false', '1', '0', 't', 'f')",
            "attributed: is no boolean",
        ),
        (f"NOT {amount}", "event_data_revenue: must be a plain number below 10^15 with at most 12 decimals"),
        (f"code NOT IN ({codes})", "event_data_currency: not an ISO 4217 currency code"),
        ("revenue LIKE '-%' AND name <> 'PURCHASE'", "event_data_revenue: may be negative on PURCHASE only"),
    )
    cases = " ".join(f"WHEN {condition} THEN {_text(sentence)}" for condition, sentence in faults)
    return f"CASE {cases} END"


def _errors(connection: duckdb.DuckDBPyConnection) -> Iterator[LineError]:
    rows = connection.execute(
        f"SELECT line, error FROM checked WHERE error IS NOT NULL ORDER BY line LIMIT {MAX_ERRORS_SHOWN}"
    ).fetchall()
    if _has_rejects(connection):
        rows += connection.execute(
            "SELECT line, any_value(error_message) FROM reject_errors GROUP BY line ORDER BY line"
            f" LIMIT {MAX_ERRORS_SHOWN}"
        ).fetchall()
    yield from (LineError(int(line), str(error)) for line, error in sorted(rows)[:MAX_ERRORS_SHOWN])


def _has_rejects(connection: duckdb.DuckDBPyConnection) -> bool:
    return bool(_one(connection, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'"))


def _rejected_count(connection: duckdb.DuckDBPyConnection) -> int:
    return _one(connection, "SELECT count(DISTINCT line) FROM reject_errors") if _has_rejects(connection) else 0


def _write(connection: duckdb.DuckDBPyConnection, folder: Path, name: str) -> None:
    """The good lines as a Parquet file that is there whole or not at all."""
    partial = folder / f".{name}.part"
    touches = ", ".join(_set_text(column) if column in _SETS else column for column, _ in TOUCH_COLUMNS)
    users = ", ".join(f"lower({c}) AS {c}" if c == "has_app" else c for c in USER_COLUMNS)
    identifiers = ", ".join(_identifier(field) for field in IDENTIFIERS)
    content = "md5(concat_ws('\x1f', " + ", ".join(f"coalesce({f}, '')" for f in SOURCES) + "))"
    connection.execute(
        f"COPY (SELECT coalesce(id, {content}) AS id, name, ms,"
        " lower(coalesce(attributed, CASE WHEN touch_type IS NULL THEN 'false' ELSE 'true' END)) IN ('true', '1', 't')"
        " AS attributed, upper(touch_type) AS touch_type, touch_ms AS touch_at, customer_event_alias,"
        " coalesce(revenue, revenue_in_usd) AS amount, CASE WHEN revenue IS NULL THEN 'USD' ELSE code END AS currency,"
        f" {identifiers}, {users}, {touches}"
        f" FROM checked WHERE error IS NULL) TO {_text(str(partial))} (FORMAT parquet, COMPRESSION zstd)"
    )
    descriptor = os.open(partial, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    partial.replace(folder / name)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _set_text(column: str) -> str:
    """A JSON array or a text as members joined by ","."""
    return (
        f"CASE WHEN {column} LIKE '[%' AND json_valid({column})"
        f" THEN array_to_string(from_json({column}, '[\"VARCHAR\"]'), ',') ELSE {column} END AS {column}"
    )


def _identifier(field: str) -> str:
    """An identifier in one spelling; NULL for what identifies nobody (zeros, `null`, …)."""
    nobody = ", ".join(_text(word) for word in _NOBODY)
    if field == "identity":
        return (
            f"CASE WHEN lower({field}) IN ('null', 'undefined', 'bnc_no_value') THEN NULL ELSE {field} END AS {field}"
        )
    value = f"lower({field})" if field in ("idfa", "aaid") else field
    return (
        f"CASE WHEN lower({field}) IN ({nobody}) OR replace(replace({field}, '0', ''), '-', '') = '' THEN NULL"
        f" ELSE {value} END AS {field}"
    )


def _digest(path: Path) -> str:
    hashed = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                hashed.update(chunk)
    except OSError as error:
        raise BadRequest(f"{path}: cannot be read: {error.strerror}.") from error
    return hashed.hexdigest()


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row: tuple[Any, ...] | None = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
