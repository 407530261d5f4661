"""Dirty values."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bough.vocabulary.values import first, flag, text, whole


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (" a ", "a"),
        (7, "7"),
        (True, "true"),
        (Decimal("7.0"), "7"),
        (Decimal("7.50"), "7.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("NaN"), ""),
        (10**50, ""),
        (None, ""),
        ([1], ""),
    ],
)
def test_text(value: object, written: str) -> None:
    assert text(value) == written


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, True),
        (0, False),
        ("1", True),
        ("False", False),
        (2, None),
        ("maybe", None),
        (Decimal(1), True),
        (None, None),
    ],
)
def test_flags(value: object, said: bool | None) -> None:
    assert flag(value) is said


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7, 7),
        ("7", 7),
        ("-7", -7),
        (Decimal(7), 7),
        ("7.5", None),
        (True, None),
        (10**18, None),
        ("٣", None),
        (None, None),
    ],
)
def test_whole_numbers(value: object, number: int | None) -> None:
    assert whole(value) == number


def test_the_new_name_goes_before_the_old_one() -> None:
    assert first({"new": None, "old": 1}, "new", "old") == 1
    assert first({"new": 2, "old": 1}, "new", "old") == 2
    assert first({}, "new", "old") is None
