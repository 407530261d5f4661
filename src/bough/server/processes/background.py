"""The background process: work that consumes the journal and that only one process may do."""

from __future__ import annotations

import signal
import threading
import time
from functools import partial
from pathlib import Path
from types import FrameType

from bough.attribution.stored.consumer import ROWS_AT_ONCE, StoredFollower
from bough.clicks.counts import by_day, deleted_links, kept
from bough.condition import Part, Process
from bough.logs import configure
from bough.persons.erasing import advance
from bough.server.processes.garbage import collect_seldom
from bough.server.processes.priority import give_way
from bough.settings import Settings
from bough.store import Store, open_store
from bough.store.journal import READ_AT_ONCE, NewRows

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
    work = BackgroundWork(store, settings.folder)
    collect_seldom()
    try:
        while not stop.is_set():
            began = time.monotonic()
            is_behind = work.round()
            work.process.beat()
            if not is_behind:
                stop.wait(rest(time.monotonic() - began))
    finally:
        work.process.end()
        store.close()


def rest(took: float) -> float:
    """Seconds to wait after a round of so many seconds that has caught up."""
    return min(MAX_REST_SECONDS, max(REST_SECONDS, REST_FACTOR * took))


class BackgroundWork:
    """What consumes the journal, each as a part of its own: none stops another."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._follower = StoredFollower(store)
        self._countings = (
            (Part("counts"), kept.link_counting(store)),
            (Part("day counts"), by_day.day_counting(store)),
        )
        self._new_links, self._attribution = Part("counts of new links"), Part("attribution")
        self._erasures, self._deleted = Part("erasures"), Part("counts of deleted links")
        counting = [part for part, _ in self._countings]
        parts = (*counting, self._new_links, self._attribution, self._erasures, self._deleted)
        self.process = Process(folder, "background", parts)

    def round(self) -> bool:
        """One pass over everything; whether there is more to do at once."""
        journal = NewRows(self._store)
        counted = [part.attempt(partial(one.step, journal), 0) for part, one in self._countings]
        links = self._new_links.attempt(partial(by_day.count_new_links, self._store), 0)
        followed = self._attribution.attempt(partial(self._follower.step, journal=journal), 0)
        erased = self._erasures.attempt(partial(advance, self._store, self._folder), False)
        if not followed:
            self._deleted.attempt(partial(deleted_links.clear_deleted, self._store), None)
        is_behind = max(counted) >= READ_AT_ONCE or links >= by_day.LINKS_AT_ONCE or followed >= ROWS_AT_ONCE
        return is_behind or erased
