"""What a running bough has journalled, and what attribution makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bough.accounts.directory import Directory
from bough.attribution.read import Attributed, always, attribute
from bough.attribution.stored_links import StoredLinks
from bough.attribution.windows import Windows
from bough.clicks.agents import parse
from bough.journal import Row
from bough.store import Store, open_store
from bough.store.journal import read_after
from tests.running import Running

AT_MOST = 100_000


@contextmanager
def opened(running: Running) -> Iterator[Store]:
    """The store of a running bough, opened beside it."""
    store = open_store(running.folder, running.environment.get("BOUGH_STORE", ""))
    try:
        yield store
    finally:
        store.close()


class Mark:
    """The end of the journal at some moment; everything after it is what a test has done."""

    def __init__(self, running: Running) -> None:
        self._running = running
        with opened(running) as store:
            self._after: int = store.rows("SELECT max(id) FROM journal")[0][0] or 0

    def rows(self, *kinds: str) -> list[Row]:
        """New rows, of some kinds or of all, in the order of arrival."""
        with opened(self._running) as store:
            return [row for row in read_after(store, self._after, AT_MOST) if not kinds or row.kind in kinds]

    def attributed(self) -> list[Attributed]:
        """The attribution of the new rows."""
        with opened(self._running) as store:
            rows = list(read_after(store, self._after, AT_MOST))
            return attribute(rows, always(Windows()), StoredLinks(store.rows, Directory(store)), parse)

    def counted(self) -> list[Attributed]:
        """Those that are no retries and may be counted."""
        return [one for one in self.attributed() if one.counted]
