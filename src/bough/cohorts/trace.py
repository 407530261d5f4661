"""From a number to its rows: the members and events behind one cell, and what a request would cost."""

# ruff: noqa: S608 - names come from the tables of this package; every value is bound.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from bough.attribution.attributed_event import LATEST_INSTANT
from bough.cohorts.arrays.selection import SelectionWriter, active_events, day_number
from bough.cohorts.arrays.table_facts import lookup
from bough.cohorts.measures import Measure, MeasurePart, Need, measure_of
from bough.cohorts.plan import AppScope, Plan, asked_of, plan
from bough.cohorts.request import CohortRequest
from bough.errors import BadRequest
from bough.vocabulary.dimensions import DIMENSIONS, Dimension, DimensionTable, Kind
from bough.vocabulary.filters import Filter
from bough.warehouse.derive import completed

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAX_ROWS: Final = 1000
_NEVER: Final = LATEST_INSTANT + 1
_SESSIONS: Final = "SELECT code FROM words WHERE word IN ('OPEN', 'WEB_SESSION_START', 'REINSTALL')"


class MemberRow(Struct, frozen=True):
    """One membership of the cell's tuple."""

    app: str
    person: int
    """The number that the person was first given."""
    at: int
    """Instant of the cohort event, epoch milliseconds."""
    day: int
    """Its local day since 1970-01-01."""


class EventRow(Struct, frozen=True):
    """One event that counts in the cell."""

    app: str
    id: str
    person: int
    name: str
    at: int
    micro: int | None
    band: int


class CellRows(Struct, frozen=True):
    """What is behind one cell; lists are cut to `MAX_ROWS`, totals are not."""

    members: tuple[MemberRow, ...]
    members_total: int
    events: tuple[EventRow, ...]
    events_total: int


class Estimate(Struct, frozen=True):
    """What a request would read and write (`dry_run`)."""

    members: int
    objects: int
    """Exact without conversion-event dimensions; else the number before they split it further."""
    activity_rows: int
    """Rows of `activity` of those members; an upper bound for what is read."""


def cell_rows(
    connection: DuckDBPyConnection,
    request: CohortRequest,
    apps: Sequence[AppScope],
    values: Mapping[str, str | None],
    measure: str,
    band: int,
    mandatory: Sequence[Filter] = (),
) -> CellRows:
    """Members and events behind one cell of a request's answer.

    Args:
        connection: a writable cursor of the warehouse (temporary tables are made).
        request: the request whose answer shows the cell.
        apps: as for `bough.cohorts.result.answer`.
        values: the row's value for each requested dimension.
        measure: one of the request's measures.
        band: the band's number.
        mandatory: data filters that the caller cannot widen.

    Raises:
        BadRequest: a dimension without a value, or a measure or band that the request does not have.
    """
    if set(values) != set(request.dimensions):
        raise BadRequest("values: give one value for each requested dimension")
    if measure not in request.measures or not 0 <= band < request.band_count:
        raise BadRequest("measure: the answer has no such cell")
    the_plan = plan(request, apps, mandatory)
    writer = SelectionWriter(the_plan, lookup(connection, the_plan))
    where = [_equals(writer, f"m.{d.column}", d, values[d.name]) for d in the_plan.groups if d.of_member]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE traced AS SELECT m.member, m.who, m.ms, m.day, m.variant, m.app"
        f" FROM {the_plan.cohort}_members AS m WHERE m.app IN (SELECT app FROM ({writer.scope()}) AS s)"
        f" AND m.member IN (SELECT member FROM (WITH scope AS ({writer.scope()}) {writer.picked()}) AS p)"
        f" AND m.variant <> {the_plan.skipped_variant}" + "".join(f" AND {condition}" for condition in where),
        writer.values,
    )
    members = connection.execute(
        f"SELECT a.word, {_person('m.who')}, m.ms, m.day FROM traced AS m JOIN words AS a ON a.code = m.app"
        f" ORDER BY m.ms, 2 LIMIT {MAX_ROWS}"
    ).fetchall()
    events = _events(connection, the_plan, measure_of(measure), request, values, band)
    listed = [EventRow(*row) for row in events[:MAX_ROWS]]
    return CellRows(tuple(MemberRow(*row) for row in members), _count(connection, "traced"), tuple(listed), len(events))


def _events(
    connection: DuckDBPyConnection,
    the_plan: Plan,
    measure: Measure,
    request: CohortRequest,
    values: Mapping[str, str | None],
    band: int,
) -> list[tuple[Any, ...]]:
    needs = measure.needs(asked_of(request))
    if not needs:
        return []
    completed(connection, "(SELECT rowid AS rid, * FROM events WHERE who IN (SELECT who FROM traced))")
    writer = SelectionWriter(the_plan, lookup(connection, the_plan))
    conditions = [_equals(writer, _column(d), d, values[d.name]) for d in the_plan.groups if not d.of_member]
    conditions += [writer.condition(_column(DIMENSIONS[f.dimension]), f) for f in the_plan.event_filters]
    counts = " OR ".join(_belongs(writer, need, band, request) for need in needs)
    return connection.execute(
        "WITH installs AS (SELECT who, rid, row_number() OVER (PARTITION BY who ORDER BY ms, id) AS place FROM ("
        "SELECT rowid AS rid, who, ms, id FROM events WHERE who IN (SELECT who FROM traced)"
        " AND name = (SELECT code FROM words WHERE word = 'INSTALL')) AS i),"
        f" spans AS (SELECT m.*, {_until(the_plan)} AS until FROM traced AS m),"
        f" own AS (SELECT a.*, a.name AS event, m.member, i.place, {_entry(the_plan)} AS entry,"
        " CASE WHEN a.micro > 0 THEN 1 ELSE 0 END AS paid,"
        f" CASE WHEN m.variant = 1 AND i.place = 2 THEN 0 ELSE greatest(a.day - m.day, 0) END"
        f" // {the_plan.band_days} AS b"
        " FROM acts AS a JOIN events AS e ON e.rowid = a.rid"
        " JOIN spans AS m ON m.who = a.who AND a.ms >= m.ms AND a.ms < m.until"
        " LEFT JOIN installs AS i ON i.rid = a.rid WHERE NOT (m.variant = 1 AND coalesce(i.place, 0) = 1))"
        f" SELECT p.word, e.id, {_person('a.who')}, n.word, e.ms, e.micro, a.b FROM own AS a"
        " JOIN events AS e ON e.rowid = a.rid JOIN contexts AS x ON x.context = a.context"
        " JOIN words AS p ON p.code = a.app JOIN words AS n ON n.code = a.name"
        f" WHERE ({counts})" + "".join(f" AND {condition}" for condition in conditions) + " ORDER BY e.ms, e.id",
        writer.values,
    ).fetchall()


def _until(the_plan: Plan) -> str:
    """A re-engagement ends with the person's next one, in whatever tuple that is; an install never ends."""
    if the_plan.cohort == "install":
        return str(_NEVER)
    following = "SELECT min(o.ms) FROM reengagement_members AS o WHERE o.who = m.who AND o.ms > m.ms"
    return f"coalesce(({following}), {_NEVER})"


def _entry(the_plan: Plan) -> str:
    if the_plan.cohort == "install":
        return "CASE WHEN i.place = CASE WHEN m.variant = 1 THEN 2 ELSE 1 END THEN 1 ELSE 0 END"
    opener = f"SELECT min(v.id) FROM events AS v WHERE v.who = m.who AND v.ms = m.ms AND v.name IN ({_SESSIONS})"
    return f"CASE WHEN a.ms = m.ms AND e.id = ({opener}) THEN 1 ELSE 0 END"


def _belongs(writer: SelectionWriter, need: Need, band: int, request: CohortRequest) -> str:
    """The condition of the answer's SQL, in the bands that the cell covers."""
    later = need.part is MeasurePart.ACTIVE and request.retention_type == "on_or_after"
    bands = f"a.b >= {band}" if later else f"a.b <= {band}" if need.running else f"a.b = {band}"
    if need.part in (MeasurePart.REVENUE, MeasurePart.PAYERS):
        paid = " AND a.paid = 1" if need.part is MeasurePart.PAYERS else ""
        return f"({bands}{paid} AND a.event IN (SELECT r.name FROM revenue_events AS r WHERE r.app = a.app))"
    names = active_events(writer.plan) if need.part is MeasurePart.ACTIVE else (need.event,)
    marks = ", ".join(writer.bind(name) for name in names)
    entry = " OR a.entry = 1" if need.part is MeasurePart.ACTIVE else ""
    return f"({bands} AND (a.event IN (SELECT code FROM words WHERE word IN ({marks})){entry}))"


def _column(dimension: Dimension) -> str:
    return f"{'x' if dimension.place is DimensionTable.CONTEXT else 'a'}.{dimension.column}"


def _equals(writer: SelectionWriter, column: str, dimension: Dimension, value: str | None) -> str:
    """The row's own value, not a filter: a set is compared as a whole."""
    if dimension.kind is Kind.DAY:
        day = day_number(value or "")
        return "1 = 0" if day is None else f"{column} = {day}"
    if value is None:
        return f"{column} = 0"
    return f"{column} IN (SELECT code FROM words WHERE word = {writer.bind(value)})"


def _person(who: str) -> str:
    return f"(SELECT min(person) FROM people AS k WHERE k.who = {who})"


def _count(connection: DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return 0 if row is None else int(row[0])


def estimate(
    connection: DuckDBPyConnection,
    request: CohortRequest,
    apps: Sequence[AppScope],
    mandatory: Sequence[Filter] = (),
) -> Estimate:
    """What a request would read and write, from `members` and the size of `activity` alone."""
    the_plan = plan(request, apps, mandatory)
    writer = SelectionWriter(the_plan, lookup(connection, the_plan))
    keys = ", ".join(f"k{i}" for i, _ in writer.member_groups)
    grouped = f" GROUP BY {keys}" if keys else ""
    people = "*" if the_plan.cohort == "install" else "DISTINCT person"
    row = connection.execute(
        f"WITH scope AS ({writer.scope()}), picked AS ({writer.picked()})"
        f" SELECT (SELECT count(*) FROM picked), (SELECT count(*) FROM (SELECT 1 FROM picked{grouped}"
        f" HAVING count({people}) >= {max(1, the_plan.min_users)}) AS c),"
        f" (SELECT count(*) FROM {the_plan.cohort}_members), (SELECT count(*) FROM {the_plan.cohort}_activity)",
        writer.values,
    ).fetchone()
    members, tuples, everyone, activity = (0, 0, 0, 0) if row is None else row
    share = 0 if everyone == 0 else -(-activity * members // everyone)
    return Estimate(members, min(request.limit, tuples * len(request.measures)), share)
