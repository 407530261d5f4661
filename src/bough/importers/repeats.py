"""Rows whose id is known already: in the same file, in files imported before, among the events that were recorded live.

An event counts once by its id. A row that says the same as the one that counts is a repetition, which is counted and
no fault. One that says something else would vanish in silence, so it is a fault of its line.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package or quoted; values are bound.
from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from duckdb import DuckDBPyConnection

from bough.importers.kept import SAID
from bough.store.database import Store
from bough.warehouse.quoting import name, text

BESIDE: Final = frozenset({"id", "line", "error"})
"""Columns of a row that are not what it says; nor are its letters (`bough.importers.kept.SAID`): an event may come
again in another spelling, from another program."""

LIVE_RANGE: Final = "SELECT min(id), max(id) FROM journal"
LIVE_ROW: Final = (
    "SELECT j.at, a.name FROM journal AS j LEFT JOIN attributed AS a ON a.id = j.id"
    " WHERE j.id = ? AND j.app = ? AND j.kind NOT IN ('segment', 'robot', 'prefetch')"
)
"""Rows that are no events have ids that nobody meets as an event's."""

IN_FILE: Final = "id: an earlier line has the same id and says something else; that line counts"
BEFORE: Final = "id: an event with the same id was imported before and says something else; that one counts"
LIVE: Final = "id: is that of an event that this server recorded itself and that says something else"


def mark(connection: DuckDBPyConnection, whole: str, earlier: Sequence[Path], store: Store, app: int) -> int:
    """Fill the table `known` (row, error) with the good rows of `whole` whose id is known already; how many there are.

    `whole` is SQL of a Parquet file's rows with `file_row_number`. `error` is NULL for a repetition.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE known (row BIGINT, error VARCHAR)")
    good = f"(SELECT * FROM {whole} WHERE error IS NULL)"
    _in_file(connection, good)
    for path, same_columns in _that_share(connection, good, earlier):
        _before(connection, good, path, same_columns)
    _live(connection, good, store, app)
    row = connection.execute("SELECT count(DISTINCT row) FROM known").fetchone()
    return int(row[0]) if row else 0


def _in_file(connection: DuckDBPyConnection, good: str) -> None:
    hashes = np.sort(connection.execute(f"SELECT hash(id) AS h FROM {good}").fetchnumpy()["h"])
    if not (hashes[1:] == hashes[:-1]).any():
        return
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE firsts AS SELECT id, min(file_row_number) AS row FROM {good}"
        " GROUP BY id HAVING count(*) > 1"
    )
    columns = [one for one in _columns(connection, good) if one != "file_row_number"]
    connection.execute(
        f"INSERT INTO known SELECT w.file_row_number, CASE WHEN {_same(columns)} THEN NULL ELSE {text(IN_FILE)} END"
        f" FROM {good} AS w JOIN firsts AS k ON k.id = w.id AND k.row < w.file_row_number"
        f" JOIN {good} AS f ON f.file_row_number = k.row"
    )


def _that_share(connection: DuckDBPyConnection, good: str, earlier: Sequence[Path]) -> Iterable[tuple[Path, list[str]]]:
    """The earlier files that hold one of the ids, and the columns that both have."""
    if not earlier:
        return []
    listed = ", ".join(text(str(path)) for path in earlier)
    found = connection.execute(
        f"SELECT DISTINCT filename FROM read_parquet([{listed}], union_by_name = true, filename = true)"
        f" WHERE id IN (SELECT id FROM {good})"
    ).fetchall()
    own = _columns(connection, good)
    shared = []
    for path in (Path(one) for (one,) in found):
        theirs = _columns(connection, f"read_parquet({text(str(path))})")
        shared.append((path, [one for one in own if one in theirs]))
    return shared


def _before(connection: DuckDBPyConnection, good: str, path: Path, columns: list[str]) -> None:
    theirs = f"(SELECT * FROM read_parquet({text(str(path))}) QUALIFY row_number() OVER (PARTITION BY id) = 1)"
    connection.execute(
        f"INSERT INTO known SELECT w.file_row_number, CASE WHEN {_same(columns)} THEN NULL ELSE {text(BEFORE)} END"
        f" FROM {good} AS w JOIN {theirs} AS f ON f.id = w.id"
    )


def _live(connection: DuckDBPyConnection, good: str, store: Store, app: int) -> None:
    """Ids of this server's own journal: decimal digits within what it has given so far."""
    first, last = store.rows(LIVE_RANGE)[0]
    if first is None:
        return
    found = connection.execute(
        "SELECT w.file_row_number, w.id, w.name, w.ms FROM"
        f" (SELECT *, CASE WHEN strlen(id) <= 19 AND regexp_full_match(id, '[0-9]+') THEN TRY_CAST(id AS BIGINT) END"
        f" AS number FROM {good}) AS w WHERE w.number BETWEEN $first AND $last",
        {"first": first, "last": last},
    ).fetchall()
    rows = []
    for row, identifier, event, ms in found:
        live = store.rows(LIVE_ROW, (int(identifier), app))
        if live:
            at, called = live[0]
            rows.append([row, None if at == ms and called in (None, event) else LIVE])
    if rows:
        connection.executemany("INSERT INTO known VALUES (?, ?)", rows)


def _same(columns: Iterable[str]) -> str:
    told = [
        f"w.{name(one)} IS NOT DISTINCT FROM f.{name(one)}"
        for one in columns
        if one not in BESIDE and not one.startswith(SAID)
    ]
    return " AND ".join(told) or "TRUE"


def _columns(connection: DuckDBPyConnection, source: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
