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


class Under(Struct, eq=False):
    """What a click counts under. It is compared by identity, which is quick: like clicks share one."""

    values: tuple[tuple[str, str], ...]
    """Dimensions, each with its value."""


NOTHING = Under(())

_Counted = tuple[int, int, int, str, int, Under]
"""App, test, day, kind, link (0: none) and what it counts under; rows alike are added up first."""


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
    rows = [(row[0], _of_row(row, zones)) for row in (journal or NewRows(store)).after(after)]
    _count(store, ROWS, after, rows)
    after = watermark.reached(store, LINKS)
    links = [(row[0], _of_link(row, zones)) for row in store.rows(NEW_LINKS, (after, LINKS_AT_ONCE))]
    _count(store, LINKS, after, links)
    return len(rows) + len(links)


def _count(store: Store, name: str, after: int, rows: Sequence[tuple[int, _Counted]]) -> None:
    is_small = sum(len(under.values) for *_, under in {one for _, one in rows}) <= COUNTS_AT_ONCE
    for piece in in_pieces(rows, ROWS_AT_ONCE, is_small=is_small):
        apps: Counter[tuple[int, int, int, str]] = Counter()
        links: Counter[tuple[int, int, str, str]] = Counter()
        for (app, test, day, kind, link, under), count in Counter(one for _, one in piece).items():
            apps[app, test, day, kind] += count
            for dimension, value in under.values:
                links[link, day, dimension, value] += count
        counts = Counts(name, after, piece[-1][0], _sorted(apps), _sorted(links))
        store.transact(_apply, counts, settle=False)
        after = counts.newest


def _of_row(row: RowValues, zones: Mapping[int, str]) -> _Counted:
    _, at, app, test, kind, link, body = row
    under = under_of(_facts(body)) if kind == "click" and link is not None else NOTHING
    return app, test, local_day(zones.get(app, "UTC"), at), kind, link or 0, under


def _of_link(row: RowValues, zones: Mapping[int, str]) -> _Counted:
    _, created_at, app, test = row
    return app, test, local_day(zones.get(app, "UTC"), created_at), "link", 0, NOTHING


@lru_cache(maxsize=8192)
def under_of(facts: ClickFacts) -> Under:
    """What a click counts under."""
    found = zip(
        DIMENSIONS,
        (platform_of(facts.user_agent), facts.country.upper()[:2], referring_host(facts.referrer)),
        strict=True,
    )
    return Under(tuple((dimension, value) for dimension, value in found if value or dimension == PLATFORM))


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
