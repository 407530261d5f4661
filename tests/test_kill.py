"""kill -9 of every process under load: what was acknowledged is there, once, and the next start is quick.

A client process (tests.load) logs each acknowledged answer. After each kill the server is started again on the same
data, and the store must hold every acknowledged link in its newest acknowledged version (or in the one version that was
on its way), no deleted link, and every acknowledged click exactly once. In the end the kept counts are those of
the journal.
"""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bough.store import Store, watermark
from bough.store.journal import NEWEST_ID
from tests.conftest import fresh_database
from tests.load import target
from tests.postgres import OwnPostgres
from tests.running import Running, children_named, wait_until
from tests.web.watch import opened

KILLS = {"sqlite": 20, "postgres": 5}
START_SECONDS = 2.0
SEED = 20_240_229

CLICKED = (
    "SELECT link, count(*) FROM journal WHERE kind = 'click' AND link IN (SELECT id FROM link) GROUP BY link ORDER BY 1"
)
KEPT = "SELECT link, clicks FROM link_count WHERE link IN (SELECT id FROM link) ORDER BY 1"
KEPT_BY_DAY = (
    "SELECT link, CAST(sum(clicks) AS BIGINT) FROM link_day_count"
    " WHERE dimension = 'platform' AND link IN (SELECT id FROM link) GROUP BY link ORDER BY 1"
)


class Ledger:
    """What must be in the store, from the logs of all rounds so far."""

    def __init__(self) -> None:
        self.links: dict[str, int] = {}
        """Alias to acknowledged version."""
        self.pending: dict[str, tuple[str, int]] = {}
        """Alias to the request that no answer came for: its kind and, for updates, the version."""
        self.deleted: set[str] = set()
        self.clicks: list[int] = []

    def read(self, log: Path) -> Counter[str]:
        """Take a log in; how often each thing was acknowledged."""
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        for line in lines:
            self._note(line)
        return Counter(line["what"] for line in lines)

    def _note(self, line: dict[str, Any]) -> None:
        what, alias = line["what"], line["alias"]
        if what == "refused":
            return
        if what.endswith("ing"):
            self.pending[alias] = (what, line.get("version", 0))
            return
        if what == "clicked":
            self.clicks.append(int(line["click_id"]))
            return
        self.pending.pop(alias, None)
        if what == "deleted":
            del self.links[alias]
            self.deleted.add(alias)
        else:
            self.links[alias] = line.get("version", 0)

    def check(self, store: Store) -> None:
        """Compare with the store; what no answer came for becomes what the store says."""
        rows = store.rows("SELECT path, data FROM link")
        stored = {path: json.loads(data)["$ios_url"] for path, data in rows}
        assert len(rows) == len(stored)
        for alias in {*self.links, *self.pending}:
            versions = self._possible(alias)
            found = stored.pop(alias, None)
            version = next((v for v in versions if found == (None if v is None else target(alias, v))), "wrong")
            assert version != "wrong", f"{alias}: {found} is none of the versions {versions}"
            self.pending.pop(alias, None)
            if version is None:
                self.links.pop(alias, None)
            else:
                self.links[alias] = int(version)
        assert stored == {}, "links that nobody made, or that were deleted"
        journal = Counter(number for (number,) in store.rows("SELECT id FROM journal WHERE kind = 'click'"))
        assert len(self.clicks) == len(set(self.clicks))
        assert [click for click in self.clicks if journal[click] != 1] == []

    def _possible(self, alias: str) -> list[int | None]:
        """Versions that the store may hold; None: no such link."""
        acknowledged = self.links.get(alias)
        if alias not in self.pending:
            return [acknowledged]
        kind, version = self.pending[alias]
        return {"creating": [None, 0], "updating": [acknowledged, version], "deleting": [acknowledged, None]}[kind]


@contextmanager
def load(running: Running, seed: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A client process at work; ends with the server."""
    command = [sys.executable, "-m", "tests.load", str(running.folder / "demo.json"), seed, str(log)]
    with log.with_suffix(".err").open("wb") as errors:
        client = subprocess.Popen(command, stderr=errors)
    try:
        yield client
        assert client.wait(30) == 0
        assert log.with_suffix(".err").read_text() == "", "a client saw a wrong answer"
    finally:
        client.kill()
        client.wait()


class Round(NamedTuple):
    """What one round of load and kill came to."""

    counts: Counter[str]
    """Lines of the log by kind."""
    start_seconds: float


def work_and_kill(running: Running, ledger: Ledger, name: str, delay: float, kill: Callable[[], None]) -> Round:
    """One round: load, kill at a moment, start again, check."""
    log = running.folder.parent / f"{name}.log"
    with load(running, name, log):
        wait_until(lambda: log.exists() and log.stat().st_size > 0, 20)
        time.sleep(delay)  # the moment of the kill is what is random here, not something to wait for
        kill()
    began = time.monotonic()
    running.start()
    took = time.monotonic() - began
    counts = ledger.read(log)
    with opened(running) as store:
        ledger.check(store)
    return Round(counts, took)


def start(tmp_path: Path, address: str = "") -> Running:
    """A server with two workers on an empty store."""
    environment = {"BOUGH_RATE_LIMITS": "off", **({"BOUGH_STORE": address} if address else {})}
    return Running(tmp_path / "data", "--empty", "--workers", "2", environment=environment)


@pytest.mark.parametrize("kind", KILLS)
def test_what_was_acknowledged_survives_kill_9_of_all_processes_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    running = start(tmp_path, fresh_database(request.getfixturevalue("postgres")) if kind == "postgres" else "")
    moments = random.Random(SEED)
    ledger = Ledger()
    rounds: list[Round] = []
    try:
        for number in range(KILLS[kind]):
            rounds.append(work_and_kill(running, ledger, f"kill-{number}", moments.uniform(0.05, 1.5), running.kill))
        with opened(running) as store:
            wait_until(lambda: watermark.reached(store, "counts") >= store.rows(NEWEST_ID)[0][0], 20)
            assert store.rows(KEPT) == store.rows(CLICKED)
            wait_until(lambda: watermark.reached(store, "day counts") >= store.rows(NEWEST_ID)[0][0], 20)
            assert store.rows(KEPT_BY_DAY) == store.rows(CLICKED)
    finally:
        running.stop()
    total = sum((found.counts for found in rounds), Counter[str]())
    assert total["refused"] == 0
    # The median, so that a machine that was busy with something else for a moment does not count.
    assert statistics.median(found.start_seconds for found in rounds) < START_SECONDS
    assert all(total[what] >= KILLS[kind] for what in ("created", "updated", "deleted", "clicked")), total


def test_what_was_acknowledged_survives_an_immediate_stop_of_postgresql(tmp_path: Path) -> None:
    """The processes of PostgreSQL end without a checkpoint, bough's are killed; both start again."""
    with OwnPostgres() as postgres:
        running = start(tmp_path, postgres.address)
        moments = random.Random(SEED)
        ledger = Ledger()
        try:
            for number in range(2):

                def kill() -> None:
                    postgres.stop_immediately()
                    running.kill()
                    postgres.start()

                work_and_kill(running, ledger, f"stop-{number}", moments.uniform(0.3, 1.5), kill)
            assert len(ledger.clicks) > 10
        finally:
            running.stop()


def test_a_worker_that_is_killed_is_started_again_and_loses_nothing(tmp_path: Path) -> None:
    """Without the others: the supervisor makes a new one, and the other worker goes on answering."""
    running = start(tmp_path)
    ledger = Ledger()

    def kill() -> None:
        assert running.process is not None
        victim = workers_of(running)[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(workers_of(running)) == 2 and victim not in workers_of(running), 20)
        running.kill()

    try:
        work_and_kill(running, ledger, "worker", 0.5, kill)
    finally:
        running.stop()


def workers_of(running: Running) -> list[int]:
    """Process ids of a server's workers."""
    assert running.process is not None
    return children_named(running.process.pid, "worker")
