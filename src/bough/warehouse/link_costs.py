"""What links themselves say they cost: `~cost` with `~cost_model` and `~cost_currency` (docs/exports.md).

CPC is paid for each click, CPM for a thousand impressions, CPI for each install that is credited to the link; without a
model a cost is per click. Only a stored link says what it costs: what a visitor appends to its address labels the click
and is no price, and neither is a long link, which is nothing but an address. Only people count, not robots, and only
the live environment. Clicks and impressions are counted as the journal goes on; installs follow attribution, which may
still change its mind about one. The sums stand as the cost source `links`, per local day of the click, impression or
install and the link's own dimensions.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this module; values are bound.
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any, Final, NamedTuple

import msgspec
from duckdb import DuckDBPyConnection

from bough.accounts.directory import Directory
from bough.attribution.attributed_event import CostRow
from bough.attribution.rules.money import local_day
from bough.attribution.rules.touches import merged
from bough.attribution.stored.links import StoredLinks
from bough.attribution.stored.tables import Kept, kept_of
from bough.errors import BadRequest
from bough.events import schema
from bough.store import set_aside
from bough.store.database import Store
from bough.store.select_in import select_in
from bough.store.set_aside import LINK_COSTS, SetAside, is_of_row
from bough.store.transaction import RowValues
from bough.vocabulary.dimensions import COST_COLUMNS
from bough.vocabulary.journal_rows import PLAIN, Click
from bough.vocabulary.money import MAX_COST_MICRO, PRECISION, to_micro
from bough.vocabulary.touch_columns import touch_columns

SOURCE: Final = "links"
MODELS: Final = ("CPC", "CPM", "CPI")
AT_ONCE: Final = 20_000
"""Rows that are looked at in one transaction, which costs as much as reading a thousand."""
EPOCH: Final = date(1970, 1, 1)

NEWEST_ROW = "SELECT max(id) FROM journal"
LAST_OF_ROWS = "SELECT id FROM journal WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?"
_TOUCHES = "id > ? AND id <= ? AND kind IN ('click', 'impression') AND test = 0"
PRICED_TOUCHES = (
    f"SELECT id, at, app, kind, link, body FROM journal WHERE {_TOUCHES} AND link IN ("
    f"SELECT t.link FROM (SELECT DISTINCT link FROM journal WHERE {_TOUCHES} AND body NOT LIKE ?) AS t"
    " LEFT JOIN link ON link.id = t.link"
    " WHERE link.data LIKE ? OR EXISTS (SELECT 1 FROM change WHERE change.link = t.link"
    f" AND change.at > (SELECT min(at) FROM journal WHERE {_TOUCHES})))"
)
"""Clicks and impressions that may have a price. Most have none: their link says none, as they know themselves
(`bough.vocabulary.journal_rows.PLAIN`) or as it has not changed since they began. The store passes over those in less
than half the time that reading them takes."""
TOUCHES_BY_ID = (
    "SELECT id, at, app, kind, link, body FROM journal"
    " WHERE id IN ({}) AND kind IN ('click', 'impression') AND test = 0 ORDER BY id"
)
_INSTALLS = (
    "SELECT a.version, a.id, a.app, a.at, a.name, a.counted, CASE WHEN a.name = 'INSTALL' THEN a.body END,"
    " CASE WHEN a.name = 'INSTALL' THEN (SELECT j.kind FROM journal AS j WHERE j.id = a.id) END FROM attributed AS a"
)
INSTALLS = f"{_INSTALLS} WHERE a.version > ? AND a.test = 0 ORDER BY a.version LIMIT ?"
INSTALLS_BY_ID = f"{_INSTALLS} WHERE a.id IN ({{}}) AND a.test = 0 ORDER BY a.version"

DAY_OF_LINKS: Final = "day of link costs"
"""Kind of what is set aside when a whole day's sum is too large; the item is the day."""

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
_MONEY: Final = ("~cost", "~cost_model", "~cost_currency")


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
        exact = Decimal(repr(written)) if isinstance(written, float) else written
        amount = schema.amount(exact, "~cost", schema.FORMER_LIMIT)
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


def owners_price(said: Mapping[str, Any], data: Mapping[str, Any]) -> Price | None:
    """The price that a link's owner `said` in its stored data, for a touch whose merged `data` label it."""
    return price_of({**{key: one for key, one in data.items() if key not in _MONEY}, **_only_money(said)})


def _only_money(said: Mapping[str, Any]) -> dict[str, Any]:
    return {key: said[key] for key in _MONEY if key in said}


class LinkCosts:
    """Follows journal and attribution for one warehouse. Call `touches` and `installs` inside a transaction."""

    def __init__(self, store: Store, connection: DuckDBPyConnection) -> None:
        self._store = store
        self._connection = connection
        self._links = StoredLinks(store.rows, Directory(store))
        self.faults: list[SetAside] = []
        """What could not be digested since they were last taken."""
        self.replayed: list[tuple[str, int]] = []
        for table in TABLES:
            connection.execute(table)

    def touches(self, after: int, directory: Directory) -> tuple[int, set[Place]]:
        """Count clicks and impressions after a journal row; returns how far it is now, and the days that changed."""
        last = self._store.rows(LAST_OF_ROWS, (after, AT_ONCE - 1)) or self._store.rows(NEWEST_ROW)
        reached: int = last[0][0] or 0
        span = (after, reached)
        rows = self._store.rows(PRICED_TOUCHES, (*span, *span, f"{PLAIN}%", "%~cost%", *span))
        return reached, self._count(rows, directory, set_aside.items(self._store, LINK_COSTS))

    def replay(self, directory: Directory) -> set[Place]:
        """Count touches once more that were set aside; the days that changed."""
        wanted = set_aside.wanted(self._store, LINK_COSTS)
        rows = select_in(self._store.rows, TOUCHES_BY_ID, wanted)
        changed = self._count(rows, directory, frozenset())
        changed |= self._take_installs(select_in(self._store.rows, INSTALLS_BY_ID, wanted), directory)
        self.replayed = [(LINK_COSTS, one) for one in wanted]
        days = {(str(one.app), one.item) for one in set_aside.listed(self._store) if one.kind == DAY_OF_LINKS}
        return changed | days if wanted else changed

    def taken(self, store: Store) -> None:
        """What was tried has been stored: forget the faults, and take what was replayed off the list."""
        at_fault = {fault.item for fault in self.faults}
        store.transact(set_aside.done_batch, [one for one in self.replayed if one[1] not in at_fault])
        self.faults, self.replayed = [], []

    def _count(self, rows: Sequence[RowValues], directory: Directory, skipped: frozenset[int]) -> set[Place]:
        counts: dict[tuple[str, int, Price], int] = {}
        with self._links.of_rows(row[4] for row in rows if row[4]):
            for row in rows:
                if row[0] not in skipped and (place := self._place(row, directory)) is not None:
                    counts[place] = counts.get(place, 0) + 1
        self._insert("link_touches", [(app, day, *price, n) for (app, day, price), n in counts.items()])
        return {(app, day) for app, day, _ in counts}

    def _place(self, row: RowValues, directory: Directory) -> tuple[str, int, Price] | None:
        """Under what a click or impression costs something; None for most, and for one that cannot be read."""
        identifier, at, app, kind, link, body = row
        try:
            price = self._price(at, link, body)
            if app not in directory.apps or price is None or price.model != ("CPC" if kind == "click" else "CPM"):
                return None
            return str(app), _day(at, directory.apps[app].timezone), price
        except Exception as error:  # noqa: BLE001 - what is not the row's fault is raised again
            self._fault(error, app, kind, identifier)
            return None

    def _fault(self, error: Exception, app: int, kind: str, item: int) -> None:
        if not is_of_row(error):
            raise error
        reason = set_aside.reason_of(error)
        self.faults.append(SetAside(consumer=LINK_COSTS, app=app, kind=kind, item=item, reason=reason))

    def installs(self, after: int, directory: Directory) -> tuple[int, set[Place]]:
        """Take in what attribution says of installs after a version; returns as `touches` does."""
        rows = self._store.rows(INSTALLS, (after, AT_ONCE))
        return (rows[-1][0], self._take_installs(rows, directory)) if rows else (after, set())

    def _take_installs(self, rows: Sequence[RowValues], directory: Directory) -> set[Place]:
        added = []
        for _, identifier, app, at, name, counted, body, kind in rows:
            try:
                price = self._install_price(kept_of(body), kind) if name == "INSTALL" and counted else None
                if price is not None and price.model == "CPI" and app in directory.apps:
                    day = _day(at, directory.apps[app].timezone)
                    added.append((str(identifier), str(app), day, price.amount, price.currency, price.dimensions))
            except Exception as error:  # noqa: BLE001 - what is not the row's fault is raised again
                self._fault(error, app, "install", identifier)
        seen = {"ids": [str(row[1]) for row in rows]}
        known = "FROM link_installs WHERE id IN (SELECT unnest($ids))"
        changed = set(self._connection.execute(f"SELECT DISTINCT app, day {known}", seen).fetchall())
        self._connection.execute(f"DELETE {known}", seen)
        self._insert("link_installs", added)
        return {(app, day) for app, day in changed} | {(one[1], one[2]) for one in added}

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
        costs = []
        for model, amount, currency, dimensions, n in rows:
            try:
                with localcontext(prec=PRECISION):
                    total = Decimal(amount) * n / (1000 if model == "CPM" else 1)
                micro = _micro(total, currency, place[1], rate)
            except OverflowError as error:
                self._fault(error, int(place[0]), DAY_OF_LINKS, place[1])
                continue
            named = msgspec.json.decode(dimensions, type=dict[str, str])
            costs.append(CostRow(app=place[0], day=day, micro=micro, dimensions=named))
        return costs

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
        # Most links have no price, which shows without reading the click.
        stored = self._links.by_id(link, at) if link else None
        if stored is None or "~cost" not in stored.data:
            return None
        return owners_price(stored.data, merged(stored, _clicks(body).url))

    def _install_price(self, kept: Kept, kind: str) -> Price | None:
        """What an install costs: a file of imports says it itself, all others by the stored link of their touch."""
        if kind == "import":
            return price_of(kept.touch_data)
        stored = self._links.by_id(kept.link, kept.touch_at) if kept.link and kept.touch_at is not None else None
        return None if stored is None else owners_price(stored.data, kept.touch_data)

    def _insert(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        listed = list(rows)
        if listed:
            marks = ", ".join("?" for _ in listed[0])
            self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", listed)


def _micro(amount: Decimal, currency: str, day: int, rate: Rate) -> int | None:
    dollars = Decimal(1) if currency == "USD" else rate(currency, day)
    return None if dollars is None else to_micro(amount, dollars, MAX_COST_MICRO)


def _day(at: int, zone: str) -> int:
    return (date.fromisoformat(local_day(at, zone)) - EPOCH).days
