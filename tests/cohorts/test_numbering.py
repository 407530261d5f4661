"""Arithmetic on arrays: the ways taken for many cells and long rows give what the short ways give."""

from __future__ import annotations

import numpy as np
import pytest

from bough.cohorts import numbering
from bough.cohorts.numbering import Cells, Numbering
from bough.errors import Unavailable


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


def test_sums_that_may_not_fit_are_refused() -> None:
    cells = Cells(1, 1)
    cells.add(np.zeros(1, np.int64), np.full(1, 2**61))
    with pytest.raises(Unavailable):
        cells.add(np.zeros(1, np.int64), np.full(1, 2**61))


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
