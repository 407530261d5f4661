"""The warehouse: attributed events and costs in, the analysis tables of `bough.warehouse.schema` out.

    append -> `events`, `touched`          what arrived is kept, and whose rows are out of date
    refresh -> `…_delta`                   the touched people, computed again from all their events
    compact -> `…_main`                    everything in the layout's order, the delta empty

Queries read main and delta together; a person's old rows of `members` are deleted in the transaction that adds the new
ones, and old rows of `activity` then belong to no member. So late events, late installs and merged people end in
exactly the answers they would have given in order.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package; values are bound.
from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Final

import duckdb
from duckdb import DuckDBPyConnection
from msgspec.json import Encoder

from bough.attribution.attributed_event import AttributedEvent, CostRow
from bough.errors import BadRequest
from bough.vocabulary.dimensions import COHORT_COLUMNS, COST_COLUMNS, Kind
from bough.vocabulary.event_groups import REVENUE_EVENTS, TOUCH_EVENTS
from bough.warehouse import activity, schema
from bough.warehouse.copies import copy_main, remove_old_copies
from bough.warehouse.derive import derive
from bough.warehouse.intake import Stage, append, code_texts, learn, sorted_set, stage_events, zone_table
from bough.warehouse.schema import ACTIVITY_COLUMNS, COHORTS, MEMBER_COLUMNS
from bough.warehouse.zones import zone_of

DAY_MS: Final = 86_400_000
INACTIVITY_MS: Final = 7 * DAY_MS
_BATCH: Final = 200_000
_EPOCH: Final = date(1970, 1, 1)


class Warehouse:
    """One DuckDB file with all apps; one process owns it. Not safe for several threads: use `cursor`."""

    def __init__(self, connection: DuckDBPyConnection, folder: Path | None = None) -> None:
        """Args:
        connection: an open DuckDB database; missing tables are created.
        folder: where batches are staged as files; the system's folder for temporary files when None.
        """
        self.connection = connection
        self._folder = folder
        self._changing = False
        schema.create(connection)

    @classmethod
    def open(cls, path: str | Path, folder: Path | None = None) -> Warehouse:
        """Open or create the warehouse file; ":memory:" for one that is not kept."""
        return cls(duckdb.connect(str(path)), folder)

    def cursor(self) -> DuckDBPyConnection:
        """A connection of its own for queries; it sees the last finished transaction."""
        return self.connection.cursor()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, also of several calls; one inside another is part of the outer one."""
        if self._changing:
            yield
            return
        self.connection.execute("BEGIN")
        self._changing = True
        try:
            yield
            self.connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'changes'")
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        finally:
            self._changing = False
        self.connection.execute("COMMIT")

    # --- what comes in ------------------------------------------------------------------------------------------

    def apply(self, events: Iterable[AttributedEvent]) -> int:
        """Add events (each `id` once) and bring their people's rows up to date; returns how many were new."""
        added = self.append(events)
        self.refresh()
        return added

    def append(self, events: Iterable[AttributedEvent]) -> int:
        """Add events without bringing anybody up to date; returns how many were new."""
        added, source = 0, iter(events)
        while batch := list(islice(source, _BATCH)):
            stage = stage_events(self.connection, batch, self._folder)
            added += self.append_relation(stage)
        return added

    def append_relation(self, stage: str) -> int:
        """Add the rows of a staged relation: SQL whose columns are `STAGE_TYPES`; it is read several times.

        Raises:
            BadRequest: rows without id, app, person, name or a usable time; nothing is added then.
        """
        return self.append_stage(Stage(stage, stage))

    def append_stage(self, stage: Stage) -> int:
        """Add staged rows, of which some columns are elsewhere.

        Raises:
            BadRequest: as `append_relation`.
        """
        with self.transaction():
            return append(self.connection, stage)

    def withdraw(self, events: Sequence[tuple[str, str]]) -> None:
        """Take out events by (app, id); their people are to be computed again. Unknown ones change nothing."""
        if not events:
            return
        with self.transaction():
            self.connection.execute(
                "CREATE OR REPLACE TEMP TABLE withdrawn AS SELECT unnest($apps) AS app, unnest($ids) AS id",
                {"apps": [app for app, _ in events], "ids": [identifier for _, identifier in events]},
            )
            gone = (
                "FROM withdrawn AS g JOIN words AS w ON w.word = g.app"
                " JOIN events AS e ON e.app = w.code AND e.id = g.id"
            )
            found = self.connection.execute(f"SELECT DISTINCT e.who {gone}").fetchall()
            if found:
                self.connection.execute(f"INSERT INTO touched SELECT DISTINCT e.who {gone}")
                self.connection.execute(f"DELETE FROM events WHERE rowid IN (SELECT e.rowid {gone})")

    def merge_persons(self, app: str, pairs: Sequence[tuple[int, int]]) -> None:
        """(from, into): two persons turned out to be one; their events, past and future, are one person's."""
        with self.transaction():
            learn(self.connection, f"SELECT {_text(app)} AS word")
            for old, into in pairs:
                self._merge(app, old, into)

    def _merge(self, app: str, old: int, into: int) -> None:
        if old == into:
            return
        for person in (into, old):
            self.connection.execute(
                "INSERT INTO people SELECT (SELECT value FROM counters WHERE name = 'who') + 1, w.code, $person"
                " FROM words AS w WHERE w.word = $app"
                " AND NOT EXISTS (SELECT 1 FROM people AS p WHERE p.app = w.code AND p.person = $person)",
                {"app": app, "person": person},
            )
            self.connection.execute(
                "UPDATE counters SET value = greatest(value, (SELECT max(who) FROM people)) WHERE name = 'who'"
            )
        whos = [self._who(app, person) for person in (old, into)]
        self.connection.execute("UPDATE people SET who = $into WHERE who = $old", {"old": whos[0], "into": whos[1]})
        self.connection.execute("UPDATE events SET who = $into WHERE who = $old", {"old": whos[0], "into": whos[1]})
        self.connection.execute("INSERT INTO touched VALUES ($old), ($into)", {"old": whos[0], "into": whos[1]})

    def _who(self, app: str, person: int) -> int:
        row = self.connection.execute(
            "SELECT p.who FROM people AS p JOIN words AS w ON w.code = p.app"
            " WHERE w.word = $app AND p.person = $person",
            {"app": app, "person": person},
        ).fetchone()
        if row is None:
            raise BadRequest(f"person: {person} is not known to app {app}")
        return int(row[0])

    def configure_app(
        self,
        app: str,
        time_zone: str = "UTC",
        inactivity_ms: int = INACTIVITY_MS,
        revenue_events: Sequence[str] = REVENUE_EVENTS,
    ) -> None:
        """Set an app's reporting zone, re-engagement window and revenue events; a change recomputes its people.

        Raises:
            BadRequest: unknown time zone, a window below 1 ms, or a touch as revenue event.
        """
        zone_of(time_zone)
        if inactivity_ms < 1:
            raise BadRequest("inactivity: must be at least one millisecond")
        if set(revenue_events) & set(TOUCH_EVENTS):
            raise BadRequest("revenue_events: CLICK and IMPRESSION carry no revenue")
        names = sorted(set(revenue_events))
        with self.transaction():
            learn(self.connection, "SELECT unnest([" + ", ".join(map(_text, (app, *names))) + "]) AS word")
            if self._settings(app) == (time_zone, inactivity_ms, names):
                return
            code = "(SELECT code FROM words WHERE word = $app)"
            self.connection.execute(f"DELETE FROM apps WHERE app = {code}", {"app": app})
            self.connection.execute(
                f"INSERT INTO apps VALUES ({code}, $zone, $inactivity)",
                {"app": app, "zone": time_zone, "inactivity": inactivity_ms},
            )
            self.connection.execute(f"DELETE FROM revenue_events WHERE app = {code}", {"app": app})
            for name in names:
                self.connection.execute(
                    f"INSERT INTO revenue_events SELECT {code}, code FROM words WHERE word = $name",
                    {"app": app, "name": name},
                )
            self._move_days(app)

    def _settings(self, app: str) -> tuple[str, int, list[str]] | None:
        row = self.connection.execute(
            "SELECT a.zone, a.inactivity FROM apps AS a JOIN words AS w ON w.code = a.app WHERE w.word = $app",
            {"app": app},
        ).fetchone()
        if row is None:
            return None
        names = self.connection.execute(
            "SELECT n.word FROM revenue_events AS r JOIN words AS w ON w.code = r.app"
            " JOIN words AS n ON n.code = r.name WHERE w.word = $app ORDER BY n.word",
            {"app": app},
        ).fetchall()
        return str(row[0]), int(row[1]), [str(name) for (name,) in names]

    def _move_days(self, app: str) -> None:
        """Local days of the app's events in its present zone; all its people are to be computed again."""
        row = self.connection.execute(
            "SELECT a.app, a.zone, min(e.ms), max(e.ms) FROM events AS e JOIN apps AS a ON a.app = e.app"
            " JOIN words AS w ON w.code = a.app WHERE w.word = $app GROUP BY a.app, a.zone",
            {"app": app},
        ).fetchone()
        if row is None:
            return
        zone_table(self.connection, [(int(row[0]), str(row[1]), int(row[2]), int(row[3]))])
        self.connection.execute(
            "UPDATE events SET day = (events.ms + z.shift) // 86400000 FROM zones AS z"
            " WHERE z.app = events.app AND events.ms >= z.starts AND events.ms < z.ends"
        )
        self.connection.execute("INSERT INTO touched SELECT DISTINCT who FROM events WHERE app = $app", {"app": row[0]})

    def replace_costs(self, app: str, source: str, first: str, last: str, rows: Iterable[CostRow]) -> None:
        """Put `rows` in the place of what `source` said before about the days first..last of an app.

        Raises:
            BadRequest: a row of another app or day, or an unknown column.
        """
        days = (_day(first, "first"), _day(last, "last"))
        listed = [(row, _day(row.day, "date")) for row in rows]
        for row, day in listed:
            if row.app != app or not days[0] <= day <= days[1]:
                raise BadRequest(f"date: a cost row of {row.app} on {row.day} is not part of what is replaced")
            if unknown := set(row.dimensions) - set(COST_COLUMNS):
                raise BadRequest(f"{min(unknown)}: costs cannot be broken down by it")
        with self.transaction():
            self._write_costs(app, source, days, listed)

    def _write_costs(self, app: str, source: str, days: tuple[int, int], rows: list[tuple[CostRow, int]]) -> None:
        sets = {column for column, kind in COHORT_COLUMNS if kind is Kind.SET}
        texts = ", ".join(f"{column} VARCHAR" for column in COST_COLUMNS)
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE cost_texts (day INTEGER, micro HUGEINT, {texts})")
        with tempfile.NamedTemporaryFile(suffix=".ndjson", dir=self._folder) as file:
            # as text: a number of more than 64 bits in JSON is read as a float
            micros = (None if row.micro is None else str(row.micro) for row, _ in rows)
            told = zip(rows, micros, strict=True)
            lines = ({**row.dimensions, "day": day, "micro": micro} for (row, day), micro in told)
            file.write(Encoder().encode_lines(lines))
            file.flush()
            typed = ", ".join(f"'{column}': 'VARCHAR'" for column in COST_COLUMNS)
            picked = ", ".join(f"coalesce({column}, '')" for column in COST_COLUMNS)
            self.connection.execute(
                f"INSERT INTO cost_texts SELECT day, CAST(micro AS HUGEINT), {picked} FROM read_json($path,"
                f" format = 'newline_delimited', columns = {{'day': 'INTEGER', 'micro': 'VARCHAR', {typed}}})",
                {"path": file.name},
            )
        for column in sets:
            self.connection.execute(f"UPDATE cost_texts SET {column} = {sorted_set(column)}")
        learn(self.connection, f"SELECT {_text(app)} AS word")
        code_texts(self.connection, "cost", COST_COLUMNS)
        self.connection.execute(
            "DELETE FROM costs WHERE source = $source AND day BETWEEN $first AND $last"
            " AND app = (SELECT code FROM words WHERE word = $app)",
            {"source": source, "first": days[0], "last": days[1], "app": app},
        )
        codes = ", ".join(f"c.{column}" for column in COST_COLUMNS)
        self.connection.execute(
            "INSERT INTO costs SELECT $source, (SELECT code FROM words WHERE word = $app), t.day, t.micro,"
            f" {codes} FROM cost_numbered AS t JOIN cost_codes AS c ON c.rid = t.rid",
            {"source": source, "app": app},
        )

    # --- what is made of it -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Compute the touched people again; the rows go to the delta, or in order to main when main is empty."""
        row = self.connection.execute(
            "SELECT count(DISTINCT who), (SELECT count(*) FROM people) FROM touched"
        ).fetchone()
        if row is None or not row[0]:
            return
        with self.transaction():
            everyone = row[0] >= row[1]
            source = "(SELECT rowid AS rid, * FROM events)"
            if not everyone:
                # found once: every step reads them, and they are few
                self.connection.execute(
                    "CREATE OR REPLACE TEMP TABLE concerned AS"
                    " SELECT rowid AS rid, * FROM events WHERE who IN (FROM touched)"
                )
                source = "concerned"
            codes = derive(self.connection, source)
            for cohort in COHORTS:
                self._take_over(cohort, everyone)
            part = "main" if everyone else "delta"
            activity.write(self.connection, {cohort: f"{cohort}_activity_{part}" for cohort in COHORTS}, codes.install)
            self.connection.execute("DELETE FROM touched")
            if everyone:
                self._copy_main()

    def _take_over(self, cohort: str, everyone: bool) -> None:
        for part in ("main", "delta"):
            if everyone:
                self.connection.execute(f"DELETE FROM {cohort}_members_{part}")
                self.connection.execute(f"DELETE FROM {cohort}_activity_{part}")
            else:
                self.connection.execute(f"DELETE FROM {cohort}_members_{part} WHERE who IN (FROM touched)")
        part, order = ("main", " ORDER BY u.member, variant") if everyone else ("delta", "")
        key = "u.who = m.who" if cohort == "install" else "u.who = m.who AND u.ms = m.ms"
        columns = ", ".join(("u.member" if c == "member" else f"m.{c}") for c in MEMBER_COLUMNS)
        self.connection.execute(
            f"INSERT INTO {cohort}_members_{part} SELECT {columns} FROM new_{cohort}_members AS m"
            f" JOIN {cohort}_numbers AS u ON {key}{order}"
        )

    def compact(self) -> None:
        """Refresh, then fold the delta into main in the layout's order; readers see before or after."""
        self.refresh()
        with self.transaction():
            folded = [cohort for cohort in COHORTS if self._grown(cohort)]
            for cohort in folded:
                self._fold(cohort)
            if folded:
                self._copy_main()

    def _grown(self, cohort: str) -> bool:
        row = self.connection.execute(
            f"SELECT (SELECT count(*) FROM {cohort}_members_delta) + (SELECT count(*) FROM {cohort}_activity_delta)"
        ).fetchone()
        return row is not None and bool(row[0])

    def _copy_main(self) -> None:
        """Main has been written: its files too, and what is older than the files before goes."""
        copy_main(self.connection)
        remove_old_copies(self.connection)

    def _fold(self, cohort: str) -> None:
        order = "app, day, tilde_advertising_partner_name, tilde_campaign, tilde_ad_set_name, tilde_ad_name, member"
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE renumbered AS SELECT member, CAST(row_number() OVER (ORDER BY {order})"
            f" AS INTEGER) AS dense FROM {cohort}_members WHERE variant <> 1"
        )
        for table, columns, sort in (
            ("members", MEMBER_COLUMNS, "r.dense, o.variant"),
            ("activity", ACTIVITY_COLUMNS, "o.event, r.dense, o.d"),
        ):
            listed = ", ".join("r.dense AS member" if c == "member" else f"o.{c}" for c in columns)
            self.connection.execute(
                f"CREATE OR REPLACE TABLE {cohort}_{table}_main AS SELECT {listed} FROM {cohort}_{table} AS o"
                f" JOIN renumbered AS r ON r.member = o.member ORDER BY {sort}"
            )
            self.connection.execute(f"DELETE FROM {cohort}_{table}_delta")
        self.connection.execute(
            f"UPDATE counters SET value = (SELECT coalesce(max(dense), 0) FROM renumbered) WHERE name = '{cohort}'"
        )

    def rebuild(self) -> None:
        """Compute everybody again from `events`."""
        with self.transaction():
            self.connection.execute("INSERT INTO touched SELECT who FROM people")
        self.compact()

    def changes(self) -> int:
        """A number that grows with every change: equal numbers mean equal answers."""
        row = self.connection.execute("SELECT value FROM counters WHERE name = 'changes'").fetchone()
        return 0 if row is None else int(row[0])


def _text(value: str) -> str:
    """An SQL text literal."""
    if "\0" in value:
        raise BadRequest("a name must not contain a NUL character")
    return "'" + value.replace("'", "''") + "'"


def _day(text: str, field: str) -> int:
    try:
        return (date.fromisoformat(text) - _EPOCH).days
    except ValueError as error:
        raise BadRequest(f"{field}: {text!r} is not a date YYYY-MM-DD") from error
