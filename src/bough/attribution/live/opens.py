"""Openings: which click an open or install belongs to, decided and journalled in one transaction.

The order of events is the order of the journal: an opening is matched inside the transaction that appends it, so it
sees every click and every opening before it and none after. What was answered is kept with the row
(`bough.events.server_fields`), because it was told to an app and cannot be taken back: a rebuild reads it, it does not
decide again.

Four small tables make it quick: `touch_key` (clicks by address, browser, given id; openings that brought a touch, by
each of their identifiers), `device_key` (the first opening with an identifier), `claim` (whose opening a click was
matched to), `once_used` (one-time links that were used).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Sequence
from typing import Any, cast

import msgspec
from msgspec import Struct

from bough.accounts.directory import Directory
from bough.attribution.live import legacy_identity
from bough.attribution.live.request import OpenRequest, Parsed
from bough.attribution.replay.read import SERVER_OPEN_PAUSE
from bough.attribution.rules import session_kind
from bough.attribution.rules.matching import Candidates, Match, match, named_touches
from bough.attribution.rules.openings import Opening, parse_opening
from bough.attribution.rules.session_data import session_data
from bough.attribution.rules.touches import Touch, direct_touch
from bough.attribution.stored.links import StoredLinks
from bough.attribution.stored.touch_index import TouchIndex, is_row_id
from bough.clicks.installed import installed_key
from bough.errors import BoughError
from bough.events.identifiers import HARDWARE, Identifier
from bough.events.server_fields import ServerFields, journal_text, server_fields_of
from bough.links.model import Link
from bough.store.journal import BY_ID, COLUMNS, to_row
from bough.store.select_in import select_in
from bough.store.transaction import Reader, Transaction
from bough.vocabulary.ids import arrived_at, growing_ids
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.lookup_keys import key
from bough.vocabulary.values import text

KNOWN_KEYS = "SELECT id, opening FROM device_key WHERE id IN ({})"
KNOWN_AND_IMPORTED = (
    "SELECT k.id, k.opening, s.id FROM device_key k LEFT JOIN segment s ON s.id = k.opening WHERE k.id IN ({})"
)
ADD_KEY = ("id", "opening")
CLAIM = "SELECT owners, opening FROM claim WHERE id = ?"
SERVER_OPEN = "SELECT at FROM server_open WHERE id = ?"
SET_SERVER_OPEN = "INSERT INTO server_open (id, at) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at"
TOUCHED_KEYS = "SELECT DISTINCT key FROM touch_key WHERE key IN ({})"
IMPORTED = "SELECT id FROM segment WHERE id IN ({})"
USED = "SELECT opening FROM once_used WHERE id = ?"

MAX_ID = 2**63 - 1
NO_CANDIDATES = Candidates()

APP_OPENING = "opening"
WEB_OPENING = "web opening"
"""Kinds of the keys under which openings are found: those of Web pages say nothing about an installed app."""

TOUCHED = "touched"
"""Kind of the keys (in `touch_key`) under which openings are found that brought a touch to their person."""

LANDING = "landing"
"""Kind of the key under which the first page is found that named a click."""


class OpenAnswer(Struct, frozen=True, kw_only=True):
    """What the app is told."""

    row: int
    facts: ServerFields
    opening: Opening
    data: dict[str, Any]
    """The session's data."""
    touch: Touch | None
    has_app: bool


class Opens:
    """Decides openings for one process. `batch` is the `Batch` to write with."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.index = TouchIndex()
        """Clicks that were looked at lately, parsed."""

    def batch(self, tx: Transaction, requests: list[OpenRequest]) -> list[OpenAnswer | Exception]:
        """Decide and append openings in the order in which they came."""
        links = StoredLinks(tx.rows, self._directory)
        newest = self.index.catch_up(tx, links)
        run = _Run(tx, links, self.index, newest=newest)
        run.look_up([request.parsed for request in requests if request.parsed is not None])
        answers: list[OpenAnswer | Exception] = []
        for request in requests:
            try:
                answers.append(run.open(request))
            except BoughError as error:
                answers.append(error)
        run.write()
        return answers

    def reconsider(self, reader: Reader, row: JournalRow) -> Match:
        """What an opening that was answered could be matched to, as it stood before it: for explanations only."""
        run = _Run(cast("Transaction", reader), StoredLinks(reader.rows, self._directory), self.index, before=row.id)
        return run.reconsider(row)

    def forget(self) -> None:
        """Keep nothing of clicks in memory: their rows may have been rewritten (`bough.persons.erasing`)."""
        self.index.forget()

    def follow(self, tx: Transaction, limits: list[int]) -> list[int | Exception]:
        """Make the clicks that have arrived findable, for look-ups that do not write."""
        links = StoredLinks(tx.rows, self._directory)
        return [self.index.catch_up(tx, links, at_most) for at_most in limits]


class _Run:
    """The openings of one transaction; later ones see what earlier ones will have written."""

    def __init__(
        self, tx: Transaction, links: StoredLinks, index: TouchIndex, before: int = MAX_ID, newest: int = 0
    ) -> None:
        self._tx = tx
        self._before = before
        """Openings from this row on are not there yet."""
        self._links = links
        self._index = index
        self._ids = growing_ids(newest)
        self._rows: dict[int, tuple[Any, ...]] = {}
        self._keys: dict[int, int] = {}
        self._claims: dict[int, tuple[int, str]] = {}
        self._used: dict[int, int] = {}
        self._touched: dict[tuple[int, int], None] = {}
        self._server_opens: dict[int, int] = {}
        self._looked_up: dict[int, int | None] = {}
        """By key of `device_key`: what stands there."""
        self._native: set[int] = set()
        """Earlier openings that no import has told of."""
        self._untouched: set[int] = set()
        """Keys of `touch_key` that no click has."""

    def look_up(self, some: list[Parsed]) -> None:
        """Fetch for a whole batch at once what every opening asks for."""
        own = [one for parsed in some for one in (*parsed.own, *parsed.app_beside)]
        self._looked_up = dict.fromkeys(own)
        for one, opening, segment in select_in(self._tx.rows, KNOWN_AND_IMPORTED, own):
            self._looked_up[one] = opening
            if segment is None:
                self._native.add(opening)
        touching = {one for parsed in some for one in parsed.touching}
        self._untouched = touching - {one for (one,) in select_in(self._tx.rows, TOUCHED_KEYS, touching)}

    def open(self, request: OpenRequest) -> OpenAnswer:
        row = next(self._ids)
        # The time is the row's own, so that the order of time and the order of the journal are one.
        request = msgspec.structs.replace(request, at=arrived_at(row))
        parsed = request.parsed or _parsed(request)
        if parsed.old_bundle is not None or parsed.page_of:
            completed = legacy_identity.with_stored_identity(self._tx.rows, request, parsed.old_bundle)
            completed = self._as_the_clicker(row, completed, parsed.page_of)
            if completed is not request:
                request, parsed = completed, _parsed(completed)
        opening, own = parsed.opening, parsed.own
        known = self._known(own)
        original = self._original(parsed.request)
        if original is not None:
            return self._again(original, request)
        has_app = bool(known) and opening.platform != "web"
        direct = self._direct(row, request, opening)
        first_open = session_kind.is_first_open(opening, has_app=has_app)
        candidates = self._candidates(row, request, parsed, direct, seek_nearby=first_open)
        decided = match(opening, request.at, request.app, request.test, candidates, first_open=first_open)
        name = session_kind.session_name(opening, has_app=has_app)
        first = session_kind.is_first_session(opening, name, seen=bool(known))
        facts = msgspec.structs.replace(
            request.facts,
            match=f"{decided.way} {decided.touch.id}" if decided.touch is not None else "none",
            named=",".join(str(touch.id) for touch in named_touches(decided)),
            first="1" if first else "",
            repeated="1" if name == "OPEN" and decided.touch is None and self._is_repeated(request, opening) else "",
            imported="1" if has_app and self._is_imported(known) else "",
        )
        self._keep(row, request, opening, own, decided, facts)
        return OpenAnswer(
            row=row,
            facts=facts,
            opening=opening,
            data=session_data(decided, first_session=first),
            touch=decided.touch,
            has_app=has_app or bool(self._known(parsed.app_beside)),
        )

    def reconsider(self, row: JournalRow) -> Match:
        """See `Opens.reconsider`."""
        request = _as_request(row)
        opening = parse_opening(row.body, "install" if row.kind == "install" else "open", server_fields_of(row.body))
        parsed = _parsed(request)
        own = parsed.own
        has_app = bool(self._known(own)) and opening.platform != "web"
        first_open = session_kind.is_first_open(opening, has_app=has_app)
        direct = self._direct(row.id, request, opening)
        candidates = self._candidates(row.id, request, parsed, direct, seek_nearby=first_open)
        return match(opening, row.at, row.app, row.test, candidates, first_open=first_open)

    def write(self) -> None:
        """Everything that the openings of this transaction add."""
        self._tx.insert("journal", COLUMNS, list(self._rows.values()))
        self._tx.insert("device_key", ADD_KEY, list(self._keys.items()), skip_conflicts=True)
        self._tx.insert(
            "claim",
            ("id", "opening", "owners"),
            [(click, row, owners) for click, (row, owners) in self._claims.items()],
            skip_conflicts=True,
        )
        self._tx.insert("once_used", ("id", "opening"), list(self._used.items()), skip_conflicts=True)
        self._tx.insert("touch_key", ("key", "touch"), list(self._touched))
        self._tx.each(SET_SERVER_OPEN, list(self._server_opens.items()))

    def _as_the_clicker(self, row: int, request: OpenRequest, named: str) -> OpenRequest:
        """The request of a page with the id of the browser that clicked, when this is certainly that browser.

        A redirect adds the click's id to the page's address, and people share such addresses: only the first page that
        names the click, asked for from the click's own address with its own User-Agent, is the clicker's. Every other
        one keeps its own id (docs/sdk.md).
        """
        touch = self._touch(int(named), request) if named else None
        if touch is None or not touch.browser or (touch.app, touch.test) != (request.app, request.test):
            return request
        if (touch.ip, touch.user_agent) != (request.facts.ip, request.facts.user_agent):
            return request
        landing = key(request.app, request.test, LANDING, named)
        if self._known([landing]):
            return request
        self._keys[landing] = row
        return msgspec.structs.replace(request, facts=msgspec.structs.replace(request.facts, browser=touch.browser))

    def _is_repeated(self, request: OpenRequest, opening: Opening) -> bool:
        """Whether a server's open without a link came from the same address less than 4 h ago (docs/events.md)."""
        if not opening.server_to_server or not opening.ip:
            return False
        one = key(request.app, request.test, "server open", opening.ip)
        last = self._server_opens.get(one)
        if last is None:
            rows = self._tx.rows(SERVER_OPEN, (one,))
            last = rows[0][0] if rows else None
        if last is not None and request.at - last < SERVER_OPEN_PAUSE:
            return True
        self._server_opens[one] = request.at
        return False

    def _known(self, own: Sequence[int]) -> set[int]:
        """Earlier openings that share an identifier with this one."""
        keys, looked_up, before = self._keys, self._looked_up, self._before
        found: set[int] = set()
        missing: list[int] = []
        for one in own:
            opening = keys.get(one)
            if opening is not None:
                found.add(opening)
            if one in looked_up:
                opening = looked_up[one]
                if opening is not None and opening < before:
                    found.add(opening)
            elif one not in keys:
                missing.append(one)
        if missing:
            rows = self._tx.rows(KNOWN_KEYS.format(",".join("?" * len(missing))), missing)
            found.update(opening for _, opening in rows if opening < self._before)
        return found

    def _original(self, key_of_request: int | None) -> JournalRow | None:
        """The opening that this request is a retry of."""
        if key_of_request is None:
            return None
        for identifier in sorted(self._known((key_of_request,))):
            values = self._rows.get(identifier) or next(iter(self._tx.rows(BY_ID, (identifier,))), None)
            if values is not None:
                return to_row(values)
        return None

    def _again(self, row: JournalRow, request: OpenRequest) -> OpenAnswer:
        """The answer that a retry's first request was given."""
        facts = server_fields_of(row.body)
        opening = parse_opening(row.body, "install" if row.kind == "install" else "open", facts)
        way, _, click = facts.match.partition(" ")
        touch = self._touch(int(click), request) if click else None
        decided = Match(touch=touch, way=way, guaranteed=way != "probabilistic") if touch else Match()  # type: ignore[arg-type]
        return OpenAnswer(
            row=row.id,
            facts=facts,
            opening=opening,
            data=session_data(decided, first_session=bool(facts.first)),
            touch=touch,
            has_app=not facts.first,
        )

    def _touch(self, identifier: int, request: OpenRequest) -> Touch | None:
        """The touch with this id: a click, or the opening that was one itself."""
        found = self._index.touch(self._tx, identifier, self._links)
        if found is not None:
            return found
        values = self._rows.get(identifier) or next(iter(self._tx.rows(BY_ID, (identifier,))), None)
        if values is None or values[4] not in ("open", "install"):
            return None
        row = to_row(values)
        opening = parse_opening(row.body, "install" if row.kind == "install" else "open", server_fields_of(row.body))
        return next(iter(self._direct(row.id, _as_request(row), opening).values()), None)

    def _direct(self, row: int, request: OpenRequest, opening: Opening) -> dict[str, Touch]:
        """The clicks made now: addresses of the app's link domains that opened the app (docs/sdk.md, way 2)."""
        found: dict[str, Touch] = {}
        for url in opening.evidence.urls:
            link: Link | None = self._links.by_url(url.url, request.at)
            if link is not None:
                made = JournalRow(id=row, at=request.at, app=request.app, test=request.test, kind="open", body={})
                found[url.url] = direct_touch(made, url.url, link, opening.ip)
        return found

    def _candidates(
        self,
        row: int,
        request: OpenRequest,
        parsed: Parsed,
        direct: dict[str, Touch],
        *,
        seek_nearby: bool,
    ) -> Candidates:
        opening, own = parsed.opening, parsed.own
        if not opening.evidence.clicks and not direct and self._untouched.issuperset(parsed.touching):
            return NO_CANDIDATES
        app, test = request.app, request.test
        named: dict[str, Touch] = {}
        browsers: dict[str, Touch] = {}
        for one in opening.evidence.clicks:
            if not is_row_id(one.id):
                continue
            touch = self._touch(int(one.id), request)
            if touch is not None:
                named[one.id] = touch
            elif (newest := self._index.by_browser(self._tx, app, test, one.id, row, self._links)) is not None:
                browsers[one.id] = newest
        hardware: list[Identifier] = [
            one
            for one in opening.identifiers
            if one[0] in HARDWARE and self._touchable(request, f"given {one[0]}", one[1])
        ]
        guesses = seek_nearby and opening.ip and opening.platform != "web" and opening.privacy.probabilistic
        guesses = guesses and self._touchable(request, "ip", opening.ip)
        return Candidates(
            named=named,
            browsers=browsers,
            opened=direct,
            given=self._index.by_given(self._tx, app, test, hardware, row, self._links),
            nearby=self._index.nearby(self._tx, app, test, opening.ip, row, self._links) if guesses else (),
            used=_Asked(lambda once: self._is_used(app, test, once)),
            claimed=_Asked(lambda click: self._owned(click, own) is False),
            given_out=_Asked(lambda click: self._owned(click, own) is True),
        )

    def _touchable(self, request: OpenRequest, kind: str, value: str) -> bool:
        """False when it is known that no click has the key."""
        return not self._untouched or key(request.app, request.test, kind, value) not in self._untouched

    def _is_imported(self, known: Collection[int]) -> bool:
        """Whether one of the earlier openings stands in an imported file."""
        return bool(select_in(self._tx.rows, IMPORTED, [one for one in known if one not in self._native]))

    def _is_used(self, app: int, test: bool, once: str) -> bool:
        one = key(app, test, "once", once)
        if one in self._used:
            return True
        rows = self._tx.rows(USED, (one,))
        return bool(rows) and rows[0][0] < self._before

    def _owned(self, click: int, own: Sequence[int]) -> bool | None:
        """Whether a click was matched to an opening of this device (True), of another one (False), or to none."""
        if click in self._claims:
            owners = self._claims[click][1]
        else:
            rows = self._tx.rows(CLAIM, (click,))
            if not rows or rows[0][1] >= self._before:
                return None
            owners = rows[0][0]
        return not set(owners.split(",")).isdisjoint(str(one) for one in own)

    def _keep(
        self, row: int, request: OpenRequest, opening: Opening, own: Sequence[int], decided: Match, facts: ServerFields
    ) -> None:
        if not opening.privacy.tracking:
            # The ids that the answer must hold are told to the SDK and kept nowhere.
            facts = msgspec.structs.replace(facts, bundle="", device="", browser="", session="")
        body = journal_text(request.body, facts)
        link = decided.touch.link if decided.touch is not None and decided.touch.direct else 0
        self._rows[row] = (row, request.at, request.app, int(request.test), request.kind, link or None, body)
        for one in own:
            if self._looked_up.get(one) is None:
                self._keys.setdefault(one, row)
        if facts.named:
            self._touched.update(((one, row), None) for one in touched_keys(request.app, request.test, opening))
        touch = decided.touch
        if touch is None:
            return
        if own and opening.platform != "web":
            # A page that a click led to takes nothing from the app that is installed from there.
            self._claims.setdefault(touch.id, (row, ",".join(map(str, own))))
            if not touch.direct:
                self._keys.setdefault(installed_key(request.app, request.test, touch.browser or str(touch.id)), row)
        if touch.once:
            self._used.setdefault(key(request.app, request.test, "once", touch.once), row)


def parse_request(app: int, test: bool, kind: str, body: dict[str, Any], facts: ServerFields) -> Parsed:
    """Read a request and find its keys."""
    opening = parse_opening(body, "install" if kind == "install" else "open", facts)
    web = opening.platform == "web"
    place = WEB_OPENING if web else APP_OPENING
    own = [key(app, test, f"{place} {kind}", value) for kind, value in opening.identifiers if web or kind != "browser"]
    touching = [key(app, test, f"given {kind}", value) for kind, value in opening.identifiers if kind in HARDWARE]
    if opening.ip and not web:
        touching.append(key(app, test, "ip", opening.ip))
    return Parsed(
        opening=opening,
        own=tuple(own),
        touching=tuple(touching),
        request=key(app, test, f"{APP_OPENING} request", opening.request_id) if opening.request_id else None,
        old_bundle=legacy_identity.asked_bundle(app, test, body),
        page_of=_click_id(body.get("link_identifier")) if web else "",
        app_beside=(installed_key(app, test, facts.browser),) if web and facts.browser else (),
    )


def _click_id(value: object) -> str:
    named = text(value, 20)
    return named if is_row_id(named) else ""


def _parsed(request: OpenRequest) -> Parsed:
    return parse_request(request.app, request.test, request.kind, request.body, request.facts)


def touched_keys(app: int, test: bool, opening: Opening) -> list[int]:
    """What an opening that brought a touch can be found by."""
    return [key(app, test, f"{TOUCHED} {kind}", value) for kind, value in opening.identifiers if kind != "request"]


class _Asked(Container[Any]):
    """A container that asks for each element when it is needed."""

    def __init__(self, holds: Callable[[Any], bool]) -> None:
        self._holds = holds

    def __contains__(self, one: object) -> bool:
        return self._holds(one)


def _as_request(row: JournalRow) -> OpenRequest:
    return OpenRequest(
        at=row.at, app=row.app, test=row.test, kind=row.kind, body=row.body, facts=server_fields_of(row.body)
    )
