"""Taking a segment of imported events in: persons, dollars, then the rows, each event once by its id."""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package; values are bound.
from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from duckdb import DuckDBPyConnection

from bough.cohorts.dimensions import TOUCH_COLUMNS, USER_COLUMNS
from bough.importers.columns import IDENTIFIERS
from bough.money import to_micro
from bough.warehouse.build import Warehouse
from bough.warehouse.event import STAGE_TYPES
from bough.warehouse.intake import zone_table
from bough.warehouse.persons import assign

RateOf = Callable[[str, int], Decimal | None]
"""(currency, days since 1970 of the event's local date) → dollars for one unit; None when there is no such rate."""


def take_in(warehouse: Warehouse, app: str, time_zone: str, path: Path, rate_of: RateOf) -> int:
    """Add a segment's events; returns how many were new. Taking it in again adds nothing.

    The people it touches are brought up to date by the next `Warehouse.refresh`.
    """
    connection = warehouse.connection
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE segment AS SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY id) AS copy"
        " FROM read_parquet($path)) WHERE copy = 1",
        {"path": str(path)},
    )
    merges = assign(connection, app, "segment", IDENTIFIERS)
    if merges:
        warehouse.merge_persons(app, merges)
    _dollars(connection, app, time_zone, rate_of)
    touches = ", ".join(column for column, _ in TOUCH_COLUMNS)
    users = ", ".join(USER_COLUMNS)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE segment_stage AS SELECT s.id, {_quoted(app)} AS app, p.person, s.name, s.ms,"
        f" s.attributed, s.touch_type, s.touch_at, s.customer_event_alias, d.micro,"
        f" coalesce(d.missing_rate, false) AS missing_rate, {users}, {touches}"
        " FROM segment AS s JOIN row_persons AS p ON p.id = s.id LEFT JOIN dollars AS d ON d.id = s.id"
    )
    added = warehouse.append_relation("(SELECT " + ", ".join(STAGE_TYPES) + " FROM segment_stage)")
    for name in ("segment", "segment_stage", "row_keys", "combos", "edges", "labels", "row_persons", "dollars"):
        connection.execute(f"DROP TABLE IF EXISTS {name}")
    return added


def _dollars(connection: DuckDBPyConnection, app: str, time_zone: str, rate_of: RateOf) -> None:
    """The table `dollars` (id, micro, missing_rate): each amount at the rate of the event's local date, exact."""
    row = connection.execute("SELECT min(ms), max(ms) FROM segment WHERE amount IS NOT NULL").fetchone()
    connection.execute("CREATE OR REPLACE TEMP TABLE dollars (id VARCHAR, micro BIGINT, missing_rate BOOLEAN)")
    if row is None or row[0] is None:
        return
    zone_table(connection, [(0, time_zone, int(row[0]), int(row[1]))])
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE priced AS SELECT s.id, s.amount, s.currency, (s.ms + z.shift) // 86400000 AS day"
        " FROM segment AS s JOIN zones AS z ON s.ms >= z.starts AND s.ms < z.ends WHERE s.amount IS NOT NULL"
    )
    distinct = connection.execute("SELECT DISTINCT amount, currency, day FROM priced").fetchall()
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as file:
        writer = csv.writer(file)
        for amount, currency, day in distinct:
            rate = Decimal(1) if currency == "USD" else rate_of(currency, int(day))
            micro = "" if rate is None else str(to_micro(Decimal(amount), rate))
            writer.writerow((amount, currency, day, micro))
        file.flush()
        connection.execute(
            "INSERT INTO dollars SELECT p.id, d.micro, d.micro IS NULL FROM priced AS p JOIN read_csv($path,"
            " columns = {'amount': 'VARCHAR', 'currency': 'VARCHAR', 'day': 'BIGINT', 'micro': 'BIGINT'},"
            " auto_detect = false, header = false, delim = ',', quote = '\"') AS d"
            " ON d.amount = p.amount AND d.currency = p.currency AND d.day = p.day",
            {"path": file.name},
        )


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
