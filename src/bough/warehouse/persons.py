"""Who is who among imported rows: rows that share an identifier are one person (contract/cohort.md §9).

`person_keys` remembers for every identifier whose it is, so that a later file joins earlier ones, and so that people
of imports and of live traffic who share one are found to be the same. A new person's number is the smallest key of
theirs; when two known people turn out to be one, the smaller number stays and the warehouse is told to merge.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package or bound.
from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from duckdb import DuckDBPyConnection

MASK: Final = 0x3FFF_FFFF_FFFF_FFFF
"""Numbers made from keys have 62 bits; journal ids, which live people have, are never below them by accident alone."""

TABLE: Final = "CREATE TABLE IF NOT EXISTS person_keys (app VARCHAR, key BIGINT, person BIGINT)"


def key_of(kind: str, field: str) -> str:
    """SQL: the key of an identifier column; NULL when it holds none."""
    return f"CASE WHEN {field} IS NOT NULL THEN CAST(hash('{kind}:' || {field}) & {MASK} AS BIGINT) END"


def assign(connection: DuckDBPyConnection, app: str, stage: str, kinds: Sequence[str]) -> list[tuple[int, int]]:
    """Find the person of every row of `stage` (a table with `id` and one column per kind of identifier).

    The temporary table `row_persons` (id, person) holds the result. Returns the (from, into) pairs of known people that
    turned out to be one.
    """
    connection.execute(TABLE)
    keys = ", ".join(f"{key_of(kind, kind)} AS {kind}" for kind in kinds)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE row_keys AS SELECT id, {keys} FROM {stage}")
    listed = ", ".join(kinds)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE combos AS SELECT row_number() OVER () AS combo, {listed}"
        f" FROM (SELECT DISTINCT {listed} FROM row_keys)"
    )
    each = " UNION ALL ".join(f"SELECT combo, {kind} AS key FROM combos WHERE {kind} IS NOT NULL" for kind in kinds)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE edges AS {each}")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE labels AS SELECT k.key, coalesce(p.person, k.key) AS label, p.person"
        " FROM (SELECT DISTINCT key FROM edges) AS k LEFT JOIN person_keys AS p ON p.key = k.key AND p.app = $app",
        {"app": app},
    )
    _spread(connection)
    return _remember(connection, app, kinds)


def _spread(connection: DuckDBPyConnection) -> None:
    """Give all connected keys the smallest label among them; keys that had one person stay connected through it."""
    while True:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE combo_labels AS SELECT e.combo, min(l.label) AS label"
            " FROM edges AS e JOIN labels AS l ON l.key = e.key GROUP BY e.combo"
        )
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE better AS SELECT e.key, min(c.label) AS label"
            " FROM edges AS e JOIN combo_labels AS c ON c.combo = e.combo GROUP BY e.key"
        )
        connection.execute(
            "INSERT INTO better SELECT l.key, g.label FROM labels AS l JOIN"
            " (SELECT person, min(label) AS label FROM labels WHERE person IS NOT NULL GROUP BY person) AS g"
            " ON g.person = l.person"
        )
        changed = connection.execute(
            "SELECT count(*) FROM labels AS l JOIN better AS b ON b.key = l.key WHERE b.label < l.label"
        ).fetchone()
        if changed is None or not changed[0]:
            return
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE labels AS SELECT l.key, least(l.label, b.label) AS label, l.person"
            " FROM labels AS l JOIN (SELECT key, min(label) AS label FROM better GROUP BY key) AS b ON b.key = l.key"
        )


def _remember(connection: DuckDBPyConnection, app: str, kinds: Sequence[str]) -> list[tuple[int, int]]:
    merges = connection.execute(
        "SELECT DISTINCT person, label FROM labels WHERE person IS NOT NULL AND person <> label ORDER BY person"
    ).fetchall()
    connection.execute("INSERT INTO person_keys SELECT $app, key, label FROM labels WHERE person IS NULL", {"app": app})
    for old, into in merges:
        connection.execute(
            "UPDATE person_keys SET person = $into WHERE person = $old AND app = $app",
            {"into": into, "old": old, "app": app},
        )
    match = " AND ".join(f"c.{kind} IS NOT DISTINCT FROM r.{kind}" for kind in kinds)
    alone = f"CAST(hash('row:' || r.id) & {MASK} AS BIGINT)"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE combo_persons AS SELECT e.combo, min(l.label) AS person"
        " FROM edges AS e JOIN labels AS l ON l.key = e.key GROUP BY e.combo"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE row_persons AS SELECT r.id, coalesce(p.person, {alone}) AS person"
        f" FROM row_keys AS r JOIN combos AS c ON {match} LEFT JOIN combo_persons AS p ON p.combo = c.combo"
    )
    return [(int(old), int(into)) for old, into in merges]
