"""The warehouse process: owns the DuckDB file, follows the store, runs export jobs, sends webhooks.

Workers reach it only by the jobs they store; they ring (`bough.exports.wake_up`) so that nothing waits for the next
look.

Five loops, so that none waits for another: *intake* brings the warehouse up to date, *exports* starts jobs, *errands*
sends webhooks and starts scheduled reports, *files* copies those of reports and removes old ones, perhaps in an object
store that does not answer, *totals* keeps the daily sums that pages show. A job is started once everything that was
acknowledged before it is in the warehouse; when a long intake takes more than PATIENCE_MS, it is answered from what is
in, and says so in `data_as_of`.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import duckdb

import bough.cohorts.arrays.compute  # noqa: F401 - loaded at the start, so that the first query does not wait for it
from bough.accounts.directory import Directory
from bough.condition import Part, Process
from bough.dashboard.reports import request_of
from bough.errors import BoughError
from bough.exports import records
from bough.exports.callbacks import send_due
from bough.exports.downloads import open_files
from bough.exports.handlers import new_job, signed_url
from bough.exports.job import KEPT_MS, Job
from bough.exports.questions import Questions
from bough.exports.reports import deliver, start_due
from bough.exports.runner import run_job
from bough.exports.signing import open_signer
from bough.exports.tracing import answerer
from bough.exports.wake_up import Bell
from bough.logs import configure
from bough.server.processes.priority import step_back
from bough.settings import Settings
from bough.store import Store, open_store
from bough.vocabulary.ids import now_ms
from bough.warehouse.day_totals import DayTotals
from bough.warehouse.opening import WarehouseBusy
from bough.warehouse.refresh import Keeper, RebuildWanted, Stopping

log = logging.getLogger("bough.warehouse")

LOOK_SECONDS = 0.25
TIDY_SECONDS = 60.0
SWEEP_SECONDS = 3600.0
REST_FACTOR = 4
MAX_REST_SECONDS = 2.0
"""After an intake that nobody waits for, the next one comes so many times as long later as it took: a steady stream of
events is then ingested by large pieces, and takes a fifth of one core at most."""

JOBS_AT_ONCE = 2
PATIENCE_MS = 10_000


def main(settings: Settings) -> None:
    """Work until SIGTERM."""
    configure(settings.log_level)
    stop = threading.Event()

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    store = open_store(settings.folder, settings.store)
    store.start_writing()
    step_back()  # this thread and those that it starts, not the one that writes: it holds what all others wait for
    keeper = _opened(settings.folder, store, stop)
    if keeper is None:
        store.close()
        return
    bell = Bell(settings.folder)
    work = WarehouseWork(settings, store, keeper, stop)
    process = Process(settings.folder, "warehouse", work.parts)
    loops = [
        Loop("intake", work.intake, stop),
        Loop("exports", work.exports, stop),
        Loop("errands", work.errands, stop),
        Loop("files", work.files, stop),
        Loop("totals", work.totals, stop),
    ]
    process.parts += [loop.part for loop in loops]
    work.wake_exports = loops[1].wake
    questions = Questions(settings.folder, answerer(store, keeper.cursor, work.as_of))
    try:
        questions.start()
        for loop in loops:
            loop.start()
        while not stop.is_set():
            process.beat()
            bell.wait(LOOK_SECONDS)
            for loop in loops:
                loop.wake()
            work.answering.attempt(questions.keep_on, None)
    finally:
        process.end()
        questions.close()
        for loop in loops:
            loop.end()
        work.close()
        bell.close()
        store.close()


def _opened(folder: Path, store: Store, stop: threading.Event) -> Keeper | None:
    """The warehouse, once a command that has it is done; None when told to stop before."""
    while not stop.is_set():
        try:
            return Keeper(folder, store, stop.is_set)
        except WarehouseBusy:
            stop.wait(LOOK_SECONDS)
    return None


class Loop:
    """A thread that does rounds of one kind; it rests after a round without work until it is woken.

    A round that fails, however, is tried again (`bough.condition.Part`): the thread ends only with the process.
    """

    def __init__(self, name: str, action: Callable[[], bool], stop: threading.Event) -> None:
        self.part = Part(name)
        self._action = action
        self._stop = stop
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"bough-{name}")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There may be work."""
        self._woken.set()

    def end(self) -> None:
        """Wait for the end of the round; `stop` is set."""
        self._stop.set()
        self._woken.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._woken.clear()
            try:
                worked = self.part.attempt(self._action, False, Stopping, RebuildWanted, duckdb.FatalException)
            except Stopping:
                return
            except RebuildWanted:
                log.info("The warehouse will be made again")
                self._stop.set()
                return
            except duckdb.FatalException:
                log.exception("The warehouse file cannot go on; its process starts again")
                self._stop.set()
                return
            if self.part.is_resting:
                self._stop.wait(self.part.pause)
            elif not worked:
                self._woken.wait(LOOK_SECONDS)


class Intake(NamedTuple):
    """How far the warehouse is."""

    as_of: int
    """Epoch ms; what was acknowledged before is in."""
    newest_job: int
    """The newest job then."""


class WarehouseWork:
    """What the loops do, one round at a time."""

    def __init__(self, settings: Settings, store: Store, keeper: Keeper, stop: threading.Event) -> None:
        self._settings = settings
        self._store = store
        self.answering, self.running = Part("answers of the warehouse"), Part("export jobs")
        self.parts = (self.answering, self.running)
        self._files = open_files(settings)
        self._signer = open_signer(store)
        self._keeper = keeper
        self._stop = stop
        self._pool = ThreadPoolExecutor(JOBS_AT_ONCE, thread_name_prefix="bough-export")
        self._free = threading.Semaphore(JOBS_AT_ONCE)
        self._intake: Intake | None = None
        self._rest_until = 0.0
        self._tidied = -TIDY_SECONDS
        self._swept = -SWEEP_SECONDS
        self._totals = DayTotals(store, keeper.cursor)
        self._taken = 0
        self._summed = 0
        self.wake_exports: Callable[[], None] = lambda: None
        self._files.remove_parts()
        records.requeue_running(store)

    def intake(self) -> bool:
        """Take in what is new."""
        newest_job = self._store.rows(records.NEWEST_ID)[0][0] or 0
        began = time.monotonic()
        if began < self._rest_until and self._intake is not None and newest_job == self._intake.newest_job:
            return False
        started, as_of = now_ms(), self._keeper.data_as_of()
        if as_of < started:  # attribution is behind: the jobs of now have to wait for it
            newest_job = 0 if self._intake is None else self._intake.newest_job
        reached = Intake(as_of, newest_job)
        taken = self._keeper.take_in()
        now = time.monotonic()
        self._rest_until = now + min(MAX_REST_SECONDS, REST_FACTOR * (now - began))
        waited_for = self._intake is None or reached.newest_job > self._intake.newest_job
        self._intake = reached
        self._taken += taken
        if waited_for:
            self.wake_exports()
        return taken

    def as_of(self) -> int:
        """Epoch ms; what was acknowledged before is in. 0 before the first intake."""
        return 0 if self._intake is None else self._intake.as_of

    def exports(self) -> bool:
        """Start a job that waits, when there is a free place."""
        intake = self._intake
        if intake is None or not self._free.acquire(blocking=False):
            return False
        job = records.take_next(self._store, intake.newest_job, now_ms() - PATIENCE_MS)
        if job is None:
            self._free.release()
            return False
        self._pool.submit(self._run, job, intake.as_of)
        return True

    def errands(self) -> bool:
        """Ask the reports that are due, send the webhooks that are."""
        started = start_due(self._store, request_of, new_job)
        sent = send_due(self._store, self._signer, self._settings, self._signed_url, self._stop.is_set)
        return started + sent > 0

    def files(self) -> bool:
        """Copy what reports have made; now and then remove files that are no longer kept."""
        now, old = time.monotonic(), now_ms() - KEPT_MS
        if now - self._tidied > TIDY_SECONDS:
            self._tidied = now
            for job_id, name in self._store.rows(records.OLD_FILES, (old,)):
                self._files.remove(name)
                records.forget_file(self._store, job_id)
        if now - self._swept > SWEEP_SECONDS:
            self._swept = now
            self._files.remove_old(old - round(SWEEP_SECONDS * 1000))  # never before its job has expired
        return deliver(self._store, self._files) > 0

    def totals(self) -> bool:
        """Keep the daily sums."""
        if self._intake is None:
            return False
        taken = self._taken
        if not self._totals.refresh(self._intake.as_of, changed=taken != self._summed):
            return False
        self._summed = taken
        return True

    def close(self) -> None:
        """Let running jobs end, then close the file."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._keeper.close()

    def _run(self, job: Job, as_of: int) -> None:
        try:
            run_job(self._store, self._files, job, Directory(self._store).apps, self._keeper.cursor(), as_of)
            self.running.state = None
        except Exception as error:  # noqa: BLE001 - nobody waits for a thread of the pool
            self.running.failed(error)
            self._give_back(job)
        finally:
            self._free.release()
            self.wake_exports()

    def _give_back(self, job: Job) -> None:
        """A job that could neither be finished nor failed waits for its next try."""
        try:
            records.requeue(self._store, job)
        except BoughError as error:
            log.error("Export job %s is run again after the next start: %s", job.job_id, error.message)

    def _signed_url(self, job: Job) -> str | None:
        return signed_url(self._settings.base_url, self._signer, job, job.account_user)
