"""kill -9 at random moments of an import, of ingesting, of compaction and of an export: nothing lost, nothing doubled.

Every round starts the real process, kills it (with all its children) after a random time, and then finishes the same
work. What must hold after each round: the events are there exactly once, in the journal and in every answer; a job has
finished or has been begun again; every file that can be fetched is whole.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bough.exports.files import FOLDER as EXPORTS
from bough.exports.job import MAX_ATTEMPTS
from bough.importers.events import FOLDER as SEGMENTS
from bough.warehouse.refresh import FILE_NAME
from tests.apps import store_of
from tests.exports.client import Exports, app_in, bough, write_csv
from tests.running import Running, children_named, wait_until

KILLS = 20
"""That came in the middle of the work."""

TRIES = 80
"""Some kills come too late; if most do, the test proves nothing and fails."""

CHECKED = 10
"""After so many kills everything is finished and counted."""

PEOPLE = 2500
"""Installs, each with two opens, in a round's file: enough to be hit in the middle."""

SEED = 20_261_122


@pytest.fixture
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exports]:
    """An app on a server that does not run now: the tests start what they kill."""
    running = Running(tmp_path_factory.mktemp("kill") / "data", "--empty", environment={"BOUGH_RATE_LIMITS": "off"})
    client = app_in(running, "UTC")
    running.stop()
    yield client
    client.http.close()


def _file(client: Exports, folder: Path, number: int) -> Path:
    """A file of its own people, some of whom are tied to those of the file before."""
    rows: list[tuple[object, ...]] = []
    for person in range(PEOPLE):
        who = f"{number}-{person}"
        rows.append((f"{who}-i", "INSTALL", client.at(5), who, f"device {who}"))
        rows.append((f"{who}-o", "OPEN", client.at(4), who, ""))
        rows.append((f"{who}-p", "OPEN", client.at(3), "", f"device {who}"))
    columns = ("id", "name", "timestamp", "user_data_developer_identity", "user_data_aaid")
    return write_csv(folder / f"{number}.csv", columns, rows)


def _counts(client: Exports) -> list[str]:
    """users and OPENs of days 0..2, from the command line."""
    printed = bough(
        client.running,
        *("export", "--app", client.app_id, "--start-date", client.day(5), "--end-date", client.day(5)),
        *("--data-source", "install_cohort", "--measures", "OPEN,Retention", "--granularity-band-count", "3"),
    ).stdout.splitlines()
    return [line for line in printed[1:] if line]


def _expected(files: int) -> list[str]:
    users = files * PEOPLE
    return [
        f"OPEN,total_count,false,false,{users},,0,{users},{users}",
        f"Retention,unique_count,false,false,{users},,1,1,1",
    ]


def _killed(client: Exports, seconds: float, *arguments: str) -> bool:
    """Run a command and kill it, and what it started, after a time; whether it was still at work."""
    command = [sys.executable, "-m", "bough.cli", *arguments, "--data", str(client.running.folder)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BOUGH_")} | client.running.environment
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        return True


def _duration(client: Exports, *arguments: str) -> float:
    started = time.monotonic()
    bough(client.running, *arguments)
    return time.monotonic() - started


def test_killed_imports_lose_and_double_nothing(stopped: Exports, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    first = _file(stopped, tmp_path, 0)
    whole = _duration(stopped, "import", "events", str(first), "--app", stopped.app_id)
    kills = number = 0
    while kills < KILLS and number < TRIES:
        number += 1
        command = ("import", "events", str(_file(stopped, tmp_path, number)), "--app", stopped.app_id)
        after = chance.uniform(0.2, 1.0) * whole
        if not _killed(stopped, after, *command):
            whole = min(whole, after)  # the machine has become less busy
            continue
        kills += 1
        if kills % CHECKED == 0:  # rounds in between leave their rest to the next one
            stopped.import_events(*(tmp_path / f"{done}.csv" for done in range(1, number + 1)))
            assert _counts(stopped) == _expected(number + 1)
    assert kills == KILLS
    segments = stopped.running.folder / SEGMENTS
    assert len([path for path in segments.iterdir() if path.suffix == ".parquet"]) == number + 1


def test_killed_rebuilds_and_compaction_lose_and_double_nothing(stopped: Exports, tmp_path: Path) -> None:
    """Taking everything in again is killed again and again, also in the middle of folding it into order."""
    stopped.import_events(*(_file(stopped, tmp_path, number) for number in range(3)))
    before = _counts(stopped)
    assert before == _expected(3)
    chance = random.Random(SEED + 1)
    whole = _duration(stopped, "warehouse", "rebuild")
    kills = tries = 0
    while kills < KILLS and tries < TRIES:
        tries += 1
        after = chance.uniform(0.2, 1.0) * whole
        if not _killed(stopped, after, "warehouse", "rebuild"):
            whole = min(whole, after)
            continue
        kills += 1
        if kills % CHECKED == 0:
            assert _counts(stopped) == before
    assert kills == KILLS
    assert (stopped.running.folder / FILE_NAME).exists()
    assert _counts(stopped) == before


def test_killed_exports_finish_and_show_no_half_file(stopped: Exports, tmp_path: Path) -> None:
    """The warehouse process is killed while jobs run; its supervisor starts it again and every job ends well."""
    stopped.import_events(_file(stopped, tmp_path, 0))
    stopped.running.start()
    chance = random.Random(SEED + 2)
    try:
        body = stopped.body(
            start_date=stopped.day(5),
            end_date=stopped.day(5),
            measures=["OPEN", "Retention", "users", "PURCHASE", "LTV"],
            dimensions=["user_data_custom_events_completed", "install_activity_data_os"],
            fresh=True,
        )
        complete = stopped.waited(body)
        jobs: list[str] = []
        kills = 0
        while kills < KILLS and len(jobs) < TRIES:
            wait_until(lambda: _warehouse_processes(stopped.running), 30)
            jobs.append(stopped.job(body))
            time.sleep(chance.uniform(0.0, 0.5))  # the moment of the kill is what is random here
            for process in _warehouse_processes(stopped.running):
                os.kill(process, signal.SIGKILL)
            kills += stopped.status(jobs[-1]).json()["status"] in ("QUEUED", "RUNNING")
        assert kills == KILLS
        for job in jobs:
            document = stopped.ended(job)
            if document["status"] == "ERROR":
                assert document["error_message"] == "The export was interrupted too often."
                assert _attempts(stopped.running, job) == MAX_ATTEMPTS
                continue
            assert stopped.http.get(document["response_url"]).content == complete
        assert any(stopped.status(job).json()["status"] == "FINISHED" for job in jobs)
        for path in (stopped.running.folder / EXPORTS).iterdir():
            assert path.name.startswith(".") or path.suffix == ".csv"
            if path.suffix == ".csv" and not path.name.startswith("."):
                assert path.read_bytes().endswith(b"\n")
    finally:
        stopped.running.stop()


def _warehouse_processes(running: Running) -> list[int]:
    assert running.process is not None
    return children_named(running.process.pid, "warehouse")


def _attempts(running: Running, job: str) -> int:
    store = store_of(running)
    try:
        return int(store.rows("SELECT attempts FROM export_job WHERE job_id = ?", (job,))[0][0])
    finally:
        store.close()
