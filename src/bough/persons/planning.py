"""Whose rows and identifiers are meant by a person: found once, before anything is changed.

A person is what attribution says (`bough.attribution.persons`), with the rows of imported files that share an
identifier with them (contract/cohort.md §9). Identifiers that are somebody else's, as those of a lent device, are noted
so that they stay.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from msgspec import Struct

from bough.accounts.directory import Directory
from bough.attribution import identifiers as ids
from bough.attribution.facts import facts_of
from bough.attribution.identifiers import HARDWARE, Identifier
from bough.attribution.keys import key
from bough.attribution.persons import NOBODY, Persons
from bough.attribution.stored import select_in
from bough.attribution.stories import SEARCHED, Head, Stories
from bough.errors import NotFound
from bough.journal import Row
from bough.persons import queries
from bough.persons.pseudonyms import Plan
from bough.store.database import Store
from bough.store.journal import to_row

SEGMENT_FOLDER = "segments"
TOUCH_KINDS = ("click", "impression")
LARGEST_STEP = 5000
"""How far a click may be renumbered: far less than a millisecond's ids."""


class Person(Struct, frozen=True, kw_only=True):
    """Everybody that one request is about, in one app and environment."""

    app: int
    test: bool
    person: int
    """The person's id, `NOBODY` for one who is in imported files only."""
    plan: Plan


def find_persons(
    store: Store, folder: Path, directory: Directory, worlds: list[tuple[int, bool]], name: str, value: str
) -> list[Person]:
    """The persons with an identifier (a name of `SEARCHED`, or `person`: a person's or event's id).

    Raises NotFound when there is nobody.
    """
    stories = Stories(store, directory)
    if name == "person":
        head = stories.head(int(value))
        if head.person == NOBODY or (head.app, head.test) not in worlds:
            raise NotFound
        return [_person(store, folder, stories, head.app, head.test, {head.person: head}, ())]
    found = []
    for app, test in worlds:
        heads = {head.person: head for head in stories.search(name, value, [(app, test)])}
        given = [(kind, cleaned) for kind in SEARCHED[name] if (cleaned := ids.clean(kind, value))]
        imported = [] if test else _in_segments(store, folder, app, given)
        if heads or imported:
            found.append(_person(store, folder, stories, app, test, heads, imported))
    if not found:
        raise NotFound("There is nobody with that identifier.")
    return found


def _person(
    store: Store,
    folder: Path,
    stories: Stories,
    app: int,
    test: bool,
    heads: dict[int, Head],
    imported: list[Identifier] | tuple[Identifier, ...],
) -> Person:
    """Close over what belongs together: live persons and the rows of imported files that share an identifier."""
    own: dict[Identifier, None] = dict.fromkeys(imported)
    foreign: dict[Identifier, None] = {}
    rows: dict[int, None] = {}
    told: set[int] = set()
    while True:
        for person, head in list(heads.items()):
            if person not in told:
                told.add(person)
                _tell(stories, head, own, foreign, rows)
                touches = store.rows(queries.TOUCHES_OF_PERSON, (app, int(test), person))
                rows.update((touch, None) for (touch,) in touches)
        before = len(own)
        if not test:
            own.update((one, None) for one in _in_segments(store, folder, app, list(own)) if one not in foreign)
        for kind, value in list(own):
            sort = next((name for name, kinds in SEARCHED.items() if kinds == (kind,)), None)
            if sort is not None:
                heads.update((head.person, head) for head in stories.search(sort, value, [(app, test)]))
        if len(own) == before and set(heads) <= told:
            break
    rows.update(_touches(store, app, test, own))
    plan = Plan(
        salt=secrets.token_hex(32),
        identifiers=tuple(own),
        foreign=tuple(foreign),
        rows=tuple(rows),
        renumbered=_renumbered(store, own),
    )
    return Person(app=app, test=test, person=min(heads, default=NOBODY), plan=plan)


def _tell(
    stories: Stories,
    head: Head,
    own: dict[Identifier, None],
    foreign: dict[Identifier, None],
    rows: dict[int, None],
) -> None:
    """Read a person's group again: their rows, and whose each identifier on them is."""
    told = stories.tell(head)
    persons = Persons()
    for entry in sorted(told.entries.values(), key=lambda one: one.order):
        if entry.claim is not None:
            persons.add(entry.claim)
    for result in told.results.values():
        if result.person != head.person:
            continue
        rows[result.id] = None
        row = told.rows[result.id]
        for one in borne(row):
            owner = persons.person_of(one)
            (own if owner in (head.person, NOBODY) else foreign)[one] = None
    for one in list(own):
        if one in foreign:
            del own[one]


def borne(row: Row) -> tuple[Identifier, ...]:
    """Every identifier that a row holds, also those that privacy settings keep out of attribution."""
    user = row.body.get("user_data")
    return ids.extract(row.body, user if isinstance(user, dict) else {}, facts_of(row.body), ids.ALLOWED)


def _touches(store: Store, app: int, test: bool, own: dict[Identifier, None]) -> dict[int, None]:
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
            kinds = {row[0]: row[4] for row in select_in(store, queries.ROWS_BY_ID, numbers)}
            found.update((number, None) for number in numbers if kinds.get(number) in TOUCH_KINDS)
    return found


def _renumbered(store: Store, own: dict[Identifier, None]) -> dict[str, str]:
    """New ids for clicks that became a browser's id: the number itself is what the browser is known by."""
    found = {}
    for kind, value in own:
        if kind == "browser" and value.isascii() and value.isdigit() and len(value) <= 19 and int(value) < 2**63:
            rows = store.rows(queries.ROW_EXISTS, (int(value),))
            if rows and rows[0][0] in ("click", "impression", "prefetch", "robot"):
                new = int(value) + 1 + secrets.randbelow(LARGEST_STEP)
                while store.rows(queries.ROW_EXISTS, (new,)):
                    new = int(value) + 1 + secrets.randbelow(LARGEST_STEP)
                found[value] = str(new)
    return found


def rows_of(store: Store, person: Person) -> list[Row]:
    """The person's journal rows, in the order in which they arrived."""
    return sorted(map(to_row, select_in(store, queries.ROWS_BY_ID, person.plan.rows)), key=lambda row: row.id)


def _in_segments(store: Store, folder: Path, app: int, given: list[Identifier]) -> list[Identifier]:
    """Identifiers on rows of imported files that bear one of those given; those themselves only if a file has them."""
    segments = store.rows(queries.ALL_SEGMENTS, (app,))
    if not segments or not given:
        return []
    from bough.persons.segments import connected

    return connected([folder / SEGMENT_FOLDER / name for _, name in segments], given)
