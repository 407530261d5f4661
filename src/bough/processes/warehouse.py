"""The warehouse process: owns the DuckDB file, follows attribution, runs export jobs.

Run as ``python -m bough.processes.warehouse PIPE_FD``; settings come from the environment. Workers reach it only by the
jobs they store; they ring (`bough.exports.bell`) so that a job does not wait for the next look.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from types import FrameType

from bough.accounts.directory import Directory
from bough.errors import Unavailable
from bough.exports import records
from bough.exports.bell import Bell
from bough.exports.callbacks import send_due
from bough.exports.files import ExportFiles
from bough.exports.job import KEPT_MS, Job
from bough.exports.routes import signed_url
from bough.exports.runner import run_job
from bough.exports.signing import open_signer
from bough.ids import now_ms
from bough.processes.lifeline import end_with_supervisor
from bough.settings import Settings, load_settings
from bough.store import Store, open_store
from bough.warehouse.keeper import Keeper

log = logging.getLogger("bough.warehouse")

LOOK_SECONDS = 0.25
TIDY_SECONDS = 60.0
JOBS_AT_ONCE = 2


def main(pipe_fd: int) -> None:
    """Work until SIGTERM."""
    settings = load_settings()
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    store = open_store(settings.folder, settings.store)
    bell = Bell(settings.folder)

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    end_with_supervisor(pipe_fd)
    rounds = Rounds(settings, store)
    try:
        while not stop.is_set():
            if not rounds.round():
                bell.wait(LOOK_SECONDS)
    finally:
        rounds.close()
        bell.close()
        store.close()


class Rounds:
    """Everything that the process does, one round at a time."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._files = ExportFiles(settings.folder)
        self._signer = open_signer(store)
        self._keeper = Keeper(settings.folder, store)
        self._pool = ThreadPoolExecutor(JOBS_AT_ONCE, thread_name_prefix="bough-export")
        self._running: set[Future[None]] = set()
        self._tidied = 0.0
        self._files.remove_parts()
        records.requeue_running(store)

    def round(self) -> bool:
        """Take in what is new and start what waits; whether there was anything to do."""
        try:
            self._running = {job for job in self._running if not job.done()}
            taken = self._keeper.take_in()
            started = len(self._running) < JOBS_AT_ONCE and self._start_job()
            self._tidy()
            sent = send_due(self._store, self._signer, self._settings, self._signed_url)
            return taken or started or bool(sent)
        except Unavailable as error:
            log.warning("%s", error.message)
            return False

    def close(self) -> None:
        """Let running jobs end, then close the file."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._keeper.close()

    def _start_job(self) -> bool:
        job = records.take_next(self._store)
        if job is None:
            return False
        self._running.add(self._pool.submit(self._run, job))
        return True

    def _run(self, job: Job) -> None:
        apps = Directory(self._store).apps
        run_job(self._store, self._files, job, apps, self._keeper.cursor(), self._keeper.data_as_of())

    def _signed_url(self, job: Job) -> str | None:
        return signed_url(self._settings.base_url, self._signer, job)

    def _tidy(self) -> None:
        """Remove files that are no longer kept."""
        if time.monotonic() - self._tidied < TIDY_SECONDS:
            return
        self._tidied = time.monotonic()
        for _, name in self._store.rows(records.OLD_FILES, (now_ms() - KEPT_MS,)):
            self._files.remove(name)


if __name__ == "__main__":
    main(int(sys.argv[1]))
