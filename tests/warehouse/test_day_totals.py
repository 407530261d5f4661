"""The sums of the overview: only what differs is written, in pieces, and the time last."""

from __future__ import annotations

import pytest

from bough.warehouse import day_totals
from bough.warehouse.day_totals import pieces


def test_only_differences_are_written() -> None:
    kept = {(1, 10, "OPEN"): (5, 0), (1, 10, "PURCHASE"): (1, 100), (1, 11, "OPEN"): (2, 0)}
    totals = {(1, 10, "OPEN"): (5, 0), (1, 10, "PURCHASE"): (1, 150), (1, 12, "OPEN"): (1, 0)}
    (piece,) = pieces(kept, totals, 99)
    assert sorted(piece.changed) == [(1, 10, "PURCHASE", 1, 150), (1, 12, "OPEN", 1, 0)]
    assert piece.gone == [(1, 11, "OPEN")]
    assert piece.as_of == 99


def test_the_time_is_written_with_the_last_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_totals, "ROWS_AT_ONCE", 2)
    found = pieces({}, {(1, day, "OPEN"): (1, 0) for day in range(5)}, 7)
    assert [len(piece.changed) for piece in found] == [2, 2, 1]
    assert [piece.as_of for piece in found] == [0, 0, 7]
    assert [piece.as_of for piece in pieces({}, {}, 7)] == [7]
