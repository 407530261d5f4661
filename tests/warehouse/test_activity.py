"""`activity` as arrays: pieces end like the whole, equal rows are added up, and wide numbers keep their order."""

from __future__ import annotations

from collections import defaultdict
from random import Random

import numpy as np
import pytest

from bough.warehouse import activity
from bough.warehouse.activity import ORDER, STATE, Rows, grouped, instants
from bough.warehouse.build import Warehouse
from bough.warehouse.schema import COHORTS
from tests.cohorts import worlds

WIDE = 2**30


def activity_of(warehouse: Warehouse) -> dict[str, list[tuple[int, ...]]]:
    """Rows as they stand, members counted from 0: a rebuild numbers them on."""
    return {
        cohort: warehouse.connection.execute(
            "SELECT member - min(member) OVER () AS member, * EXCLUDE member"
            f" FROM {cohort}_activity_main ORDER BY rowid"
        ).fetchall()
        for cohort in COHORTS
    }


@pytest.mark.parametrize("seed", range(3))
def test_pieces_end_like_the_whole(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    warehouse = Warehouse.open(":memory:")
    warehouse.apply(worlds.world(Random(seed), 400).events)
    whole = activity_of(warehouse)
    assert len(whole["install"]) > 50
    assert len(whole["reengagement"]) > 5
    monkeypatch.setattr(activity, "AT_ONCE", 7)
    warehouse.rebuild()
    assert activity_of(warehouse) == whole


def rows_of(random: Random, size: int, top: int) -> Rows:
    names = (*ORDER, *STATE, "micro", "missing_rate")
    few = {name: [random.randrange(top) for _ in range(3)] for name in ORDER}
    return {
        name: np.array(
            [random.choice(few[name]) if name in few else random.randrange(2) for _ in range(size)], np.int64
        )
        for name in names
    }


@pytest.mark.parametrize("top", [3, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("seed", range(5))
def test_equal_rows_are_added_up(seed: int, top: int) -> None:
    rows = rows_of(Random(seed), 3000, top)
    sums: dict[tuple[int, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for i in range(3000):
        cell = sums[tuple(int(rows[name][i]) for name in (*ORDER, *STATE))]
        micro = int(rows["micro"][i])
        cell[:] = [cell[0] + 1, cell[1] + micro, cell[2] + int(rows["missing_rate"][i]), max(cell[3], int(micro > 0))]
    found = grouped(rows)
    keys = list(zip(*(found[name].tolist() for name in (*ORDER, *STATE)), strict=True))
    values = zip(*(found[name].tolist() for name in ("n", "micro", "missing_rate", "paid")), strict=True)
    assert len(keys) == len(sums)
    assert dict(zip(keys, map(list, values), strict=True)) == sums
    assert [key[: len(ORDER)] for key in keys] == sorted(key[: len(ORDER)] for key in keys)


def test_nothing_makes_nothing() -> None:
    assert len(grouped(rows_of(Random(0), 0, 3))["n"]) == 0


def test_rows_whose_sum_is_beyond_64_bits_stay_apart() -> None:
    rows = rows_of(Random(0), 4, 1)
    same = {name: np.zeros(4, np.int64) for name in rows}
    assert grouped({**same, "micro": np.array([2**62, -(2**62), 2**62, 1])})["micro"].tolist() == [2**62 + 1]
    wide = grouped({**same, "micro": np.full(4, 2**62)})
    assert (wide["micro"].tolist(), wide["n"].tolist(), wide["paid"].tolist()) == ([2**62] * 4, [1] * 4, [1] * 4)
    below = grouped({**same, "member": np.array([0, 0, 0, 1]), "micro": np.array([2**62, 2**62, 2**62, 5])})
    assert (below["micro"].tolist(), below["member"].tolist()) == ([2**62, 2**62, 2**62, 5], [0, 0, 0, 1])


@pytest.mark.parametrize("far", [1000, 2**42], ids=["one number", "ranks"])
def test_people_and_instants_are_ordered_across_parts(far: int) -> None:
    random = Random(1)
    pairs = [(random.choice((5, 6, WIDE)), random.choice((0, 1, far))) for _ in range(40)]
    parts = [pairs[:15], pairs[15:]]
    found = instants(
        *({"who": np.array([w for w, _ in part], np.int32), "ms": np.array([m for _, m in part])} for part in parts)
    )
    numbers = np.concatenate(found).tolist()
    assert [len(part) for part in found] == [15, 25]
    for one, first in zip(pairs, numbers, strict=True):
        for other, second in zip(pairs, numbers, strict=True):
            assert (one < other) == (first < second)
