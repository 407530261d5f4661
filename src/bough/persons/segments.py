"""Imported events of a person: Parquet files, found and rewritten with DuckDB."""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package or quoted; values are bound.
from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from bough.attribution.identifiers import Identifier, Kind
from bough.importers.columns import IDENTIFIERS
from bough.importers.quoting import text

CASELESS = frozenset({"idfa", "aaid"})


def connected(paths: Sequence[Path], given: Sequence[Identifier]) -> list[Identifier]:
    """All identifiers of rows that are connected with those given through shared identifiers.

    Those given count only when a file holds them.
    """
    known = set(given)
    found: dict[Identifier, None] = {}
    with duckdb.connect() as connection:
        while True:
            before = len(found)
            for path in paths:
                for row in _bearing(connection, path, known):
                    found.update((one, None) for one in row)
            known |= found.keys()
            if len(found) == before:
                return list(found)


def rows_of(paths: Sequence[Path], identifiers: Sequence[Identifier]) -> list[dict[str, Any]]:
    """The imported events that bear one of the identifiers, as the files hold them."""
    found: list[dict[str, Any]] = []
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for path in paths:
            where, values = _condition(connection, path, set(identifiers))
            if where:
                cursor = connection.execute(f"SELECT * FROM read_parquet({text(str(path))}) WHERE {where}", values)
                names = [column[0] for column in cursor.description or ()]
                for row in cursor.fetchall():
                    said = zip(names, row, strict=True)
                    found.append({name: value for name, value in said if value is not None})
    return found


def rewrite(path: Path, made: Path, new: Sequence[tuple[Kind, str, str]]) -> int:
    """Write the file anew with every (kind, value, stand-in) replaced; how many rows that changed.

    Nothing is written when there are none. `made` is on disk when this returns.
    """
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET preserve_insertion_order = true")
        where, values = _condition(connection, path, {(kind, value) for kind, value, _ in new})
        source = f"read_parquet({text(str(path))})"
        if not where:
            return 0
        count = connection.execute(f"SELECT count(*) FROM {source} WHERE {where}", values).fetchone()
        if count is None or not count[0]:
            return 0
        connection.execute("CREATE TABLE stand_ins (kind VARCHAR, old VARCHAR, new VARCHAR)")
        connection.executemany("INSERT INTO stand_ins VALUES (?, ?, ?)", [list(one) for one in new])
        present = _present(connection, path)
        replaced = ", ".join(
            f"coalesce((SELECT s.new FROM stand_ins AS s WHERE s.kind = '{kind}' AND s.old = {_folded(kind)}), {kind})"
            f" AS {kind}"
            for kind in present
        )
        connection.execute(
            f"COPY (SELECT * REPLACE ({replaced}) FROM {source}) TO {text(str(made))}"
            " (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
        )
    for one in (made, made.parent):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return int(count[0])


def _bearing(connection: duckdb.DuckDBPyConnection, path: Path, known: set[Identifier]) -> list[list[Identifier]]:
    where, values = _condition(connection, path, known)
    if not where:
        return []
    present = _present(connection, path)
    listed = ", ".join(_folded(kind) for kind in present)
    cursor = connection.execute(f"SELECT DISTINCT {listed} FROM read_parquet({text(str(path))}) WHERE {where}", values)
    return [
        [(kind, value) for kind, value in zip(present, row, strict=True) if value is not None]
        for row in cursor.fetchall()
    ]


def _condition(
    connection: duckdb.DuckDBPyConnection, path: Path, known: set[Identifier]
) -> tuple[str, dict[str, list[str]]]:
    values: dict[str, list[str]] = {
        kind: sorted(value for one, value in known if one == kind)
        for kind in _present(connection, path)
        if any(one == kind for one, _ in known)
    }
    return " OR ".join(f"{_folded(kind)} IN (SELECT unnest(${kind}))" for kind in values), values


def _present(connection: duckdb.DuckDBPyConnection, path: Path) -> list[Kind]:
    columns = {str(row[0]) for row in connection.execute(f"DESCRIBE FROM read_parquet({text(str(path))})").fetchall()}
    kinds: list[Kind] = ["identity", "idfa", "aaid", "browser"]
    assert tuple(kinds) == IDENTIFIERS
    return [kind for kind in kinds if kind in columns]


def _folded(kind: str) -> str:
    return f"lower({kind})" if kind in CASELESS else kind
