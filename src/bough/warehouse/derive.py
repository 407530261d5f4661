"""`events` of some people -> their rows of `members` and `activity` (docs/exports.md).

Every step is one SQL statement over all of them; nothing depends on the order in which events arrived, only on their
instants and, within one instant, on their ids.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package.
from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bough.attribution.attributed_event import LATEST_INSTANT
from bough.vocabulary.event_groups import GENERATED_EVENTS, SESSION_EVENTS, STANDARD_EVENTS, TOUCH_EVENTS
from bough.warehouse.had_app import HAD, OPENED, complete_contexts, find_openings
from bough.warehouse.intake import learn, sorted_set
from bough.warehouse.schema import MEMBER_CODES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_STANDARD: Final = tuple(sorted(STANDARD_EVENTS))
_NEVER: Final = LATEST_INSTANT + 1
_ORDER: Final = "app, day, tilde_advertising_partner_name, tilde_campaign, tilde_ad_set_name, tilde_ad_name"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


class Codes(NamedTuple):
    """Codes of the words that the SQL here compares with, as numbers: a subquery each would scan `words` each."""

    true: int
    false: int
    install: int


def _codes(connection: DuckDBPyConnection) -> Codes:
    found: dict[str, int] = dict(
        connection.execute("SELECT word, code FROM words WHERE word IN ('true', 'false', 'INSTALL')").fetchall()
    )
    return Codes(*(found.get(word, -1) for word in ("true", "false", "INSTALL")))


def derive(connection: DuckDBPyConnection, source: str) -> Codes:
    """Make the temporary `new_install_members`, the same for re-engagement, and what `activity` is made of.

    Args:
        connection: a warehouse, inside a transaction.
        source: a table, or SQL in parentheses, of rows of `events` with `rowid AS rid`: all events of the people
            concerned.
    """
    codes = _codes(connection)
    completed(connection, source)
    _install_members(connection, source, codes)
    _reengagement_members(connection, source, codes)
    return codes


def _names(connection: DuckDBPyConnection, source: str) -> None:
    bits = " ".join(f"WHEN '{name}' THEN {1 << bit}" for bit, name in enumerate(_STANDARD))
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE event_names AS SELECT w.code AS name, w.word,"
        f" CAST(CASE w.word {bits} ELSE 0 END AS BIGINT) AS bit,"
        f" w.word NOT IN ({_listed((*_STANDARD, *GENERATED_EVENTS))}) AS custom,"
        f" w.word IN ({_listed(TOUCH_EVENTS)}) AS touch, w.word IN ({_listed(SESSION_EVENTS)}) AS session"
        f" FROM (SELECT DISTINCT name FROM {source} AS e) AS n JOIN words AS w ON w.code = n.name"
    )


def completed(connection: DuckDBPyConnection, source: str) -> None:
    """`acts`: the activity of the people with all that a later event's dimensions need.

    Args:
        connection: as for `derive`.
        source: as for `derive`.
    """
    _names(connection, source)
    find_openings(connection, source)
    codes = _codes(connection)
    context, joins = "e.context", ""
    if complete_contexts(connection, source, codes.true, codes.false):
        context = "coalesce(c.told, e.context)"
        joins = f"{OPENED} LEFT JOIN told_contexts AS c ON c.context = e.context AND c.had = {HAD}"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE clicked AS SELECT who, min(ad_at) AS ad_at, min(email_at) AS email_at"
        f" FROM {source} AS e GROUP BY who HAVING min(ad_at) IS NOT NULL OR min(email_at) IS NOT NULL"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE steps AS SELECT e.who, e.app, e.rid, e.name, e.ms, e.day,"
        f" {context} AS context,"
        " CASE WHEN v.name IS NULL THEN 0 ELSE coalesce(e.micro, 0) END AS micro,"
        " CASE WHEN v.name IS NULL THEN 0 ELSE e.missing_rate END AS missing_rate,"
        " bit_or(n.bit) OVER by_time AS mask, lag(e.ms) OVER by_time AS before"
        f" FROM {source} AS e JOIN event_names AS n ON n.name = e.name"
        f" LEFT JOIN revenue_events AS v ON v.app = e.app AND v.name = e.name{joins}"
        " WHERE NOT n.touch WINDOW by_time AS (PARTITION BY e.who ORDER BY e.ms)"
    )
    word = ", ".join(f"CASE WHEN mask & {1 << bit} <> 0 THEN '{name}' END" for bit, name in enumerate(_STANDARD))
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE mask_words AS"
        f" SELECT mask, concat_ws(',', {word}) AS word FROM (SELECT DISTINCT mask FROM steps) AS m"
    )
    learn(connection, "SELECT word FROM mask_words")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE masks AS SELECT m.mask, coalesce(w.code, 0) AS code"
        " FROM mask_words AS m LEFT JOIN words AS w ON w.word = m.word"
    )
    _custom_completed(connection)


def _custom_completed(connection: DuckDBPyConnection) -> None:
    """`customs`: from which instant on a person has completed which set of custom events."""
    joined = "array_to_string(list(word) OVER (PARTITION BY who ORDER BY ms), ',')"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE custom_words AS SELECT DISTINCT who, ms, word FROM ("
        f"SELECT who, ms, {sorted_set(joined)} AS word FROM ("
        "SELECT s.who, n.word, min(s.ms) AS ms FROM steps AS s JOIN event_names AS n ON n.name = s.name"
        " WHERE n.custom GROUP BY s.who, n.word) AS f) AS g"
    )
    learn(connection, "SELECT word FROM custom_words")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE customs AS SELECT c.who, c.ms, w.code,"
        f" lead(c.ms, 1, {_NEVER}) OVER (PARTITION BY c.who ORDER BY c.ms) AS until"
        " FROM custom_words AS c JOIN words AS w ON w.word = c.word"
    )
    codes = _codes(connection)
    any_custom = connection.execute("SELECT count(*) FROM customs").fetchone()
    custom, join = "0", ""
    if any_custom is not None and any_custom[0]:
        custom, join = (
            "coalesce(c.code, 0)",
            " LEFT JOIN customs AS c ON c.who = s.who AND s.ms >= c.ms AND s.ms < c.until",
        )
    flags = ", ".join(
        f"CASE WHEN k.{which}_at <= s.ms THEN {codes.true} ELSE {codes.false} END AS has_clicked_{which}"
        for which in ("ad", "email")
    )
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW acts AS SELECT s.who, s.app, s.rid, s.name, s.ms, s.day, s.context, s.micro,"
        f" s.missing_rate, s.before, m.code AS standard_events, {custom} AS custom_events, {flags}"
        f" FROM steps AS s{join} JOIN masks AS m ON m.mask = s.mask LEFT JOIN clicked AS k ON k.who = s.who"
    )


def _member_codes(has_app: str, codes: Codes) -> str:
    """Columns of `members` from an entry event `e`, its context `x`, its touch `t` and the person's clicks `k`."""
    special = {
        "event_name": "e.name",
        "has_app": has_app,
        **{
            f"has_clicked_{which}": f"CASE WHEN k.{which}_at <= e.ms THEN {codes.true} ELSE {codes.false} END"
            for which in ("ad", "email")
        },
    }
    context = {"os", "environment", "platform", "geo_country_code", "device_type", "brand", "geo_country_en"}
    context |= {"model", "geo_region_en"}
    columns = []
    for column in MEMBER_CODES:
        owner = special.get(column) or (f"x.{column}" if column in context else f"t.{column}")
        columns.append(f"{owner} AS {column}")
    return ", ".join(columns)


_ENTRY_JOINS: Final = (
    " JOIN contexts AS x ON x.context = e.context JOIN touches AS t ON t.touch = e.touch"
    " LEFT JOIN clicked AS k ON k.who = e.who"
)


def _install_members(connection: DuckDBPyConnection, source: str, codes: Codes) -> None:
    """The earliest INSTALL of each person; a recalculation pair gives two rows, one per setting."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE install_events AS SELECT e.*, row_number() OVER (PARTITION BY e.who"
        f" ORDER BY e.ms, e.id) AS place FROM {source} AS e"
        f" WHERE e.name = {codes.install}"
    )
    described = (
        "SELECT e.who, e.place, e.rid, upper(w.word) = 'IOS' AS ios,"
        f" coalesce(t.attributed = {codes.true}, FALSE) AS attributed FROM install_events AS e"
        " JOIN contexts AS x ON x.context = e.context LEFT JOIN words AS w ON w.code = x.os"
        " JOIN touches AS t ON t.touch = e.touch WHERE e.place <= 2"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE entries AS SELECT e.who, e.ms, e.day, e.rid AS first_rid, p.second_rid"
        " FROM install_events AS e LEFT JOIN ("
        f"SELECT a.who, b.rid AS second_rid FROM ({described}) AS a JOIN ({described}) AS b ON a.who = b.who"
        " WHERE a.place = 1 AND b.place = 2 AND a.ios AND b.ios AND NOT a.attributed AND b.attributed) AS p"
        " ON p.who = e.who WHERE e.place = 1"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE new_install_members AS"
        f" SELECT e.app, e.who, i.ms, i.day, {_member_codes(str(codes.false), codes)},"
        " CASE WHEN i.second_rid IS NULL THEN 2 WHEN e.rid = i.first_rid THEN 0 ELSE 1 END AS variant"
        " FROM install_events AS e JOIN entries AS i ON i.who = e.who"
        f" AND (e.rid = i.first_rid OR e.rid = i.second_rid){_ENTRY_JOINS}"
    )
    _number_members(connection, "install", "variant <> 1", "who")


def _number_members(connection: DuckDBPyConnection, cohort: str, once: str, key: str) -> None:
    """`<cohort>_numbers`: key -> member, dense in the order of the layout, after every number ever given."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {cohort}_numbers AS SELECT {key}, CAST((SELECT value FROM counters"
        f" WHERE name = '{cohort}') + row_number() OVER (ORDER BY {_ORDER}, {key}) AS INTEGER) AS member"
        f" FROM new_{cohort}_members WHERE {once}"
    )
    connection.execute(
        f"UPDATE counters SET value = greatest(value, (SELECT coalesce(max(member), 0) FROM {cohort}_numbers))"
        f" WHERE name = '{cohort}'"
    )


def _reengagement_members(connection: DuckDBPyConnection, source: str, codes: Codes) -> None:
    """Sessions after a gap; of several at one instant the one with the smallest id opens the re-engagement."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE returns AS SELECT s.who, s.ms, min_by(s.rid, v.id) AS rid FROM ("
        "SELECT DISTINCT s.who, s.ms FROM steps AS s JOIN apps AS p ON p.app = s.app"
        " WHERE s.before < s.ms AND s.ms - s.before >= p.inactivity) AS g"
        " JOIN steps AS s ON s.who = g.who AND s.ms = g.ms JOIN event_names AS n ON n.name = s.name AND n.session"
        f" JOIN {source} AS v ON v.rid = s.rid GROUP BY s.who, s.ms"
    )
    has_app = f"CASE WHEN x.has_app <> 0 THEN x.has_app WHEN {HAD} THEN {codes.true} ELSE {codes.false} END"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE new_reengagement_members AS"
        f" SELECT e.app, e.who, e.ms, e.day, {_member_codes(has_app, codes)}, 2 AS variant"
        f" FROM returns AS g JOIN {source} AS e ON e.rid = g.rid{_ENTRY_JOINS}{OPENED}"
    )
    _number_members(connection, "reengagement", "TRUE", "who, ms")
