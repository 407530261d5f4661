"""`Plan` -> SQL for what stands in tables of texts and people: the members asked for, and their costs.

The text keeps to what DuckDB and Spark (through sqlglot) both run: CASE and SUM instead of FILTER, explicit NULLS
order, no bit operators.
"""

# ruff: noqa: S608 - names come from the tables of this package; every value is bound.
from __future__ import annotations

from datetime import date
from typing import Final

from bough.cohorts.arrays.table_facts import TableFacts
from bough.cohorts.plan import Plan
from bough.vocabulary.dimensions import DIMENSIONS, Dimension, Kind
from bough.vocabulary.filters import Filter

_EPOCH: Final = date(1970, 1, 1)


def members_query(writer: SelectionWriter, part: str = "") -> str:
    """The whole text of `Writer.picked`."""
    text = writer.picked(part)
    return f"WITH scope AS ({writer.scope()})\n{text}" if writer.scoped() else text


def active_events(plan: Plan) -> tuple[str, ...]:
    """Events that make a person active, besides the cohort event (docs/exports.md)."""
    return ("OPEN",) if plan.cohort == "install" else ("OPEN", "WEB_SESSION_START")


class SelectionWriter:
    """Collects the bound values while it writes."""

    def __init__(self, plan: Plan, facts: TableFacts) -> None:
        self.plan = plan
        self.facts = facts
        self.values: dict[str, str | int] = {}
        self.member_groups = [(i, g) for i, g in enumerate(plan.groups) if g.of_member]

    def bind(self, value: str | int) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}"

    # --- members ------------------------------------------------------------------------------------------------

    def scoped(self) -> bool:
        """Whether the apps are joined; the code of a single one stands in the text instead."""
        return len(self.facts.apps) != 1

    def scope(self) -> str:
        rows = ", ".join(f"({code}, {as_of})" for code, as_of in self.facts.apps) or "(-1, 0)"
        return f"SELECT v.app, v.as_of FROM (VALUES {rows}) AS v(app, as_of)"

    def picked(self, part: str = "") -> str:
        """Members of the cohort with their age in days, their group codes and, where it differs, their person.

        Args:
            part: of the table: "_main", "_delta", or both.
        """
        plan = self.plan
        person = "" if plan.cohort == "install" else ", m.who AS person"
        keys = "".join(f", m.{group.column} AS k{i}" for i, group in self.member_groups)
        where = [
            f"m.day BETWEEN {plan.first_day} AND {plan.last_day}",
            f"m.variant <> {plan.skipped_variant}",
            *(self.condition(f"m.{DIMENSIONS[f.dimension].column}", f) for f in plan.member_filters),
        ]
        as_of, join = "s.as_of", " JOIN scope AS s ON s.app = m.app"
        if len(self.facts.apps) == 1:
            code, as_of, join = self.facts.apps[0][0], str(self.facts.apps[0][1]), ""
            where.insert(0, f"m.app = {code}")
        return (
            f"SELECT m.member{person}, {as_of} - m.day AS age{keys}"
            f"\n  FROM {plan.cohort}_members{part} AS m{join}\n  WHERE " + "\n    AND ".join(where)
        )

    # --- costs --------------------------------------------------------------------------------------------------

    def costs(self) -> str:
        """Costs by the codes of the groups: micro-USD and how many have no rate.

        A cost matches a value only by having that value (docs/exports.md).
        """
        plan = self.plan
        keys = [_cost_column(group) for _, group in self.member_groups]
        known = [f"{_cost_column(group)} <> 0" for _, group in self.member_groups if _may_lack(group)]
        where = [f"o.day BETWEEN {plan.first_day} AND {plan.last_day}", *known]
        for condition in plan.member_filters:
            dimension = DIMENSIONS[condition.dimension]
            if _may_lack(dimension):
                where.append(f"{_cost_column(dimension)} <> 0")
            where.append(self.condition(_cost_column(dimension), condition))
        listed = "".join(f"{key}, " for key in keys)
        grouped = f"\nGROUP BY {', '.join(keys)}" if keys else "\nHAVING COUNT(*) > 0"
        return (
            f"WITH scope AS ({self.scope()})\nSELECT {listed}SUM(o.micro) AS micro,"
            " CAST(SUM(CASE WHEN o.micro IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS without_rate"
            "\nFROM costs AS o JOIN scope AS s ON s.app = o.app"
            f"\nWHERE {' AND '.join(where)}{grouped}"
        )

    # --- conditions ---------------------------------------------------------------------------------------------

    def condition(self, column: str, condition: Filter) -> str:
        kind = DIMENSIONS[condition.dimension].kind
        parts = []
        if condition.values:
            parts.append(f"({self.matches(column, kind, condition.values)})")
        if condition.excluded:
            parts.append(f"NOT ({self.matches(column, kind, condition.excluded)})")
        return " AND ".join(parts) or "1 = 1"

    def matches(self, column: str, kind: Kind, values: tuple[str | None, ...]) -> str:
        texts = tuple(dict.fromkeys(value for value in values if value is not None))
        if kind is Kind.DAY:
            days = sorted({day for text in texts if (day := day_number(text)) is not None})
            return f"{column} IN ({', '.join(map(str, days))})" if days else "1 = 0"
        parts = [f"{column} = 0"] if None in values else []
        if kind is Kind.TEXT:
            codes = sorted(code for text in texts if (code := self.facts.texts.get(text)) is not None)
            parts += [f"{column} IN ({', '.join(map(str, codes))})"] if codes else []
            return " OR ".join(parts) or "1 = 0"
        if texts:
            parts.append(f"{column} IN (SELECT code FROM words WHERE {self.words(texts)})")
        return " OR ".join(parts)

    def words(self, texts: tuple[str, ...]) -> str:
        """A set matches a member of it, or the whole set as it is written."""
        equal = f"word IN ({', '.join(self.bind(text) for text in texts)})"
        members = [f"strpos(',' || word || ',', {self.bind(f',{text},')}) > 0" for text in texts if "," not in text]
        return " OR ".join([equal, *members])


def _cost_column(dimension: Dimension) -> str:
    return f"o.{dimension.column}"


def _may_lack(dimension: Dimension) -> bool:
    """The app and the day of a cost are always known."""
    return dimension.kind is not Kind.DAY and dimension.column != "app"


def day_number(text: str) -> int | None:
    """Days since 1970-01-01 of a date as it is written in results; None for any other text."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return (day - _EPOCH).days if day.isoformat() == text else None
