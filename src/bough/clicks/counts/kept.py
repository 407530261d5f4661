"""Kept counts: clicks per link, and rows per app and kind, folded from the journal in order.

Counting while a page loads would read the whole journal; counting in the click's own transaction would double its
writes. So one process adds up what is new (`bough.clicks.counts.counter`). Clicks also give links that can expire
their time again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import msgspec

from bough.accounts.model import AppConfig
from bough.clicks.counts.counter import Counting
from bough.links.change import DAY_MS
from bough.store.database import Store
from bough.store.select_in import select_in
from bough.store.transaction import RowValues, Transaction

WATERMARK = "counts"

LINK_COLUMNS = ("link", "clicks", "last_click_at")
ADD_LINK = (
    "ON CONFLICT (link) DO UPDATE SET"
    " clicks = link_count.clicks + excluded.clicks, last_click_at = excluded.last_click_at"
)
APP_COLUMNS = ("app", "test", "kind", "count")
ADD_APP = "ON CONFLICT (app, test, kind) DO UPDATE SET count = app_count.count + excluded.count"
LINK_COUNTS = "SELECT clicks, last_click_at FROM link_count WHERE link = ?"
PUT_OFF_EXPIRY = "UPDATE link SET expires_at = ? WHERE id = ? AND expires_at < ?"
APP_CONFIGS = "SELECT id, config FROM app WHERE id IN ({})"


def link_counting(store: Store) -> Counting:
    """Counts clicks per link, and rows per app and kind."""
    return Counting(store, WATERMARK, _Clicks(store))


class _Clicks:
    """See `bough.clicks.counts.counter.Sums`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._clicks: Counter[int] = Counter()
        self._last: dict[int, tuple[int, int]] = {}
        """By link: time and app of its last click."""
        self._kinds: Counter[tuple[int, int, str]] = Counter()

    def add(self, rows: Sequence[RowValues]) -> None:
        clicks = [(link, (at, app)) for _, at, app, _, kind, link, _ in rows if kind == "click" and link is not None]
        self._clicks.update([link for link, _ in clicks])
        self._last.update(clicks)
        self._kinds.update([(app, test, kind) for _, _, app, test, kind, _, _ in rows])

    def of_links(self) -> list[RowValues]:
        """Link, clicks, time of the last, and when it expires if it does."""
        days = _expiry_days(self._store, {app for _, app in self._last.values()})
        return sorted(
            (link, self._clicks[link], at, at + days[app] * DAY_MS if app in days else None)
            for link, (at, app) in self._last.items()
        )

    def write(self, tx: Transaction, counts: Sequence[RowValues]) -> None:
        tx.insert("link_count", LINK_COLUMNS, [one[:3] for one in counts], on_conflict=ADD_LINK)
        tx.each(PUT_OFF_EXPIRY, [(until, link, until) for link, _, _, until in counts if until is not None])

    def write_rest(self, tx: Transaction) -> None:
        kinds = [(*key, count) for key, count in sorted(self._kinds.items())]
        tx.insert("app_count", APP_COLUMNS, kinds, on_conflict=ADD_APP)

    def clear(self) -> None:
        self._clicks.clear()
        self._last.clear()
        self._kinds.clear()


def _expiry_days(store: Store, apps: Collection[int]) -> dict[int, int]:
    found = select_in(store.rows, APP_CONFIGS, apps)
    configs = ((app, msgspec.json.decode(config, type=AppConfig)) for app, config in found)
    return {app: config.expiry_days for app, config in configs if config.expiry_days}
