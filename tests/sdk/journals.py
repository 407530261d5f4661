"""What a running bough has journalled, and what attribution makes of it."""

from __future__ import annotations

from pathlib import Path

from bough.accounts.directory import Directory
from bough.agents.recognition import parse
from bough.attribution.replay.read import Attributed, always, attribute
from bough.attribution.stored.links import StoredLinks
from bough.store import Store, open_store
from bough.store.journal import read_after
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.windows import Windows
from tests.running import Running

AT_MOST = 100_000


_stores: dict[Path, Store] = {}


def opened(running: Running) -> Store:
    """The store of a running bough, opened beside it; stays open until `close_all`."""
    if running.folder not in _stores:
        _stores[running.folder] = open_store(running.folder, running.environment.get("BOUGH_STORE", ""))
    return _stores[running.folder]


def close_all() -> None:
    """Close what `opened` opened."""
    while _stores:
        _stores.popitem()[1].close()


class Mark:
    """The end of the journal at some moment; everything after it is what a test has done."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._after: int = opened(running).rows("SELECT max(id) FROM journal")[0][0] or 0

    def rows(self, *kinds: str) -> list[JournalRow]:
        """New rows, of some kinds or of all, in the order of arrival."""
        rows = read_after(opened(self._running), self._after, AT_MOST)
        return [row for row in rows if not kinds or row.kind in kinds]

    def attributed(self) -> list[Attributed]:
        """The attribution of the new rows."""
        store = opened(self._running)
        return attribute(self.rows(), always(Windows()), StoredLinks(store.rows, Directory(store)), parse)

    def counted(self) -> list[Attributed]:
        """Those that are no retries and may be counted."""
        return [one for one in self.attributed() if one.counted]
