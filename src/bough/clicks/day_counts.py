"""Kept counts by local day: rows per app and kind, new links per app, clicks per link by platform, country, referrer.

Folded as in `bough.clicks.counts`, with watermarks of their own. Days are local days of the app's time zone as it is
when a row is counted. Every click counts under `platform`, whatever its value, so these add up to all clicks; under the
other `DIMENSIONS` it counts when its value is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from bough.clicks.agents import parse
from bough.clicks.counts import in_pieces
from bough.clicks.visit import SYSTEM_NAMES
from bough.local_days import local_day
from bough.store import watermark
from bough.store.database import Store
from bough.store.journal import NewRows
from bough.store.transaction import RowValues, Transaction

ROWS, LINKS = "day counts", "day counts of links"
"""Watermarks: the newest journal row and the newest link that are counted."""

COUNTS_AT_ONCE = 1000
ROWS_AT_ONCE = 500
"""Counts of links in one transaction, and rows of one where so many rows add to more counts than that. It holds the
write lock for 2-4 ms."""

LINKS_AT_ONCE = 5000
"""A new link touches one count, which it shares with all others of its day."""

MAX_VALUE = 100
"""Characters of a referrer that are kept."""

PLATFORM = "platform"
DIMENSIONS = (PLATFORM, "country", "referrer")

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


_Counted = tuple[int, tuple[int, int, int, str], Sequence[tuple[int, int, str, str]]]
"""A row's id, and the counts of its app and of its link that it adds one to."""


class Counts(NamedTuple):
    """What new rows add up to, in the order of the tables; made before the write lock is taken."""

    watermark: str
    after: int
    newest: int
    apps: list[tuple[Any, ...]]
    links: list[tuple[Any, ...]]


_facts = msgspec.json.Decoder(ClickFacts).decode


def fold_day_counts(store: Store, journal: NewRows | None = None) -> int:
    """Count what is new of the journal and of the links; returns how many rows there were."""
    zones: dict[int, str] = dict(store.rows(ZONES))
    after = watermark.reached(store, ROWS)
    rows = [_of_row(row, zones) for row in (journal or NewRows(store)).after(after)]
    _count(store, ROWS, after, rows)
    after = watermark.reached(store, LINKS)
    links = [_of_link(row, zones) for row in store.rows(NEW_LINKS, (after, LINKS_AT_ONCE))]
    _count(store, LINKS, after, links)
    return len(rows) + len(links)


def _count(store: Store, name: str, after: int, rows: Sequence[_Counted]) -> None:
    is_small = len({one for _, _, links in rows for one in links}) <= COUNTS_AT_ONCE
    for piece in in_pieces(rows, ROWS_AT_ONCE, is_small=is_small):
        apps = Counter(app for _, app, _ in piece)
        links = Counter(one for _, _, links in piece for one in links)
        counts = Counts(name, after, piece[-1][0], _sorted(apps), _sorted(links))
        store.transact(_apply, counts, settle=False)
        after = counts.newest


def _of_row(row: RowValues, zones: Mapping[int, str]) -> _Counted:
    identifier, at, app, test, kind, link, body = row
    day = local_day(zones.get(app, "UTC"), at)
    if kind != "click" or link is None:
        return identifier, (app, test, day, kind), ()
    return identifier, (app, test, day, kind), [(link, day, *value) for value in values_of(_facts(body))]


def _of_link(row: RowValues, zones: Mapping[int, str]) -> _Counted:
    identifier, created_at, app, test = row
    return identifier, (app, test, local_day(zones.get(app, "UTC"), created_at), "link"), ()


@lru_cache(maxsize=8192)
def values_of(facts: ClickFacts) -> tuple[tuple[str, str], ...]:
    """The dimensions and values under which a click counts."""
    found = zip(
        DIMENSIONS,
        (platform_of(facts.user_agent), facts.country.upper()[:2], referring_host(facts.referrer)),
        strict=True,
    )
    return tuple((dimension, value) for dimension, value in found if value or dimension == PLATFORM)


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


def _apply(tx: Transaction, folds: list[Counts]) -> list[Exception | None]:
    for fold in folds:
        if watermark.reached(tx, fold.watermark) != fold.after:
            continue  # another process has counted these rows
        tx.insert("app_day_count", APP_COLUMNS, fold.apps, on_conflict=ADD_APP)
        tx.insert("link_day_count", LINK_COLUMNS, fold.links, on_conflict=ADD_LINK)
        watermark.advance(tx, fold.watermark, fold.newest)
    return [None] * len(folds)


def _sorted(counts: Counter[Any]) -> list[tuple[Any, ...]]:
    return [(*key, count) for key, count in sorted(counts.items())]
