"""Arithmetic on arrays: the ways taken for many cells and long rows give what the fast paths give."""

from __future__ import annotations

import numpy as np
import pytest

from bough.cohorts.arrays import numbering
from bough.cohorts.arrays.numbering import Cells, Numbering


def test_cells_kept_apart_hold_the_same_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(4)
    dense = Cells(20, 7)
    monkeypatch.setattr(numbering, "_DENSE", 0)
    monkeypatch.setattr(numbering, "_PIECES", 50)
    apart = Cells(20, 7)
    for _ in range(9):
        keys, values = random.integers(0, 100, 30), random.integers(-(10**12), 10**12, 30)
        for cells in (dense, apart):
            cells.add(keys, values)
            cells.add(keys)
        assert [apart.row(row) for row in range(20)] == [dense.row(row) for row in range(20)]


@pytest.mark.parametrize("dense", [2**22, 0], ids=["dense", "sparse"])
def test_sums_beyond_64_bits_are_exact(monkeypatch: pytest.MonkeyPatch, dense: int) -> None:
    monkeypatch.setattr(numbering, "_DENSE", dense)
    random = np.random.default_rng(1)
    cells, exact = Cells(2, 3), [0] * 6
    for _ in range(40):
        keys, values = random.integers(0, 6, 200), random.integers(-(2**63), 2**63 - 1, 200)
        values[random.integers(0, 200, 50)] = 2**63 - 1
        cells.add(keys, values)
        cells.add(keys)
        for key, value in zip(keys.tolist(), values.tolist(), strict=True):
            exact[key] += value + 1
    assert max(map(abs, exact)) > 2**66
    assert [cells.row(0), cells.row(1)] == [exact[:3], exact[3:]]


@pytest.mark.parametrize("size", [5, 2**20, 2**40])
def test_rows_are_numbered_in_their_order_and_found_again(size: int) -> None:
    random = np.random.default_rng(size)
    pool = random.integers(0, size, 4)
    columns = [pool[random.integers(0, 4, 300)] for _ in range(4)]
    own = Numbering([size] * 4)
    ids = own.learn(columns, 300)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    order = {row: number for number, row in enumerate(sorted(set(rows)))}
    assert ids.tolist() == [order[row] for row in rows]
    assert own.count == len(order)
    assert own.find(columns, 300).tolist() == ids.tolist()
    strange = [np.asarray([-1, *column[1:2]]) for column in columns]
    assert own.find(strange, 2).tolist() == [-1, ids[1]]
