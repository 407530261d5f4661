"""The warehouse's owner: brings it up to date from the store. One process at a time can open the file."""

from __future__ import annotations

import logging
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import msgspec

from bough.accounts.directory import Directory
from bough.accounts.model import App
from bough.attribution.feed import feed
from bough.attribution.rates import StoredRates
from bough.attribution.stored import data_as_of
from bough.errors import Unavailable
from bough.money import to_micro
from bough.store.database import Store
from bough.store.transaction import Transaction
from bough.warehouse.build import Warehouse
from bough.warehouse.event import CostRow
from bough.warehouse.segments import take_in

log = logging.getLogger("bough.warehouse")

FILE_NAME = "warehouse.duckdb"
SEGMENT_FOLDER = "segments"
EPOCH = date(1970, 1, 1)

NEW_SEGMENTS = "SELECT id, app, file_name FROM segment WHERE id > ? ORDER BY id LIMIT 1"
CHANGED_COSTS = "SELECT DISTINCT app, day, updated_at FROM cost WHERE updated_at > ? ORDER BY updated_at LIMIT 500"
COSTS_OF_DAY = "SELECT dimensions, amount, currency FROM cost WHERE app = ? AND day = ? ORDER BY id"
PUBLISH = (
    "INSERT INTO watermark (name, journal) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET journal = excluded.journal"
)
PUBLISHED = "SELECT journal FROM watermark WHERE name = ?"

SEGMENTS = "warehouse.segments"
COSTS = "warehouse.costs"
FEED = "warehouse.feed"
"""Names of the watermarks that tell others how far the warehouse is: a segment's row, a cost's `updated_at`, the
version of attribution."""


class Busy(Unavailable):
    """Another process owns the warehouse."""


class Keeper:
    """Open it once per process; not for several threads, except `cursor`."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder = folder
        self._store = store
        self._rates = StoredRates(store)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self.warehouse = Warehouse.open(folder / FILE_NAME, folder)
        except duckdb.IOException as error:
            if "lock" in str(error).lower():
                raise Busy("Another process owns the warehouse.") from error
            raise
        self.warehouse.connection.execute("SET TimeZone = 'UTC'")
        self.warehouse.connection.execute("CREATE TABLE IF NOT EXISTS progress (name VARCHAR, journal BIGINT)")
        self._apps: dict[int, App] = {}

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection for queries in another thread."""
        return self.warehouse.cursor()

    def close(self) -> None:
        """Close the file."""
        self.warehouse.connection.close()

    def take_in(self) -> bool:
        """Bring in what is new; whether there was anything."""
        self._configure()
        self._rates.refresh()
        found = self._segments()
        found = self._costs() or found
        return self._feed() or found

    def data_as_of(self) -> int:
        """The instant (epoch ms) up to which everything that had arrived can be queried."""
        return data_as_of(self._store)

    def _configure(self) -> None:
        """Tell the warehouse each app's time zone and windows; a change recomputes its people."""
        apps = Directory(self._store).apps
        for app in apps.values():
            if self._apps.get(app.id) != app:
                self.warehouse.configure_app(str(app.id), app.timezone)
        self._apps = apps
        self.warehouse.refresh()

    def _segments(self) -> bool:
        found = False
        while rows := self._store.rows(NEW_SEGMENTS, (self._progress(SEGMENTS),)):
            identifier, app, name = rows[0]
            zone = self._apps[app].timezone if app in self._apps else "UTC"
            take_in(self.warehouse, str(app), zone, self._folder / SEGMENT_FOLDER / name, self._rate)
            self.warehouse.refresh()
            self._advance(SEGMENTS, identifier)
            found = True
        return found

    def _feed(self) -> bool:
        """Live events, as attribution knows them now. One that comes again takes the place of what it said before."""
        found = False
        while True:
            fed = feed(self._store, self._progress(FEED))
            if fed.version == self._progress(FEED):
                return found
            for app, person, into in fed.merges:
                self.warehouse.merge_persons(app, [(person, into)])
            self.warehouse.withdraw([*fed.withdrawn, *((event.app, event.id) for event in fed.events)])
            self.warehouse.append(fed.events)
            self.warehouse.refresh()
            self._advance(FEED, fed.version)
            found = True

    def _costs(self) -> bool:
        found = False
        while rows := self._store.rows(CHANGED_COSTS, (self._progress(COSTS),)):
            for app, day, _ in rows:
                self._replace_costs(app, day)
            self._advance(COSTS, rows[-1][2])
            found = True
        return found

    def _replace_costs(self, app: int, day: int) -> None:
        text = (EPOCH + timedelta(days=day)).isoformat()
        costs = [
            CostRow(
                app=str(app),
                day=text,
                micro=self._dollars(amount, currency, day),
                dimensions=msgspec.json.decode(dimensions, type=dict[str, str]),
            )
            for dimensions, amount, currency in self._store.rows(COSTS_OF_DAY, (app, day))
        ]
        self.warehouse.replace_costs(str(app), "costs", text, text, costs)

    def _dollars(self, amount: str, currency: str, day: int) -> int | None:
        rate = Decimal(1) if currency == "USD" else self._rate(currency, day)
        return None if rate is None else to_micro(Decimal(amount), rate)

    def _rate(self, currency: str, day: int) -> Decimal | None:
        return self._rates.of((EPOCH + timedelta(days=day)).isoformat(), currency)

    def _progress(self, name: str) -> int:
        row = self.warehouse.connection.execute(
            "SELECT max(journal) FROM progress WHERE name = $name", {"name": name}
        ).fetchone()
        return int(row[0]) if row and row[0] is not None else 0

    def _advance(self, name: str, value: int) -> None:
        connection = self.warehouse.connection
        connection.execute("BEGIN")
        connection.execute("DELETE FROM progress WHERE name = $name", {"name": name})
        connection.execute("INSERT INTO progress VALUES ($name, $value)", {"name": name, "value": value})
        connection.execute("COMMIT")
        self._store.transact(_publish_batch, (name, value))


def published(store: Store, name: str) -> int:
    """How far the warehouse is, as told to everybody."""
    rows = store.rows(PUBLISHED, (name,))
    return int(rows[0][0]) if rows else 0


def _publish_batch(tx: Transaction, items: list[tuple[str, int]]) -> list[Exception | None]:
    for item in items:
        tx.run(PUBLISH, item)
    return [None] * len(items)
