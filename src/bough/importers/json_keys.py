"""Which keys the objects of a JSON lines file have: asked once, so that only these are read, and others are named."""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package or quoted.
from __future__ import annotations

from collections import Counter
from typing import Final

from duckdb import DuckDBPyConnection
from msgspec import Struct

from bough.importers.columns import PLACES, READ
from bough.warehouse.quoting import text

KNOWN: Final = frozenset(one for names in READ.values() for one in names)


class Keys(Struct, frozen=True):
    """Keys of a file; members of a nested object as `user_data.os`."""

    lines: Counter[str]
    """In how many lines each stands."""

    def present(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the names that stand in some line."""
        return tuple(one for one in names if one in self.lines)

    def unknown(self) -> tuple[tuple[str, int], ...]:
        """Keys that nothing is read from, and in how many lines each stands."""
        return tuple((one, count) for one, count in self.lines.items() if one not in KNOWN and one not in PLACES)


def keys_of(connection: DuckDBPyConnection, objects: str) -> Keys:
    """The keys of all objects; `objects` is SQL with one column `json`. Lines that hold no object have none."""
    paths = ", ".join(text(path) for path in ("$", *(f"$.{place}" for place in PLACES)))
    shapes = connection.execute(
        f"SELECT keys, count(*) FROM (SELECT json_keys(json, [{paths}]) AS keys FROM ({objects})) GROUP BY keys"
    ).fetchall()
    lines: Counter[str] = Counter()
    for keys, count in shapes:
        whole, *nested = keys or [None] * (1 + len(PLACES))
        for key in whole or ():
            lines[key] += count
        for place, members in zip(PLACES, nested, strict=True):
            for member in members or ():
                lines[f"{place}.{member}"] += count
    return Keys(lines)
