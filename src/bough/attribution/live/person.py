"""What the journal says about the person behind some identifiers, looked up when an SDK asks (docs/sdk.md,
/v1/cpid and /v1/cpid/latd; legacy /v1/has-app).

The rows are found through the small tables that openings keep (`bough.attribution.live.opens`): a person's openings
that brought a
touch, the first opening of each identifier, and clicks and impressions by browser and by the device ids given on them.
What follows from the rows is `bough.attribution.replay.read`'s answer, never one of our own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bough.accounts.directory import Directory
from bough.agents.recognition import parse
from bough.attribution.live.opens import APP_OPENING, TOUCHED, WEB_OPENING
from bough.attribution.replay.read import Attributed, always, attribute
from bough.attribution.rules.openings import Opening, parse_opening
from bough.attribution.stored.links import StoredLinks
from bough.attribution.stored.touch_index import first_of
from bough.events import identifiers as ids
from bough.events.identifiers import HARDWARE, Identifier
from bough.events.server_fields import NOTHING, server_fields_of
from bough.store.database import Rows
from bough.store.journal import BY_ID, to_row
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.lookup_keys import key
from bough.vocabulary.windows import Windows

FIRST_OPENINGS = "SELECT opening FROM device_key WHERE id IN ({})"
NEWEST_TOUCHES = "SELECT touch FROM touch_key WHERE key = ? ORDER BY touch DESC LIMIT ?"
CLAIMED = "SELECT opening FROM claim WHERE id = ?"

MAX_OF_ONE_KEY = 64
"""Newest rows that are looked at for one identifier."""

MAX_ROWS = 400
MAX_ROUNDS = 4
"""How often the identifiers of found openings lead to further ones."""

ASKING = "LAST_ATTRIBUTED_TOUCH"
"""Name of the event that is imagined now, to ask who would have the credit; it is a conversion."""


class KnownPerson:
    """One look-up in an app's environment. `rows` reads the store; call it outside the event loop."""

    def __init__(self, rows: Rows, directory: Directory, app: int, test: bool) -> None:
        self._rows = rows
        self._links = StoredLinks(rows, directory)
        self._app = app
        self._test = test

    def rows_of(self, identifiers: Iterable[Identifier]) -> list[JournalRow]:
        """The openings and touches that identifiers lead to, in the order of arrival."""
        found: dict[int, JournalRow] = {}
        known: set[Identifier] = set()
        wanted = {one for one in identifiers if one[0] != "request"}
        for _ in range(MAX_ROUNDS):
            new = wanted - known
            if not new or len(found) >= MAX_ROWS:
                break
            known |= new
            for row in self._load(self._numbers(new) - found.keys()):
                found[row.id] = row
                wanted |= self._identifiers(row)
        return sorted(found.values(), key=lambda row: row.id)

    def last_touch_of(self, asked: Mapping[str, Any], at: int, windows: Windows) -> Attributed | None:
        """Who would have the credit for a conversion of this person at `at` (epoch ms); None when nobody is named.

        `asked` is the request's `user_data`.
        """
        identifiers = ids.extract({}, asked, NOTHING, ids.privacy({}, asked))
        if not identifiers:
            return None
        rows = self.rows_of(identifiers)
        number = max((row.id for row in rows), default=0) + 1
        body = {"name": ASKING, "user_data": dict(asked)}
        asking = JournalRow(id=number, at=at, app=self._app, test=self._test, kind="event", body=body)
        results = attribute([*rows, asking], always(windows), self._links, parse)
        return next((result for result in results if result.id == number), None)

    def has_app(self, browser: str) -> bool:
        """Whether a click of this browser was matched to an app's opening, or its person has opened the app."""
        for click in self._touches("browser", browser) + self._first_of(browser):
            if self._rows(CLAIMED, (click,)):
                return True
        rows = self.rows_of([("browser", browser)])
        return any(row.kind in ("open", "install") and _opening_of(row).platform != "web" for row in rows)

    def _numbers(self, identifiers: Iterable[Identifier]) -> set[int]:
        numbers: set[int] = set()
        firsts: list[int] = []
        for kind, value in identifiers:
            firsts += [self._key(f"{sort} {kind}", value) for sort in (APP_OPENING, WEB_OPENING)]
            numbers.update(self._touches(f"{TOUCHED} {kind}", value))
            if kind == "browser":
                numbers.update(self._touches("browser", value), self._touches("impression browser", value))
                numbers.update(self._first_of(value))
            elif kind in HARDWARE:
                numbers.update(self._touches(f"given {kind}", value), self._touches(f"impression given {kind}", value))
        if firsts:
            numbers.update(row[0] for row in self._rows(FIRST_OPENINGS.format(",".join("?" * len(firsts))), firsts))
        return numbers

    def _touches(self, kind: str, value: str) -> list[int]:
        return [number for (number,) in self._rows(NEWEST_TOUCHES, (self._key(kind, value), MAX_OF_ONE_KEY))]

    def _first_of(self, browser: str) -> list[int]:
        first = first_of(self._rows, self._app, self._test, browser)
        return [] if first is None else [first]

    def _key(self, kind: str, value: str) -> int:
        return key(self._app, self._test, kind, value)

    def _load(self, numbers: Iterable[int]) -> Iterable[JournalRow]:
        for number in sorted(numbers, reverse=True)[:MAX_ROWS]:
            rows = self._rows(BY_ID, (number,))
            if not rows or (rows[0][2], bool(rows[0][3])) != (self._app, self._test):
                continue
            row = to_row(rows[0])
            if row.kind == "segment":  # imported events: known by their device, without a row of their own
                continue
            yield row
            for click in server_fields_of(row.body).named.split(","):
                if click and int(click) != row.id and (touched := self._rows(BY_ID, (int(click),))):
                    yield to_row(touched[0])

    def _identifiers(self, row: JournalRow) -> set[Identifier]:
        if row.kind not in ("open", "install"):
            return set()
        return {one for one in _opening_of(row).identifiers if one[0] != "request"}


def _opening_of(row: JournalRow) -> Opening:
    return parse_opening(row.body, "install" if row.kind == "install" else "open", server_fields_of(row.body))
