"""Durable opens with matching and durable events through a real server: `python -m bench.events [--large]`.

64 keep-alive clients (wrk) play phones with addresses of their own, at 10 thousand known persons and, with --large, at
1 million. Beside it stands a bare uvicorn endpoint that parses the same JSON and stores nothing. The load generator
runs on the same cores. Columns: requests per second, 50th and 99th percentile, CPU per request of the answering
processes, of those that follow, and of the load generator itself, refused requests.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from msgspec import Struct

from bench.processes import FOLLOWERS
from bough.attribution.live.opens import APP_OPENING
from bough.attribution.rules.dimensions import Dimensions
from bough.attribution.stored.tables import ATTRIBUTED, VERSION, WATERMARK, Kept
from bough.attribution.stored.touch_index import WATERMARK as TOUCH_WATERMARK
from bough.events.server_fields import ServerFields, with_facts
from bough.store import open_store, watermark
from bough.store.journal import COLUMNS
from bough.store.transaction import Transaction
from bough.vocabulary.ids import RANDOM_BITS, now_ms
from bough.vocabulary.lookup_keys import key

SCRIPT = Path(__file__).with_name("events.lua")
CONNECTIONS = 64
TICK = os.sysconf("SC_CLK_TCK")
CHUNK = 20_000


class Result(Struct):
    """One run."""

    requests: int
    seconds: float
    p50: float
    """Milliseconds, like `p99`."""
    p99: float
    errors: int
    answering: float
    """CPU microseconds of the answering processes per request."""
    background: float
    client: float


async def bare(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    """The comparison: parses the body as JSON and stores nothing."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    msgspec.json.decode(body or b"null")
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


def vendor(number: int) -> str:
    """As in events.lua."""
    return f"{number:08X}-AAAA-4AAA-8AAA-{number:012X}"


def fill(folder: Path, app: int, persons: int) -> None:
    """Make persons known: for each an install, its keys, its attribution, as the server would have written them."""
    store = open_store(folder)
    random = Random(1)
    start = (now_ms() - 30 * 86_400_000) << RANDOM_BITS
    step = (29 * 86_400_000 << RANDOM_BITS) // persons
    device_keys: list[tuple[int, int]] = []
    group_keys: list[tuple[int, int]] = []
    kept = Kept(dimensions=Dimensions(os="IOS", platform="IOS_APP", environment="FULL_APP", geo_country_code="DE"))
    kept_text = msgspec.json.encode(kept).decode()
    for first in range(0, persons, CHUNK):
        rows, results = [], []
        for number in range(first, min(persons, first + CHUNK)):
            row = start + number * step + random.getrandbits(10)
            at, one = row >> RANDOM_BITS, vendor(number)
            tokens = ServerFields(
                ip="10.0.0.1",
                bundle=str(800000000000000000 + number * 1024),
                device=str(700000000000000000 + number * 1024),
                match="none",
                first="1",
            )
            body = with_facts({"sdk": "ios3.14.0", "os": "iOS", "hardware_id": one, "ios_vendor_id": one}, tokens)
            rows.append((row, at, app, 0, "install", None, msgspec.json.encode(body).decode()))
            results.append((row, app, 0, row, row, at, "INSTALL", 1, None, number + 1, kept_text))
            for kind, value in (("idfv", one.lower()), ("bundle", tokens.bundle), ("device", tokens.device)):
                device_keys.append((key(app, False, f"{APP_OPENING} {kind}", value), row))
                group_keys.append((key(app, False, kind, value), row))
        store.transact(_insert, ("journal", COLUMNS, rows))
        store.transact(_insert, ("attributed", ATTRIBUTED, results))
    for table, columns, keys in (
        ("device_key", ("id", "opening"), device_keys),
        ("group_key", ("id", "grp"), group_keys),
    ):
        keys.sort()
        for first in range(0, len(keys), CHUNK):
            store.transact(_insert, (table, columns, keys[first : first + CHUNK]))
    newest = store.rows("SELECT max(id) FROM journal")[0][0]
    store.transact(_mark, [(WATERMARK, newest), (TOUCH_WATERMARK, newest), ("counts", newest), (VERSION, persons)])
    store.close()


def _insert(tx: Transaction, items: list[Any]) -> list[Exception | None]:
    for table, columns, rows in items:
        tx.insert(table, columns, rows)
    return [None] * len(items)


def _mark(tx: Transaction, items: list[Any]) -> list[Exception | None]:
    for marks in items:
        tx.each(watermark.SET, marks)
    return [None] * len(items)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until it answers."""
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("The server did not start.") from None
            time.sleep(0.1)


def cpu(pid: int) -> tuple[float, float]:
    """CPU seconds of a process and its children: (answering, background)."""
    answering = background = 0.0
    for one in (pid, *children(pid)):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            name = Path(f"/proc/{one}/comm").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        seconds = (int(fields[11]) + int(fields[12])) / TICK
        if name in FOLLOWERS:
            background += seconds
        else:
            answering += seconds
    return answering, background


def children(pid: int) -> Iterator[int]:
    """Processes that a process has started."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)


def children_cpu() -> float:
    """CPU seconds of the processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def load(url: str, kind: str, branch_key: str, persons: int, seconds: int, pid: int) -> Result:
    """Run wrk."""
    environment = {**os.environ, "BENCH_KIND": kind, "BENCH_KEY": branch_key, "BENCH_PERSONS": str(persons)}
    before, mine = cpu(pid), children_cpu()
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(SCRIPT), url]
    output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    after, spent = cpu(pid), children_cpu() - mine
    line = next(line for line in output.splitlines() if line.startswith("RESULT "))
    requests, micros, p50, p99, errors = (int(one) for one in line.split()[1:])
    return Result(
        requests=requests,
        seconds=micros / 1e6,
        p50=p50 / 1000,
        p99=p99 / 1000,
        errors=errors,
        answering=(after[0] - before[0]) / max(requests, 1) * 1e6,
        background=(after[1] - before[1]) / max(requests, 1) * 1e6,
        client=spent / max(requests, 1) * 1e6,
    )


def show(name: str, result: Result) -> None:
    """One line."""
    rate = result.requests / result.seconds
    print(
        f"{name:34} {rate:9,.0f}/s  p50 {result.p50:6.1f} ms  p99 {result.p99:6.1f} ms"
        f"  CPU {result.answering:5.0f} + {result.background:4.0f} + {result.client:3.0f} µs  errors {result.errors}",
        flush=True,
    )


def bench_bare(seconds: int, workers: int) -> None:
    """The endpoint that stores nothing."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.events:bare", "--port", str(port), "--workers", str(workers)]
    command += ["--no-access-log", "--log-level", "error", "--loop", "uvloop", "--http", "httptools"]
    process = subprocess.Popen(command)
    try:
        wait(f"http://127.0.0.1:{port}/", process)
        for kind in ("open", "event"):
            show(
                f"bare uvicorn, {kind} body", load(f"http://127.0.0.1:{port}", kind, "x", 10_000, seconds, process.pid)
            )
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def bench_bough(persons: int, seconds: int, workers: int) -> None:
    """A real server with so many known persons."""
    folder = Path(tempfile.mkdtemp(prefix="bough-bench-"))
    try:
        port = free_port()
        process, card = start(folder, port, workers)
        stop(process)
        begun = time.monotonic()
        fill(folder, int(card["app_id"]), persons)
        print(f"{persons:,} known persons made in {time.monotonic() - begun:.0f} s", flush=True)
        for kind in ("open", "event"):
            process, card = start(folder, port, workers)
            try:
                base = f"http://127.0.0.1:{port}"
                load(base, kind, card["branch_key"], persons, 2, process.pid)
                result = load(base, kind, card["branch_key"], persons, seconds, process.pid)
                show(f"{kind}, {persons:,} persons", result)
            finally:
                stop(process)
    finally:
        shutil.rmtree(folder)


def start(folder: Path, port: int, workers: int) -> tuple[subprocess.Popen[bytes], dict[str, str]]:
    """`bough demo`, answering."""
    command = [sys.executable, "-m", "bough.cli", "demo", "--empty", "--port", str(port), "--workers", str(workers)]
    environment = {**os.environ, "BOUGH_RATE_LIMITS": "off"}
    process = subprocess.Popen([*command, "--data", str(folder)], env=environment, stdout=subprocess.DEVNULL)
    wait(f"http://127.0.0.1:{port}/readyz", process)
    card: dict[str, str] = json.loads((folder / "demo.json").read_text())
    return process, card


def stop(process: subprocess.Popen[bytes]) -> None:
    """End it as an operator would."""
    process.send_signal(signal.SIGTERM)
    process.wait(60)


def main() -> None:
    parser = argparse.ArgumentParser(description="Opens and events per second.")
    parser.add_argument("--large", action="store_true", help="also with 1 million known persons")
    parser.add_argument("--persons", type=int, action="append", help="with so many known persons instead")
    parser.add_argument("--seconds", type=int, default=10, help="of each run (10)")
    parser.add_argument("--workers", type=int, default=2, help="answering processes (2)")
    parser.add_argument("--no-bare", action="store_true", help="without the comparison")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install wrk")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before, {arguments.workers} workers, 64 clients")
    if not arguments.no_bare:
        bench_bare(arguments.seconds, arguments.workers)
    for persons in arguments.persons or ([10_000, 1_000_000] if arguments.large else [10_000]):
        bench_bough(persons, arguments.seconds, arguments.workers)


if __name__ == "__main__":
    main()
