"""Exact numbers -> the digits of the answer (docs/exports.md, "Output"); rounding happens here alone."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Final

from bough.cohorts.measures import Form, Number

_TEN_DIGITS: Final = Context(prec=10, rounding=ROUND_HALF_EVEN)
_WIDE: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_Z: Final = Decimal("1.959963984540054")
"""The 97.5 % quantile of the normal distribution."""
_CENT: Final = 10_000


def shown(number: Number) -> int | str:
    """Counts as integers; money with two decimals; ratios with ten significant digits, zeros stripped."""
    if number.form is Form.COUNT:
        return number.top
    if number.form is Form.MONEY:
        return money(number.top)
    return ratio(number.top, number.bottom)


def money(micro: int) -> str:
    """Micro-USD as dollars with two decimals, half-even; never "-0.00"."""
    if micro == 0:
        return "0.00"
    cents, rest = divmod(abs(micro), _CENT)
    if rest * 2 > _CENT or (rest * 2 == _CENT and cents % 2):
        cents += 1
    sign = "-" if micro < 0 and cents else ""
    return f"{sign}{cents // 100}.{cents % 100:02d}"


@lru_cache(maxsize=65_536)
def ratio(top: int, bottom: int) -> str:
    """`top / bottom` with ten significant digits, half-even, in plain notation."""
    return digits(_TEN_DIGITS.divide(Decimal(top), Decimal(bottom)))


def digits(value: Decimal) -> str:
    """Plain notation without trailing zeros; zero is "0"."""
    if not value:
        return "0"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def wilson(successes: int, people: int) -> tuple[str, str] | None:
    """Wilson's 95 % interval of a proportion as fractions; None without people.

    Also None when more people were active than can have reached the band, as events with a clock ahead of the data
    make it: that is no proportion.
    """
    if people == 0 or successes > people:
        return None
    n, p = Decimal(people), _WIDE.divide(Decimal(successes), Decimal(people))
    square = _WIDE.multiply(_Z, _Z)
    bottom = 1 + _WIDE.divide(square, n)
    middle = p + _WIDE.divide(square, 2 * n)
    spread = _WIDE.divide(p * (1 - p), n) + _WIDE.divide(square, 4 * n * n)
    reach = _WIDE.multiply(_Z, _WIDE.sqrt(spread))
    low = Decimal(0) if successes == 0 else _TEN_DIGITS.divide(middle - reach, bottom)
    high = Decimal(1) if successes == people else _TEN_DIGITS.divide(middle + reach, bottom)
    return digits(low), digits(high)
