"""Money: exact decimals in, whole millionths of a US dollar out, and why no sum of them can overflow.

Bounds stand where amounts come in, and every place behind them is wide enough:

* One amount is below MAX_AMOUNT = 10^12 units of its currency (`bough.events.schema.amount`): a trillion dollars, 60
  million dollars in rupiah, 40 million in dong. A dollar costs 10^6 micro-dollars, so an amount in dollars is below
  10^18, which 64 bits (9.2 × 10^18) hold, and so is one in every currency whose unit is worth less than nine dollars.
* A rate is below MAX_RATE. An event's amount of more than MAX_MICRO at its rate (a trillion ounces of gold) is set
  aside (`bough.store.set_aside`); the event counts without it.
* Sums of events are 128 bits wide (DuckDB's HUGEINT: 1.7 × 10^38, so 10^19 of the largest events), or two numbers
  of 64 bits, thousands of dollars and the rest (`parted`). The first is at most 9 × 10^9 and the second below 10^9 for
  each event, so a billion events of the largest amount, or nine billion below a trillion dollars, fit into one sum.
* Costs are 128 bits wide. One row is at most MAX_COST_MICRO = 10^30, which a link of ten dollars a click passes after
  10^23 clicks in a day, and 10^8 rows of that size fit into one sum. What is more is set aside.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

MICRO = Decimal(1_000_000)
PRECISION = 100
"""Digits kept while multiplying; amounts and rates together never have as many."""

MAX_AMOUNT = 10**12
"""Amounts of as many units, or more, are refused where they come in."""

MAX_RATE = 10**6
"""Dollars for one unit; as many or more are refused where rates come in."""

MAX_MICRO = 9 * 10**18
"""The largest amount of one event, within 64 bits."""

MAX_COST_MICRO = 10**30
"""The largest cost of one day and set of dimensions, within 128 bits."""

THOUSAND = 1000 * 10**6
"""Micro-dollars of a thousand dollars."""


def to_micro(amount: Decimal, rate: Decimal = Decimal(1), most: int = MAX_MICRO) -> int:
    """`amount` at `rate` dollars for one unit, rounded half-even to whole micro-dollars.

    Raises:
        OverflowError: more than `most` micro-dollars; by default nine trillion dollars.
    """
    with localcontext() as context:
        context.prec = PRECISION
        micro = int((amount * rate * MICRO).to_integral_value(rounding=ROUND_HALF_EVEN))
    if abs(micro) > most:
        raise OverflowError(f"{micro // 10**6} dollars are more than an amount can be ({most // 10**6})")
    return micro


def parted(micro: int) -> tuple[int, int]:
    """Whole thousands of dollars and the rest in micro-dollars, both with the sign of the sum.

    Sums are stored so: each part is added up by itself, and neither can overflow (see above).
    """
    thousands, rest = divmod(abs(micro), THOUSAND)
    return (thousands, rest) if micro >= 0 else (-thousands, -rest)


def joined(thousands: int, rest: int) -> int:
    """Micro-dollars of the two parts, or of sums of them."""
    return thousands * THOUSAND + rest
