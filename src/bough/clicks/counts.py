"""Kept counts: clicks per link, and rows per app and kind, folded from the journal in order.

Counting while a page loads would read the whole journal; counting in the click's own transaction would double its
writes. So one process reads what is new after its watermark and adds it up; counts and watermark move in one
transaction, so each row is counted once whatever happens. Clicks also give links that can expire their time again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct

from bough.accounts.model import AppConfig
from bough.links.change import DAY_MS
from bough.store import watermark
from bough.store.database import Store
from bough.store.journal import NewRows
from bough.store.select_in import select_in
from bough.store.transaction import RowValues, Transaction

WATERMARK = "counts"
LINKS_AT_ONCE = 1000
"""Links of one transaction, and rows of one where so many rows are about more links than that. It holds the write lock
for about 2 ms; clicks wait that long."""

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


Row = TypeVar("Row")


class _Fold(Struct):
    """What the new rows add up to."""

    after: int
    newest: int
    links: list[tuple[int, int, int]]
    """Link, clicks, time of the last."""
    expiries: list[tuple[int, int, int]]
    kinds: Counter[tuple[int, int, str]]


def fold_counts(store: Store, journal: NewRows | None = None) -> int:
    """Count the next journal rows after the watermark; returns how many there were."""
    after = watermark.reached(store, WATERMARK)
    rows = (journal or NewRows(store)).after(after)
    for piece in in_pieces(rows, LINKS_AT_ONCE, is_small=len({row[5] for row in rows}) <= LINKS_AT_ONCE):
        store.transact(_apply, _fold(store, piece, after), settle=False)
        after = piece[-1][0]
    return len(rows)


def in_pieces(rows: Sequence[Row], size: int, *, is_small: bool) -> Iterator[Sequence[Row]]:
    """All rows, or so many at a time when they are not small together."""
    step = len(rows) if is_small else size
    for start in range(0, len(rows), max(step, 1)):
        yield rows[start : start + step]


def _fold(store: Store, rows: Sequence[RowValues], after: int) -> _Fold:
    clicks = [(link, at, app) for _, at, app, _, kind, link, _ in rows if kind == "click" and link is not None]
    last = {link: (at, app) for link, at, app in clicks}
    days = _expiry_days(store, {app for _, app in last.values()})
    untils = [(at + days[app] * DAY_MS, link) for link, (at, app) in last.items() if app in days]
    return _Fold(
        after=after,
        newest=rows[-1][0],
        links=[(link, count, last[link][0]) for link, count in Counter(link for link, _, _ in clicks).items()],
        expiries=[(until, link, until) for until, link in untils],
        kinds=Counter((app, test, kind) for _, _, app, test, kind, _, _ in rows),
    )


def _expiry_days(store: Store, apps: Collection[int]) -> dict[int, int]:
    found = select_in(store.rows, APP_CONFIGS, apps)
    configs = ((app, msgspec.json.decode(config, type=AppConfig)) for app, config in found)
    return {app: config.expiry_days for app, config in configs if config.expiry_days}


def _apply(tx: Transaction, folds: list[_Fold]) -> list[Exception | None]:
    for fold in folds:
        if watermark.reached(tx, WATERMARK) != fold.after:
            continue  # another process has counted these rows
        tx.insert("link_count", LINK_COLUMNS, sorted(fold.links), on_conflict=ADD_LINK)
        kinds = [(*key, count) for key, count in sorted(fold.kinds.items())]
        tx.insert("app_count", APP_COLUMNS, kinds, on_conflict=ADD_APP)
        tx.each(PUT_OFF_EXPIRY, fold.expiries)
        watermark.advance(tx, WATERMARK, fold.newest)
    return [None] * len(folds)
