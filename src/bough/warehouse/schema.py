"""The tables of the warehouse (docs/exports.md).

`members` and `activity` exist once for installs and once for re-engagements, each with a small `_delta` beside it; the
view without suffix is their union and is what queries read. Every text is an integer code of `words`; code 0 means
missing. `events`, `people`, `touches` and `contexts` keep what is needed to compute a person again.

members: `member` is dense in the order (app, day, partner, campaign, ad set, ad) after compaction. `variant` says for
which setting of `enable_install_recalculation` a row counts: 0 only without, 1 only with, 2 both.
activity: `d` local days since the cohort event; `entry` 1 for the cohort event itself. Main is sorted by event, member
and day; queries read it as arrays (`bough.warehouse.columns`).
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from bough.errors import Unavailable
from bough.vocabulary.dimensions import COST_COLUMNS, TOUCH_COLUMNS, USER_COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COHORTS: Final = ("install", "reengagement")

MEMBER_CODES: Final = COST_COLUMNS
CONTEXT_CODES: Final = (*USER_COLUMNS, "customer_event_alias")
TOUCH_CODES: Final = ("attributed", "touch_type", *(column for column, _ in TOUCH_COLUMNS))

MEMBER_COLUMNS: Final[dict[str, str]] = {
    "member": "INTEGER",
    "app": "INTEGER",
    "who": "INTEGER",
    "ms": "BIGINT",
    "day": "INTEGER",
    "variant": "TINYINT",
    **dict.fromkeys(MEMBER_CODES, "INTEGER"),
}
ACTIVITY_COLUMNS: Final[dict[str, str]] = {
    "member": "INTEGER",
    "event": "INTEGER",
    "d": "INTEGER",
    "variant": "TINYINT",
    "entry": "TINYINT",
    "paid": "TINYINT",
    "n": "INTEGER",
    "missing_rate": "INTEGER",
    "micro": "BIGINT",
    "context": "INTEGER",
    "standard_events": "INTEGER",
    "custom_events": "INTEGER",
    "has_clicked_ad": "INTEGER",
    "has_clicked_email": "INTEGER",
}
EVENT_COLUMNS: Final[dict[str, str]] = {
    "id": "VARCHAR",
    "app": "INTEGER",
    "who": "INTEGER",
    "name": "INTEGER",
    "ms": "BIGINT",
    "day": "INTEGER",
    "context": "INTEGER",
    "touch": "INTEGER",
    "micro": "BIGINT",
    "missing_rate": "TINYINT",
    "ad_at": "BIGINT",
    "email_at": "BIGINT",
}

_TABLES: Final[dict[str, dict[str, str]]] = {
    "words": {"code": "INTEGER", "word": "VARCHAR"},
    "apps": {"app": "INTEGER", "zone": "VARCHAR", "inactivity": "BIGINT"},
    "revenue_events": {"app": "INTEGER", "name": "INTEGER"},
    "people": {"who": "INTEGER", "app": "INTEGER", "person": "BIGINT"},
    "touches": {"touch": "INTEGER", **dict.fromkeys(TOUCH_CODES, "INTEGER")},
    "contexts": {"context": "INTEGER", **dict.fromkeys(CONTEXT_CODES, "INTEGER")},
    "events": EVENT_COLUMNS,
    "touched": {"who": "INTEGER"},
    "counters": {"name": "VARCHAR", "value": "BIGINT"},
    "costs": {
        "source": "VARCHAR",
        "app": "INTEGER",
        "day": "INTEGER",
        "micro": "HUGEINT",
        **dict.fromkeys(COST_COLUMNS, "INTEGER"),
    },
    **{f"{cohort}_members{part}": MEMBER_COLUMNS for cohort in COHORTS for part in ("_main", "_delta")},
    **{f"{cohort}_activity{part}": ACTIVITY_COLUMNS for cohort in COHORTS for part in ("_main", "_delta")},
}


DATABASE: Final = "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"
"""The file of the database; NULL when it is in memory."""

COMPRESSION: Final = {("events", "id"): "zstd"}
"""Chosen where trying all of them takes longer than reading the rows; no part of the layout."""

MEANING: Final = 2
"""To be raised when rows mean something else although their columns stay as they are."""

VERSION: Final = int.from_bytes(sha256(repr((MEANING, _TABLES)).encode()).digest()[:7], "big")
"""Kept in the file as the counter `layout`: another number, or none, means tables of another release."""


class Outdated(Unavailable):
    """The file's tables are those of another release: it is to be made again from the journal."""


def create(connection: DuckDBPyConnection) -> None:
    """Create the tables of an empty database; does nothing to a warehouse that is complete.

    Raises:
        Outdated: the database has tables of another layout; nothing is changed then.
    """
    if _layout(connection) not in (None, VERSION):
        raise Outdated("The warehouse's tables are those of another release.")
    for table, columns in _TABLES.items():
        listed = ", ".join(f"{name} {kind}{_compressed(table, name)}" for name, kind in columns.items())
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({listed})")
    for cohort in COHORTS:
        for table in ("members", "activity"):
            name = f"{cohort}_{table}"
            connection.execute(
                f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM {name}_main UNION ALL SELECT * FROM {name}_delta"  # noqa: S608 - names of this module
            )
    counted = ("who", "touch", "context", *COHORTS, "changes")
    copies = (f"{cohort}_copy{part}" for cohort in COHORTS for part in ("", "_before"))
    listed = ", ".join(f"('{name}')" for name in (*counted, *copies))
    connection.execute(
        f"INSERT INTO counters SELECT v.name, 0 FROM (VALUES {listed}) AS v(name)"  # noqa: S608 - names of this module
        " WHERE v.name NOT IN (SELECT name FROM counters)"
    )
    connection.execute(
        f"INSERT INTO counters SELECT 'layout', {VERSION}"  # noqa: S608 - a number of this module
        " WHERE 'layout' NOT IN (SELECT name FROM counters)"
    )


def _compressed(table: str, column: str) -> str:
    kind = COMPRESSION.get((table, column))
    return f" USING COMPRESSION {kind}" if kind else ""


def _layout(connection: DuckDBPyConnection) -> int | None:
    """The version of a database's tables, 0 for tables from before versions; None when there are none yet."""
    found = connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary").fetchall()
    if not found:
        return None
    if ("counters",) not in found:
        return 0
    row = connection.execute("SELECT max(value) FROM counters WHERE name = 'layout'").fetchone()
    return 0 if row is None or row[0] is None else int(row[0])
