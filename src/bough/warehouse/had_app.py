"""Whether a person had the app before an event, found from their history where the event does not say it.

A REINSTALL says it by its name. Else the person had the app when they opened it at an earlier instant: an INSTALL, a
REINSTALL or an OPEN that did not happen on a web page. What an event itself says stands. Live events always say it,
from the same rule (`bough.attribution.replay.read`); imported ones rarely do.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package.
from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bough.warehouse.schema import CONTEXT_CODES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OPENINGS: Final = ("INSTALL", "REINSTALL", "OPEN")
"""Events that happen in an installed app."""

OPENED: Final = " LEFT JOIN opened AS o ON o.who = e.who LEFT JOIN reinstalls AS r ON r.name = e.name"
"""Joins of rows `e` of events that `had` needs."""

HAD: Final = "(r.name IS NOT NULL OR coalesce(o.ms < e.ms, FALSE))"
"""SQL of such a row: whether the app was there before."""


def find_openings(connection: DuckDBPyConnection, source: str) -> None:
    """The temporary tables `opened` (who, ms of the first opening of the app) and `reinstalls` (name).

    Args:
        connection: a warehouse.
        source: a table, or SQL in parentheses, of rows of `events`: all of the people concerned.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE reinstalls AS SELECT code AS name FROM words WHERE word = 'REINSTALL'"
    )
    names = ", ".join(f"'{name}'" for name in OPENINGS)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE opened AS SELECT e.who, min(e.ms) AS ms FROM"
        f" {source} AS e JOIN words AS n ON n.code = e.name AND n.word IN ({names})"
        " JOIN contexts AS x ON x.context = e.context LEFT JOIN words AS p ON p.code = x.platform"
        " WHERE NOT contains(upper(coalesce(p.word, '')), 'WEB') GROUP BY e.who"
    )


def complete_contexts(connection: DuckDBPyConnection, source: str, true: int, false: int) -> bool:
    """The temporary table `told_contexts` (context, had, told): what stands for a context that does not say it.

    Contexts that are needed and not there yet are added. False when all contexts of the rows say it.

    Args:
        connection: a warehouse, after `find_openings`.
        source: as for `find_openings`.
        true: code of the word `true`.
        false: code of the word `false`.
    """
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE silent AS SELECT DISTINCT e.context, {HAD} AS had FROM {source} AS e"
        f" JOIN contexts AS x ON x.context = e.context AND x.has_app = 0{OPENED}"
    )
    values = {column: f"x.{column}" for column in CONTEXT_CODES}
    values["has_app"] = f"CASE WHEN s.had THEN {true} ELSE {false} END"
    wanted = (
        f"(SELECT s.context, s.had, {', '.join(f'{sql} AS {column}' for column, sql in values.items())}"
        " FROM silent AS s JOIN contexts AS x ON x.context = s.context)"
    )
    same = " AND ".join(f"k.{column} = w.{column}" for column in CONTEXT_CODES)
    connection.execute(
        "INSERT INTO contexts SELECT (SELECT value FROM counters WHERE name = 'context') + row_number() OVER (),"
        f" {', '.join(f'w.{column}' for column in CONTEXT_CODES)} FROM {wanted} AS w ANTI JOIN contexts AS k ON {same}"
    )
    connection.execute(
        "UPDATE counters SET value = greatest(value, (SELECT coalesce(max(context), 0) FROM contexts))"
        " WHERE name = 'context' AND value < (SELECT coalesce(max(context), 0) FROM contexts)"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE told_contexts AS SELECT w.context, w.had, k.context AS told FROM {wanted} AS w"
        f" JOIN contexts AS k ON {same}"
    )
    row = connection.execute("SELECT count(*) FROM told_contexts").fetchone()
    return row is not None and bool(row[0])
