"""What campaigns cost: `bough import costs FILE` and POST /api/costs (docs/exports.md).

One cost is an amount for an app, a local day and any cohort dimensions. A file or request says all that its days and
dimensions cost: rows of it with the same day and dimensions are added up, and replace what was stored before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bough.csv_text import misfit, read_header, records_of, shown
from bough.errors import BadRequest
from bough.events import schema
from bough.importers.amounts import amount as written_amount
from bough.store.database import Store
from bough.store.transaction import Transaction
from bough.text_files import lines_of, look
from bough.vocabulary.calendar_days import day_of, written_day
from bough.vocabulary.dimensions import COST_COLUMNS, TOUCH_COLUMNS, Kind, cohort_column
from bough.vocabulary.ids import growing_ids, now_ms
from bough.vocabulary.money import PRECISION

MAX_VALUE = 4096
_SETS = frozenset(column for column, kind in TOUCH_COLUMNS if kind is Kind.SET)

SAVE = (
    "INSERT INTO cost (id, app, day, dimensions, amount, currency, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (app, day, dimensions) DO UPDATE SET amount = excluded.amount, currency = excluded.currency,"
    " updated_at = excluded.updated_at"
)
NEWEST = "SELECT max(id), max(updated_at) FROM cost"
STANDING = "SELECT day, dimensions, amount, currency FROM cost WHERE app = ? AND day BETWEEN ? AND ?"


class Cost(Struct, frozen=True, kw_only=True):
    """One checked cost."""

    day: int
    """Days since 1970-01-01."""
    dimensions: dict[str, str]
    """By column of COST_COLUMNS."""
    amount: Decimal
    currency: str


class StoredCosts(Struct, frozen=True, kw_only=True):
    """What became of the costs of a file or request."""

    rows: int
    """Days and dimensions that have a cost of it now."""
    added_up: int = 0
    """Rows that were added to an earlier one of the same day and dimensions."""
    replaced: int = 0
    """Stored costs that were different before."""
    updated_at: int
    """The warehouse has them when it has published this."""


class CostReport(Struct, frozen=True, kw_only=True):
    """What became of a file."""

    stored: StoredCosts
    errors: tuple[tuple[int, str], ...] = ()
    """By line."""


class CostLines(Struct, frozen=True, kw_only=True):
    """What a CSV says."""

    costs: list[Cost]
    """Each of another day and dimensions."""
    lines: int
    """Lines that are in `costs`."""
    errors: tuple[tuple[int, str], ...]
    """Line and sentence of the others."""


def import_costs(store: Store, app: int, path: Path) -> CostReport:
    """Store a CSV file's costs; lines with a fault are left out. Raises BadRequest when the file cannot be read."""
    found = read_costs(path.name, lines_of(path, look(path)))
    stored = store.transact(save_batch, (app, found.costs))
    stored = msgspec.structs.replace(stored, added_up=found.lines - len(found.costs))
    return CostReport(stored=stored, errors=found.errors)


def read_costs(name: str, lines: Iterator[str]) -> CostLines:
    """The costs of a CSV's lines. Raises BadRequest when its header cannot be that of costs."""
    header = read_header(name, lines, ("date", "cost"))
    for needed in ("date", "cost"):
        if needed not in header.columns:
            raise BadRequest(f"{name}: has no column {needed}; its columns are {shown(header.columns)}.")
    costs: dict[int, Cost] = {}
    errors: list[tuple[int, str]] = []
    for record in records_of(lines, header.separator, header.before + header.lines):
        try:
            if error := misfit(record, header.columns):
                raise BadRequest(f"{error}.")
            costs[record.line] = parse_cost(cells(header.columns, record.fields))
        except BadRequest as error:
            errors.append((record.line, error.message))
    sums, clashing = added_up(list(costs.values()))
    at = list(costs)
    errors += [(at[place], error) for place, error in clashing]
    return CostLines(costs=sums, lines=len(costs) - len(clashing), errors=tuple(sorted(errors)))


def cells(columns: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    """A record's values by column, without empty ones and blanks around them."""
    return {name: value.strip() for name, value in zip(columns, fields, strict=True) if value.strip()}


def costs_sentence(stored: StoredCosts, verb: str = "") -> str:
    """What became of costs, for people; `verb` stands behind "costs"."""
    lines = stored.rows + stored.added_up
    added = f" from {lines} lines (those of the same day and dimensions are added up)" if stored.added_up else ""
    replaced = f", {stored.replaced} of them in place of other amounts" if stored.replaced else ""
    return f"{stored.rows} costs{verb}{added}{replaced}"


def added_up(costs: Sequence[Cost]) -> tuple[list[Cost], list[tuple[int, str]]]:
    """One cost for each day and dimensions, and (place, fault) of those that cannot be added up: two currencies.

    All rows of such a day and dimensions are left out: a part of them would be no cost of it.
    """
    places: dict[tuple[int, str], list[int]] = {}
    for place, cost in enumerate(costs):
        places.setdefault((cost.day, _key(cost)), []).append(place)
    sums: list[Cost] = []
    faults: list[tuple[int, str]] = []
    for same in places.values():
        first = costs[same[0]]
        with localcontext(prec=PRECISION):
            total = sum((costs[place].amount for place in same), Decimal())
        currencies = sorted({costs[place].currency for place in same})
        try:
            if len(currencies) > 1:
                raise BadRequest(
                    f"currency: the same day and dimensions stand here in {' and '.join(currencies)}, which cannot be"
                    " added up; give them one currency, or a dimension that tells them apart."
                )
            schema.amount(total, "cost")
        except BadRequest as error:
            faults += [(place, error.message) for place in same]
        else:
            sums.append(msgspec.structs.replace(first, amount=total))
    return sums, faults


def parse_cost(fields: Mapping[str, Any]) -> Cost:
    """One cost from `date`, `cost`, `currency` and dimensions by any of their names. Raises BadRequest."""
    dimensions: dict[str, str] = {}
    for name, value in fields.items():
        if name in ("date", "cost", "currency", "app_id"):
            continue
        column = name if name in COST_COLUMNS else cohort_column(name)
        if column is None or column not in COST_COLUMNS:
            raise BadRequest(f"{name}: costs cannot be broken down by it.")
        written = _value(name, column, value)
        if dimensions.setdefault(column, written) != written:
            raise BadRequest(f"{name}: says something else than another name of the same dimension.")
    amount = written_amount(fields.get("cost"), "cost")
    if amount is None:
        raise BadRequest("cost: is missing.")
    if amount < 0:
        raise BadRequest("cost: must not be negative.")
    return Cost(
        day=day_of(written_day(fields.get("date"), "date")),
        dimensions={column: value for column, value in sorted(dimensions.items()) if value},
        amount=amount,
        currency=schema.currency(fields.get("currency"), "currency"),
    )


def save_batch(tx: Transaction, items: list[tuple[int, list[Cost]]]) -> list[StoredCosts | Exception]:
    """The batch that stores costs of different days and dimensions; they replace those that stand."""
    results: list[StoredCosts | Exception] = []
    for app, costs in items:
        newest, updated = tx.rows(NEWEST)[0]
        ids = growing_ids(newest or 0)
        # Grows with every save, so that the warehouse misses none even when the clock stands still.
        updated_at = max(now_ms(), (updated or 0) + 1)
        replaced = _differ(tx, app, costs)
        rows = [(next(ids), app, cost.day, _key(cost), str(cost.amount), cost.currency, updated_at) for cost in costs]
        tx.each(SAVE, rows)
        results.append(StoredCosts(rows=len(rows), replaced=replaced, updated_at=updated_at if rows else updated or 0))
    return results


def _differ(tx: Transaction, app: int, costs: Sequence[Cost]) -> int:
    """How many of the costs stand with another amount or currency."""
    if not costs:
        return 0
    days = [cost.day for cost in costs]
    standing = {
        (day, dimensions): (Decimal(amount), currency)
        for day, dimensions, amount, currency in tx.rows(STANDING, (app, min(days), max(days)))
    }
    own = (((cost.day, _key(cost)), (cost.amount, cost.currency)) for cost in costs)
    return sum(standing.get(key, cost) != cost for key, cost in own)


def _key(cost: Cost) -> str:
    return msgspec.json.encode(cost.dimensions).decode()


def _value(name: str, column: str, value: object) -> str:
    if isinstance(value, bool):
        value = "true" if value else "false"
    if column in _SETS and isinstance(value, list):
        value = ",".join(sorted({str(item) for item in value}))
    if isinstance(value, int):
        value = str(value)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_VALUE:
        raise BadRequest(f"{name}: must be text of at most {MAX_VALUE} characters.")
    return value
