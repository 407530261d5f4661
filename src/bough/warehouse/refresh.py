"""The warehouse's owner: brings it up to date from the store. One process at a time can open the file."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from bough.accounts.directory import Directory
from bough.accounts.model import App
from bough.attribution.rates import StoredRates
from bough.attribution.stored.feed import AT_ONCE, Fed, feed
from bough.attribution.stored.tables import data_as_of
from bough.errors import Unavailable
from bough.store import set_aside, watermark
from bough.store.changes import NEWEST as NEWEST_CHANGE
from bough.store.database import Store
from bough.store.set_aside import COSTS as COSTS_ASIDE
from bough.store.set_aside import EVENTS, FILES, PERSONS, Halving, SetAside
from bough.store.transaction import RowValues, Transaction
from bough.vocabulary.event_groups import REVENUE_EVENTS
from bough.vocabulary.windows import windows_from_days
from bough.warehouse.build import Warehouse
from bough.warehouse.digesting import VERSIONS, is_of_row, next_fed, refreshed_apart
from bough.warehouse.given_costs import GivenCosts
from bough.warehouse.known_devices import make_known
from bough.warehouse.link_costs import NEWEST_ROW, LinkCosts
from bough.warehouse.link_costs import SOURCE as LINK_SOURCE
from bough.warehouse.opening import FILE_NAME as FILE_NAME
from bough.warehouse.opening import is_readable, open_file, remove_file
from bough.warehouse.schema import COHORTS
from bough.warehouse.segments import price, take_in, unpriced_apps
from bough.warehouse.watermarks import REBUILD, REBUILT

log = logging.getLogger("bough.warehouse")

SEGMENT_FOLDER = "segments"
EPOCH = date(1970, 1, 1)

COMPACT_ROWS = 10_000
COMPACT_PART = 8
"""The delta is folded in when it has as many rows and is this part of main."""

NEW_SEGMENTS = "SELECT id, app, file_name FROM segment WHERE id > ? ORDER BY id LIMIT 1"
SEGMENT = "SELECT app, file_name FROM segment WHERE id = ?"
SEGMENTS_OF_APP = "SELECT file_name FROM segment WHERE app = ? AND id <= ? ORDER BY id"
CHANGED_COSTS = "SELECT app, day, max(updated_at) FROM cost WHERE updated_at > ? GROUP BY app, day ORDER BY app, day"
FOREIGN_COSTS = "SELECT DISTINCT app, day FROM cost WHERE currency <> 'USD' ORDER BY app, day"

SEGMENTS = "warehouse.segments"
COSTS = "warehouse.costs"
RATES = "warehouse.rates"
FEED = "warehouse.feed"
LINK_TOUCHES, LINK_INSTALLS = "links.touches", "links.installs"
LINK_RATES = "links.rates"
"""Names of the watermarks that tell others how far the warehouse is: a segment's row, a cost's `updated_at`, the
count of changes of exchange rates, and the version of attribution."""

Progress = Callable[[int], None]
"""Told the journal row of each segment that is in."""


def ignore(_row: int) -> None:
    """No progress is shown."""


STATE = (
    "SELECT (SELECT max(id) FROM change), (SELECT max(id) FROM journal), (SELECT max(id) FROM segment),"
    " (SELECT max(updated_at) FROM cost),"
    " (SELECT journal FROM watermark WHERE name = 'rates'), (SELECT max(version) FROM attributed),"
    " (SELECT max(version) FROM person_touch), (SELECT max(id) FROM person_merge), (SELECT max(id) FROM journal),"
    " (SELECT count(*) FROM set_aside WHERE replay = 1)"
)
"""What all that is ingested comes from: while it stays as it was, there is nothing to ingest."""


class RebuildWanted(Unavailable):
    """Somebody asked for a rebuild since the warehouse was opened: close it and open it again."""


class Stopping(Unavailable):
    """The process is told to stop; what was ingested so far stays."""


class Keeper:
    """Open it once per process; not for several threads, except `cursor`.

    A rebuild is asked for by a number in the store that differs from the one in the file: the file is then removed
    when it is opened, and everything is ingested again. So is a file whose tables are those of another release.
    """

    def __init__(self, folder: Path, store: Store, is_stopping: Callable[[], bool] = lambda: False) -> None:
        self._folder = folder
        self._is_stopping = is_stopping
        self._store = store
        self._rates = StoredRates(store)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._rebuild = watermark.reached(store, REBUILD)
        self.warehouse = open_file(folder)
        if self._progress(REBUILD) != self._rebuild:
            self.warehouse.connection.close()
            remove_file(folder)
            self.warehouse = open_file(folder)
            with self.warehouse.transaction():
                self._advance(REBUILD, self._rebuild)
        self._queries = self.warehouse.cursor()
        if not self.warehouse.connection.execute(
            "SELECT 1 FROM progress WHERE name <> $name", {"name": REBUILD}
        ).fetchall():
            store.transact(set_aside.forget_batch, [*set_aside.OF_WAREHOUSE])
        self._halving = Halving(AT_ONCE)
        self._given = GivenCosts(store, self.warehouse, self._rate)
        self._prices = LinkCosts(store, self.warehouse.connection)
        self._apps: dict[int, App] = {}
        self._seen_change = -1
        self._told: dict[str, int] = {}
        self._seen_state: list[RowValues] = []

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection for queries in another thread."""
        return self._queries.cursor()

    def close(self) -> None:
        """Close the file."""
        self._queries.close()
        self.warehouse.connection.close()

    def take_in(self, progress: Progress = ignore) -> bool:
        """Bring in what is new; whether there was anything. All that was acknowledged before the call is then in.

        Raises Stopping between two pieces, and RebuildWanted.
        """
        if watermark.reached(self._store, REBUILD) != self._rebuild:
            raise RebuildWanted("A rebuild was asked for.")
        state = self._store.rows(STATE)
        if state == self._seen_state:
            return False
        self._configure()
        self._rates.refresh()
        self._replay()
        found = self._segments(progress)
        found = self._costs() or found
        found = self._feed() or found
        found = self._link_costs() or found
        for name in (SEGMENTS, COSTS, RATES, FEED):
            self._tell(name, self._progress(name))
        self._tell(REBUILT, self._rebuild)
        self._compact()
        self._seen_state = [] if state[0][-1] else state  # after a replay nothing says whether another is wanted
        return found

    def _compact(self) -> None:
        """Fold the delta in when it has grown to a part of main: so every row is folded a few times, not each time."""
        count = self.warehouse.connection.execute(
            " UNION ALL ".join(
                f"SELECT (SELECT count(*) FROM {cohort}_activity_delta), (SELECT count(*) FROM {cohort}_activity_main)"  # noqa: S608 - names of our own
                for cohort in COHORTS
            )
        ).fetchall()
        if any(delta >= COMPACT_ROWS and delta * COMPACT_PART >= main for delta, main in count):
            self.warehouse.compact()

    def _configure(self) -> None:
        """Tell the warehouse each app's settings; a change recomputes its people."""
        newest = self._store.rows(NEWEST_CHANGE)[0][0] or 0
        if newest != self._seen_change:
            apps = Directory(self._store).apps
            for app in apps.values():
                if self._apps.get(app.id) != app:
                    configure(self.warehouse, app)
            self._apps, self._seen_change = apps, newest
        self._refresh()

    def _refresh(self) -> None:
        """Bring the touched people up to date; those who cannot be are set aside."""
        try:
            self.warehouse.refresh()
        except Exception as error:
            if not is_of_row(error):
                raise
            self._set_aside(refreshed_apart(self.warehouse, error))

    def _set_aside(self, faults: list[SetAside]) -> None:
        """Store what cannot be digested, before it is passed over."""
        for one in faults:
            log.warning("%s: %s %s is set aside: %s", one.consumer, one.kind, one.item, one.reason)
        if faults:
            self._store.transact(set_aside.put_batch, faults)

    def _segments(self, progress: Progress) -> bool:
        found = False
        while rows := self._store.rows(NEW_SEGMENTS, (self._progress(SEGMENTS),)):
            identifier, app, name = rows[0]
            self._segment(identifier, app, self._folder / SEGMENT_FOLDER / name)
            with self.warehouse.transaction():
                self._advance(SEGMENTS, identifier)
            self._refresh()
            self._tell(SEGMENTS, identifier)
            progress(identifier)
            found = True
        return found

    def _segment(self, identifier: int, app: int, path: Path) -> bool:
        """Take a file in, or set it aside; whether it is in."""
        faults: list[str] = []
        try:
            with ThreadPoolExecutor(1, thread_name_prefix="bough-known") as beside, self.warehouse.transaction():
                known = beside.submit(self._make_known, app, identifier, path)
                take_in(self.warehouse, str(app), self._zone(app), path, self._rate, faults.append)
                known.result()
        except Exception as error:
            if not is_of_row(error) and is_readable(path):
                raise
            faults.append(set_aside.reason_of(error))
        reason = "; ".join(faults)
        listed = [SetAside(consumer=FILES, app=app, kind="segment", item=identifier, reason=reason)] if faults else []
        self._set_aside(listed)
        return not faults

    def _make_known(self, app: int, identifier: int, path: Path) -> None:
        if identifier > watermark.reached(self._store, SEGMENTS):  # a rebuild need not do it again
            with self.warehouse.cursor() as cursor:
                make_known(self._store, cursor, app, identifier, path)

    def data_as_of(self) -> int:
        """The instant (epoch ms) up to which everything that has arrived is in after the next `take_in`."""
        return data_as_of(self._store)

    def _feed(self) -> bool:
        """Live events, as attribution knows them now. One that comes again takes the place of what it said before."""
        found = False
        while True:
            reached = self._progress(FEED)
            try:
                fed = feed(self._store, reached, self._halving.size)
                if fed.version == reached:
                    return found
                self._digest(fed)
            except Exception as error:
                if not is_of_row(error):
                    raise
                if self._halving.failed(self._halving.size):
                    self._skip(reached, error)
                continue
            if not self._halving.is_whole:
                self._halving.succeeded()
            self._refresh()
            found = True
            self._check_stopping()
            if not fed.more:  # what came since can wait for the next call
                return found

    def _digest(self, fed: Fed, *, advance: bool = True) -> None:
        with self.warehouse.transaction():
            for app, person, into in fed.merges:
                self.warehouse.merge_persons(app, [(person, into)])
            self.warehouse.withdraw([*fed.withdrawn, *((event.app, event.id) for event in fed.events)])
            self.warehouse.append(fed.events)
            if advance:
                self._advance(FEED, fed.version)

    def _skip(self, reached: int, error: Exception) -> None:
        """Set the next event aside and go on behind it."""
        version, fault = next_fed(self._store, reached, error)
        self._set_aside([fault])
        with self.warehouse.transaction():
            self._advance(FEED, version)

    def _replay(self) -> None:
        """Try once more what was set aside; what cannot be digested now either is set aside again."""
        for consumer, again in (
            (EVENTS, self._replay_event),
            (PERSONS, self._replay_person),
            (FILES, self._replay_file),
            (COSTS_ASIDE, self._replay_cost),
        ):
            for item in set_aside.wanted(self._store, consumer):
                if again(item):
                    self._store.transact(set_aside.done_batch, [(consumer, item)])
        self._refresh()

    def _replay_event(self, item: int) -> bool:
        versions = self._store.rows(VERSIONS, (item, item, item))
        try:
            for (version,) in versions:
                if version <= self._progress(FEED):  # else it comes by itself
                    self._digest(feed(self._store, version - 1, 1), advance=False)
        except Exception as error:
            if not is_of_row(error):
                raise
            self._set_aside([next_fed(self._store, versions[0][0] - 1, error)[1]])
            return False
        return True

    def _replay_person(self, item: int) -> bool:
        """Only marks the person: who cannot be computed is set aside again afterwards."""
        with self.warehouse.transaction():
            self.warehouse.connection.execute(
                "INSERT INTO touched SELECT DISTINCT who FROM people WHERE person = $person", {"person": item}
            )
        return True

    def _replay_file(self, item: int) -> bool:
        rows = self._store.rows(SEGMENT, (item,))
        return not rows or self._segment(item, rows[0][0], self._folder / SEGMENT_FOLDER / rows[0][1])

    def _replay_cost(self, item: int) -> bool:
        faults = self._given.replay(item)
        self._set_aside(faults)
        return item not in {fault.item for fault in faults}

    def _costs(self) -> bool:
        rates = self._rates.version
        changed = self._store.rows(CHANGED_COSTS, (self._progress(COSTS),))
        days = {(app, day) for app, day, _ in changed}
        if rates != self._progress(RATES):
            days |= set(self._store.rows(FOREIGN_COSTS))
        if not days and rates == self._progress(RATES):
            return False
        for app in sorted({app for app, _ in days}):
            own = [day for one, day in days if one == app]
            self._set_aside(self._given.replace(app, min(own), max(own)))
        with self.warehouse.transaction():
            if rates != self._progress(RATES):
                self._price_imported()
            if changed:
                self._advance(COSTS, max(updated_at for _, _, updated_at in changed))
            self._advance(RATES, rates)
        self._refresh()
        return True

    def _price_imported(self) -> None:
        """Imported amounts whose rate has come. Those of live events come again with attribution's feed."""
        for app in unpriced_apps(self.warehouse.connection):
            names = self._store.rows(SEGMENTS_OF_APP, (int(app), self._progress(SEGMENTS)))
            paths = [self._folder / SEGMENT_FOLDER / name for (name,) in names]
            price(self.warehouse, app, self._zone(int(app)), paths, self._rate)

    def _zone(self, app: int) -> str:
        return self._apps[app].timezone if app in self._apps else "UTC"

    def _link_costs(self) -> bool:
        """What clicks, impressions and installs cost by their own links."""
        directory = Directory(self._store)
        with self.warehouse.transaction():
            self._follow_zones(directory)
        found = False
        reached = self._store.rows(NEWEST_ROW)[0][0] or 0
        while True:
            touched, installed = self._progress(LINK_TOUCHES), self._progress(LINK_INSTALLS)
            known = self._progress(LINK_RATES)
            with self.warehouse.transaction():
                touches, changed = self._prices.touches(touched, directory)
                installs, more = self._prices.installs(installed, directory)
                changed |= more
                changed |= self._prices.replay(directory)
                if known != self._rates.version:
                    changed |= self._prices.places("currency <> 'USD'")
                for app, day in sorted(changed):
                    text = _text_of(day)
                    costs = self._prices.costs((app, day), self._rate)
                    self.warehouse.replace_costs(app, LINK_SOURCE, text, text, costs)
                for name, before, now in (
                    (LINK_TOUCHES, touched, touches),
                    (LINK_INSTALLS, installed, installs),
                    (LINK_RATES, known, self._rates.version),
                ):
                    if now != before:
                        self._advance(name, now)
                self._set_aside(self._prices.faults)  # before the transaction ends
            self._prices.taken(self._store)
            if (touches, installs) == (touched, installed):
                return found
            found = True
            self._check_stopping()
            if touches >= reached and installs == installed:  # what came since can wait for the next call
                return found

    def _check_stopping(self) -> None:
        if self._is_stopping():
            raise Stopping("The server is stopping.")

    def _follow_zones(self, directory: Directory) -> None:
        """Local days of clicks are counted in an app's zone; when one gets another zone, all are counted anew."""
        if not self._prices.follow_zones({str(app.id): app.timezone for app in directory.apps.values()}):
            return
        for app, day in self._prices.places():
            text = _text_of(day)
            self.warehouse.replace_costs(app, LINK_SOURCE, text, text, [])
        self._prices.forget()
        for name in (LINK_TOUCHES, LINK_INSTALLS):
            self._advance(name, 0)

    def _rate(self, currency: str, day: int) -> Decimal | None:
        return self._rates.of(_text_of(day), currency)

    def _progress(self, name: str) -> int:
        row = self.warehouse.connection.execute(
            "SELECT max(journal) FROM progress WHERE name = $name", {"name": name}
        ).fetchone()
        return int(row[0]) if row and row[0] is not None else 0

    def _advance(self, name: str, value: int) -> None:
        """Remember, in the transaction that has ingested so much. What it came from must not be lost from now on."""
        self._store.settle()
        connection = self.warehouse.connection
        connection.execute("DELETE FROM progress WHERE name = $name", {"name": name})
        connection.execute("INSERT INTO progress VALUES ($name, $value)", {"name": name, "value": value})

    def _tell(self, name: str, value: int) -> None:
        """Publish what is on disk; again after a start, since a process may have died before it told."""
        if self._told.get(name) != value:
            self._store.transact(_publish_batch, (name, value))
            self._told[name] = value


def _text_of(day: int) -> str:
    """YYYY-MM-DD of days since 1970-01-01."""
    return (EPOCH + timedelta(days=day)).isoformat()


def configure(warehouse: Warehouse, app: App) -> None:
    """An app's time zone, re-engagement window and revenue events, as the warehouse needs them."""
    inactivity = windows_from_days(app.config.attribution_windows).reengagement_inactivity
    warehouse.configure_app(str(app.id), app.timezone, inactivity, app.config.revenue_events or REVENUE_EVENTS)


def _publish_batch(tx: Transaction, items: list[tuple[str, int]]) -> list[Exception | None]:
    for name, value in items:
        watermark.advance(tx, name, value)
    return [None] * len(items)
