"""The background process: work that follows the journal and that only one process may do."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from bough.attribution.following import ROWS_AT_ONCE, StoredFollower
from bough.clicks import counts, day_counts, deleted
from bough.clicks.counting import Counting
from bough.errors import Unavailable
from bough.logs import configure
from bough.persons.erasing import advance
from bough.processes.garbage import collect_seldom
from bough.processes.priority import give_way
from bough.settings import Settings
from bough.store import Store, open_store
from bough.store.journal import READ_AT_ONCE, NewRows

log = logging.getLogger("bough.background")

REST_SECONDS = 0.25
"""Pause after a round that has caught up; how old kept counts can be."""

REST_FACTOR = 4
MAX_REST_SECONDS = 1.0
"""After a long round the pause is longer: what a round costs by itself is then shared by more rows, and following a
steady stream takes a fifth of one core at most until it falls behind."""


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
    give_way()  # not the thread that writes: it holds what all others wait for
    countings = (counts.link_counting(store), day_counts.day_counting(store))
    follower = StoredFollower(store)
    collect_seldom()
    try:
        while not stop.is_set():
            began = time.monotonic()
            if not _round(store, countings, follower, settings.folder):
                stop.wait(rest(time.monotonic() - began))
    finally:
        store.close()


def rest(took: float) -> float:
    """Seconds to wait after a round of so many seconds that has caught up."""
    return min(MAX_REST_SECONDS, max(REST_SECONDS, REST_FACTOR * took))


def _round(store: Store, countings: Sequence[Counting], follower: StoredFollower, folder: Path) -> bool:
    """One pass over everything that follows the journal; whether there is more to do at once."""
    try:
        journal = NewRows(store)
        counted = [one.step(journal) for one in countings]
        links = day_counts.count_new_links(store)
        followed = follower.step(journal=journal)
        erased = advance(store, folder)
        if not followed:
            deleted.clear_deleted(store)
        is_behind = max(counted) >= READ_AT_ONCE or links >= day_counts.LINKS_AT_ONCE or followed >= ROWS_AT_ONCE
        return is_behind or erased
    except Unavailable as error:
        log.warning("%s", error.message)
        return False
