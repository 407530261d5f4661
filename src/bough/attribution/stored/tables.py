"""The tables of attribution: what was read so far, by journal row.

`attributed` holds one row per journal row that is no touch; `person_touch` the touches that persons have; `group_key`
says to which group of rows an identifier belongs (`bough.attribution.stored.consumer`). `version` grows with every
write, so
that the warehouse can ask what changed. Everything of one step is written in one transaction with the watermark.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from bough.attribution.rates import CHANGE_COUNTER
from bough.attribution.replay.read import Attributed, Uncounted
from bough.attribution.rules.dimensions import Dimensions
from bough.attribution.rules.sharing import Shared
from bough.attribution.rules.touches import Touch
from bough.attribution.rules.windows import touch_data
from bough.attribution.stored import day_results
from bough.attribution.stored.result_row import Stored
from bough.store import set_aside, watermark
from bough.store.set_aside import SetAside
from bough.store.transaction import Reader, RowValues, Transaction
from bough.vocabulary.ids import arrived_at, now_ms
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.lookup_keys import key

WATERMARK = "attribution"
VERSION = "attribution version"
MENDED = "rates mended"
"""Up to which change of rates the amounts that had none were looked at again."""
REBUILDING = -1
"""The watermark while the tables are being emptied for a rebuild."""
GROUP_OF_ROW = "SELECT grp FROM attributed WHERE id = ?"

NEWEST_ROW = "SELECT max(id) FROM journal"

ATTRIBUTED = ("id", "app", "test", "grp", "person", "at", "name", "counted", "touch", "version", "body")
CHANGE_ATTRIBUTED = (
    "UPDATE attributed SET grp = ?, person = ?, name = ?, counted = ?, touch = ?, version = ?, body = ? WHERE id = ?"
)
ADD_TOUCH = (
    "INSERT INTO person_touch (id, touch, app, test, grp, person, at, name, version, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
    " grp = excluded.grp, name = excluded.name, version = excluded.version, body = excluded.body"
)
CHANGE_TOUCH = "UPDATE person_touch SET grp = ?, name = ?, version = ?, body = ? WHERE id = ?"
PERSON_MERGE = ("id", "app", "test", "person", "into_person")
MOVES = (
    "UPDATE attributed SET grp = ? WHERE grp = ?",
    "UPDATE person_touch SET grp = ? WHERE grp = ?",
    "UPDATE group_key SET grp = ? WHERE grp = ?",
)
ADD_MISSING = "INSERT INTO rate_missing (id, day, currency) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING"
FOUND_MISSING = "DELETE FROM rate_missing WHERE id = ?"

SIZE_OF_GROUP = "SELECT count(*) FROM attributed WHERE grp = ?"


SHARED = "SELECT app, test, kind, value FROM shared_identifier"
SHARED_OF = SHARED + " WHERE app = ? AND test = ?"
SHARED_IDENTIFIER = ("id", "app", "test", "kind", "value")
SPLIT = (
    "UPDATE attributed SET grp = ? WHERE id = ?",
    "UPDATE person_touch SET grp = ? WHERE id = ?",
    "UPDATE group_key SET grp = ? WHERE id = ?",
)


class Kept(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The JSON of an `attributed` row: the result without the story of how it came about, and the row's own facts."""

    uncounted: Uncounted = ""
    duplicate_of: int | None = None
    touch_type: str | None = None
    touch_at: int | None = None
    touch_data: dict[str, Any] = {}
    link: int = 0
    """The stored link of the touch that has the credit."""
    days_from_touch: int | None = None
    first_event_for_user: bool = False
    had_app: bool = False
    previous_activity: int | None = None
    reengagement: bool = False
    privacy: str = ""
    alias: str = ""
    dimensions: Dimensions = Dimensions()
    revenue: str = ""
    """Exact decimal text in `currency`; empty for none."""
    currency: str = ""
    micro: int | None = None
    """Millionths of a US dollar, fixed once; None without revenue, without a rate, or when its event's revenue does
    not count (setting `revenue_events`)."""
    missing_day: str = ""
    """The local date for which there was no rate."""


class RowFields(Struct, frozen=True, kw_only=True):
    """What a row says by itself, whoever it is from."""

    alias: str = ""
    dimensions: Dimensions = Dimensions()
    revenue: str = ""
    currency: str = ""
    micro: int | None = None
    missing_day: str = ""


_encoder = msgspec.json.Encoder(decimal_format="number")
_decode = msgspec.json.Decoder(Kept).decode
_decode_row = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


class TouchOf(Struct, frozen=True):
    """One `person_touch` row: a touch that a person has."""

    touch: int
    app: int
    test: bool
    person: int
    at: int
    name: str
    """CLICK, IMPRESSION, or empty when the touch turned out not to be the person's."""
    body: str
    """The JSON of `touch_data`."""

    @property
    def id(self) -> int:
        """The key of (person, touch)."""
        return key(self.app, self.test, f"touch of {self.person}", str(self.touch))


def exact_row(values: Sequence[Any]) -> JournalRow:
    """A journal row with decimals as `Decimal`."""
    identifier, at, app, test, kind, link, body = values
    return JournalRow(id=identifier, at=at, app=app, test=bool(test), kind=kind, link=link, body=_decode_row(body))


def kept_of(body: str) -> Kept:
    """The JSON of an `attributed` row, read."""
    return _decode(body)


def stored_of(result: Attributed, facts: RowFields) -> Stored:
    """A result as it is kept."""
    kept = Kept(
        uncounted=result.uncounted,
        duplicate_of=result.duplicate_of,
        touch_type=result.touch_type,
        touch_at=result.touch_at,
        touch_data=result.touch_data,
        link=result.credit.touch.link if result.credit is not None and result.credit.touch is not None else 0,
        days_from_touch=result.days_from_touch,
        first_event_for_user=result.first_event_for_user,
        had_app=result.had_app,
        previous_activity=result.previous_activity,
        reengagement=result.reengagement,
        privacy=result.privacy,
        alias=facts.alias,
        dimensions=facts.dimensions,
        revenue=facts.revenue,
        currency=facts.currency,
        micro=facts.micro,
        missing_day=facts.missing_day,
    )
    return Stored(
        result.id,
        result.app,
        result.test,
        result.person,
        result.at,
        result.name,
        result.counted,
        result.touch_id,
        _encoder.encode(kept).decode(),
    )


def with_facts(kept: Kept, facts: RowFields) -> str:
    """The JSON of a row whose own facts are settled anew."""
    return _encoder.encode(
        msgspec.structs.replace(kept, **{name: getattr(facts, name) for name in RowFields.__struct_fields__})
    ).decode()


def facts_kept(kept: Kept) -> RowFields:
    """The row's own facts out of what is kept: they were fixed once."""
    return RowFields(
        alias=kept.alias,
        dimensions=kept.dimensions,
        revenue=kept.revenue,
        currency=kept.currency,
        micro=kept.micro,
        missing_day=kept.missing_day,
    )


def touch_row(person: int, touch: Touch) -> TouchOf:
    """A person's touch as it is kept. An opening's own address has the opening's row id."""
    data = _encoder.encode(touch_data(touch)).decode()
    return TouchOf(touch.id, touch.app, touch.test, person, touch.at, touch.kind.upper(), data)


class AttributionChange(Struct, kw_only=True):
    """Everything one step writes. Prepared outside the write lock."""

    after: int
    """The watermark that the step started from; another one refuses it."""
    newest: int
    version: int
    """The version before the step."""
    added: list[tuple[int, Stored]] = []
    """(group, row)"""
    changed: list[tuple[int, Stored]] = []
    touches: list[tuple[int, TouchOf]] = []
    touches_changed: list[tuple[int, TouchOf]] = []
    merges: list[tuple[int, bool, int, int]] = []
    """(app, test, person, into)"""
    keys: list[tuple[int, int]] = []
    moves: list[tuple[int, int]] = []
    """(group, into)"""
    shared: list[tuple[int, bool, str, str]] = []
    """(app, test, kind, value) of identifiers that are shared from here on."""
    splits: tuple[list[tuple[int, int]], ...] = msgspec.field(default_factory=lambda: ([], [], []))
    """(group, id) of rows, touches and keys whose group fell apart, in the order of `SPLIT`."""
    missing: list[tuple[int, str, str]] = []
    """(row, day, currency) of amounts without a rate."""
    found: list[int] = []
    """Rows that have their rate now."""
    counters: list[tuple[str, int]] = []
    """Further watermarks to set."""
    set_aside: list[SetAside] = []
    """What could not be digested."""
    replayed: list[tuple[str, int]] = []
    """(consumer, row) of what was set aside and is digested now."""
    day_of: day_results.DayOf


def apply(tx: Transaction, changes: list[AttributionChange]) -> list[bool | Exception]:
    """The `Batch` that writes steps; False for one whose starting point is gone."""
    return [_apply(tx, change) for change in changes]


def _apply(tx: Transaction, change: AttributionChange) -> bool:
    if position(tx) != change.after:
        return False
    version = change.version
    for group, into in change.moves:
        for statement in MOVES:
            tx.run(statement, (into, group))
    rows: list[tuple[Any, ...]] = []
    for group, one in change.added:
        version += 1
        rows.append(
            (one.id, one.app, int(one.test), group, one.person, one.at, one.name, int(one.counted), one.touch, version,
             one.body)
        )  # fmt: skip
    tx.insert("attributed", ATTRIBUTED, rows)
    updates: list[tuple[Any, ...]] = []
    for group, one in change.changed:
        version += 1
        updates.append((group, one.person, one.name, int(one.counted), one.touch, version, one.body, one.id))
    day_results.keep(tx, (one for _, one in change.added), (one for _, one in change.changed), change.day_of)
    tx.each(CHANGE_ATTRIBUTED, updates)
    version = _apply_touches(tx, change, version)
    tx.insert(
        "person_merge",
        PERSON_MERGE,
        [
            (version + number, app, int(test), one, into)
            for number, (app, test, one, into) in enumerate(change.merges, 1)
        ],
    )
    version += len(change.merges)
    tx.insert("group_key", ("id", "grp"), change.keys, skip_conflicts=True)
    shared = [(key(*one), one[0], int(one[1]), one[2], one[3]) for one in change.shared]
    tx.insert("shared_identifier", SHARED_IDENTIFIER, shared, skip_conflicts=True)
    for statement, some in zip(SPLIT, change.splits, strict=True):
        tx.each(statement, some)
    tx.each(ADD_MISSING, change.missing)
    tx.each(FOUND_MISSING, [(row,) for row in change.found])
    set_aside.put(tx, change.set_aside)
    tx.each(set_aside.DONE, change.replayed)
    marks = [(WATERMARK, change.newest), (VERSION, version), *change.counters]
    tx.each(watermark.SET, marks)
    return True


def _apply_touches(tx: Transaction, change: AttributionChange, version: int) -> int:
    rows: list[tuple[Any, ...]] = []
    for group, one in change.touches:
        version += 1
        rows.append((one.id, one.touch, one.app, int(one.test), group, one.person, one.at, one.name, version, one.body))
    tx.each(ADD_TOUCH, rows)
    updates: list[tuple[Any, ...]] = []
    for group, one in change.touches_changed:
        version += 1
        updates.append((group, one.name, version, one.body, one.id))
    tx.each(CHANGE_TOUCH, updates)
    return version


def shared_of(rows: Sequence[RowValues]) -> Shared:
    """Rows of `SHARED`, by app and environment."""
    found: Shared = {}
    for app, test, kind, value in rows:
        found.setdefault((app, bool(test)), set()).add((kind, value))
    return found


def position(reader: Reader) -> int:
    """The newest journal row that is attributed; `REBUILDING` while the tables are being emptied."""
    return counter(reader, WATERMARK)


def counter(reader: Reader, name: str) -> int:
    """A watermark; 0 when there is none yet."""
    return watermark.reached(reader, name)


def data_as_of(reader: Reader) -> int:
    """The instant (epoch ms) up to which everything that had arrived is attributed: now, when nothing waits.

    Amounts wait, too, until they are converted at a rate that has come.
    """
    reached = position(reader)
    now = now_ms()
    newest = reader.rows(NEWEST_ROW)[0][0] or 0
    if reached >= newest and counter(reader, MENDED) == counter(reader, CHANGE_COUNTER):
        return now
    return arrived_at(reached) if reached > 0 else 0
