"""From POST /v2/analytics to the last byte of the file, less the query itself: python -m bench.round_trip

The seed's example against a real server: `Prefer: wait`, one worker. Every round asks with another limit, so that none
is answered by the job of another. The query alone, its file in memory, runs before in a process with the same data.
"""

from __future__ import annotations

import argparse
import http.client
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import bough.cohorts.arrays.compute  # noqa: F401 - as the warehouse process does: loading it is no part of a query
from bench.import_events import DAY_MS, START_MS, generate
from bench.servers import bough as serve
from bough.accounts.creation import CreatedApp, NewApp, create_app
from bough.accounts.directory import Directory
from bough.cohorts.files import file_bytes
from bough.cohorts.request import CohortRequest, parse
from bough.cohorts.result import answer
from bough.exports.runner import scopes
from bough.importers.events import import_file
from bough.store import open_store
from bough.warehouse.refresh import Keeper

ROUNDS = 15
CAMPAIGN = "install_activity_touch_data_tilde_campaign"


def body() -> dict[str, Any]:
    """The seed's example (docs/exports.md) on days and a campaign that the data has."""
    first = datetime.fromtimestamp(START_MS / 1000, UTC).date() + timedelta(days=10)
    return {
        "start_date": first.isoformat(),
        "end_date": (first + timedelta(days=1)).isoformat(),
        "data_source": "install_cohort",
        "measures": ["OPEN"],
        "dimensions": [CAMPAIGN],
        "granularity_band_count": 7,
        "filters": {CAMPAIGN: ["campaign 11"]},
        "ordered": "descending",
        "ordered_by": CAMPAIGN,
        "enable_intall_recalculation": True,
    }


def times(run: Callable[[int], object]) -> list[float]:
    """Seconds of each round, sorted; the first two are not counted."""
    found = []
    for place in range(ROUNDS + 2):
        started = time.perf_counter()
        run(place)
        found.append(time.perf_counter() - started)
    return sorted(found[2:])


def measure_round_trip(events: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bough-round-trip-") as temporary:
        folder = Path(temporary)
        generate(folder / "events.parquet", events)
        app, alone, content = _query_alone(folder)
        with serve(folder / "data", 1) as server:
            whole = times(lambda place: _ask(server.port, app, 1000 + place, content))
    middle = ROUNDS // 2
    print(f"the seed's example, {events:,} events: {len(content):,} bytes; medians (and extremes) of {ROUNDS} in ms")
    for label, found in (("query alone", alone), ("POST to file", whole)):
        print(f"{label:14} {found[middle] * 1e3:8.1f}  ({found[0] * 1e3:.1f} to {found[-1] * 1e3:.1f})")
    print(f"{'above it':14} {(whole[middle] - alone[middle]) * 1e3:8.1f}", flush=True)


def _query_alone(folder: Path) -> tuple[CreatedApp, list[float], bytes]:
    store = open_store(folder / "data", "")
    app = create_app(store, NewApp(name="bench", base_url="http://127.0.0.1:1"))
    import_file(store, folder / "data", folder / "events.parquet", int(app.app_id))
    keeper = Keeper(folder / "data", store)
    keeper.take_in()
    apps = scopes(Directory(store).apps, (int(app.app_id),), keeper.data_as_of() or START_MS + 400 * DAY_MS)

    def ask(limit: int) -> bytes:
        return file_bytes(answer(keeper.cursor(), _request(app, limit), apps))

    content, alone = ask(1000), times(ask)
    keeper.close()
    store.close()
    return app, alone, content


def _request(app: CreatedApp, limit: int) -> CohortRequest:
    query = {"app_id": app.app_id, "limit": str(max(1, limit)), "format": "csv"}
    return parse(body(), query, today=date.fromtimestamp(time.time()))


def _ask(port: int, app: CreatedApp, limit: int, content: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(
        "POST",
        f"/v2/analytics?app_id={app.app_id}&limit={limit}&format=csv",
        json.dumps(body()),
        {"Access-Token": app.access_token, "Content-Type": "application/json", "Prefer": "wait=60"},
    )
    answered = connection.getresponse()
    found = answered.read()
    connection.close()
    if answered.status != 200 or found != content:
        raise AssertionError(f"not the query's file: {answered.status} {found[:500]!r}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="?", type=int, default=1_000_000)
    measure_round_trip(parser.parse_args().events)


if __name__ == "__main__":
    main()
