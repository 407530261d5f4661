"""How long the dashboard's pages take: ``scripts/bench pages [--links N] [--rows N]``.

A server on a data folder with a million links and ten million clicks (made by SQL, with the counts that the background
would have kept); each page is asked for, one at a time, by a signed-in owner. Printed are the median and the slowest of
the requests, as the client sees them, and what the pages load: the size of all JavaScript, gzipped.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import tempfile
import time
from pathlib import Path

import apsw
import httpx

from bench import link_store
from bench.servers import bough
from bough.accounts.directory import Directory
from bough.dashboard.operations import DASHBOARD_ROUTES
from bough.signin.sessions import NewSession, new_session_id, start_batch
from bough.store import open_store
from bough.store.sqlite import FILE_NAME
from bough.vocabulary.ids import RANDOM_BITS, now_ms
from bough.web import static

REQUESTS = 15
MOST_MS = 50
DAY_MS = 86_400_000
DAYS = 365
PARTS = ("/feed", "/picture", "/answer", "/cell", "/job/", "{rest", "/file", "/check")
"""Streams, pictures, answers of the warehouse (`scripts/bench cohorts`), and looks at other hosts."""

LINK_PAGES = ("/dashboard/links/{id}", "/dashboard/links/{id}/edit", "/dashboard/links/{id}/qr")
STATIC = Path(static.__file__).with_name("static")

LINKS = "CREATE TEMP TABLE listed AS SELECT row_number() OVER (ORDER BY id) - 1 AS i, id FROM link"
ROWS = (
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
    " INSERT INTO journal (id, at, app, test, kind, link, body)"
    " SELECT ((:start + i * :step) << :bits) + 1, :start + i * :step, :app, 0, 'click',"
    " (SELECT id FROM listed WHERE listed.i = n.i * 7919 % :links), :body FROM n"
)
BODY = '{"url":"http://127.0.0.1:8000/x","user_agent":"Mozilla/5.0 (iPhone)","ip":"198.51.100.7","country":"DE"}'
COUNTS = (
    "INSERT INTO link_count SELECT link, count(*), max(at) FROM journal WHERE kind = 'click' GROUP BY link",
    "INSERT INTO app_count SELECT app, test, kind, count(*) FROM journal GROUP BY app, test, kind",
    "INSERT INTO app_count SELECT app, test, 'link', count(*) FROM link GROUP BY app, test"
    " ON CONFLICT DO UPDATE SET count = excluded.count",
    "INSERT INTO app_day_count SELECT app, test, at / 86400000, kind, count(*) FROM journal GROUP BY 1, 2, 3, 4",
    "INSERT INTO link_day_count SELECT link, at / 86400000, 'platform', 'iOS', count(*) FROM journal GROUP BY 1, 2",
    "INSERT INTO link_day_count SELECT link, day, d, v, clicks FROM link_day_count,"
    " (SELECT 'country' AS d, 'DE' AS v UNION ALL SELECT 'referrer', '') WHERE dimension = 'platform'",
    "INSERT OR REPLACE INTO watermark SELECT w, (SELECT max(id) FROM journal) FROM"
    " (SELECT 'counts' AS w UNION ALL SELECT 'day counts' UNION ALL SELECT 'attribution')",
    "INSERT OR REPLACE INTO watermark SELECT 'day counts of links', max(id) FROM link",
)


def fill(folder: Path, rows: int) -> None:
    """Clicks of a year, and their counts."""
    connection = apsw.Connection(str(folder / FILE_NAME))
    connection.execute("PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY")
    began = time.perf_counter()
    (app,), (links,) = connection.execute("SELECT max(id) FROM app UNION ALL SELECT count(*) FROM link").fetchall()
    start = now_ms() - DAYS * DAY_MS
    connection.execute("BEGIN")
    connection.execute(LINKS)
    connection.execute("CREATE UNIQUE INDEX temp.listed_i ON listed (i)")
    values = {
        "start": start,
        "step": DAYS * DAY_MS // rows,
        "app": app,
        "links": links,
        "last": rows - 1,
        "body": BODY,
        "bits": RANDOM_BITS,
    }
    connection.execute(ROWS, values)
    for statement in COUNTS:
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.close()
    print(f"({rows:,} clicks and their counts made in {time.perf_counter() - began:.0f} s)", flush=True)


def owner(folder: Path, url: str) -> httpx.Client:
    """A browser in which the owner is signed in."""
    store = open_store(folder)
    session = new_session_id()
    users = Directory(store).users
    store.transact(start_batch, NewSession(session, next(iter(users)), "full", "127.0.0.1", "bench"))
    store.close()
    return httpx.Client(base_url=url, timeout=60, cookies={"bough_session": session})


def addresses(client: httpx.Client) -> list[str]:
    """Every page that needs nothing but links in the store."""
    plain = [route.path for route in DASHBOARD_ROUTES if route.method == "GET" and "{" not in route.path]
    link = client.get("/dashboard/links?format=json").json()["links"][0]["id"]
    own = [path.replace("{id}", link) for path in LINK_PAGES]
    found = [path for path in (*plain, *own) if not any(part in path for part in PARTS)]
    return [*found, "/dashboard?days=365", "/dashboard/links?q=n0000", "/dashboard/links?campaign=first"]


def main() -> None:
    """Make the data, ask for every page, print."""
    parser = argparse.ArgumentParser(prog="scripts/bench pages", description=str(__doc__).splitlines()[0])
    parser.add_argument("--links", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=10_000_000, help="clicks in the journal")
    parser.add_argument("--folder", type=Path, help="where the data goes (a temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bough-bench-", dir=arguments.folder) as name:
        folder = Path(name)
        link_store.make(folder, arguments.links)
        fill(folder, arguments.rows)
        with bough(folder, 1) as server, owner(folder, server.url) as client:
            slow = 0
            print(f"\n{'page':44} {'median ms':>10} {'slowest':>10} {'KB':>8}")
            for address in addresses(client):
                took, size = ask(client, address)
                slow += statistics.median(took) > MOST_MS
                print(f"{address:44} {statistics.median(took):10.1f} {max(took):10.1f} {size / 1024:8.1f}", flush=True)
    scripts = sum(len(gzip.compress(path.read_bytes())) for path in STATIC.glob("*.js")) / 1024
    for what, reached, most in (
        ("pages above 50 ms at the median", slow, 0),
        ("KB of JavaScript, gzipped", scripts, 60),
    ):
        print(f"  {'reached' if reached <= most else 'MISSED '}  {what}: {reached:.1f} (wanted: at most {most})")


def ask(client: httpx.Client, address: str) -> tuple[list[float], int]:
    """Milliseconds of each request, after one that is not counted, and the size of the answer."""
    took = []
    for number in range(REQUESTS + 1):
        began = time.perf_counter()
        answer = client.get(address)
        if number:
            took.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answers {answer.status_code}")
    return took, len(answer.content)


if __name__ == "__main__":
    main()
