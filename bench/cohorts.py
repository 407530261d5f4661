"""Cohort queries beside the plain join of raw events to installs, on the same data in the same run.

    python -m bench.cohorts [--installs 1000000] [--folder DIR] [--growth] [--round-trip]

N installs with 12 events each over 180 days and all 44 cohort columns filled with skewed values. Every query runs in a
process of its own, once per side; answers are compared before a figure is printed. Memory is the peak resident size
above that of the process with the open database; seconds are the best of three. On a machine that others use too, the
seconds of processor time (all threads) say more than those of the clock: both are compared.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb

import bough.cohorts.arrays.compute  # noqa: F401 - as the warehouse process does: loading it is no part of a query
from bench import round_trip
from bench.cohort_data import generate, plain_tables
from bough.cohorts.files import band_names, json_object
from bough.cohorts.plan import AppScope
from bough.cohorts.request import CohortRequest, parse
from bough.cohorts.result import answer
from bough.warehouse.build import Warehouse

EPOCH: Final = date(1970, 1, 1)
START: Final = date(2024, 1, 1)
AS_OF: Final = START + timedelta(days=179)
THREADS: Final = 2
GROWTH: Final = (1, 2, 3, 5)
EVENTS: Final = 1_000_000
"""Of the data for the time from POST to file."""

I: Final = "install_activity_"  # noqa: E741
T: Final = I + "touch_data_"
ELEVEN: Final = (
    *(T + name for name in ("tilde_campaign", "tilde_advertising_partner_name", "tilde_ad_set_name", "tilde_ad_name")),
    *(T + name for name in ("tilde_channel", "tilde_keyword")),
    *(I + "data_" + name for name in ("os", "country_code", "model", "device_type", "geo_region_en")),
)


def _query(days: int, bands: int, measures: list[str], dimensions: list[str], **more: Any) -> dict[str, Any]:
    first = START + timedelta(days=10)
    return {
        "start_date": first.isoformat(),
        "end_date": (first + timedelta(days=days - 1)).isoformat(),
        "data_source": "install_cohort",
        "measures": measures,
        "dimensions": dimensions,
        "granularity_band_count": bands,
        **more,
    }


QUERIES: Final[dict[str, dict[str, Any]]] = {
    "campaign, 30 days x 30 bands": _query(30, 30, ["OPEN"], [T + "tilde_campaign"]),
    "3 measures by partner, country, os, 90 x 90": _query(
        90,
        90,
        ["OPEN", "PURCHASE", "revenue"],
        [T + "tilde_advertising_partner_name", I + "data_country_code", I + "data_os"],
    ),
    "11 dimensions, limit 50,000": _query(90, 7, ["OPEN"], list(ELEVEN)),
    "the seed's example": _query(
        2,
        7,
        ["OPEN"],
        [T + "tilde_campaign"],
        filters={T + "tilde_campaign": ["A4G"]},
        ordered="descending",
        ordered_by=T + "tilde_campaign",
        enable_intall_recalculation=True,
    ),
    "cumulative weekly LTV by partner": _query(
        90, 12, ["LTV"], [T + "tilde_advertising_partner_name"], granularity="week", cumulative=True
    ),
    "distinct users by a conversion dimension": _query(30, 14, ["OPEN"], ["user_data_platform"], unique=True),
    "month bands with filters": _query(
        90,
        3,
        ["PURCHASE", "revenue", "ARPPU"],
        [T + "tilde_channel"],
        granularity="month",
        filters={I + "data_country_code": ["C1", "C2", "C3"], I + "data_os": ["IOS"], T + "tilde_feature": ["!F1"]},
    ),
}


def requests() -> dict[str, CohortRequest]:
    """The seven queries, checked."""
    query = {"app_id": "1", "limit": "50000", "format": "json"}
    return {name: parse(body, query, today=AS_OF) for name, body in QUERIES.items()}


def peak_kib() -> int:
    """Highest resident size since the last reset."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("no VmHWM")


def measure(run: Any) -> dict[str, Any]:
    """Seconds of clock and of processor (best of three), peak KiB above the start, and what `run` returned."""
    Path("/proc/self/clear_refs").write_text("5")
    before, best, work, found = peak_kib(), math.inf, math.inf, None
    peak = 0
    for _ in range(3):
        started, worked = time.perf_counter(), time.process_time()
        found = run()
        best = min(best, time.perf_counter() - started)
        work = min(work, time.process_time() - worked)
        peak = peak or peak_kib()
    return {"seconds": best, "work": work, "peak": peak - before, "answer": found}


def layout_side(folder: Path, request: CohortRequest) -> dict[str, Any]:
    """The query on the warehouse, values included."""
    connection = duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True, config={"threads": THREADS})
    connection.execute("SELECT 1").fetchall()
    scope = [AppScope("1", (AS_OF - EPOCH).days)]
    found = measure(lambda: answer(connection, request, scope))
    names = band_names(request)
    found["answer"] = [json_object(found["answer"], row, names) for row in found["answer"].objects()]
    return found


def plain_side(folder: Path, request: CohortRequest) -> dict[str, Any]:
    """The same values from raw events joined to installs."""
    from bench.cohort_plain import plain_answer

    connection = duckdb.connect(str(folder / "plain.duckdb"), read_only=True, config={"threads": THREADS})
    connection.execute("SELECT 1").fetchall()
    found = measure(lambda: plain_answer(connection, request, AS_OF))
    found["answer"] = found["answer"].objects()
    return found


def one_side(side: str, folder: Path, name: str) -> None:
    """Run in a child process: measure and write the result beside the data."""
    request = requests()[name]
    found = (layout_side if side == "layout" else plain_side)(folder, request)
    (folder / f"{side}.json").write_text(json.dumps(found))


def run_child(side: str, folder: Path, name: str) -> dict[str, Any]:
    """Measure one side in a fresh process."""
    subprocess.run(
        [sys.executable, "-m", "bench.cohorts", "--folder", str(folder), "--side", side, "--query", name], check=True
    )
    found: dict[str, Any] = json.loads((folder / f"{side}.json").read_text())
    return found


def build(folder: Path, installs: int) -> None:
    """Generate, import, and make the plain side's tables; prints import speed and sizes."""
    source = folder / "events.parquet"
    generate(source, installs, START)
    stage = f"read_parquet('{source}')"
    started, worked = time.perf_counter(), time.process_time()
    connection = duckdb.connect(str(folder / "warehouse.duckdb"), config={"threads": THREADS})
    warehouse = Warehouse(connection)
    count = warehouse.append_relation(stage)
    appended = time.perf_counter() - started
    warehouse.compact()
    seconds, work = time.perf_counter() - started, time.process_time() - worked
    connection.execute("CHECKPOINT")
    connection.close()
    plain_tables(folder / "plain.duckdb", source)
    print(
        f"import: {count:,} events in {seconds:.1f} s ({appended:.1f} s of it intake)"
        f" = {count / seconds:,.0f} events/s; {work / count * 1e6:.1f} µs of processor time per event"
    )
    for name in ("events.parquet", "warehouse.duckdb", "plain.duckdb"):
        print(f"size: {name} {(folder / name).stat().st_size / 2**20:,.0f} MiB")
    copies = sum(file.stat().st_size for file in (folder / "warehouse.duckdb.columns").rglob("columns.*"))
    print(f"size: warehouse.duckdb.columns {copies / 2**20:,.0f} MiB")


def compare(folder: Path) -> None:
    """All queries on both sides; prints one line each and the geometric means."""
    heads = ("layout s", "plain s", "ratio", "layout cpu", "plain cpu", "ratio", "layout MiB", "plain MiB", "ratio")
    print(f"{'query':46}{'rows':>7}" + "".join(f"{head:>11}" for head in heads), flush=True)
    speed, work, memory = [], [], []
    for name in QUERIES:
        ours, plain = run_child("layout", folder, name), run_child("plain", folder, name)
        if ours["answer"] != plain["answer"]:
            raise AssertionError(f"{name}: the two sides differ")
        faster = plain["seconds"] / ours["seconds"]
        leaner = plain["peak"] / max(1, ours["peak"])
        lighter = plain["work"] / ours["work"]
        speed.append(faster)
        work.append(lighter)
        memory.append(leaner)
        print(
            f"{name:46}{len(ours['answer']):>7}{ours['seconds']:>11.3f}{plain['seconds']:>11.3f}{faster:>11.1f}"
            f"{ours['work']:>11.3f}{plain['work']:>11.3f}{lighter:>11.1f}"
            f"{ours['peak'] / 1024:>11.0f}{plain['peak'] / 1024:>11.0f}{leaner:>11.1f}"
        )
    means = [math.exp(sum(map(math.log, ratios)) / len(ratios)) for ratios in (speed, work, memory)]
    print(
        f"geometric mean: {means[0]:.1f} times faster, {means[1]:.1f} times less processor time,"
        f" {means[2]:.1f} times leaner"
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--installs", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--growth", action="store_true", help="one after another 1 to 5 million installs")
    parser.add_argument("--round-trip", action="store_true", help="only the time from POST to file, of a real server")
    parser.add_argument("--side", choices=("layout", "plain"))
    parser.add_argument("--query")
    options = parser.parse_args()
    if options.side:
        one_side(options.side, options.folder, options.query)
        return
    if options.round_trip:
        round_trip.measure_round_trip(EVENTS)
        return
    if options.growth:
        for millions in GROWTH:
            print(f"== {millions:,} million installs", flush=True)
            with tempfile.TemporaryDirectory(prefix="bough-cohorts-", dir=options.folder) as temporary:
                build(Path(temporary), millions * 1_000_000)
                compare(Path(temporary))
        return
    with tempfile.TemporaryDirectory(prefix="bough-cohorts-") as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "plain.duckdb").exists():
            build(folder, options.installs)
        compare(folder)
    round_trip.measure_round_trip(EVENTS)


if __name__ == "__main__":
    main()
