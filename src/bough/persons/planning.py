"""Whose rows and identifiers are meant by a person: found once, before anything is changed.

A person is what attribution says (`bough.attribution.rules.persons`), with the rows of imported files that share an
identifier with them (docs/exports.md). Identifiers that are somebody else's, as those of a lent device, are noted
so that they stay.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from bough.accounts.directory import Directory
from bough.attribution.replay.entries import TOUCH_KINDS
from bough.attribution.rules.persons import NOBODY
from bough.attribution.stored.history import SEARCHED, Head, Stories, Told
from bough.attribution.stored.tables import SHARED_OF, shared_of
from bough.attribution.stored.touch_index import TOUCHES, first_of, is_row_id
from bough.errors import NotFound
from bough.events import identifiers as ids
from bough.events.identifiers import HARDWARE, Identifier
from bough.events.server_fields import server_fields_of
from bough.persons import queries
from bough.persons.pseudonyms import PseudonymPlan
from bough.store.database import Store
from bough.store.journal import to_row
from bough.store.select_in import select_in
from bough.vocabulary.export_columns import IDENTIFIERS
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.lookup_keys import key
from bough.vocabulary.values import text

SEGMENT_FOLDER = "segments"
LARGEST_STEP = 5000
"""How far a click may be renumbered: far less than a millisecond's ids."""


class PersonToErase(Struct, frozen=True, kw_only=True):
    """Everybody that one request is about, in one app and environment."""

    app: int
    test: bool
    person: int
    """The person's id, `NOBODY` for one who is in imported files only."""
    plan: PseudonymPlan


def find_persons(
    store: Store, folder: Path, directory: Directory, worlds: list[tuple[int, bool]], name: str, value: str
) -> list[PersonToErase]:
    """The persons with an identifier (a name of `SEARCHED`, or `person`: a person's or event's id).

    Raises NotFound when there is nobody.
    """
    stories = Stories(store, directory)
    if name == "person":
        head = stories.whose(int(value))
        if head.person == NOBODY or (head.app, head.test) not in worlds:
            raise NotFound
        search = _Search(store, folder, stories, head.app, head.test)
        search.meet(head)
        return [search.closed()]
    found = []
    for app, test in worlds:
        search = _Search(store, folder, stories, app, test)
        given: list[Identifier] = [(kind, one) for kind in SEARCHED[name] if (one := ids.clean(kind, value))]
        for identifier in given:
            search.meet_owners(identifier)
        search.own.update((one, None) for one in search.imported(given))
        if search.persons or search.own:
            found.append(search.closed())
    if not found:
        raise NotFound("There is nobody with that identifier.")
    return found


class _Search:
    """Gathers what belongs to one person: live rows, touches, and rows of imported files that share an identifier."""

    def __init__(self, store: Store, folder: Path, stories: Stories, app: int, test: bool) -> None:
        self._store = store
        self._folder = folder
        self._stories = stories
        self._app = app
        self._test = test
        shared = shared_of(store.rows(SHARED_OF, (app, int(test))))
        self._shared = shared.get((app, test), set())
        """What many share is no person's: rows that bear it are other people's."""
        self._groups: dict[int, Told] = {}
        self.own: dict[Identifier, None] = {}
        self.foreign: dict[Identifier, None] = {}
        self.rows: dict[int, None] = {}
        self.persons: dict[int, None] = {}

    def meet(self, head: Head) -> None:
        """Take a person in: their rows, and whose each identifier on them is."""
        if head.person in self.persons:
            return
        self.persons[head.person] = None
        told = self._group(head)
        persons = told.persons
        for result in told.owned_by(head.person):
            self.rows[result.id] = None
            for one in borne(told.rows[result.id]):
                self._claim(one, persons.person_of(one))
        touches = self._store.rows(queries.TOUCHES_OF_PERSON, (self._app, int(self._test), head.person))
        numbers = [number for (number,) in touches]
        self.rows.update(dict.fromkeys(numbers))
        for row in map(to_row, select_in(self._store.rows, queries.ROWS_BY_ID, numbers)):
            if row.kind in TOUCHES:
                # A browser that came without a cookie was given the click's id as one.
                browser: Identifier = ("browser", text(row.body.get("browser")) or str(row.id))
                self._claim(browser, persons.person_of(browser))

    def meet_owners(self, identifier: Identifier) -> None:
        """Take in whose an identifier is. Who only borrowed the device is not meant."""
        for head in self._bearers(identifier):
            if self._group(head).persons.person_of(identifier) == head.person:
                self.meet(head)

    def _bearers(self, identifier: Identifier) -> list[Head]:
        kind, value = identifier
        sort = next((name for name, kinds in SEARCHED.items() if kinds == (kind,)), "device")
        return self._stories.search(sort, value, [(self._app, self._test)])

    def imported(self, given: Iterable[Identifier]) -> list[Identifier]:
        """Identifiers on rows of imported files that are connected with those given."""
        segments = [] if self._test else self._store.rows(queries.ALL_SEGMENTS, (self._app,))
        wanted = list(given)
        if not segments or not wanted:
            return []
        from bough.persons.segments import connected

        return connected([self._folder / SEGMENT_FOLDER / name for _, name in segments], wanted)

    def closed(self) -> PersonToErase:
        """Everything, once nothing more is connected with it."""
        while True:
            before = len(self.own), len(self.persons)
            for one in self.imported(list(self.own)):
                if one[0] not in IDENTIFIERS:
                    self._claim_device(one)
                elif one not in self.foreign and one not in self._shared:
                    self.own[one] = None
            for one in list(self.own):
                if one[0] != "request":
                    self.meet_owners(one)
            if (len(self.own), len(self.persons)) == before:
                break
        self.rows.update(touches(self._store, self._app, self._test, self.own))
        plan = PseudonymPlan(
            salt=secrets.token_hex(32),
            identifiers=tuple(self.own),
            foreign=tuple(self.foreign),
            rows=tuple(self.rows),
            renumbered=_renumbered(self._store, self.own),
        )
        return PersonToErase(app=self._app, test=self._test, person=min(self.persons, default=NOBODY), plan=plan)

    def _claim(self, one: Identifier, owner: int) -> None:
        if one in self._shared:
            self.foreign[one] = None
        elif owner == NOBODY or owner in self.persons:
            self.own[one] = None
            self.foreign.pop(one, None)
        elif one not in self.own:
            self.foreign[one] = None

    def _claim_device(self, one: Identifier) -> None:
        """An id on an imported row that joins no rows: the person's, unless a live person of another user has it."""
        if one in self.own or one in self.foreign:
            return
        owners = {self._group(head).persons.person_of(one) for head in self._bearers(one)}
        for owner in owners - {NOBODY} or {NOBODY}:
            self._claim(one, owner)

    def _group(self, head: Head) -> Told:
        if head.group not in self._groups:
            self._groups[head.group] = self._stories.tell(head)
        return self._groups[head.group]


def borne(row: JournalRow) -> tuple[Identifier, ...]:
    """Every identifier that a row holds, also those that privacy settings keep out of attribution."""
    user = row.body.get("user_data")
    return ids.extract(row.body, user if isinstance(user, dict) else {}, server_fields_of(row.body), ids.ALLOWED)


def touches(store: Store, app: int, test: bool, own: dict[Identifier, None]) -> dict[int, None]:
    """Clicks and impressions of the person's browsers, and those that were given one of their device ids."""
    found: dict[int, None] = {}
    for kind, value in own:
        for sort in ("", "impression "):
            if kind == "browser":
                one = key(app, test, f"{sort}browser", value)
            elif kind in HARDWARE:
                one = key(app, test, f"{sort}given {kind}", value)
            else:
                continue
            numbers = [number for (number,) in store.rows(queries.TOUCHES_OF_KEY, (one,))]
            kinds = {row[0]: row[4] for row in select_in(store.rows, queries.ROWS_BY_ID, numbers)}
            found.update((number, None) for number in numbers if kinds.get(number) in TOUCHES)
        if kind == "browser" and (first := first_of(store.rows, app, test, value)) is not None:
            found[first] = None
    return found


def _renumbered(store: Store, own: dict[Identifier, None]) -> dict[str, str]:
    """New ids for clicks that became a browser's id: the number itself is what the browser is known by."""
    found = {}
    for kind, value in own:
        if kind == "browser" and is_row_id(value):
            rows = store.rows(queries.ROW_EXISTS, (int(value),))
            if rows and rows[0][0] in TOUCH_KINDS:
                new = int(value) + 1 + secrets.randbelow(LARGEST_STEP)
                while store.rows(queries.ROW_EXISTS, (new,)):
                    new = int(value) + 1 + secrets.randbelow(LARGEST_STEP)
                found[value] = str(new)
    return found


def rows_of(store: Store, person: PersonToErase) -> list[JournalRow]:
    """The person's journal rows, in the order in which they arrived."""
    return sorted(map(to_row, select_in(store.rows, queries.ROWS_BY_ID, person.plan.rows)), key=lambda row: row.id)
