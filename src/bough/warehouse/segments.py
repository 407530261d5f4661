"""Taking a segment of imported events in: persons, dollars, then the rows, each event once by its id."""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package; values are bound.
from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
from duckdb import DuckDBPyConnection

from bough.attribution.attributed_event import STAGE_TYPES
from bough.vocabulary.export_columns import IDENTIFIERS
from bough.vocabulary.money import to_micro
from bough.warehouse.build import Warehouse
from bough.warehouse.intake import Stage, zone_table
from bough.warehouse.persons import assign, identified

Fault = Callable[[str], object]
"""Told what is wrong with amounts that are left out."""

RateOf = Callable[[str, int], Decimal | None]
"""(currency, days since 1970 of the event's local date) → dollars for one unit; None when there is no such rate."""


def take_in(warehouse: Warehouse, app: str, time_zone: str, path: Path, rate_of: RateOf, fault: Fault = str) -> int:
    """Add a segment's events; returns how many were new. Taking it in again adds nothing.

    Amounts that are more than an event can hold (`bough.vocabulary.money`) are left out as those without a rate are,
    and told to `fault`.

    The people it touches are brought up to date by the next `Warehouse.refresh`. Call it inside a
    `Warehouse.transaction`: who is who and the events belong together.
    """
    connection = warehouse.connection
    source = f"read_parquet({_quoted(str(path))}, file_row_number = true)"
    present = {str(row[0]) for row in connection.execute(f"DESCRIBE FROM {source}").fetchall()}
    kinds = [kind for kind in IDENTIFIERS if kind in present]
    source = _first_only(connection, source)
    merges = assign(connection, app, source, kinds)
    if merges:
        warehouse.merge_persons(app, merges)
    if too_large := _dollars(connection, source, time_zone, rate_of):
        fault(f"revenue: {too_large} is more than an event can hold")
    try:
        return warehouse.append_stage(_stage(connection, app, source, present, kinds))
    finally:
        for name in ("firsts", "combos", "edges", "labels", "named_persons", "segment_people", "dollars", "priced"):
            connection.execute(f"DROP TABLE IF EXISTS {name}")


def unpriced_apps(connection: DuckDBPyConnection) -> list[str]:
    """Apps with an amount that had no rate, also of live events."""
    rows = connection.execute(
        "SELECT DISTINCT w.word FROM events AS e JOIN words AS w ON w.code = e.app WHERE e.missing_rate = 1 ORDER BY 1"
    ).fetchall()
    return [str(app) for (app,) in rows]


def price(warehouse: Warehouse, app: str, time_zone: str, paths: Iterable[Path], rate_of: RateOf) -> None:
    """Give amounts their dollars whose rates have come since their segments were ingested.

    The first segment that holds an event says what it cost, as when it was ingested. Amounts that have dollars keep
    them (docs/exports.md, "Money"). Call it inside a `Warehouse.transaction`, and refresh afterwards.
    """
    connection = warehouse.connection
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE unpriced AS SELECT e.rowid AS rid, e.id, e.who FROM events AS e"
        " JOIN words AS w ON w.code = e.app WHERE w.word = $app AND e.missing_rate = 1",
        {"app": app},
    )
    for path in paths:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE segment AS SELECT u.rid AS file_row_number, u.who, s.ms, s.amount, s.currency"
            f" FROM read_parquet({_quoted(str(path))}, file_row_number = true) AS s JOIN unpriced AS u ON u.id = s.id"
            " QUALIFY row_number() OVER (PARTITION BY u.rid ORDER BY s.file_row_number) = 1"
        )
        connection.execute("DELETE FROM unpriced WHERE rid IN (SELECT file_row_number FROM segment)")
        _dollars(connection, "segment", time_zone, rate_of)
        connection.execute("DELETE FROM dollars WHERE missing_rate")
        connection.execute(
            "UPDATE events SET micro = d.micro, missing_rate = 0 FROM dollars AS d WHERE d.row = events.rowid"
        )
        connection.execute(
            "INSERT INTO touched SELECT DISTINCT s.who FROM segment AS s JOIN dollars AS d ON d.row = s.file_row_number"
        )
    for name in ("unpriced", "segment", "dollars", "priced"):
        connection.execute(f"DROP TABLE IF EXISTS {name}")


def _stage(connection: DuckDBPyConnection, app: str, source: str, present: set[str], kinds: Sequence[str]) -> Stage:
    first = identified(kinds)
    nobody = " AND ".join(f"s.{kind} IS NULL" for kind in kinds) or "TRUE"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE segment_people AS SELECT {_quoted(app)} AS app, person FROM ("
        "SELECT DISTINCT person FROM named_persons UNION ALL"
        f" SELECT {identified(()).person} FROM {source} AS s WHERE {nobody})"
    )
    known = {"app": _quoted(app), **{name: f"s.{name}" for name in STAGE_TYPES if name in present}}
    return Stage(
        f"(SELECT s.file_row_number AS row, {first.kind} AS kind, {first.value} AS value, {_columns(known)}"
        f" FROM {source} AS s)",
        "segment_people",
        carried=("row", "kind", "value"),
        joins=" LEFT JOIN named_persons AS q ON q.kind = s.kind AND q.value = s.value"
        " LEFT JOIN dollars AS d ON d.row = s.row",
        person=first.person,
        micro="d.micro",
        missing_rate="coalesce(d.missing_rate, false)",
        distinct=True,
    )


def _columns(values: dict[str, str]) -> str:
    """Columns of a staged relation, NULL where there is no value."""
    return ", ".join(
        f"{values.get(name, f'CAST(NULL AS {kind})')} AS {name}"
        for name, kind in STAGE_TYPES.items()
        if name not in ("person", "micro", "missing_rate")
    )


def _first_only(connection: DuckDBPyConnection, source: str) -> str:
    """The rows without those whose id an earlier one has. Different hashes are different ids."""
    hashes = np.sort(connection.execute(f"SELECT hash(id) AS h FROM {source}").fetchnumpy()["h"])
    if not (hashes[1:] == hashes[:-1]).any():
        return source
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE firsts AS SELECT min(file_row_number) AS row FROM {source} GROUP BY id"
    )
    return f"(SELECT w.* FROM {source} AS w JOIN firsts AS f ON f.row = w.file_row_number)"


def _dollars(connection: DuckDBPyConnection, source: str, time_zone: str, rate_of: RateOf) -> str:
    """The table `dollars` (row, micro, missing_rate): each amount at the rate of the event's local date, exact.

    Returns an amount that is too large, in words, if there are any; they stand as those without a rate.
    """
    too_large = ""
    row = connection.execute(f"SELECT min(ms), max(ms) FROM {source} WHERE amount IS NOT NULL").fetchone()
    connection.execute("CREATE OR REPLACE TEMP TABLE dollars (row BIGINT, micro BIGINT, missing_rate BOOLEAN)")
    if row is None or row[0] is None:
        return too_large
    zone_table(connection, [(0, time_zone, int(row[0]), int(row[1]))])
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE priced AS SELECT s.file_row_number AS row, s.amount, s.currency,"
        f" (s.ms + z.shift) // 86400000 AS day FROM {source} AS s"
        " JOIN zones AS z ON s.ms >= z.starts AND s.ms < z.ends WHERE s.amount IS NOT NULL"
    )
    distinct = connection.execute("SELECT DISTINCT amount, currency, day FROM priced").fetchall()
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as file:
        writer = csv.writer(file)
        for amount, currency, day in distinct:
            rate = Decimal(1) if currency == "USD" else rate_of(currency, int(day))
            try:
                micro = "" if rate is None else str(to_micro(Decimal(amount), rate))
            except OverflowError:
                micro, too_large = "", f"{amount} {currency}"
            writer.writerow((amount, currency, day, micro))
        file.flush()
        connection.execute(
            "INSERT INTO dollars SELECT p.row, d.micro, d.micro IS NULL FROM priced AS p JOIN read_csv($path,"
            " columns = {'amount': 'VARCHAR', 'currency': 'VARCHAR', 'day': 'BIGINT', 'micro': 'BIGINT'},"
            " auto_detect = false, header = false, delim = ',', quote = '\"') AS d"
            " ON d.amount = p.amount AND d.currency = p.currency AND d.day = p.day",
            {"path": file.name},
        )
    return too_large


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
