"""Finds people who are known from imported files: by an identifier, or by the number that analysis gives them.

A person's number is made from an identifier (`bough.warehouse.persons`); every identifier of theirs gives one, and each
of these numbers finds the person. One without any identifier has the number of their only row.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package or quoted; values are bound.
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from bough.events.identifiers import Identifier
from bough.persons.imported_rows import borne
from bough.persons.segments import connected, dicts, present, raw_rows_of
from bough.vocabulary.export_columns import IDENTIFIERS
from bough.warehouse.persons import MASK, key_of
from bough.warehouse.quoting import text


def number_of(identifiers: Sequence[Identifier]) -> int | None:
    """The smallest number of a person with these identifiers; None when none of them joins imported rows."""
    joining = [f"{kind}:{value}" for kind, value in identifiers if kind in IDENTIFIERS]
    if not joining:
        return None
    with duckdb.connect() as connection:
        row = connection.execute(
            f"SELECT min(CAST(md5_number_lower(k) & {MASK} AS BIGINT)) FROM (SELECT unnest($joining) AS k)",
            {"joining": joining},
        ).fetchone()
    return None if row is None else int(row[0])


def numbers_of(paths: Sequence[Path], given: Sequence[Identifier]) -> list[int]:
    """The people of whom a file holds one of the identifiers."""
    found = (number_of(connected(paths, [one])) for one in given)
    return list(dict.fromkeys(number for number in found if number is not None))


def rows_of_number(paths: Sequence[Path], number: int) -> list[dict[str, Any]]:
    """The rows of segments of the person with a number, each id once; none when there is nobody."""
    if not 0 <= number <= MASK:
        return []
    with duckdb.connect() as connection:
        first = next((row for path in paths for row in _bearing(connection, path, number)), None)
    if first is None:
        return []
    own = [one for one in borne(first) if one[0] in IDENTIFIERS]
    if not own:
        return [first]
    joined = [one for one in connected(paths, own) if one[0] in IDENTIFIERS]
    found: dict[str, dict[str, Any]] = {}
    for row in raw_rows_of(paths, joined):
        found.setdefault(row["id"], row)
    return list(found.values())


def _bearing(connection: duckdb.DuckDBPyConnection, path: Path, number: int) -> list[dict[str, Any]]:
    """One row that gives the number, or none."""
    kinds = [kind for kind in present(connection, path) if kind in IDENTIFIERS]
    nobody = " AND ".join(f"{kind} IS NULL" for kind in kinds) or "TRUE"
    alone = f"{nobody} AND CAST(md5_number_lower('row:' || id) & {MASK} AS BIGINT) = $number"
    matches = " OR ".join([*(f"{key_of(kind)} = $number" for kind in kinds), f"({alone})"])
    whole = f"read_parquet({text(str(path))})"
    return list(dicts(connection.execute(f"SELECT * FROM {whole} WHERE {matches} LIMIT 1", {"number": number})))
