"""Money of events: exact amounts, turned into whole millionths of a dollar once (docs/exports.md).

Dollars are amount × the rate of the event's local date (the app's time zone), rounded half-even to integer micro-USD.
No rate is carried to another day; a missing one leaves the amount out and is counted, never guessed. No currency means
USD.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from bough.errors import BadRequest
from bough.events.body import nested_object
from bough.events.schema import FORMER_LIMIT, amount
from bough.vocabulary.currencies import CURRENCIES
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.money import to_micro
from bough.vocabulary.values import first, text

RateOf = Callable[[str, str], Decimal | None]
"""(day as YYYY-MM-DD, currency) → dollars for one unit, or None."""


class Amount(Struct, frozen=True, kw_only=True):
    """What an event says it brought."""

    value: Decimal
    currency: str = "USD"


class Converted(Struct, frozen=True, kw_only=True):
    """An amount in dollars."""

    micro: int | None
    """Millionths of a US dollar; None without a rate, and for an amount that is too large."""
    too_large: str = ""
    """Why it has no dollars although there is a rate; empty when it has."""
    missing: bool
    """There is no rate for the currency on that day."""
    day: str
    """The event's local date, YYYY-MM-DD."""
    currency: str


def amount_of(row: JournalRow) -> Amount | None:
    """The revenue of an event or imported row, or None. What cannot be read counts as not sent."""
    if row.kind not in ("event", "import"):
        return None
    data = nested_object(row.body.get("event_data"), "event_data")
    value, currency = _field(row.body, data, "revenue"), text(_field(row.body, data, "currency"), 8).upper() or "USD"
    try:
        exact = amount(Decimal(repr(value)) if isinstance(value, float) else value, "revenue", FORMER_LIMIT)
    except BadRequest:
        return None
    if exact is None or currency not in CURRENCIES:
        return None
    return Amount(value=exact, currency=currency)


def _field(body: Mapping[str, Any], data: Mapping[str, Any], name: str) -> Any:
    value = first(body, f"event_data_{name}")
    return data.get(name) if value is None else value


def convert(money: Amount, at: int, timezone: str, rate_of: RateOf) -> Converted:
    """Dollars of an amount at an instant (epoch ms) for an app in an IANA time zone."""
    day = local_day(at, timezone)
    rate = Decimal(1) if money.currency == "USD" else rate_of(day, money.currency)
    if rate is None:
        return Converted(micro=None, missing=True, day=day, currency=money.currency)
    micro = micro_usd(money.value, rate)
    too_large = f"revenue: {money.value} {money.currency} is more than an event can hold" if micro is None else ""
    return Converted(micro=micro, missing=False, day=day, currency=money.currency, too_large=too_large)


def micro_usd(value: Decimal, rate: Decimal) -> int | None:
    """amount × rate in whole micro-USD, half-even; None when it is more than an event can hold."""
    try:
        return to_micro(value, rate)
    except OverflowError:
        return None


def local_day(at: int, timezone: str) -> str:
    """The calendar date of an instant in a time zone."""
    return _day_of_second(at // 1000, timezone)


@lru_cache(maxsize=1024)  # many events fall into one second
def _day_of_second(second: int, timezone: str) -> str:
    return datetime.fromtimestamp(second, UTC).astimezone(_zone(timezone)).date().isoformat()


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
