"""How fast `bough import events` is, from a file to events that can be queried: python -m bench.import_events [N]

For CSV, JSON lines and Parquet: the whole command as a process of its own, start of Python included, into an app
without events and without a server; then its two halves in this process. Events per second are those of the clock. On
a machine that others use too, the processor time per event (all threads) says more.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from bough.accounts.creation import NewApp, create_app
from bough.importers.events import import_file
from bough.store import open_store
from bough.warehouse.refresh import Keeper

DAY_MS = 86_400_000
START_MS = 1_750_000_000_000


def generate(path: Path, events: int) -> None:
    """A Parquet file of `events` rows with 20 columns: one person has 10 events, the first of them an INSTALL."""
    people = max(1, events // 10)
    campaign = "CASE WHEN p % 3 = 0 THEN NULL ELSE 'campaign ' || (p % 40) END"
    name = (
        "CASE WHEN i < n.people THEN 'INSTALL' WHEN h % 100 < 60 THEN 'OPEN' WHEN h % 100 < 70 THEN 'PURCHASE'"
        " WHEN h % 100 < 85 THEN 'VIEW_ITEM' WHEN h % 100 < 95 THEN 'ADD_TO_CART' ELSE 'level_up' END"
    )
    sql = f"""
        SELECT 'e' || i AS id, {name} AS name,
          {START_MS} + CAST(p % 90 AS BIGINT) * {DAY_MS}
            + CASE WHEN i < n.people THEN 0 ELSE h % {60 * DAY_MS} END AS timestamp,
          CASE WHEN p % 3 = 0 THEN 'false' ELSE 'true' END AS attributed,
          CASE WHEN p % 3 = 0 THEN NULL ELSE 'CLICK' END AS last_attributed_touch_type,
          CASE WHEN p % 3 = 0 THEN NULL ELSE {START_MS} + CAST(p % 90 AS BIGINT) * {DAY_MS} - 60000 END
            AS last_attributed_touch_timestamp,
          {campaign} AS last_attributed_touch_data_tilde_campaign,
          CASE WHEN p % 3 = 0 THEN NULL ELSE 'channel ' || (p % 7) END AS last_attributed_touch_data_tilde_channel,
          CASE WHEN p % 3 = 0 THEN NULL ELSE 'feature ' || (p % 5) END AS last_attributed_touch_data_tilde_feature,
          CASE WHEN p % 3 = 0 THEN NULL ELSE 'partner ' || (p % 9) END
            AS last_attributed_touch_data_tilde_advertising_partner_name,
          CASE WHEN p % 2 = 0 THEN 'IOS' ELSE 'ANDROID' END AS user_data_os,
          CASE WHEN p % 2 = 0 THEN 'IOS_APP' ELSE 'ANDROID_APP' END AS user_data_platform,
          ['US', 'DE', 'KR', 'JP', 'BR'][1 + p % 5] AS user_data_geo_country_code,
          CASE WHEN h % 3 = 0 THEN 'user-' || p END AS user_data_developer_identity,
          CASE WHEN p % 2 = 0 THEN md5('i' || p) END AS user_data_idfa,
          CASE WHEN p % 2 = 1 THEN md5('a' || p) END AS user_data_aaid,
          'brand ' || (p % 12) AS user_data_brand, 'model ' || (p % 60) AS user_data_model,
          CASE WHEN i >= n.people AND h % 100 BETWEEN 60 AND 69 THEN CAST((h % 9000) / 100 AS DECIMAL(9, 2)) END
            AS event_data_revenue,
          CASE WHEN i >= n.people AND h % 100 BETWEEN 60 AND 69 THEN 'USD' END AS event_data_currency
        FROM (SELECT i, i % {people} AS p, CAST(hash(i) >> 8 AS BIGINT) AS h FROM range({events}) AS r(i)),
          (SELECT {people} AS people) AS n"""  # noqa: S608 - our own numbers
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet)")


def convert(source: Path, target: Path) -> None:
    """The same rows as CSV or JSON lines."""
    form = "csv, HEADER" if target.suffix == ".csv" else "json"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (FROM '{source}') TO '{target}' (FORMAT {form})")


def measure(label: str, rows: int, work: Callable[[], object], whose: int = resource.RUSAGE_SELF) -> None:
    """Print what some work took; of the processor time that of this process or of its children."""
    before, started = resource.getrusage(whose), time.perf_counter()
    work()
    after, seconds = resource.getrusage(whose), time.perf_counter() - started
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{label:28} {seconds:7.2f} s  {rows / seconds:10,.0f} events/s   {cpu / rows * 1e6:6.2f} µs of processor time"
        f" per event, {cpu / seconds:.1f} cores busy",
        flush=True,
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("events", nargs="?", type=int, default=2_000_000)
    parser.add_argument("--formats", default="csv,ndjson,parquet")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "events.parquet"
        generate(source, arguments.events)
        for form in arguments.formats.split(","):
            path = source.with_suffix(f".{form}")
            if path != source:
                convert(source, path)
            print(f"{form}: {arguments.events:,} events, {path.stat().st_size / 1e6:,.0f} MB")
            _command(Path(folder) / f"{form}-command", path, arguments.events)
            _halves(Path(folder) / form, path, arguments.events)


def _app(data: Path) -> int:
    store = open_store(data, "")
    app = create_app(store, NewApp(name="bench", base_url="http://127.0.0.1:1"))
    store.close()
    return int(app.app_id)


def _command(data: Path, path: Path, events: int) -> None:
    arguments = [sys.executable, "-m", "bough.cli", "import", "events", str(path)]
    arguments += ["--app", str(_app(data)), "--data", str(data)]
    measure("  the command", events, lambda: subprocess.run(arguments, check=True), resource.RUSAGE_CHILDREN)


def _halves(data: Path, path: Path, events: int) -> None:
    app = _app(data)
    store = open_store(data, "")
    keeper = Keeper(data, store)
    keeper.take_in()
    measure("  file to segment", events, lambda: import_file(store, data, path, app))
    measure("  segment to warehouse", events, keeper.take_in)
    keeper.close()
    store.close()


if __name__ == "__main__":
    main()
