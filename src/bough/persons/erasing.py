"""Erasure, step by step, so that it can be killed at any moment and goes on where it was.

What a person's rows count for stays, under stand-ins from which nobody can come back to them; so all totals stay, also
after attribution and warehouse are made again from the journal, which is how this ends. The steps, each in
transactions that remember how far it is:

    journal   every row of the app and environment that is the person's or bears one of their identifiers
    tables    indexes by identifier, links that name the person as their user, the links' history
    segments  files of imported events
    rebuild   attribution and warehouse are made again: their old tables and file go
    purge     the plan, which held the identifiers, is emptied; then what the database had deleted is overwritten

One process works at a time (a file lock); the server's background process and `bough persons erase` both do.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bough.accounts.audit import Actor, AuditEntry, write
from bough.accounts.directory import Directory
from bough.attribution.live.legacy_identity import bundle_key
from bough.attribution.stored import tables
from bough.attribution.stored.consumer import start_rebuild
from bough.attribution.stored.links import StoredLinks
from bough.attribution.stored.tables import exact_row
from bough.attribution.stored.touch_index import TOUCHES, TouchIndex, touch_keys
from bough.events.body import encode
from bough.events.identifiers import clean
from bough.persons import queries
from bough.persons.planning import SEGMENT_FOLDER, PersonToErase
from bough.persons.pseudonyms import PseudonymPlan, Pseudonyms
from bough.persons.rewriting import is_own, other_body, own_body
from bough.store import watermark
from bough.store.changes import Change, record
from bough.store.database import Store
from bough.store.transaction import Transaction, Value
from bough.vocabulary.ids import growing_ids, now_ms
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.lookup_keys import key
from bough.vocabulary.values import first
from bough.warehouse.watermarks import REBUILT
from bough.warehouse.watermarks import ask_batch as ask_for_rebuild

LOCK_FILE = "bough.erasures.lock"
ROWS_AT_ONCE = 2000
KEY_SORTS = ("", "given ", "impression given ", "impression ", "opening ", "web opening ", "touched ", "installed ")
"""What can stand before a kind of identifier in the key of an index (`bough.attribution.live.opens`,
`bough.attribution`)."""

_decode = msgspec.json.Decoder(float_hook=Decimal).decode

STEPS = ("journal", "tables", "links", "history", "segments", "rebuild", "purge", "done")


class Erasure(Struct, kw_only=True):
    """One person's erasure."""

    id: int
    app: int
    test: bool
    person: int
    step: str
    """Of STEPS."""
    reached: int
    """How far the step is."""
    plan: PseudonymPlan | None
    old_file: str
    """A file of imported events that another has replaced, and that must go."""
    actor: Actor
    rows: int
    asked_at: int
    done_at: int | None


class ErasureRequest(Struct, frozen=True):
    """A person to be erased, and who wants it."""

    person: PersonToErase
    actor: Actor
    organization: int


def ask_batch(tx: Transaction, items: list[ErasureRequest]) -> list[int | Exception]:
    """Begin erasures; their ids. One that is under way for the same person is not begun twice."""
    results: list[int | Exception] = []
    for item in items:
        person = item.person
        under_way = tx.rows(queries.OF_PERSON, (person.app, int(person.test), person.person))
        if under_way and person.person:
            results.append(int(under_way[0][0]))
            continue
        number = next(growing_ids(tx.rows(queries.NEWEST)[0][0] or 0))
        plan = msgspec.json.encode(person.plan).decode()
        actor = msgspec.json.encode(msgspec.structs.replace(item.actor, organization=item.organization)).decode()
        tx.run(
            queries.INSERT,
            (number, person.app, int(person.test), person.person, "journal", 0, plan, "", actor, 0, now_ms(), None),
        )
        results.append(number)
    return results


def read(store: Store, number: int) -> Erasure | None:
    """An erasure by its id."""
    rows = store.rows(queries.BY_ID, (number,))
    return _of(rows[0]) if rows else None


@contextmanager
def only_one(folder: Path) -> Iterator[bool]:
    """Whether this process may work on erasures now."""
    lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(lock)


_here = threading.Lock()


def advance(store: Store, folder: Path) -> bool:
    """Do the next piece of the oldest erasure; whether there was anything to do. Waiting for a rebuild is nothing."""
    if not store.rows(queries.NEXT) or not _here.acquire(blocking=False):
        return False
    try:
        with only_one(folder) as mine:
            rows = store.rows(queries.NEXT) if mine else []
            return bool(rows) and _Work(store, folder, _of(rows[0])).piece()
    finally:
        _here.release()


class _Work:
    """One piece of one erasure."""

    def __init__(self, store: Store, folder: Path, erasure: Erasure) -> None:
        self._store = store
        self._folder = folder
        self._erasure = erasure

    def piece(self) -> bool:
        """Do it; False when it must wait for others."""
        step = self._erasure.step
        if step == "rebuild":
            return self._rebuilt()
        if step == "purge":
            self._purge()
            return True
        assert self._erasure.plan is not None
        pseudonyms = Pseudonyms(self._erasure.plan)
        if step == "segments":
            self._segments(pseudonyms)
        else:
            batch = {"journal": _journal, "tables": _tables, "links": _links, "history": _history}[step]
            self._store.transact(_one(batch), (self._store, self._erasure, pseudonyms))
        return True

    def _segments(self, pseudonyms: Pseudonyms) -> None:
        """Remove the file that was replaced last, or rewrite the next one."""
        erasure = self._erasure
        folder = self._folder / SEGMENT_FOLDER
        if erasure.old_file:
            (folder / erasure.old_file).unlink(missing_ok=True)
            self._store.transact(_file_removed, erasure.id)
            return
        rows = [] if erasure.test else self._store.rows(queries.SEGMENTS, (erasure.app, erasure.reached))
        if not rows:
            self._store.transact(_begin_rebuild, erasure)
            return
        from bough.persons.segments import rewrite

        number, name = rows[0]
        made = f"{erasure.app}-{number}-{erasure.id}.parquet"
        changed = rewrite(folder / name, folder / made, pseudonyms)
        self._store.transact(_segment_done, (erasure.id, number, name, made, changed))

    def _rebuilt(self) -> bool:
        """Whether attribution and warehouse are new; then the plan goes."""
        newest = self._store.rows(tables.NEWEST_ROW)[0][0] or 0
        reached = tables.position(self._store)
        behind = reached == tables.REBUILDING or reached < newest
        if behind or watermark.reached(self._store, REBUILT) < self._erasure.reached:
            return False
        self._store.transact(_forget_plan, self._erasure.id)
        return True

    def _purge(self) -> None:
        self._store.purge()
        self._store.transact(_finish, self._erasure)


def _of(row: Any) -> Erasure:
    number, app, test, person, step, reached, plan, old_file, actor, count, asked_at, done_at = row
    return Erasure(
        id=number,
        app=app,
        test=bool(test),
        person=person,
        step=step,
        reached=reached,
        plan=msgspec.json.decode(plan, type=PseudonymPlan) if plan else None,
        old_file=old_file,
        actor=msgspec.json.decode(actor, type=Actor),
        rows=count,
        asked_at=asked_at,
        done_at=done_at,
    )


Item = tuple[Store, Erasure, Pseudonyms]


def _one(step: Any) -> Any:
    """A batch of one step: thrown away when another process was quicker."""

    def batch(tx: Transaction, items: list[Item]) -> list[Exception | None]:
        for store, erasure, pseudonyms in items:
            now = _of(tx.rows(queries.BY_ID, (erasure.id,))[0])
            if (now.step, now.reached) == (erasure.step, erasure.reached):
                step(tx, store, now, pseudonyms)
        return [None] * len(items)

    return batch


def _next_step(tx: Transaction, erasure: Erasure) -> None:
    tx.run(queries.SET_STEP, (STEPS[STEPS.index(erasure.step) + 1], 0, erasure.id))


def _journal(tx: Transaction, store: Store, erasure: Erasure, pseudonyms: Pseudonyms) -> None:
    """The next rows of the journal."""
    rows = tx.rows(queries.ROWS, (erasure.app, int(erasure.test), erasure.reached, ROWS_AT_ONCE))
    if not rows:
        _next_step(tx, erasure)
        return
    own = frozenset(pseudonyms.plan.rows) | {int(one) for one in pseudonyms.plan.renumbered}
    links, index = StoredLinks(tx.rows, Directory(store)), TouchIndex()
    changed = 0
    for values in rows:
        listed = values[0] in own
        if not listed and (values[4] == "segment" or not pseudonyms.may_be_in(values[6])):
            continue
        row = exact_row(values)
        mine = listed or is_own(row, pseudonyms)
        body = own_body(row, pseudonyms) if mine else other_body(row.body, pseudonyms)
        if row.kind == "identity":
            _forget_login(tx, row, pseudonyms)
        if body == row.body and not mine:
            continue
        changed += 1
        _rewrite(tx, row, body, pseudonyms)
        if mine:
            _reindex(tx, msgspec.structs.replace(row, body=body), pseudonyms, index, links)
    tx.run(queries.SET_REACHED, (rows[-1][0], changed, erasure.id))


def _forget_login(tx: Transaction, row: JournalRow, pseudonyms: Pseudonyms) -> None:
    """What `/v1/profile` kept when it wrote this row, also on somebody else's device; of this app only."""
    identity = clean("identity", row.body.get("identity"))
    if pseudonyms.of("identity", identity) is not None:
        bundle = clean("bundle", first(row.body, "randomized_bundle_token", "identity_id"))
        tx.run(queries.FORGET_LOGIN, (bundle_key(row.app, row.test, bundle), identity))


def _rewrite(tx: Transaction, row: JournalRow, body: dict[str, Any], pseudonyms: Pseudonyms) -> None:
    text = encode(body).decode()
    new = pseudonyms.plan.renumbered.get(str(row.id))
    if new is None:
        tx.run(queries.SET_BODY, (text, row.id))
        return
    tx.run(queries.SET_ROW, (int(new), text, row.id))


def _reindex(tx: Transaction, row: JournalRow, pseudonyms: Pseudonyms, index: TouchIndex, links: StoredLinks) -> None:
    """What an own row is found by: no address any more, and a touch's browser by its stand-in."""
    new = int(pseudonyms.plan.renumbered.get(str(row.id), row.id))
    if row.kind in TOUCHES:
        tx.run(queries.FORGET_TOUCH_KEYS, (row.id,))
        touch = index.of_row(msgspec.structs.replace(row, id=new), links)
        tx.insert("touch_key", ("key", "touch"), [(one, new) for one in dict.fromkeys(touch_keys(touch))])
        tx.run(queries.MOVE_CLAIM, (new, row.id))


def _tables(tx: Transaction, store: Store, erasure: Erasure, pseudonyms: Pseudonyms) -> None:
    """Indexes by identifier, and the users that links name."""
    app, test = erasure.app, erasure.test
    for kind, value, new in pseudonyms.items():
        for sort in KEY_SORTS:
            change: tuple[Value, ...] = (key(app, test, sort + kind, new), key(app, test, sort + kind, value))
            tx.run(queries.RENAME_TOUCH_KEY, change)
            tx.run(queries.RENAME_DEVICE_KEY, change)
        if kind == "identity":
            tx.run(queries.RENAME_IDENTITY, (new, app, int(test), value))
            tx.run(queries.RENAME_LINK_IDENTITY, (new, app, int(test), value))
        if kind == "bundle":
            tx.run(queries.FORGET_BUNDLE_ID, (key(app, test, "bundle", value),))
    _next_step(tx, erasure)


def _links(tx: Transaction, store: Store, erasure: Erasure, pseudonyms: Pseudonyms) -> None:
    """Link data in which an identifier stands."""
    rows = tx.rows(queries.LINKS, (erasure.app, int(erasure.test), erasure.reached, ROWS_AT_ONCE))
    if not rows:
        # Every process forgets the links and the clicks that it keeps in memory.
        record(tx, [Change(subject="account", app=erasure.app)])
        _next_step(tx, erasure)
        return
    changes = _replaced(rows, pseudonyms)
    tx.each(queries.SET_LINK_DATA, changes)
    tx.run(queries.SET_REACHED, (rows[-1][0], len(changes), erasure.id))


def _history(tx: Transaction, store: Store, erasure: Erasure, pseudonyms: Pseudonyms) -> None:
    """Former states of links."""
    rows = tx.rows(queries.CHANGES, (erasure.app, erasure.reached, ROWS_AT_ONCE))
    if not rows:
        _next_step(tx, erasure)
        return
    changes = _replaced(rows, pseudonyms)
    tx.each(queries.SET_CHANGE, changes)
    tx.run(queries.SET_REACHED, (rows[-1][0], len(changes), erasure.id))


def _replaced(rows: list[Any], pseudonyms: Pseudonyms) -> list[tuple[Value, ...]]:
    """(new JSON, id) of those in which something was replaced."""
    found: list[tuple[Value, ...]] = []
    for number, text in rows:
        if text and pseudonyms.may_be_in(text):
            value = _decode(text)
            new = other_body(value, pseudonyms) if isinstance(value, dict) else value
            if new != value:
                found.append((encode(new).decode(), number))
    return found


def _segment_done(tx: Transaction, items: list[tuple[int, int, str, str, int]]) -> list[Exception | None]:
    """The store names the new file, and remembers the old one until it is gone."""
    for erasure, number, old, made, changed in items:
        if changed:
            body = tx.rows(queries.ROWS_BY_ID.format("?"), (number,))[0][6]
            document = {**msgspec.json.decode(body), "file": made}
            tx.run(queries.SET_BODY, (msgspec.json.encode(document).decode(), number))
            tx.run(queries.SET_SEGMENT, (made, number))
            tx.run(queries.SET_OLD_FILE, (old, erasure))
        tx.run(queries.SET_REACHED, (number, changed, erasure))
    return [None] * len(items)


def _file_removed(tx: Transaction, items: list[int]) -> list[Exception | None]:
    for number in items:
        tx.run(queries.SET_OLD_FILE, ("", number))
    return [None] * len(items)


def _begin_rebuild(tx: Transaction, items: list[Erasure]) -> list[Exception | None]:
    for erasure in items:
        start_rebuild(tx, [None])
        (wanted,) = ask_for_rebuild(tx, [None])
        assert isinstance(wanted, int)
        tx.run(queries.SET_STEP, ("rebuild", wanted, erasure.id))
    return [None] * len(items)


def _forget_plan(tx: Transaction, items: list[int]) -> list[Exception | None]:
    for number in items:
        tx.run(queries.SET_PLAN, ("", number))
        tx.run(queries.SET_STEP, ("purge", 0, number))
    return [None] * len(items)


def _finish(tx: Transaction, items: list[Erasure]) -> list[Exception | None]:
    for erasure in items:
        if tx.rows(queries.BY_ID, (erasure.id,))[0][4] != "done":
            tx.run(queries.FINISH, (now_ms(), erasure.id))
            write(tx, [(erasure.actor, AuditEntry(action="person.erased", app=erasure.app, subject=str(erasure.id),
                                             details={"rows": erasure.rows}))])  # fmt: skip
    return [None] * len(items)
