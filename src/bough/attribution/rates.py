"""Exchange rates: dollars for one unit of a currency, per day (docs/exports.md).

Two kinds of files are understood: columns `date,currency,usd_rate`, and the European Central Bank's eurofxref-hist.csv
(and eurofxref.csv, which has one day, `14 May 2024`), whose units per euro become dollars over the euro's own dollar
rate of that day. A rate, once given, stands: an event's dollars are fixed once. A different rate for the same day and
currency is reported and only taken with `replace`, after which `bough attribution rebuild` makes old events follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Any

from msgspec import Struct

from bough.csv_text import misfit, read_header, records_of, shown
from bough.errors import BadRequest
from bough.store.database import Store
from bough.store.transaction import RowValues, Transaction
from bough.vocabulary.calendar_days import written_day
from bough.vocabulary.currencies import CURRENCIES
from bough.vocabulary.money import MAX_RATE
from bough.vocabulary.values import text

ADD = ("day", "currency", "usd_rate")
RATE = "SELECT usd_rate FROM rate WHERE day = ? AND currency = ?"
REPLACE = "UPDATE rate SET usd_rate = ? WHERE day = ? AND currency = ?"
CHANGE_COUNTER = "rates"
"""Grows with every change of rates, among the watermarks."""
COUNT_CHANGE = (
    "INSERT INTO watermark (name, journal) VALUES (?, 1)"
    " ON CONFLICT (name) DO UPDATE SET journal = watermark.journal + 1"
)

VERSION = "SELECT journal FROM watermark WHERE name = ?"
MAX_KNOWN = 100_000

WANTED = ("date", "currency", "usd_rate", "usd")
"""Columns by which a file's separator is known."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DIVISION = Context(prec=30)
MAX_DIGITS = 40


class Rate(Struct, frozen=True):
    """Dollars for one unit of `currency` on `day` (YYYY-MM-DD)."""

    day: str
    currency: str
    usd_rate: str
    """Plain decimal text, above zero."""


class RateReport(Struct, kw_only=True):
    """What came of a set of rates."""

    added: int = 0
    unchanged: int = 0
    replaced: int = 0
    refused: list[str] = []
    """One sentence per rate that differs from the one that stands."""


class RateBatch(Struct, frozen=True):
    """Rates to store together."""

    rates: tuple[Rate, ...]
    replace: bool = False


class StoredRates:
    """The rates of a store, remembered until some are added."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str, str], Decimal | None] = {}
        self.version = 0
        """Grows with every change of rates, as of the last `refresh`."""

    def refresh(self) -> None:
        """Forget what is known when rates were added."""
        found = self._store.rows(VERSION, (CHANGE_COUNTER,))
        version = found[0][0] if found else 0
        if version != self.version or len(self._known) > MAX_KNOWN:
            self._known.clear()
        self.version = version

    def of(self, day: str, currency: str) -> Decimal | None:
        """Dollars for one unit on a day (YYYY-MM-DD), as of the last `refresh`; None when there is no such rate."""
        one = (day, currency)
        if one not in self._known:
            found = self._store.rows(RATE, one)
            self._known[one] = Decimal(found[0][0]) if found else None
        return self._known[one]


def rate_of(fields: Mapping[str, Any], place: str = "rates") -> Rate:
    """One checked rate. Raises BadRequest naming the place and field."""
    day, currency, written = (text(fields.get(name), 64) for name in ("date", "currency", "usd_rate"))
    if not _DAY.fullmatch(day):
        raise BadRequest(f"{place}: date: {day!r} must look like 2026-01-31.")
    written_day(day, f"{place}: date")
    currency = currency.upper()
    if currency not in CURRENCIES:
        raise BadRequest(f"{place}: currency: {currency!r} is not an ISO 4217 code.")
    rate = Rate(day, currency, _positive(written, f"{place}: usd_rate"))
    if Decimal(rate.usd_rate) >= MAX_RATE:
        raise BadRequest(f"{place}: usd_rate: {written!r} must be below 1000000 dollars for one unit.")
    if currency == "USD" and rate.usd_rate != "1":
        raise BadRequest(f"{place}: usd_rate: a dollar is a dollar; USD needs no rate but 1.")
    return rate


def _positive(written: str, place: str) -> str:
    if not _NUMBER.fullmatch(written):
        raise BadRequest(f"{place}: {written!r} must be a number, with a point before its decimals.")
    number = Decimal(written)
    if not number.is_finite() or number <= 0 or abs(number.adjusted()) > 12 or len(written) > MAX_DIGITS:
        raise BadRequest(f"{place}: {written!r} must be a plain number above 0.")
    return plain(number)


def plain(number: Decimal) -> str:
    """Decimal text without exponent and without trailing zeros."""
    written = format(number, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def read_lines(name: str, lines: Iterator[str]) -> Iterator[Rate]:
    """The rates of a CSV in either form. Raises BadRequest naming the line."""
    header = read_header(name, lines, WANTED)
    columns = header.columns
    own = {"date", "currency", "usd_rate"} <= set(columns)
    if not own and not (columns[:1] == ["date"] and "usd" in columns):
        raise BadRequest(
            f"{name}: the first line must be date,currency,usd_rate or that of the ECB's eurofxref-hist.csv;"
            f" its columns are {shown(columns)}."
        )
    for record in records_of(lines, header.separator, header.before + header.lines):
        place = f"line {record.line}"
        if error := misfit(record, columns):
            raise BadRequest(f"{place}: {error}.")
        if own and any(cell.strip() for cell in record.fields):
            yield rate_of(dict(zip(columns, record.fields, strict=True)), place)
        elif not own:
            yield from _ecb(columns, record.fields, place)


def _ecb(header: list[str], row: list[str], place: str) -> Iterator[Rate]:
    """One day of the ECB: units per euro; `N/A` where a currency had no rate."""
    cells = {name.upper(): cell.strip() for name, cell in zip(header, row, strict=True)}
    day, dollars = cells.pop("DATE", ""), cells.pop("USD", "")
    if not day or dollars in ("", "N/A"):
        return
    day = _iso_day(day)
    per_euro = Decimal(_positive(dollars, f"{place}: USD"))
    yield rate_of({"date": day, "currency": "EUR", "usd_rate": str(per_euro)}, place)
    for currency, cell in cells.items():
        if cell not in ("", "N/A") and currency in CURRENCIES:
            units = Decimal(_positive(cell, f"{place}: {currency}"))
            rate = plain(_DIVISION.divide(per_euro, units))
            yield rate_of({"date": day, "currency": currency, "usd_rate": rate}, place)


def _iso_day(written: str) -> str:
    """`14 May 2024` as 2024-05-14; anything else stays."""
    try:
        return datetime.strptime(written, "%d %B %Y").replace(tzinfo=UTC).date().isoformat()
    except ValueError:
        return written


def without_contradictions(rates: Iterable[Rate]) -> tuple[list[Rate], list[str]]:
    """The rates that agree with the first one of their day and currency, and a sentence for each of the others."""
    first: dict[tuple[str, str], str] = {}
    kept, refused = [], []
    for rate in rates:
        taken = first.setdefault((rate.day, rate.currency), rate.usd_rate)
        if taken == rate.usd_rate:
            kept.append(rate)
        else:
            refused.append(
                f"{rate.currency} on {rate.day}: two rates are given; {taken} is taken, {rate.usd_rate} is not."
            )
    return kept, refused


def store_rates(tx: Transaction, batches: list[RateBatch]) -> list[RateReport | Exception]:
    """The `Batch` that stores rates; one report per batch."""
    return [_store(tx, batch) for batch in batches]


def _store(tx: Transaction, batch: RateBatch) -> RateReport:
    report = RateReport(refused=[])
    fresh: dict[tuple[str, str], str] = {}
    rates, report.refused = without_contradictions(batch.rates)
    for rate in rates:
        key = (rate.day, rate.currency)
        standing = fresh.get(key) or _standing(tx.rows(RATE, key))
        if standing is None:
            fresh[key] = rate.usd_rate
            report.added += 1
        elif standing == rate.usd_rate:
            report.unchanged += 1
        elif batch.replace:
            tx.run(REPLACE, (rate.usd_rate, *key))
            report.replaced += 1
        else:
            report.refused.append(
                f"{rate.currency} on {rate.day}: {standing} stands; {rate.usd_rate} is only taken with replace."
            )
    if report.added or report.replaced:
        tx.run(COUNT_CHANGE, (CHANGE_COUNTER,))
    tx.insert("rate", ADD, [(day, currency, value) for (day, currency), value in fresh.items()])
    return report


def _standing(rows: list[RowValues]) -> str | None:
    return str(rows[0][0]) if rows else None
