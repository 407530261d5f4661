"""Taking a segment of imported events in: persons, dollars, then the rows, each event once by its id."""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package; values are bound.
from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path

from duckdb import DuckDBPyConnection

from bough.importers.columns import IDENTIFIERS
from bough.money import to_micro
from bough.warehouse.build import Warehouse
from bough.warehouse.event import STAGE_TYPES
from bough.warehouse.intake import Stage, zone_table
from bough.warehouse.persons import assign

RateOf = Callable[[str, int], Decimal | None]
"""(currency, days since 1970 of the event's local date) → dollars for one unit; None when there is no such rate."""


def take_in(warehouse: Warehouse, app: str, time_zone: str, path: Path, rate_of: RateOf) -> int:
    """Add a segment's events; returns how many were new. Taking it in again adds nothing.

    The people it touches are brought up to date by the next `Warehouse.refresh`. Call it inside a
    `Warehouse.transaction`: who is who and the events belong together.
    """
    connection = warehouse.connection
    whole = f"read_parquet({_quoted(str(path))}, file_row_number = true)"
    present = {str(row[0]) for row in connection.execute(f"DESCRIBE FROM {whole}").fetchall()}
    kinds = [kind for kind in IDENTIFIERS if kind in present]
    identified = "".join(f", {kind}" for kind in kinds)
    first = _only_first(connection, whole)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE segment AS SELECT file_row_number AS row, id, ms, amount, currency"
        f"{identified} FROM {whole}{first}"
    )
    merges = assign(connection, app, "segment", kinds)
    if merges:
        warehouse.merge_persons(app, merges)
    _dollars(connection, time_zone, rate_of)
    known = {"app": _quoted(app), **{name: f"s.{name}" for name in STAGE_TYPES if name in present}}
    kept = "" if not first else " JOIN segment AS k ON k.row = s.file_row_number"
    texts = f"(SELECT s.file_row_number AS row, {_columns(known)} FROM {whole} AS s{kept})"
    people = f"(SELECT DISTINCT {_quoted(app)} AS app, person FROM row_persons)"
    try:
        return warehouse.append_stage(
            Stage(
                texts,
                people,
                carried=("row",),
                joins=" JOIN row_persons AS q ON q.row = s.row LEFT JOIN dollars AS d ON d.row = s.row",
                person="q.person",
                micro="d.micro",
                missing_rate="coalesce(d.missing_rate, false)",
                distinct=True,
            )
        )
    finally:
        for name in ("segment", "combos", "edges", "labels", "row_persons", "dollars", "priced"):
            connection.execute(f"DROP TABLE IF EXISTS {name}")


def unpriced_apps(connection: DuckDBPyConnection) -> list[str]:
    """Apps with an amount that had no rate, also of live events."""
    rows = connection.execute(
        "SELECT DISTINCT w.word FROM events AS e JOIN words AS w ON w.code = e.app WHERE e.missing_rate = 1 ORDER BY 1"
    ).fetchall()
    return [str(app) for (app,) in rows]


def price(warehouse: Warehouse, app: str, time_zone: str, paths: Iterable[Path], rate_of: RateOf) -> None:
    """Give amounts their dollars whose rates have come since their segments were taken in.

    The first segment that holds an event says what it cost, as when it was taken in. Amounts that have dollars keep
    them (contract/cohort.md §9, "Money"). Call it inside a `Warehouse.transaction`, and refresh afterwards.
    """
    connection = warehouse.connection
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE unpriced AS SELECT e.rowid AS rid, e.id, e.who FROM events AS e"
        " JOIN words AS w ON w.code = e.app WHERE w.word = $app AND e.missing_rate = 1",
        {"app": app},
    )
    for path in paths:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE segment AS SELECT u.rid AS row, u.who, s.ms, s.amount, s.currency"
            f" FROM read_parquet({_quoted(str(path))}, file_row_number = true) AS s JOIN unpriced AS u ON u.id = s.id"
            " QUALIFY row_number() OVER (PARTITION BY u.rid ORDER BY s.file_row_number) = 1"
        )
        connection.execute("DELETE FROM unpriced WHERE rid IN (SELECT row FROM segment)")
        _dollars(connection, time_zone, rate_of)
        connection.execute("DELETE FROM dollars WHERE missing_rate")
        connection.execute(
            "UPDATE events SET micro = d.micro, missing_rate = 0 FROM dollars AS d WHERE d.row = events.rowid"
        )
        connection.execute("INSERT INTO touched SELECT DISTINCT s.who FROM segment AS s JOIN dollars AS d USING (row)")
    for name in ("unpriced", "segment", "dollars", "priced"):
        connection.execute(f"DROP TABLE IF EXISTS {name}")


def _columns(values: dict[str, str]) -> str:
    """Columns of a staged relation, NULL where there is no value."""
    return ", ".join(
        f"{values.get(name, f'CAST(NULL AS {kind})')} AS {name}"
        for name, kind in STAGE_TYPES.items()
        if name not in ("person", "micro", "missing_rate")
    )


def _only_first(connection: DuckDBPyConnection, whole: str) -> str:
    """The condition that keeps the first of the rows with one id; none is needed when all are different."""
    row = connection.execute(f"SELECT count(*) > count(DISTINCT id) FROM {whole}").fetchone()
    if row is None or not row[0]:
        return ""
    return " QUALIFY row_number() OVER (PARTITION BY id ORDER BY file_row_number) = 1"


def _dollars(connection: DuckDBPyConnection, time_zone: str, rate_of: RateOf) -> None:
    """The table `dollars` (row, micro, missing_rate): each amount at the rate of the event's local date, exact."""
    row = connection.execute("SELECT min(ms), max(ms) FROM segment WHERE amount IS NOT NULL").fetchone()
    connection.execute("CREATE OR REPLACE TEMP TABLE dollars (row BIGINT, micro BIGINT, missing_rate BOOLEAN)")
    if row is None or row[0] is None:
        return
    zone_table(connection, [(0, time_zone, int(row[0]), int(row[1]))])
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE priced AS SELECT s.row, s.amount, s.currency, (s.ms + z.shift) // 86400000 AS day"
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
            "INSERT INTO dollars SELECT p.row, d.micro, d.micro IS NULL FROM priced AS p JOIN read_csv($path,"
            " columns = {'amount': 'VARCHAR', 'currency': 'VARCHAR', 'day': 'BIGINT', 'micro': 'BIGINT'},"
            " auto_detect = false, header = false, delim = ',', quote = '\"') AS d"
            " ON d.amount = p.amount AND d.currency = p.currency AND d.day = p.day",
            {"path": file.name},
        )


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
