"""Kept counts by local day: rows per app and kind, new links per app, clicks per link by platform, country, referrer.

Folded as in `bough.clicks.counts`, with watermarks of their own. Days are local days of the app's time zone as it is
when a row is counted. A click counts under the dimension `all` and under each dimension of `DIMENSIONS` whose value is
known: the unknown ones are what is missing from `all`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from bough.clicks.agents import parse
from bough.clicks.counts import READ_WATERMARK, SET_WATERMARK
from bough.clicks.visit import SYSTEM_NAMES
from bough.local_days import local_day
from bough.store.database import Store
from bough.store.transaction import Transaction

ROWS, LINKS = "day counts", "day counts of links"
"""Watermarks: the newest journal row and the newest link that are counted."""

ROWS_AT_ONCE = 500
"""A row can touch six counts; adding these up holds the write lock for about 5 ms."""

LINKS_AT_ONCE = 5000
"""A new link touches one count, which it shares with all others of its day."""

MAX_VALUE = 100
"""Characters of a referrer that are kept."""

ALL = "all"
DIMENSIONS = ("platform", "country", "referrer")

NEW_ROWS = "SELECT id, at, app, test, kind, link, body FROM journal WHERE id > ? ORDER BY id LIMIT ?"
NEW_LINKS = "SELECT id, created_at, app, test FROM link WHERE id > ? ORDER BY id LIMIT ?"
ZONES = "SELECT id, timezone FROM app"
APP_COLUMNS = ("app", "test", "day", "kind", "count")
ADD_APP = "ON CONFLICT (app, test, day, kind) DO UPDATE SET count = app_day_count.count + excluded.count"
LINK_COLUMNS = ("link", "day", "dimension", "value", "clicks")
ADD_LINK = "ON CONFLICT (link, day, dimension, value) DO UPDATE SET clicks = link_day_count.clicks + excluded.clicks"


class ClickFacts(Struct, frozen=True):
    """What is read of a click's row."""

    user_agent: str = ""
    country: str = ""
    referrer: str = ""


class _Fold(NamedTuple):
    """What new rows add up to."""

    apps: Counter[tuple[int, int, int, str]]
    links: Counter[tuple[int, int, str, str]]


class Counts(NamedTuple):
    """A fold in the order of the tables, made before the write lock is taken."""

    watermark: str
    after: int
    newest: int
    apps: list[tuple[Any, ...]]
    links: list[tuple[Any, ...]]


_facts = msgspec.json.Decoder(ClickFacts).decode


def fold_day_counts(store: Store) -> int:
    """Count what is new of the journal and of the links; returns how many rows there were."""
    zones: dict[int, str] = dict(store.rows(ZONES))
    found = _fold(store, ROWS, NEW_ROWS, ROWS_AT_ONCE, zones, _count_row)
    return found + _fold(store, LINKS, NEW_LINKS, LINKS_AT_ONCE, zones, _count_link)


@lru_cache(maxsize=8192)
def values_of(facts: ClickFacts) -> tuple[tuple[str, str], ...]:
    """A click's dimensions and values, those that are known."""
    found = (
        ("platform", platform_of(facts.user_agent)),
        ("country", facts.country.upper()[:2]),
        ("referrer", referring_host(facts.referrer)),
    )
    return tuple((dimension, value) for dimension, value in found if value)


@lru_cache(maxsize=8192)
def platform_of(user_agent: str) -> str:
    """The operating system's name; empty: unknown."""
    agent = parse(user_agent)
    return SYSTEM_NAMES.get(agent.os, "") or ("iOS" if agent.os == "ios" else "")


@lru_cache(maxsize=8192)
def referring_host(referrer: str) -> str:
    """The host of a Referer; empty for what is no address."""
    try:
        host = urlsplit(referrer).hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")[:MAX_VALUE].replace("\0", "")


_Count = Callable[[_Fold, tuple[Any, ...], dict[int, str]], None]


def _fold(store: Store, watermark: str, sql: str, at_most: int, zones: dict[int, str], count: _Count) -> int:
    found = store.rows(READ_WATERMARK, (watermark,))
    after = found[0][0] if found else 0
    rows = store.rows(sql, (after, at_most))
    if not rows:
        return 0
    fold = _Fold(Counter(), Counter())
    for row in rows:
        count(fold, row, zones)
    store.transact(_apply, Counts(watermark, after, rows[-1][0], _sorted(fold.apps), _sorted(fold.links)))
    return len(rows)


def _count_row(fold: _Fold, row: tuple[Any, ...], zones: dict[int, str]) -> None:
    _, at, app, test, kind, link, body = row
    day = local_day(zones.get(app, "UTC"), at)
    fold.apps[app, test, day, kind] += 1
    if kind == "click" and link is not None:
        fold.links[link, day, ALL, ""] += 1
        for dimension, value in values_of(_facts(body)):
            fold.links[link, day, dimension, value] += 1


def _count_link(fold: _Fold, row: tuple[Any, ...], zones: dict[int, str]) -> None:
    _, created_at, app, test = row
    fold.apps[app, test, local_day(zones.get(app, "UTC"), created_at), "link"] += 1


def _apply(tx: Transaction, folds: list[Counts]) -> list[Exception | None]:
    for fold in folds:
        found = tx.rows(READ_WATERMARK, (fold.watermark,))
        if (found[0][0] if found else 0) != fold.after:
            continue  # another process has counted these rows
        tx.insert("app_day_count", APP_COLUMNS, fold.apps, on_conflict=ADD_APP)
        tx.insert("link_day_count", LINK_COLUMNS, fold.links, on_conflict=ADD_LINK)
        tx.run(SET_WATERMARK, (fold.watermark, fold.newest))
    return [None] * len(folds)


def _sorted(counts: Counter[Any]) -> list[tuple[Any, ...]]:
    return [(*key, count) for key, count in sorted(counts.items())]
