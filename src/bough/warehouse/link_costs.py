"""What links themselves say they cost: `~cost` with `~cost_model` and `~cost_currency` (contract/cohort.md §6).

CPC is paid for each click, CPM for a thousand impressions, CPI for each install that is credited to the link; without a
model a cost is per click. Only people count, not robots, and only the live environment. Clicks and impressions are
counted as the journal goes on; installs follow attribution, which may still change its mind about one. The sums stand
as the cost source `links`, per local day of the click, impression or install and the link's own dimensions.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this module; values are bound.
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
from duckdb import DuckDBPyConnection

from bough.accounts.directory import Directory
from bough.attribution.feed import touch_columns
from bough.attribution.money import local_day
from bough.attribution.stored import kept_of
from bough.attribution.stored_links import StoredLinks
from bough.attribution.touches import merged
from bough.cohorts.dimensions import COST_COLUMNS
from bough.errors import BadRequest
from bough.events import schema
from bough.journal import PLAIN, Click
from bough.money import to_micro
from bough.store.database import Store
from bough.warehouse.event import CostRow

SOURCE: Final = "links"
MODELS: Final = ("CPC", "CPM", "CPI")
AT_ONCE: Final = 20_000
"""Rows that are looked at in one transaction, which costs as much as reading a thousand."""
EPOCH: Final = date(1970, 1, 1)

NEWEST_ROW = "SELECT max(id) FROM journal"
LAST_OF_ROWS = "SELECT id FROM journal WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?"
_TOUCHES = "id > ? AND id <= ? AND kind IN ('click', 'impression') AND test = 0"
PRICED_TOUCHES = (
    f"SELECT at, app, kind, link, body FROM journal WHERE {_TOUCHES} AND (body LIKE ? OR body LIKE ? OR link IN ("
    f"SELECT t.link FROM (SELECT DISTINCT link FROM journal WHERE {_TOUCHES} AND body NOT LIKE ?) AS t"
    " LEFT JOIN link ON link.id = t.link"
    " WHERE link.data LIKE ? OR EXISTS (SELECT 1 FROM change WHERE change.link = t.link"
    f" AND change.at > (SELECT min(at) FROM journal WHERE {_TOUCHES}))))"
)
"""Clicks and impressions that may have a price. Most have none: neither their link says one, as they know themselves
(`bough.journal.PLAIN`) or as it has not changed since they began, nor their address. The store passes over those in
less than half the time that reading them takes."""
INSTALLS = (
    "SELECT version, id, app, at, name, counted, CASE WHEN name = 'INSTALL' THEN body END FROM attributed"
    " WHERE version > ? AND test = 0 ORDER BY version LIMIT ?"
)

TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS link_touches"
    " (app VARCHAR, day INTEGER, model VARCHAR, amount VARCHAR, currency VARCHAR, dimensions VARCHAR, n BIGINT)",
    "CREATE TABLE IF NOT EXISTS link_installs"
    " (id VARCHAR, app VARCHAR, day INTEGER, amount VARCHAR, currency VARCHAR, dimensions VARCHAR)",
    "CREATE TABLE IF NOT EXISTS link_zones (app VARCHAR, zone VARCHAR)",
)

Rate = Callable[[str, int], Decimal | None]
Place = tuple[str, int]
"""(app, local day since 1970-01-01)."""

_clicks = msgspec.json.Decoder(Click).decode


class Price(NamedTuple):
    """What a link says it costs."""

    model: str
    amount: str
    currency: str
    dimensions: str
    """JSON, by column of COST_COLUMNS."""


def price_of(data: Mapping[str, Any]) -> Price | None:
    """The price in a link's data; None without one, and for one that cannot be understood."""
    written = data.get("~cost")
    try:
        amount = schema.amount(Decimal(repr(written)) if isinstance(written, float) else written, "~cost")
        currency = schema.currency(data.get("~cost_currency"), "~cost_currency")
    except BadRequest:
        return None
    model = str(data.get("~cost_model") or "CPC").upper()
    if amount is None or amount < 0 or model not in MODELS:
        return None
    columns = touch_columns(data)
    dimensions = {
        column: ",".join(sorted(set(value))) if isinstance(value, list) else value
        for column, value in sorted(columns.items())
        if column in COST_COLUMNS
    }
    return Price(model, f"{amount:f}", currency, msgspec.json.encode(dimensions).decode())


class LinkCosts:
    """Follows journal and attribution for one warehouse. Call `touches` and `installs` inside a transaction."""

    def __init__(self, store: Store, connection: DuckDBPyConnection) -> None:
        self._store = store
        self._connection = connection
        self._links = StoredLinks(store.rows, Directory(store))
        for table in TABLES:
            connection.execute(table)

    def touches(self, after: int, directory: Directory) -> tuple[int, set[Place]]:
        """Count clicks and impressions after a journal row; returns how far it is now, and the days that changed."""
        last = self._store.rows(LAST_OF_ROWS, (after, AT_ONCE - 1)) or self._store.rows(NEWEST_ROW)
        reached: int = last[0][0] or 0
        span = (after, reached)
        rows = self._store.rows(PRICED_TOUCHES, (*span, "%?%", "%~cost%", *span, f"{PLAIN}%", "%~cost%", *span))
        counts: dict[tuple[str, int, Price], int] = {}
        with self._links.of_rows(row[3] for row in rows if row[3]):
            for at, app, kind, link, body in rows:
                price = self._price(at, link, body)
                if app not in directory.apps or price is None or price.model != ("CPC" if kind == "click" else "CPM"):
                    continue
                place = (str(app), _day(at, directory.apps[app].timezone), price)
                counts[place] = counts.get(place, 0) + 1
        self._insert("link_touches", [(app, day, *price, n) for (app, day, price), n in counts.items()])
        return reached, {(app, day) for app, day, _ in counts}

    def installs(self, after: int, directory: Directory) -> tuple[int, set[Place]]:
        """Take in what attribution says of installs after a version; returns as `touches` does."""
        rows = self._store.rows(INSTALLS, (after, AT_ONCE))
        if not rows:
            return after, set()
        added = []
        for _, identifier, app, at, name, counted, body in rows:
            price = price_of(kept_of(body).touch_data) if name == "INSTALL" and counted else None
            if price is not None and price.model == "CPI" and app in directory.apps:
                day = _day(at, directory.apps[app].timezone)
                added.append((str(identifier), str(app), day, price.amount, price.currency, price.dimensions))
        seen = {"ids": [str(row[1]) for row in rows]}
        known = "FROM link_installs WHERE id IN (SELECT unnest($ids))"
        changed = set(self._connection.execute(f"SELECT DISTINCT app, day {known}", seen).fetchall())
        self._connection.execute(f"DELETE {known}", seen)
        self._insert("link_installs", added)
        return rows[-1][0], {(app, day) for app, day in changed} | {(one[1], one[2]) for one in added}

    def costs(self, place: Place, rate: Rate) -> list[CostRow]:
        """What one day of an app costs."""
        rows = self._connection.execute(
            "SELECT model, amount, currency, dimensions, CAST(sum(n) AS BIGINT) FROM ("
            "SELECT model, amount, currency, dimensions, n FROM link_touches WHERE app = $app AND day = $day UNION ALL"
            " SELECT 'CPI', amount, currency, dimensions, 1 FROM link_installs WHERE app = $app AND day = $day) AS t"
            " GROUP BY ALL ORDER BY ALL",
            {"app": place[0], "day": place[1]},
        ).fetchall()
        day = (EPOCH + timedelta(days=place[1])).isoformat()
        return [
            CostRow(
                app=place[0],
                day=day,
                micro=_micro(Decimal(amount) * n / (1000 if model == "CPM" else 1), currency, place[1], rate),
                dimensions=msgspec.json.decode(dimensions, type=dict[str, str]),
            )
            for model, amount, currency, dimensions, n in rows
        ]

    def places(self, condition: str = "TRUE") -> set[Place]:
        """All days with a cost, or those of rows for which a condition holds."""
        rows = self._connection.execute(
            f"SELECT app, day FROM link_touches WHERE {condition} UNION"
            f" SELECT app, day FROM link_installs WHERE {condition}"
        ).fetchall()
        return {(app, day) for app, day in rows}

    def follow_zones(self, zones: Mapping[str, str]) -> bool:
        """Remember the apps' time zones; whether a known app has got another one."""
        known: dict[str, str] = dict(self._connection.execute("SELECT app, zone FROM link_zones").fetchall())
        if known == zones:
            return False
        self._connection.execute("DELETE FROM link_zones")
        self._insert("link_zones", zones.items())
        return any(known.get(app, zone) != zone for app, zone in zones.items())

    def forget(self) -> None:
        """Begin anew: local days have changed."""
        self._connection.execute("DELETE FROM link_touches")
        self._connection.execute("DELETE FROM link_installs")

    def _price(self, at: int, link: int | None, body: str) -> Price | None:
        # Most clicks have no price, which shows without reading them.
        stored = self._links.by_id(link, at) if link else None
        if stored is None:
            return price_of(_clicks(body).data) if "~cost" in body else None
        if "~cost" not in stored.data and "?" not in body:
            return None
        return price_of(merged(stored, _clicks(body).url))

    def _insert(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        listed = list(rows)
        if listed:
            marks = ", ".join("?" for _ in listed[0])
            self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", listed)


def _micro(amount: Decimal, currency: str, day: int, rate: Rate) -> int | None:
    dollars = Decimal(1) if currency == "USD" else rate(currency, day)
    return None if dollars is None else to_micro(amount, dollars)


def _day(at: int, zone: str) -> int:
    return (date.fromisoformat(local_day(at, zone)) - EPOCH).days
