"""A group that falls apart: what held its rows together turned out to be shared."""

from __future__ import annotations

from collections.abc import Iterable

from bough.attribution.replay.entries import JournalEntry
from bough.attribution.rules.sharing import Shared
from bough.attribution.stored.group_loading import entry_keys
from bough.attribution.stored.tables import AttributionChange, TouchOf


def split(
    change: AttributionChange, entries: Iterable[JournalEntry], touches: Iterable[TouchOf], shared: Shared
) -> None:
    """Note the new groups of rows, keys and touches: those that are still connected, named after their first row."""
    group_of_row, group_of_key = connected({entry.row: entry_keys(entry, shared) for entry in entries})
    rows, owners, keys = change.splits
    rows.extend((group, row) for row, group in group_of_row.items())
    owners.extend((group_of_row[one.person], one.id) for one in touches)
    keys.extend((group, one) for one, group in group_of_key.items())


def connected(keys_of: dict[int, list[int]]) -> tuple[dict[int, int], dict[int, int]]:
    """By row and by key: the smallest row that is connected with it."""
    parent: dict[int, int] = {}
    first_with: dict[int, int] = {}

    def first(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for row in sorted(keys_of):
        parent[row] = row
        for one in keys_of[row]:
            smaller, larger = sorted((first(first_with.setdefault(one, row)), first(row)))
            parent[larger] = smaller
    return {row: first(row) for row in keys_of}, {one: first(row) for one, row in first_with.items()}
