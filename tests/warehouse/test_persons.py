"""Who is who among imported rows, in long chains, against a plain search."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bough.warehouse.persons import assign, identified

KINDS = ("identity", "aaid")
PAIRS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=12)


class Counted:
    """A connection that counts its statements."""

    def __init__(self) -> None:
        self.connection: Any = duckdb.connect()
        self.statements = 0

    def execute(self, *arguments: Any) -> Any:
        self.statements += 1
        return self.connection.execute(*arguments)


def persons_of(connection: Any, pairs: list[tuple[int, int]]) -> tuple[list[int], list[tuple[int, int]]]:
    """The person of every row of a file with one identity and one advertising id each, and the merges."""
    connection.execute("CREATE OR REPLACE TEMP TABLE rows (id VARCHAR, identity VARCHAR, aaid VARCHAR)")
    values = ", ".join(f"('{n}', 'user {user}', 'phone {phone}')" for n, (user, phone) in enumerate(pairs))
    connection.execute(f"INSERT INTO rows VALUES {values}")
    merges = assign(connection, "1", "rows", KINDS)
    first = identified(KINDS)
    found = connection.execute(
        f"SELECT person FROM (SELECT s.id, {first.kind} AS kind, {first.value} AS value FROM rows AS s) AS f"
        " JOIN named_persons AS q ON q.kind = f.kind AND q.value = f.value ORDER BY CAST(f.id AS INTEGER)"
    ).fetchall()
    return [person for (person,) in found], merges


def components(pairs: list[tuple[int, int]]) -> list[int]:
    """By row: the first row that is connected with it."""
    names = list(range(len(pairs)))
    for _ in pairs:
        for one, (user, phone) in enumerate(pairs):
            for other, (her, its) in enumerate(pairs):
                if user == her or phone == its:
                    names[one] = names[other] = min(names[one], names[other])
    return names


@settings(max_examples=20, deadline=None)
@given(PAIRS, PAIRS)
def test_connected_rows_are_one_person_over_several_files(first: list[tuple[int, int]], then: list[Any]) -> None:
    connection = duckdb.connect()
    before, _ = persons_of(connection, first)
    after, merges = persons_of(connection, then)
    into = dict(merges)
    persons = [into.get(person, person) for person in before] + after
    named = components(first + then)
    assert len(set(zip(persons, named, strict=True))) == len(set(persons)) == len(set(named))


@pytest.mark.parametrize("length", [500, 4000])
def test_a_long_chain_of_borrowed_phones_takes_few_statements(length: int) -> None:
    connection = Counted()
    chain = [(number, number) for number in range(length)] + [(number, number + 1) for number in range(length)]
    persons, _ = persons_of(connection, chain)
    assert len(set(persons)) == 1
    assert connection.statements < 150
