"""`Plan` -> the members asked for and the codes of their dimensions: main's from its copy, the rest from the tables."""

# ruff: noqa: S608 - names come from the tables of this package; every value is bound.
from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bough.cohorts.arrays.selection import SelectionWriter, day_number, members_query
from bough.cohorts.arrays.table_facts import State, TableFacts
from bough.cohorts.plan import Plan
from bough.vocabulary.dimensions import DIMENSIONS, Kind
from bough.vocabulary.filters import Filter
from bough.warehouse.columns import Copy, Ints

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Members(NamedTuple):
    """Equally long arrays, one place per member."""

    member: Ints
    age: Ints
    """Days from the cohort event to the local day of `data_as_of`."""
    person: Ints | None
    """None where a member is a person."""
    codes: list[Ints]
    """By group of the plan that describes members."""


def picked(connection: DuckDBPyConnection, plan: Plan, facts: TableFacts, state: State, copy: Copy | None) -> Members:
    """The members that a plan asks for.

    Args:
        connection: the warehouse, inside a transaction.
        plan: what is asked.
        facts: of the same transaction.
        state: of the same transaction.
        copy: of main.
    """
    if copy is None:
        return _from_tables(connection, plan, facts, "" if state.delta else "_main")
    main = _from_copy(connection, plan, facts, state, copy)
    if not state.delta:
        return main
    delta = _from_tables(connection, plan, facts, "_delta")
    return Members(
        np.concatenate([main.member, delta.member]),
        np.concatenate([main.age, delta.age]),
        None if main.person is None or delta.person is None else np.concatenate([main.person, delta.person]),
        [np.concatenate(pair) for pair in zip(main.codes, delta.codes, strict=True)],
    )


def _from_tables(connection: DuckDBPyConnection, plan: Plan, facts: TableFacts, part: str) -> Members:
    writer = SelectionWriter(plan, facts)
    fetched = connection.execute(members_query(writer, part), writer.values).fetchnumpy()
    rows = {name: np.asarray(column) for name, column in fetched.items()}
    return Members(rows["member"], rows["age"], rows.get("person"), [rows[f"k{i}"] for i, _ in writer.member_groups])


def _from_copy(connection: DuckDBPyConnection, plan: Plan, facts: TableFacts, state: State, copy: Copy) -> Members:
    """Main's members of the copy, less those that have been deleted since.

    Rows of main are never added or changed before it is written anew: as many rows are the same rows.
    """
    day = copy["members.day"]
    inside = (day >= plan.first_day) & (day <= plan.last_day)
    rows = slice(int(inside.argmax()), len(inside) - int(inside[::-1].argmax())) if inside.any() else slice(0, 0)
    keep = inside[rows]

    def column(name: str) -> Ints:
        return copy[f"members.{name}"][rows]

    keep &= column("variant") != plan.skipped_variant
    keep &= among(column("app"), [code for code, _ in facts.apps])
    for condition in plan.member_filters:
        values = column(DIMENSIONS[condition.dimension].column)
        if condition.values:
            keep &= among(values, codes_of(connection, plan, facts, condition, condition.values))
        if condition.excluded:
            keep &= ~among(values, codes_of(connection, plan, facts, condition, condition.excluded))
    if state.main != len(day):
        keep &= np.isin(column("member"), _left(connection, plan))
    chosen = slice(None) if keep.all() else np.flatnonzero(keep)
    age = -column("day")[chosen].astype(np.int32)
    for code, as_of in facts.apps:
        age += as_of if len(facts.apps) == 1 else np.where(column("app")[chosen] == code, as_of, 0)
    person = None if plan.cohort == "install" else column("who")[chosen]
    codes = [column(group.column)[chosen] for group in plan.groups if group.of_member]
    return Members(column("member")[chosen], age, person, codes)


def _left(connection: DuckDBPyConnection, plan: Plan) -> Ints:
    """The members of main's days that have not been deleted since the copy."""
    query = f"SELECT member FROM {plan.cohort}_members_main WHERE day BETWEEN {plan.first_day} AND {plan.last_day}"
    return np.asarray(connection.execute(query).fetchnumpy()["member"])


def among(values: Ints, wanted: list[int]) -> Ints:
    """Which values are among some codes."""
    if len(wanted) > 8:
        return np.isin(values, np.asarray(wanted))
    found = np.zeros(len(values), bool)
    for code in wanted:
        found |= values == code
    return found


def codes_of(
    connection: DuckDBPyConnection, plan: Plan, facts: TableFacts, condition: Filter, values: tuple[str | None, ...]
) -> list[int]:
    """The codes that a condition names; of a day the days themselves."""
    kind = DIMENSIONS[condition.dimension].kind
    texts = tuple(text for text in dict.fromkeys(values) if text is not None)
    if kind is Kind.DAY:
        return [day for text in texts if (day := day_number(text)) is not None]
    found = [0] if None in values else []
    if kind is Kind.TEXT:
        found += [code for text in texts if (code := facts.texts.get(text)) is not None]
    elif texts:
        writer = SelectionWriter(plan, facts)
        query = f"SELECT code FROM words WHERE {writer.words(texts)}"
        found += [code for (code,) in connection.execute(query, writer.values).fetchall()]
    return found
