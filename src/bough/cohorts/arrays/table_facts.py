"""What must be known of the tables before a plan is computed: codes of names, and which tables hold anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from bough.cohorts.measures import MeasurePart
from bough.cohorts.plan import Plan
from bough.vocabulary.dimensions import DIMENSIONS, Kind
from bough.warehouse.schema import DATABASE
from bough.warehouse.text_codes import codes_in_table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class State(Struct, frozen=True, kw_only=True):
    """What a transaction sees of the tables of a cohort."""

    database: str | None
    """The database's file; None when it is in memory."""
    copy: int
    """The copy of main beside it (`bough.warehouse.copies`); 0 when there is none."""
    words: int
    """How many texts have codes."""
    main: int
    """Rows of main's members."""
    delta: bool
    """Whether there are rows that are not compacted yet."""
    costs: bool
    """Whether there are any costs."""
    threads: int
    """As many as the database itself may use."""


class TableFacts(Struct, frozen=True, kw_only=True):
    """Codes for one plan."""

    apps: tuple[tuple[int, int], ...]
    """(code, local day of `data_as_of`) of every app that has data."""
    events: dict[str, int]
    """Codes of the event names of the plan; unknown names are absent."""
    revenue_events: tuple[int, ...]
    texts: dict[str, int]
    """Codes of the texts that filters compare with; unknown ones are absent and match nothing."""


def state_of(connection: DuckDBPyConnection, cohort: str) -> State:
    """The state of the tables of a cohort; one flat statement, because planning costs more than running it."""
    counted = ("words", f"{cohort}_members_main", f"{cohort}_members_delta", "costs")
    counts = "".join(f" UNION ALL SELECT '{table}', count(*), NULL FROM {table}" for table in counted)  # noqa: S608
    rows = connection.execute(
        f"SELECT name, value, NULL AS path FROM counters WHERE name = '{cohort}_copy'{counts}"  # noqa: S608 - our names
        f" UNION ALL SELECT 'threads', CAST(current_setting('threads') AS BIGINT), NULL"
        f" UNION ALL SELECT 'database', NULL, path FROM ({DATABASE}) AS d"
    ).fetchall()
    paths, found = {name: path for name, _, path in rows}, {name: value for name, value, _ in rows}
    return State(
        database=paths.get("database"),
        copy=found.get(f"{cohort}_copy", 0),
        words=found["words"],
        main=found[f"{cohort}_members_main"],
        delta=found[f"{cohort}_members_delta"] > 0,
        costs=found["costs"] > 0,
        threads=found["threads"],
    )


def lookup(
    connection: DuckDBPyConnection, plan: Plan, codes: Callable[[Sequence[str]], dict[str, int]] | None = None
) -> TableFacts:
    """Read the facts for a plan; a few milliseconds whatever the size of the tables.

    Args:
        connection: a warehouse.
        plan: what is asked.
        codes: finds the codes of texts; the table's if there is nothing faster.
    """
    names = {name for need in plan.needs if (name := need.event)}
    names |= {"OPEN", "WEB_SESSION_START", "INSTALL", "REINSTALL"}
    texts = filter_texts(plan)
    wanted = sorted(names | texts | {scope.app_id for scope in plan.apps})
    words = codes_in_table(connection, wanted) if codes is None else codes(wanted)
    apps = tuple((words[scope.app_id], scope.as_of) for scope in plan.apps if scope.app_id in words)
    listed = ", ".join(str(code) for code, _ in apps) or "-1"
    revenue: list[tuple[int]] = []
    if any(need.part in (MeasurePart.REVENUE, MeasurePart.PAYERS) for need in plan.needs):
        revenue = connection.execute(
            f"SELECT name FROM revenue_events WHERE app IN ({listed})"  # noqa: S608 - numbers
        ).fetchall()
    return TableFacts(
        apps=apps,
        events={name: words[name] for name in sorted(names) if name in words},
        revenue_events=tuple(sorted({code for (code,) in revenue})),
        texts={text: words[text] for text in sorted(texts) if text in words},
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
