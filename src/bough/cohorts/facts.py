"""What must be known of the tables before a plan is computed: codes of names, and which tables hold anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from bough.cohorts.dimensions import DIMENSIONS, Kind
from bough.cohorts.measures import Part
from bough.cohorts.plan import Plan

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Facts(Struct, frozen=True, kw_only=True):
    """Codes and ranges for one plan."""

    apps: tuple[tuple[int, int], ...]
    """(code, local day of `data_as_of`) of every app that has data."""
    events: dict[str, int]
    """Codes of the event names of the plan; unknown names are absent."""
    revenue_events: tuple[int, ...]
    texts: dict[str, int]
    """Codes of the texts that filters compare with; unknown ones are absent and match nothing."""
    copy: int
    """The files that hold main's activity (`bough.warehouse.columns`); 0 when there are none."""
    delta: bool
    """Whether there are rows that are not compacted yet."""
    costs: bool
    """Whether there is any cost in the days asked for."""


def lookup(connection: DuckDBPyConnection, plan: Plan) -> Facts:
    """Read the facts for a plan; a few milliseconds whatever the size of the tables."""
    names = {name for need in plan.needs if (name := need.event)}
    names |= {"OPEN", "WEB_SESSION_START", "INSTALL", "REINSTALL"}
    texts = filter_texts(plan)
    wanted = sorted(names | texts | {scope.app_id for scope in plan.apps})
    marks = ", ".join(f"$w{i}" for i, _ in enumerate(wanted))
    words: dict[str, int] = dict(
        connection.execute(
            f"SELECT word, code FROM words WHERE word IN ({marks})",  # noqa: S608 - marks only
            {f"w{i}": word for i, word in enumerate(wanted)},
        ).fetchall()
    )
    apps = tuple((words[scope.app_id], scope.as_of) for scope in plan.apps if scope.app_id in words)
    listed = ", ".join(str(code) for code, _ in apps) or "-1"
    days = f"day BETWEEN {plan.first_day} AND {plan.last_day} AND app IN ({listed})"
    row = connection.execute(
        f"SELECT (SELECT value FROM counters WHERE name = '{plan.cohort}_copy'),"  # noqa: S608 - our own names
        f" (SELECT count(*) FROM {plan.cohort}_members_delta), (SELECT count(*) FROM costs WHERE {days})"
    ).fetchone()
    copy, delta, costs = (0, 0, 0) if row is None else row
    revenue: list[tuple[int]] = []
    if any(need.part in (Part.REVENUE, Part.PAYERS) for need in plan.needs):
        revenue = connection.execute(
            f"SELECT DISTINCT name FROM revenue_events WHERE app IN ({listed}) ORDER BY name"  # noqa: S608
        ).fetchall()
    return Facts(
        apps=apps,
        events={name: words[name] for name in sorted(names) if name in words},
        revenue_events=tuple(code for (code,) in revenue),
        texts={text: words[text] for text in sorted(texts) if text in words},
        copy=copy or 0,
        delta=delta > 0,
        costs=costs > 0,
    )


def filter_texts(plan: Plan) -> set[str]:
    """Texts that stand for one code each; sets are searched and days are numbers."""
    return {
        value
        for condition in plan.filters
        if DIMENSIONS[condition.dimension].kind is Kind.TEXT
        for value in (*condition.values, *condition.excluded)
        if value is not None
    }
