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

BEHIND: Final = f"CAST({1 << 70} AS HUGEINT)"
_ALONE: Final = f"CAST(md5_number_lower('row:' || r.id) & {MASK} AS BIGINT)"
"""Who a row without any identifier is from: somebody of whom there is nothing else."""

TABLE: Final = "CREATE TABLE IF NOT EXISTS person_keys (app VARCHAR, key BIGINT, person BIGINT)"


def key_of(kind: str) -> str:
    """SQL: the key of an identifier column, the same for ever; NULL when it holds none."""
    return f"CASE WHEN {kind} IS NOT NULL THEN CAST(md5_number_lower('{kind}:' || {kind}) & {MASK} AS BIGINT) END"


def assign(connection: DuckDBPyConnection, app: str, stage: str, kinds: Sequence[str]) -> list[tuple[int, int]]:
    """Find the person of every row of `stage` (a table with `row`, `id` and one column per kind of identifier).

    The temporary table `row_persons` (row, person) holds the result. Returns the (from, into) pairs of known people
    that turned out to be one.
    """
    connection.execute(TABLE)
    if not kinds:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE row_persons AS SELECT r.row, {_ALONE} AS person FROM {stage} r"
        )
        return []
    listed = ", ".join(kinds)
    numbered = ", ".join(f"{key_of(kind)} AS {kind}_key" for kind in kinds)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE combos AS SELECT row_number() OVER () AS combo, {listed}, {numbered}"
        f" FROM (SELECT DISTINCT {listed} FROM {stage})"
    )
    each = " UNION ALL ".join(f"SELECT combo, {k}_key AS key FROM combos WHERE {k} IS NOT NULL" for k in kinds)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE edges AS {each}")
    # A person who is known keeps the number: new keys stand behind all known people.
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE labels AS SELECT k.key, coalesce(p.person, {BEHIND} + k.key) AS label, p.person"
        " FROM (SELECT DISTINCT key FROM edges) AS k LEFT JOIN person_keys AS p ON p.key = k.key AND p.app = $app",
        {"app": app},
    )
    _spread(connection)
    return _remember(connection, app, stage, kinds)


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


def _remember(connection: DuckDBPyConnection, app: str, stage: str, kinds: Sequence[str]) -> list[tuple[int, int]]:
    person = f"CAST(CASE WHEN label >= {BEHIND} THEN label - {BEHIND} ELSE label END AS BIGINT)"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE found AS SELECT key, {person} AS label, person FROM labels")
    merges = connection.execute(
        "SELECT DISTINCT person, label FROM found WHERE person IS NOT NULL AND person <> label ORDER BY person"
    ).fetchall()
    connection.execute("INSERT INTO person_keys SELECT $app, key, label FROM found WHERE person IS NULL", {"app": app})
    if merges:
        connection.execute(
            "UPDATE person_keys SET person = m.label FROM (SELECT DISTINCT person, label FROM found"
            " WHERE person IS NOT NULL AND person <> label) AS m"
            " WHERE person_keys.person = m.person AND person_keys.app = $app",
            {"app": app},
        )
    match = " AND ".join(f"c.{kind} IS NOT DISTINCT FROM r.{kind}" for kind in kinds)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE combo_persons AS SELECT c.*, p.person FROM combos AS c LEFT JOIN"
        " (SELECT e.combo, min(f.label) AS person FROM edges AS e JOIN found AS f ON f.key = e.key GROUP BY e.combo)"
        " AS p ON p.combo = c.combo"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE row_persons AS SELECT r.row, coalesce(c.person, {_ALONE}) AS person"
        f" FROM {stage} AS r JOIN combo_persons AS c ON {match}"
    )
    return [(int(old), int(into)) for old, into in merges]
