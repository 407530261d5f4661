"""The background process: work that follows the journal and that only one process may do.

Run as ``python -m bough.processes.background PIPE_FD``; settings come from the environment.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from bough.attribution.following import StoredFollower
from bough.clicks.counts import fold_counts
from bough.errors import Unavailable
from bough.logs import configure
from bough.persons.erasing import advance
from bough.processes.lifeline import end_with_supervisor
from bough.settings import load_settings
from bough.store import Store, open_store

log = logging.getLogger("bough.background")

REST_SECONDS = 0.25
"""Pause after a round that found nothing to do; how old kept counts can be."""

NICENESS = 10
"""Answering comes first."""


def main(pipe_fd: int) -> None:
    """Work until SIGTERM."""
    settings = load_settings()
    configure(settings.log_level)
    stop = threading.Event()

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    end_with_supervisor(pipe_fd)
    os.nice(NICENESS)
    store = open_store(settings.folder, settings.store)
    follower = StoredFollower(store)
    try:
        while not stop.is_set():
            if not _round(store, follower, settings.folder):
                stop.wait(REST_SECONDS)
    finally:
        store.close()


def _round(store: Store, follower: StoredFollower, folder: Path) -> bool:
    """One pass over everything that follows the journal; whether there was anything to do."""
    try:
        counted = fold_counts(store)
        erased = advance(store, folder)
        return follower.step() + counted > 0 or erased
    except Unavailable as error:
        log.warning("%s", error.message)
        return False


if __name__ == "__main__":
    main(int(sys.argv[1]))
