"""Kept counts by local day: rows per app and kind, new links per app, clicks per link by platform, country, referrer.

Counted as in `bough.clicks.counts.kept`, with watermarks of their own. Days are local days of the app's time zone as
it is
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

from bough.agents.recognition import parse
from bough.clicks.counts.counter import Counting
from bough.clicks.decision.visit import SYSTEM_NAMES
from bough.store import watermark
from bough.store.database import Store
from bough.store.transaction import RowValues, Transaction
from bough.vocabulary.calendar_days import local_day

ROWS, LINKS = "day counts", "day counts of links"
"""Watermarks: the newest journal row and the newest link that are counted."""

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

_facts = msgspec.json.Decoder(ClickFacts).decode


def day_counting(store: Store) -> Counting:
    """Counts the journal by day."""
    return Counting(store, ROWS, _Days(store))


class _Days:
    """See `bough.clicks.counts.counter.Sums`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counted: Counter[_Counted] = Counter()

    def add(self, rows: Sequence[RowValues]) -> None:
        zones: dict[int, str] = dict(self._store.rows(ZONES))
        self._counted.update([_of_row(row, zones) for row in rows])

    def of_links(self) -> list[RowValues]:
        """Link, day, dimension, value and clicks."""
        links: Counter[tuple[int, int, str, str]] = Counter()
        for (_, _, day, _, link, under), count in self._counted.items():
            for dimension, value in under.values:
                links[link, day, dimension, value] += count
        return _sorted(links)

    def write(self, tx: Transaction, counts: Sequence[RowValues]) -> None:
        tx.insert("link_day_count", LINK_COLUMNS, counts, on_conflict=ADD_LINK)

    def write_rest(self, tx: Transaction) -> None:
        apps: Counter[tuple[int, int, int, str]] = Counter()
        for (app, test, day, kind, _, _), count in self._counted.items():
            apps[app, test, day, kind] += count
        tx.insert("app_day_count", APP_COLUMNS, _sorted(apps), on_conflict=ADD_APP)

    def clear(self) -> None:
        self._counted.clear()


def _of_row(row: RowValues, zones: Mapping[int, str]) -> _Counted:
    _, at, app, test, kind, link, body = row
    under = under_of(_facts(body)) if kind == "click" and link is not None else NOTHING
    return app, test, local_day(zones.get(app, "UTC"), at), kind, link or 0, under


class _NewLinks(NamedTuple):
    """New links between two of them."""

    after: int
    newest: int
    apps: list[RowValues]


def count_new_links(store: Store) -> int:
    """Count the next new links; returns how many there were."""
    zones: dict[int, str] = dict(store.rows(ZONES))
    after = watermark.reached(store, LINKS)
    rows = store.rows(NEW_LINKS, (after, LINKS_AT_ONCE))
    if rows:
        days = [(app, test, local_day(zones.get(app, "UTC"), at), "link") for _, at, app, test in rows]
        store.transact(_add_links, _NewLinks(after, rows[-1][0], _sorted(Counter(days))), settle=False)
    return len(rows)


def _add_links(tx: Transaction, items: list[_NewLinks]) -> list[Exception | None]:
    for item in items:
        if watermark.reached(tx, LINKS) == item.after:  # otherwise another process has counted them
            tx.insert("app_day_count", APP_COLUMNS, item.apps, on_conflict=ADD_APP)
            watermark.advance(tx, LINKS, item.newest)
    return [None] * len(items)


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


def _sorted(counts: Counter[Any]) -> list[RowValues]:
    return [(*key, count) for key, count in sorted(counts.items())]
