"""Kept counts: clicks per link, and rows per app and kind, folded from the journal in order.

Counting while a page loads would read the whole journal; counting in the click's own transaction would double its
writes. So one process reads what is new after its watermark and adds it up; counts and watermark move in one
transaction, so each row is counted once whatever happens. Clicks also give links that can expire their time again.
"""

from __future__ import annotations

from collections import Counter

import msgspec
from msgspec import Struct

from bough.accounts.model import AppConfig
from bough.links.change import DAY_MS
from bough.store.database import Store
from bough.store.transaction import Transaction

WATERMARK = "counts"
ROWS_AT_ONCE = 2_000
"""Adding these up holds the write lock for about 5 ms; clicks wait that long."""

READ_WATERMARK = "SELECT journal FROM watermark WHERE name = ?"
SET_WATERMARK = (
    "INSERT INTO watermark (name, journal) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET journal = excluded.journal"
)
NEW_ROWS = (
    "SELECT app, test, kind, link, count(*), max(id), max(at) FROM"
    " (SELECT id, at, app, test, kind, link FROM journal WHERE id > ? ORDER BY id LIMIT ?) AS fresh"
    " GROUP BY app, test, kind, link"
)
LINK_COLUMNS = ("link", "clicks", "last_click_at")
ADD_LINK = (
    "ON CONFLICT (link) DO UPDATE SET"
    " clicks = link_count.clicks + excluded.clicks, last_click_at = excluded.last_click_at"
)
APP_COLUMNS = ("app", "test", "kind", "count")
ADD_APP = "ON CONFLICT (app, test, kind) DO UPDATE SET count = app_count.count + excluded.count"
LINK_COUNTS = "SELECT clicks, last_click_at FROM link_count WHERE link = ?"
PUT_OFF_EXPIRY = "UPDATE link SET expires_at = ? WHERE id = ? AND expires_at < ?"
APP_CONFIGS = "SELECT id, config FROM app"


class _Fold(Struct):
    """What the new rows add up to."""

    after: int
    newest: int
    links: list[tuple[int, int, int]]
    """Link, clicks, time of the last."""
    expiries: list[tuple[int, int, int]]
    kinds: Counter[tuple[int, int, str]]


def fold_counts(store: Store) -> int:
    """Count the journal rows after the watermark; returns how many there were."""
    found = store.rows(READ_WATERMARK, (WATERMARK,))
    after = found[0][0] if found else 0
    groups = store.rows(NEW_ROWS, (after, ROWS_AT_ONCE))
    if not groups:
        return 0
    fold = _Fold(after=after, newest=max(group[5] for group in groups), links=[], expiries=[], kinds=Counter())
    days = _expiry_days(store)
    for app, test, kind, link, count, _, last in groups:
        fold.kinds[app, test, kind] += count
        if kind == "click" and link is not None:
            fold.links.append((link, count, last))
            if app in days:
                until = last + days[app] * DAY_MS
                fold.expiries.append((until, link, until))
    store.transact(_apply, fold)
    return fold.kinds.total()


def _expiry_days(store: Store) -> dict[int, int]:
    configs = ((app, msgspec.json.decode(config, type=AppConfig)) for app, config in store.rows(APP_CONFIGS))
    return {app: config.expiry_days for app, config in configs if config.expiry_days}


def _apply(tx: Transaction, folds: list[_Fold]) -> list[Exception | None]:
    for fold in folds:
        found = tx.rows(READ_WATERMARK, (WATERMARK,))
        if (found[0][0] if found else 0) != fold.after:
            continue  # another process has counted these rows
        tx.insert("link_count", LINK_COLUMNS, sorted(fold.links), on_conflict=ADD_LINK)
        kinds = [(*key, count) for key, count in sorted(fold.kinds.items())]
        tx.insert("app_count", APP_COLUMNS, kinds, on_conflict=ADD_APP)
        tx.each(PUT_OFF_EXPIRY, fold.expiries)
        tx.run(SET_WATERMARK, (WATERMARK, fold.newest))
    return [None] * len(folds)
