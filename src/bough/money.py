"""Money: exact decimals in, whole millionths of a US dollar out (contract/cohort.md §6, §9)."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

MICRO = Decimal(1_000_000)
PRECISION = 100
"""Digits kept while multiplying; amounts and rates together never have as many."""

MAX_MICRO = 9 * 10**18
"""Amounts beyond what 64 bits hold are refused where they come in."""


def to_micro(amount: Decimal, rate: Decimal = Decimal(1)) -> int:
    """`amount` at `rate` dollars for one unit, rounded half-even to whole micro-dollars.

    Raises:
        OverflowError: nine trillion dollars or more.
    """
    with localcontext() as context:
        context.prec = PRECISION
        micro = int((amount * rate * MICRO).to_integral_value(rounding=ROUND_HALF_EVEN))
    if abs(micro) > MAX_MICRO:
        raise OverflowError("an amount of nine trillion dollars or more")
    return micro
