"""Imported events of a person: Parquet files, found and rewritten with DuckDB."""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package or quoted; values are bound.
from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from bough.events.identifiers import Identifier
from bough.importers.events import FORM
from bough.importers.kept import as_exported
from bough.persons.imported_rows import COLUMN_KINDS, borne, is_own, without
from bough.persons.pseudonyms import LONG, Pseudonyms
from bough.vocabulary.export_columns import IDENTIFIERS
from bough.warehouse.quoting import name, text

CASELESS = frozenset({"idfa", "aaid", "idfv", "android_id", "oaid", "fire"})
ROWS_AT_ONCE = 2000
VALUES_AT_ONCE = 100
"""Of one regular expression."""

ROW = "file_row_number"


def connected(paths: Sequence[Path], given: Sequence[Identifier]) -> list[Identifier]:
    """All identifiers of rows that are connected with those given through shared identifiers.

    Those given count only when a file holds them. Rows are connected by developer identity, idfa, aaid and browser;
    their other ids are among the answer and connect nothing.
    """
    known = set(given)
    found: dict[Identifier, None] = {}
    with duckdb.connect() as connection:
        while True:
            before = len(found)
            for path in paths:
                for row in _bearing(connection, path, known):
                    found.update((one, None) for one in row)
            known |= {one for one in found if one[0] in IDENTIFIERS}
            if len(found) == before:
                return list(found)


def rows_of(paths: Sequence[Path], identifiers: Sequence[Identifier]) -> list[dict[str, str]]:
    """The imported events of the person with these identifiers, as the export wrote them, letter by letter."""
    return [as_exported(row) for row in raw_rows_of(paths, identifiers)]


def raw_rows_of(paths: Sequence[Path], identifiers: Sequence[Identifier]) -> list[dict[str, Any]]:
    """The same as the segments hold them."""
    own = frozenset(identifiers)
    found: list[dict[str, Any]] = []
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for path in paths:
            where, values = _condition(connection, path, set(identifiers))
            if where:
                cursor = connection.execute(f"SELECT * FROM read_parquet({text(str(path))}) WHERE {where}", values)
                found += [row for row in dicts(cursor) if is_own(row, own)]
    return found


def rewrite(path: Path, made: Path, pseudonyms: Pseudonyms) -> int:
    """Write the file anew without a person (`bough.persons.imported_rows`); how many rows that changed.

    Nothing is written when there are none. `made` is on disk when this returns.
    """
    with duckdb.connect() as connection:
        for setting in ("TimeZone = 'UTC'", "preserve_insertion_order = true"):
            connection.execute(f"SET {setting}")
        source = f"read_parquet({text(str(path))}, file_row_number = true)"
        kinds = {str(row[0]): str(row[1]) for row in connection.execute(f"DESCRIBE FROM {source}").fetchall()}
        listed = ", ".join(f"{name(column)} {kind}" for column, kind in kinds.items())
        connection.execute(f"CREATE TABLE rewritten ({listed})")
        changed = _rewritten(connection, source, path, kinds, pseudonyms)
        if not changed:
            return 0
        picked = ", ".join(
            f"CASE WHEN w.{ROW} IS NULL THEN s.{name(column)} ELSE w.{name(column)} END AS {name(column)}"
            for column in kinds
            if column != ROW
        )
        # As written, the file's rows go by in their order: which of two rows with one id counts depends on it.
        connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
        connection.execute(
            f"COPY (SELECT {picked} FROM {source} AS s LEFT JOIN rewritten AS w ON w.{ROW} = s.{ROW})"
            f" TO {text(str(made))} ({FORM})"
        )
    for one in (made, made.parent):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return changed


def _rewritten(
    connection: duckdb.DuckDBPyConnection, source: str, path: Path, kinds: dict[str, str], pseudonyms: Pseudonyms
) -> int:
    """Fill `rewritten` with the rows that change; how many there are."""
    own = {(kind, value) for kind, value, _ in pseudonyms.items()}
    where, values = _condition(connection, path, own)
    texts = [column for column, kind in kinds.items() if kind == "VARCHAR"]
    inside, patterns = _mentions(texts, [value for _, value in own])
    conditions = " OR ".join(filter(None, (where, inside)))
    if not conditions:
        return 0
    changed = 0
    places = ", ".join("?" for _ in kinds)
    with connection.cursor() as reading:
        cursor = reading.execute(f"SELECT * FROM {source} WHERE {conditions}", values | patterns)
        for row in dicts(cursor):
            new = without(row, pseudonyms)
            if new != row:
                changed += 1
                connection.execute(f"INSERT INTO rewritten VALUES ({places})", [new[column] for column in kinds])
    return changed


def _mentions(texts: Sequence[str], values: Sequence[str]) -> tuple[str, dict[str, str]]:
    """SQL of rows in whose texts a value may stand, written plainly or behind the backslashes of JSON."""
    whole = f"concat_ws(chr(10), {', '.join(map(name, texts))})"
    long = [re.escape(one) for one in values if len(one) >= LONG]
    found = {
        f"p{start}": "|".join(long[start : start + VALUES_AT_ONCE]) for start in range(0, len(long), VALUES_AT_ONCE)
    }
    said = [f"regexp_matches({whole}, ${key}, 'i')" for key in found]
    return " OR ".join([*said, f"contains({whole}, chr(92))"]), found


def dicts(cursor: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
    """The rows of a query by column."""
    names = [str(column[0]) for column in cursor.description or ()]
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        for row in rows:
            yield dict(zip(names, row, strict=True))


def _bearing(connection: duckdb.DuckDBPyConnection, path: Path, known: set[Identifier]) -> list[list[Identifier]]:
    where, values = _condition(connection, path, known)
    if not where:
        return []
    listed = ", ".join(present(connection, path))
    cursor = connection.execute(f"SELECT DISTINCT {listed} FROM read_parquet({text(str(path))}) WHERE {where}", values)
    return [borne(row) for row in dicts(cursor)]


def _condition(connection: duckdb.DuckDBPyConnection, path: Path, known: set[Identifier]) -> tuple[str, dict[str, Any]]:
    """SQL of rows that bear an identifier, and its parameters."""
    values: dict[str, Any] = {}
    for column in present(connection, path):
        kind = COLUMN_KINDS[column]
        if wanted := sorted(value for one, value in known if one == kind):
            values[column] = wanted
    return " OR ".join(f"{_folded(column)} IN (SELECT unnest(${column}))" for column in values), values


def present(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """The columns of a segment that hold identifiers."""
    columns = {str(row[0]) for row in connection.execute(f"DESCRIBE FROM read_parquet({text(str(path))})").fetchall()}
    return [column for column in COLUMN_KINDS if column in columns]


def _folded(column: str) -> str:
    return f"lower({column})" if COLUMN_KINDS[column] in CASELESS else column
