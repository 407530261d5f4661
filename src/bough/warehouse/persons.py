"""Who is who among imported rows: rows that share an identifier are one person (docs/exports.md).

`person_keys` remembers for every identifier whose it is, so that a later file joins earlier ones, and so that people
of imports and of live traffic who share one are found to be the same. A new person's number is the smallest key of
theirs; when two known people turn out to be one, the smaller number stays and the warehouse is told to merge.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package or bound.
from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from duckdb import DuckDBPyConnection

MASK: Final = 0x3FFF_FFFF_FFFF_FFFF
"""Numbers made from keys have 62 bits; journal ids, which live people have, are never below them by accident alone."""

BEHIND: Final = f"CAST({MASK + 1} AS BIGINT)"
"""Added to a key it stands behind every number of a person, and still is a whole number of 64 bits."""

TABLE: Final = "CREATE TABLE IF NOT EXISTS person_keys (app VARCHAR, key BIGINT, person BIGINT)"


class Identified(NamedTuple):
    """How a row's person is found: by its first identifier, or as somebody of whom there is nothing else."""

    kind: str
    """SQL of a row `s`: which kind of identifier is its first one; NULL when it has none."""
    value: str
    """SQL of a row `s`: that identifier."""
    person: str
    """SQL of a row `s` with its columns id, kind and identifier, and its row `q` of `named_persons`."""


def identified(kinds: Sequence[str]) -> Identified:
    """For rows with one column per kind of identifier in `kinds`."""
    alone = f"CAST(md5_number_lower('row:' || s.id) & {MASK} AS BIGINT)"
    if not kinds:
        return Identified("CAST(NULL AS TINYINT)", "CAST(NULL AS VARCHAR)", alone)
    cases = " ".join(f"WHEN s.{kind} IS NOT NULL THEN CAST({place} AS TINYINT)" for place, kind in enumerate(kinds))
    value = ", ".join(f"s.{kind}" for kind in kinds)
    return Identified(
        f"CASE {cases} END", f"coalesce({value})", f"CASE WHEN s.kind IS NULL THEN {alone} ELSE q.person END"
    )


def key_of(kind: str) -> str:
    """SQL: the key of an identifier column, the same for ever; NULL when it holds none."""
    return f"CASE WHEN {kind} IS NOT NULL THEN CAST(md5_number_lower('{kind}:' || {kind}) & {MASK} AS BIGINT) END"


def assign(connection: DuckDBPyConnection, app: str, source: str, kinds: Sequence[str]) -> list[tuple[int, int]]:
    """Find the persons of the rows of `source` (SQL with `id` and one column per kind of identifier).

    The temporary table `named_persons` (kind, value, person) tells them by a row's first identifier (`identified`);
    all identifiers of a row are one person's. Returns the (from, into) pairs of known people that turned out to be one.
    """
    connection.execute(TABLE)
    connection.execute("CREATE OR REPLACE TEMP TABLE named_persons (kind TINYINT, value VARCHAR, person BIGINT)")
    if not kinds:
        return []
    listed = ", ".join(f"s.{kind}" for kind in kinds)
    some = " OR ".join(f"{kind} IS NOT NULL" for kind in kinds)
    numbered = ", ".join(f"{key_of(kind)} AS {kind}_key" for kind in kinds)
    first = identified(kinds)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE combos AS SELECT row_number() OVER () AS combo, {first.kind} AS kind,"
        f" {first.value} AS value, {numbered} FROM (SELECT DISTINCT {listed} FROM {source} AS s WHERE {some}) AS s"
    )
    each = " UNION ALL ".join(f"SELECT combo, {k}_key AS key FROM combos WHERE {k}_key IS NOT NULL" for k in kinds)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE edges AS {each}")
    # A person who is known keeps the number: new keys stand behind all known people.
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE labels AS SELECT k.key, coalesce(p.person, {BEHIND} + k.key) AS label, p.person"
        " FROM (SELECT DISTINCT key FROM edges) AS k LEFT JOIN person_keys AS p ON p.key = k.key AND p.app = $app",
        {"app": app},
    )
    _spread(connection)
    return _remember(connection, app, kinds)


def _spread(connection: DuckDBPyConnection) -> None:
    """Give all connected keys the smallest label among them.

    Keys with one label, as those of one person have from the start, stay together: each round all of them take the
    smallest label that any row of theirs shows. So long chains of rows take few rounds.
    """
    while True:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE combo_labels AS SELECT e.combo, min(l.label) AS label"
            " FROM edges AS e JOIN labels AS l ON l.key = e.key GROUP BY e.combo"
        )
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE moves AS SELECT l.label AS old, min(c.label) AS label"
            " FROM edges AS e JOIN labels AS l ON l.key = e.key JOIN combo_labels AS c ON c.combo = e.combo"
            " GROUP BY l.label HAVING min(c.label) < l.label"
        )
        if not _count(connection, "moves"):
            return
        while _count(connection, "moves AS m JOIN moves AS n ON n.old = m.label"):
            connection.execute(
                "CREATE OR REPLACE TEMP TABLE moves AS SELECT m.old, coalesce(n.label, m.label) AS label"
                " FROM moves AS m LEFT JOIN moves AS n ON n.old = m.label"
            )
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE labels AS SELECT l.key, coalesce(m.label, l.label) AS label, l.person"
            " FROM labels AS l LEFT JOIN moves AS m ON m.old = l.label"
        )


def _count(connection: DuckDBPyConnection, source: str) -> int:
    found = connection.execute(f"SELECT count(*) FROM {source}").fetchone()
    return int(found[0]) if found else 0


def _remember(connection: DuckDBPyConnection, app: str, kinds: Sequence[str]) -> list[tuple[int, int]]:
    person = f"CASE WHEN label >= {BEHIND} THEN label - {BEHIND} ELSE label END"
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
    key = ", ".join(f"c.{kind}_key" for kind in kinds)
    connection.execute(
        "INSERT INTO named_persons SELECT DISTINCT c.kind, c.value, f.label"
        f" FROM combos AS c JOIN found AS f ON f.key = coalesce({key})"
    )
    return [(int(old), int(into)) for old, into in merges]
