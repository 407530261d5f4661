"""What links cost, in one run: ``scripts/bench links [--large] [--seconds N] [--rounds N]``.

Redirects with the click on disk beside nginx `return 302` and a bare ASGI application on uvicorn; creates; bulk; with
1 and 2 workers, over a thousand and a million links (and ten million with --large); every click asks for another link,
of a million also for the same thousand of them and by Zipf's law. A server begins by reading its links into memory, and
is measured when it has done so; the first seconds of one that has not are measured beside it ("just started").
All requests have the same headers, which bough reads only once, as those of one kind of phone have; beside that stands
what clicks cost of which no two have the same headers ("unlike").
After each measurement the server is killed with -9 under load, and what it answered is compared with what is stored.

What is compared by a ratio is measured in rounds, one after the other in each: a machine that others share is now
faster, now slower, and takes both sides with it. The targets are ratios of medians. Every measurement begins with a
fresh copy of the data, so none counts the clicks of the one before.

CPU is user and system time per request, of the processes that answer (`answer`) and of those that consume the journal
for counts and attribution (`follow`); nginx and uvicorn do not write anything.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from bench import link_store
from bench.load import CLIENTS, Load, generator, gets, posts
from bench.processes import cpu, memory_mb
from bench.servers import Server, bare_uvicorn, bough, bough_one_by_one, nginx

WARM_SECONDS = 1.0
KILL_AFTER_SECONDS = 1.0
SETTLED_SECONDS = 0.5
BULK = 100
FEW, MANY = 1_000, 1_000_000


class Figure(Struct, frozen=True, kw_only=True):
    """One line of the table."""

    name: str
    load: Load
    answer_us: float
    follow_us: float
    memory_mb: float
    answered: int | None = None
    """Rows that the answers promised, over all runs of this server."""
    stored: int | None = None

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.load.requests / self.load.seconds


Work = Callable[[Server, float], Load]


class Bench:
    """Runs measurements and prints them as they come."""

    def __init__(self, seconds: int, folder: Path) -> None:
        self.seconds = seconds
        self.folder = folder
        self.figures: dict[str, list[Figure]] = {}

    @contextmanager
    def copy(self, data: Path) -> Iterator[Path]:
        """A data folder like this one, for one measurement."""
        copied = self.folder / "copy"
        shutil.copytree(data, copied)
        try:
            yield copied
        finally:
            shutil.rmtree(copied)

    def cost(self, name: str) -> float:
        """Processor time of the answering processes, µs per request; the median of all rounds."""
        return statistics.median(figure.answer_us for figure in self.figures[name])

    def rate(self, name: str) -> float:
        """Requests per second, the median of all rounds."""
        return statistics.median(figure.rate for figure in self.figures[name])

    def follow(self, name: str) -> float:
        """Processor time of the following processes, µs per request; the median of all rounds."""
        return statistics.median(figure.follow_us for figure in self.figures[name])

    def measure(self, name: str, server: Server, work: Work) -> Figure:
        """Warm up, then load the server and watch its processes."""
        if not name.endswith(JUST_STARTED):
            settle(server)
        warm = work(server, WARM_SECONDS)
        before = cpu(server.pid)
        load = work(server, self.seconds)
        used = cpu(server.pid).since(before)
        figure = Figure(
            name=name,
            load=load,
            answer_us=used.answering / load.requests,
            follow_us=used.following / load.requests,
            memory_mb=memory_mb(server.pid),
            answered=warm.requests + load.requests,
        )
        if load.failed or warm.failed:
            raise RuntimeError(f"{name}: {load.failed + warm.failed} answers were errors")
        return figure

    def plain(self, name: str, server: Server, work: Work) -> None:
        """A server that stores nothing."""
        figure = self.measure(name, server, work)
        self.show(
            Figure(name=name, load=figure.load, answer_us=figure.answer_us, follow_us=0, memory_mb=figure.memory_mb)
        )

    def durable(self, name: str, server: Server, work: Work, data: Path, kind: str, each: int = 1) -> None:
        """A server whose answers promise rows of the `kind` links or clicks, `each` so many; ends with its death."""
        before = getattr(link_store.stored(data), kind)
        figure = self.measure(name, server, work)
        killer = threading.Timer(KILL_AFTER_SECONDS, server.kill)
        killer.start()
        last = work(server, KILL_AFTER_SECONDS + 1)
        killer.join()
        found = getattr(link_store.stored(data), kind) - before
        promised = ((figure.answered or 0) + last.requests) * each
        self.show(
            Figure(
                name=name,
                load=figure.load,
                answer_us=figure.answer_us,
                follow_us=figure.follow_us,
                memory_mb=figure.memory_mb,
                answered=promised,
                stored=found,
            )
        )

    def show(self, figure: Figure) -> None:
        """Print a line."""
        self.figures.setdefault(figure.name, []).append(figure)
        static = self.figures.get(STATIC)
        ratio = f"{figure.answer_us / static[-1].answer_us:5.1f}x" if static else "     -"
        kept = "" if figure.answered is None else f"{figure.answered:>10,} {figure.stored:>10,}"
        print(
            f"{figure.name:44} {figure.rate:>9,.0f} {figure.load.p50_us / 1000:7.2f} {figure.load.p99_us / 1000:7.2f} "
            f"{figure.answer_us:8.1f} {figure.follow_us:7.1f} {ratio} {figure.memory_mb:7.0f} {kept}",
            flush=True,
        )


STATIC = "nginx, return 302"
HEAD = f"{'':44} {'req/s':>9} {'p50 ms':>7} {'p99 ms':>7} {'answer':>8} {'follow':>7} {'nginx':>6} {'MB':>7} {'answered':>10} {'stored':>10}"  # noqa: E501


def settle(server: Server) -> None:
    """Wait until the server has nothing to do: links are read in, and clicks of before are followed."""
    busy = True
    while busy:
        before = cpu(server.pid)
        time.sleep(SETTLED_SECONDS)
        used = cpu(server.pid).since(before)
        busy = used.answering + used.following > SETTLED_SECONDS * 1e6 / 4


def clicks(kind: str, links: int) -> Work:
    """Clicks on links of a store with so many: `few` on the same thousand of them, whatever their number."""
    if kind == "few":
        return lambda server, seconds: gets(server.url, "uniform", FEW, seconds)
    return lambda server, seconds: gets(server.url, kind, links, seconds)


def creates(key: str, folder: Path) -> Work:
    """Single creates."""
    body = json.dumps({"branch_key": key, **LINK}).encode()
    return lambda server, seconds: posts(f"{server.url}/v1/url", body, seconds, folder)


def bulks(key: str, folder: Path) -> Work:
    """A hundred links in one request."""
    body = json.dumps([LINK] * BULK).encode()
    return lambda server, seconds: posts(f"{server.url}/v1/url/bulk/{key}", body, seconds, folder)


LINK = {
    "channel": "email",
    "campaign": "first steps",
    "tags": ["spring"],
    "data": {
        "$canonical_identifier": "book/1",
        "$og_title": "A first book",
        "$ios_url": "https://example.com/ios/books/1",
        "$desktop_url": "https://example.com/books/1",
    },
}


def compared(bench: Bench, stores: dict[int, Path]) -> None:
    """One round of all that is compared: what others need for a redirect that stores nothing, and clicks."""
    with nginx(bench.folder) as server:
        if server is None:
            print("nginx is not installed: no ratios")
        else:
            bench.plain(STATIC, server, clicks("uniform", FEW))
    with bare_uvicorn() as server:
        bench.plain(BARE, server, clicks("uniform", FEW))
    with bench.copy(stores[FEW]) as data, bough_one_by_one(data) as server:
        bench.durable(ONE_BY_ONE, server, clicks("uniform", FEW), data, "clicks")
    for links, store in stores.items():
        for kind in ("few", "zipf", "uniform") if links > FEW else ("uniform", "unlike"):
            with bench.copy(store) as data, bough(data, 1) as server:
                bench.durable(click(kind, 1, links), server, clicks(kind, links), data, "clicks")
    for kind in ("zipf", "uniform"):
        with bench.copy(stores[MANY]) as data, bough(data, 1) as server:
            bench.durable(click(kind, 1, MANY) + JUST_STARTED, server, clicks(kind, MANY), data, "clicks")


def with_links(bench: Bench, store: Path, key: str, links: int) -> None:
    """All else that bough does, over a store of so many links."""
    size = f"{links:,} links"
    for kind in ("few", "zipf", "uniform") if links > FEW else ("uniform",):
        with bench.copy(store) as data, bough(data, 2) as server:
            bench.durable(click(kind, 2, links), server, clicks(kind, links), data, "clicks")
    for workers in (1, 2):
        on = f"{workers} worker{'s' * (workers > 1)}, {size}"
        with bench.copy(store) as data, bough(data, workers) as server:
            bench.durable(f"create, {on}", server, creates(key, bench.folder), data, "links")
        with bench.copy(store) as data, bough(data, workers) as server:
            bench.durable(f"bulk of {BULK}, {on}", server, bulks(key, bench.folder), data, "links", BULK)


def click(kind: str, workers: int, links: int) -> str:
    """The name of a measurement."""
    return f"click {kind}, {workers} worker{'s' * (workers > 1)}, {links:,} links"


JUST_STARTED = ", just started"
NOT_SET = "not set"
ONE_BY_ONE = "click, one commit each, 1 worker, 1,000 links"
BARE = "uvicorn, bare ASGI 302"


def targets(bench: Bench) -> None:
    """What was aimed at, and what was reached."""

    def line(what: str, reached: float, wanted: str, good: bool) -> None:
        verdict = "       " if wanted == NOT_SET else "reached" if good else "MISSED "
        print(f"  {verdict}  {what:66} {reached:>10,.1f}  (wanted: {wanted})")

    usual = click("uniform", 1, FEW)
    print("\nTargets")
    if STATIC in bench.figures:
        ratio = bench.cost(usual) / bench.cost(STATIC)
        line("CPU of a durable redirect, times nginx's static one", ratio, "4 or less", ratio <= 4)
        ratio = (bench.cost(usual) + bench.follow(usual)) / bench.cost(STATIC)
        line("the same with counts and attribution behind it", ratio, NOT_SET, True)
    unlike = click("unlike", 1, FEW)
    if STATIC in bench.figures:
        ratio = bench.cost(unlike) / bench.cost(STATIC)
        line("the same where no two requests have the same headers", ratio, NOT_SET, True)
    ratio = bench.rate(usual) / bench.rate(ONE_BY_ONE)
    line("clicks/s, times those with one commit each", ratio, "10 or more", ratio >= 10)
    ratio = bench.rate(unlike) / bench.rate(ONE_BY_ONE)
    line("the same where no two requests have the same headers", ratio, NOT_SET, True)
    best = max(bench.rate(name) for name in bench.figures if name.startswith("create"))
    line("durable creates/s", best, "10,000 or more", best >= 10_000)
    best = max(bench.rate(name) * BULK for name in bench.figures if name.startswith("bulk"))
    line("durable links/s in bulk", best, "25,000 or more", best >= 25_000)
    for kind, which in (("few", "the same thousand"), ("zipf", "Zipf"), ("uniform", "evenly spread")):
        more = bench.cost(click(kind, 1, MANY)) / bench.cost(usual) - 1
        line(f"CPU that a million links add to a redirect, in %, {which}", more * 100, "less than 50", more < 0.5)
    for kind, which in (("zipf", "Zipf"), ("uniform", "evenly spread")):
        more = bench.cost(click(kind, 1, MANY) + JUST_STARTED) / bench.cost(usual) - 1
        line(f"the same in the first seconds after a start, in %, {which}", more * 100, NOT_SET, True)
    durable = [figure for some in bench.figures.values() for figure in some if figure.stored is not None]
    lost = sum(max(0, (f.answered or 0) - (f.stored or 0)) for f in durable)
    line("rows answered and not stored after kill -9", lost, "0", lost == 0)
    extra = max((f.stored or 0) - (f.answered or 0) for f in durable if "bulk" not in f.name)
    line(
        "most rows stored beyond those answered (in flight at a kill)",
        extra,
        f"{CLIENTS * 3} or fewer",
        extra <= CLIENTS * 3,
    )


def fsync_us(folder: Path) -> float:
    """Microseconds of one fdatasync after 4 KB."""
    with (folder / "fsync").open("wb", buffering=0) as file:
        began = time.perf_counter()
        for _ in range(200):
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
        return (time.perf_counter() - began) / 200 * 1e6


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(prog="scripts/bench links", description=str(__doc__).splitlines()[0])
    parser.add_argument("--large", action="store_true", help="also ten million links")
    parser.add_argument("--seconds", type=int, default=4, help="length of each measurement (4)")
    parser.add_argument("--rounds", type=int, default=5, help="how often what is compared is measured (5)")
    parser.add_argument("--folder", type=Path, help="where the data goes (a temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bough-bench-", dir=arguments.folder) as name:
        folder = Path(name)
        bench = Bench(arguments.seconds, folder)
        print(
            f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, "
            f"Python {platform.python_version()}"
        )
        print(f"fdatasync {fsync_us(folder):.0f} µs; {CLIENTS} keep-alive clients; load from {generator()}")
        print(f"load average {os.getloadavg()[0]:.1f} before the start (above 0.5 the figures are disturbed)\n")
        stores, keys = {}, {}
        for links in (FEW, MANY, *([10_000_000] if arguments.large else [])):
            stores[links] = folder / f"data-{links}"
            keys[links] = link_store.make(stores[links], links)
        print(HEAD)
        for _ in range(arguments.rounds):
            compared(bench, stores)
        for links, store in stores.items():
            with_links(bench, store, keys[links], links)
        targets(bench)


if __name__ == "__main__":
    main()
