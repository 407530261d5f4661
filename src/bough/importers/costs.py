"""What campaigns cost: `bough import costs FILE` and POST /api/costs (contract/cohort.md §6, §9).

One cost is an amount for an app, a local day and any cohort dimensions; the same day and dimensions again replace it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bough.cohorts.dimensions import COST_COLUMNS, TOUCH_COLUMNS, Kind, cohort_column
from bough.errors import BadRequest
from bough.events import schema
from bough.ids import growing_ids, now_ms
from bough.store.database import Store
from bough.store.transaction import Transaction

EPOCH = date(1970, 1, 1)
MAX_VALUE = 4096
_SETS = frozenset(column for column, kind in TOUCH_COLUMNS if kind is Kind.SET)

SAVE = (
    "INSERT INTO cost (id, app, day, dimensions, amount, currency, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (app, day, dimensions) DO UPDATE SET amount = excluded.amount, currency = excluded.currency,"
    " updated_at = excluded.updated_at"
)
NEWEST = "SELECT max(id), max(updated_at) FROM cost"


class Cost(Struct, frozen=True, kw_only=True):
    """One checked cost."""

    day: int
    """Days since 1970-01-01."""
    dimensions: dict[str, str]
    """By column of COST_COLUMNS."""
    amount: Decimal
    currency: str


class CostReport(Struct, frozen=True, kw_only=True):
    """What became of a file."""

    rows: int
    updated_at: int
    """The warehouse has them when it has published this."""
    errors: tuple[tuple[int, str], ...] = ()


def import_costs(store: Store, app: int, path: Path) -> CostReport:
    """Store a CSV file's costs; lines with a fault are left out. Raises BadRequest when the file cannot be read."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadRequest(f"{path.name}: cannot be read: {error}.") from error
    costs: list[Cost] = []
    errors: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 2):
        try:
            costs.append(parse_cost({name: value for name, value in line.items() if name and value not in (None, "")}))
        except BadRequest as error:
            errors.append((number, error.message))
    updated_at = save_costs(store, app, costs)
    return CostReport(rows=len(costs), updated_at=updated_at, errors=tuple(errors))


def save_costs(store: Store, app: int, costs: Iterable[Cost]) -> int:
    """Store costs, all or none; returns the number the warehouse publishes when it has them."""
    return store.transact(save_batch, (app, list(costs)))


def parse_cost(fields: Mapping[str, Any]) -> Cost:
    """One cost from `date`, `cost`, `currency` and dimensions by any of their names. Raises BadRequest."""
    dimensions: dict[str, str] = {}
    for name, value in fields.items():
        if name in ("date", "cost", "currency", "app_id"):
            continue
        column = name if name in COST_COLUMNS else cohort_column(name)
        if column is None or column not in COST_COLUMNS:
            raise BadRequest(f"{name}: costs cannot be broken down by it.")
        dimensions[column] = _value(name, column, value)
    amount = schema.amount(fields.get("cost"), "cost")
    if amount is None:
        raise BadRequest("cost: is missing.")
    if amount < 0:
        raise BadRequest("cost: must not be negative.")
    return Cost(
        day=_day(fields.get("date")),
        dimensions={column: value for column, value in sorted(dimensions.items()) if value},
        amount=amount,
        currency=schema.currency(fields.get("currency"), "currency"),
    )


def save_batch(tx: Transaction, items: list[tuple[int, list[Cost]]]) -> list[int | Exception]:
    """The batch behind `save_costs`."""
    results: list[int | Exception] = []
    for app, costs in items:
        newest, updated = tx.rows(NEWEST)[0]
        ids = growing_ids(newest or 0)
        # Grows with every save, so that the warehouse misses none even when the clock stands still.
        updated_at = max(now_ms(), (updated or 0) + 1)
        rows = [
            (
                next(ids),
                app,
                cost.day,
                msgspec.json.encode(cost.dimensions).decode(),
                str(cost.amount),
                cost.currency,
                updated_at,
            )
            for cost in costs
        ]
        tx.each(SAVE, rows)
        results.append(updated_at if rows else updated or 0)
    return results


def _day(value: object) -> int:
    text = str(value or "")[:10]
    try:
        return (date.fromisoformat(text) - EPOCH).days
    except ValueError as error:
        raise BadRequest("date: must be a date YYYY-MM-DD.") from error


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
