"""Attribution as one ordered, deterministic reading of the journal (docs/decisions-attribution.md).

`attribute` looks at a set of rows. It first finds the persons (which needs all rows, in no order), then walks the rows
by (at, id): whatever arrived late is read where it belongs. The result is a pure function of the set of rows, so a
rebuild from zero, a restart after any row and any order of arrival give the same rows. For incremental use
`bough.attribution.stored.increments` reads again only what a new row can have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, cast

from msgspec import Struct

from bough.attribution.replay.entries import JournalEntry, entry_of
from bough.attribution.rules import session_kind
from bough.attribution.rules.matching import (
    DETERMINISTIC,
    MAX_NEARBY,
    Candidates,
    Considered,
    Guessing,
    Match,
    Verdict,
    Way,
    foreign_address,
    look_back,
    match,
    may_guess,
    named_touches,
    wanted,
)
from bough.attribution.rules.openings import Opening
from bough.attribution.rules.persons import NOBODY, Claim, Persons, split_identity
from bough.attribution.rules.session_data import session_data
from bough.attribution.rules.session_kind import History
from bough.attribution.rules.sharing import Company, Shared, World, usable
from bough.attribution.rules.touches import Links, ParseAgent, Touch
from bough.attribution.rules.windows import Credit, last_touch, touch_data
from bough.events.identifiers import Identifier
from bough.events.server_fields import Recorded
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.windows import Windows

WindowsAt = Callable[[int, int], Windows]
"""(app, epoch ms) → the windows that were set then: changes apply to future attributions only."""

Uncounted = Literal["", "retry", "untracked", "nobody", "server_open"]
"""A retry (see `duplicate_of`); tracking disabled; no identifier; one more open without a link that a server reports
from one address within 4 h (docs/events.md)."""

SERVER_OPEN_PAUSE = 4 * 3_600_000


class Attributed(Struct, frozen=True, kw_only=True):
    """What attribution says about one event."""

    id: int
    """The journal row."""
    at: int
    app: int
    test: bool
    person: int
    """`persons.NOBODY` when the row names nobody."""
    name: str
    """INSTALL, REINSTALL, OPEN, WEB_SESSION_START, PAGEVIEW, or the event's own name."""
    uncounted: Uncounted = ""
    """Why it is in no count and no cohort; empty for what counts."""
    duplicate_of: int | None = None
    touch_type: str | None = None
    """`last_attributed_touch_type`: CLICK, IMPRESSION, or what an import says."""
    touch_id: int | None = None
    touch_at: int | None = None
    """`last_attributed_touch_timestamp`, epoch ms."""
    touch_data: dict[str, Any] = {}
    """`last_attributed_touch_data`."""
    days_from_touch: int | None = None
    """`days_from_last_attributed_touch_to_event`."""
    first_event_for_user: bool = False
    """The person's first event of this name."""
    had_app: bool = False
    """The person was seen in the app before this event."""
    previous_activity: int | None = None
    """The person's latest activity strictly earlier, epoch ms."""
    reengagement: bool = False
    deep_link: dict[str, Any] | None = None
    """For openings: the session's data (`bough.attribution.rules.session_data`)."""
    privacy: str = ""
    """Which privacy setting took identifiers or matching away, in words; empty when none did."""
    match: Match | None = None
    """For openings: how the link data were decided."""
    credit: Credit | None = None
    """How the credit was decided; None for imports, retries and without tracking."""

    @property
    def counted(self) -> bool:
        """Whether it is in counts and cohorts."""
        return not self.uncounted

    @property
    def attributed(self) -> bool:
        """Whether some touch has the credit."""
        return self.touch_type is not None


def always(windows: Windows) -> WindowsAt:
    """The same windows for every app at all times."""
    return lambda app, at: windows


def attribute(rows: Iterable[JournalRow], windows: WindowsAt, links: Links, parse: ParseAgent) -> list[Attributed]:
    """Read a closed set of rows (one app's, or one group of `follow`): one result per row that is no touch.

    Results are in the order of (at, id). A row id that comes twice counts once. `parse` reads User-Agents
    (`bough.agents.recognition.parse`); `links` answers as of the touch's time.
    """
    unique = {row.id: row for row in rows}
    return attribute_entries((entry_of(row, links, parse) for row in unique.values()), windows)


def attribute_entries(entries: Iterable[JournalEntry], windows: WindowsAt) -> list[Attributed]:
    """`attribute` over parsed rows with unique ids."""
    ordered = sorted(entries, key=lambda entry: entry.order)
    reading = Reading(windows)
    reading.meet_all(ordered)
    results = (reading.read(entry) for entry in ordered)
    return [result for result in results if result is not None]


class _State:
    """One app and environment, as far as the reading has come: nothing is shared between two of them but the namespace
    of click ids."""

    def __init__(self, shared: set[Identifier]) -> None:
        self.shared = shared
        self.company = Company()
        self.persons = Persons()
        self.histories: dict[int, History] = {}
        self.browsers: dict[str, Touch] = {}
        self.given: dict[tuple[str, str], list[Touch]] = {}
        self.nearby: dict[str, list[Touch]] = {}
        self.on_touches: set[Identifier] = set()
        """Device and browser ids that some touch carried."""
        self.used: set[str] = set()
        self.claims: dict[int, int] = {}
        """Click → person (or minus the row, without one) whose opening was matched to it first."""
        self.requests: dict[str, int] = {}
        self.server_opens: dict[str, int] = {}
        """Network address → when a server last reported an open without a link there that counted."""
        self._room: dict[str, int] = {}

    def add_nearby(self, touch: Touch) -> None:
        """Remember a click by its address; drops those that no opening can look at any more, now and then."""
        clicks = self.nearby.setdefault(touch.ip, [])
        clicks.append(touch)
        if len(clicks) > self._room.get(touch.ip, 4 * MAX_NEARBY):
            clicks[:] = [one for one in clicks if touch.at - one.at <= look_back(one)]
            self._room[touch.ip] = max(4 * MAX_NEARBY, 2 * len(clicks))

    def history(self, person: int) -> History:
        found = self.histories.get(person)
        if found is None:
            found = self.histories[person] = History()
        return found


class _ClaimedByOthers:
    """Clicks that were matched to somebody else's opening."""

    def __init__(self, claims: dict[int, int], person: int) -> None:
        self.claims = claims
        self.person = person

    def __contains__(self, click: object) -> bool:
        owner = self.claims.get(click) if isinstance(click, int) else None
        return owner is not None and owner != self.person


class _ClaimedBy:
    """Clicks that were matched to this person's own earlier openings."""

    def __init__(self, claims: dict[int, int], person: int) -> None:
        self.claims = claims
        self.person = person

    def __contains__(self, click: object) -> bool:
        return isinstance(click, int) and self.person != NOBODY and self.claims.get(click) == self.person


class Reading:
    """The walk itself: first `meet_all` entries, in any order; then `read` every entry, in the order of time."""

    def __init__(self, windows: WindowsAt, shared: Shared | None = None) -> None:
        """`shared`: identifiers that are known to be shared (`bough.attribution.rules.sharing`); those that the
        entries show to be so are added."""
        self._windows = windows
        self._shared = {} if shared is None else shared
        self._worlds: dict[World, _State] = {}
        self._clicks: dict[str, Touch] = {}
        self.undecided = False
        """Whether an opening was matched here: its candidates are everybody's, so persons cannot be read alone."""
        self.brought: list[tuple[int, Touch]] = []
        """Every (person, touch) that the reading has found to be the person's, in the order of finding."""

    def know(self, touches: Iterable[Touch]) -> None:
        """Touches that answered openings name and whose rows are not among the entries: other openings' addresses."""
        for touch in touches:
            self._clicks.setdefault(str(touch.id), touch)

    def persons(self, world: World) -> Persons:
        """Who is who in an app's environment."""
        found = self._worlds.get(world)
        return Persons() if found is None else found.persons

    def person_of(self, app: int, test: bool, identifier: Identifier) -> int:
        """The person that an identifier stands for; `NOBODY` when no row bore it."""
        found = self._worlds.get((app, test))
        return NOBODY if found is None else found.persons.person_of(identifier)

    def meet_all(self, entries: Sequence[JournalEntry]) -> list[tuple[World, Identifier]]:
        """Learn who all rows are from; answers the identifiers that these rows show to be shared."""
        crossed: list[tuple[World, Identifier]] = []
        for entry in entries:
            if entry.claim is not None and entry.privacy.tracking:
                state = self._state(entry)
                found = state.company.add(entry.claim)
                crossed += [((entry.app, entry.test), one) for one in found if one not in state.shared]
                state.shared.update(found)
        for entry in entries:
            claim = self._claim(entry)
            if claim is not None:
                self._state(entry).persons.add(claim)
        return crossed

    def goes_on(self, entry: JournalEntry) -> bool:
        """`join` a row; True when it leaves what was read as it is."""
        return self.join(entry) == set()

    def join(self, entry: JournalEntry) -> set[int] | None:
        """Learn who a row is from that comes after all that were read.

        Answers the persons whose rows must be read again (`forget`) because it joins or splits them, or makes known
        whose an earlier touch was. None when it shows an identifier to be shared: then only a new reading is right.
        """
        claim = self._claim(entry)
        if claim is None or entry.claim is None:
            return set()
        state = self._state(entry)
        if not state.shared.issuperset(state.company.add(entry.claim)):
            return None
        was_carried = any(one in state.on_touches and not state.persons.knows(one) for one in claim.identifiers)
        joined = state.persons.add(claim)
        return {*joined.changed, joined.person} if joined.changed or was_carried else set()

    def forget(self, world: World, persons: Iterable[int]) -> list[tuple[int, History]]:
        """Take the histories of persons out, so that their rows can be read once more."""
        histories = self._worlds[world].histories
        return [(one, histories.pop(one)) for one in sorted(persons) if one in histories]

    def unknown(self, entry: JournalEntry) -> list[Identifier]:
        """The identifiers of a row that no row bore so far."""
        claim = self._claim(entry)
        persons = self._state(entry).persons
        return [one for one in claim.identifiers if not persons.knows(one)] if claim is not None else []

    def lacking(self, world: World, touch: Touch) -> set[int]:
        """Persons whose a touch is and who were read without it."""
        state = self._worlds[world]
        return {
            person
            for person in self._carriers(state, touch)[1]
            if person in state.histories and touch.id not in state.histories[person].touch_ids
        }

    def person(self, entry: JournalEntry) -> int:
        """Whose a row is; a login is somebody's here, too."""
        claim = self._claim(entry)
        return NOBODY if claim is None else self._state(entry).persons.person(claim)

    def known_by(self, entry: JournalEntry) -> list[Identifier]:
        """Everything that a row's person is known by."""
        claim = self._claim(entry)
        if claim is None or not claim.identifiers:
            return []
        identity, devices = split_identity(claim)
        return self._state(entry).persons.identifiers_of(devices[0] if identity is None else identity)

    def _claim(self, entry: JournalEntry) -> Claim | None:
        """Who the row says it is from; None when it says nothing."""
        if entry.claim is None or not entry.privacy.tracking:
            return None
        return usable(entry.claim, self._state(entry).shared)

    def read(self, entry: JournalEntry) -> Attributed | None:
        """The result for one row; None for touches, which only wait to be matched or credited, and for rows that only
        say who somebody is."""
        state = self._state(entry)
        if entry.touch is not None:
            self._touch(state, entry.touch)
            return None
        person = self.person(entry)
        if person != NOBODY:
            state.history(person).rows.append(entry.row)
        if entry.kind == "identity":
            return None
        original = self._original(state, entry, person)
        if original is not None:
            name = "" if entry.opening is not None else entry.name
            return _result(entry, person, name, uncounted="retry", duplicate_of=original)
        if entry.opening is not None:
            return self._opening(state, entry, entry.opening, person)
        if person == NOBODY:
            return _result(entry, person, entry.name, uncounted="nobody" if entry.privacy.tracking else "untracked")
        return self._event(state, entry, person, entry.name)

    def _state(self, entry: JournalEntry) -> _State:
        found = self._worlds.get((entry.app, entry.test))
        if found is None:
            shared = self._shared.setdefault((entry.app, entry.test), set())
            found = self._worlds[entry.app, entry.test] = _State(shared)
        return found

    def _carriers(self, state: _State, touch: Touch) -> tuple[list[Identifier], set[int]]:
        """The identifiers that a touch carries and that are somebody's own, and whose they are."""
        carried: list[Identifier] = list(touch.given)
        if touch.browser:
            carried.append(("browser", touch.browser))
        if state.shared:
            carried = [one for one in carried if one not in state.shared]
        return carried, {state.persons.person_of(one) for one in carried} - {NOBODY}

    def _touch(self, state: _State, touch: Touch) -> None:
        is_new = self._clicks.get(str(touch.id)) is None
        self._clicks[str(touch.id)] = touch
        if touch.kind not in ("click", "impression"):
            return
        carried, persons = self._carriers(state, touch)
        state.on_touches.update(carried)
        for person in persons:
            self._bring(state.history(person), person, touch)
        if touch.kind == "click" and is_new:
            for one in touch.given:
                state.given.setdefault(one, []).append(touch)
            if touch.browser:
                state.browsers[touch.browser] = touch
            if touch.ip:
                state.add_nearby(touch)

    def _original(self, state: _State, entry: JournalEntry, person: int) -> int | None:
        """The earlier row that this one repeats, if it is a retry; notes it otherwise."""
        if entry.request_id and ("request", entry.request_id) not in state.shared:
            found = state.requests.setdefault(entry.request_id, entry.row)
            if found != entry.row:
                return found
        if entry.transaction_id and person != NOBODY and entry.kind == "event":
            key = (entry.name, entry.transaction_id, entry.refund)
            found = state.history(person).transactions.setdefault(key, entry.row)
            if found != entry.row:
                return found
        return None

    def _opening(self, state: _State, entry: JournalEntry, opening: Opening, person: int) -> Attributed:
        history = state.history(person) if person != NOBODY else History()
        if entry.recorded is not None and entry.recorded.imported:
            history.has_app = True
        name = session_kind.session_name(opening, has_app=history.has_app)
        first = session_kind.is_first_session(opening, name, seen=name in history.names)
        first_open = session_kind.is_first_open(opening, has_app=history.has_app)
        if entry.recorded is not None:
            decided = self._recorded(entry, entry.recorded, may_guess(opening, first_open=first_open))
            first = entry.recorded.first
        else:
            decided = self._decide(state, entry, opening, person, first_open=first_open)
        for touch in named_touches(decided):
            self._bring(history, person, touch)
        given = session_data(decided, first_session=first)
        if person == NOBODY:
            why: Uncounted = "nobody" if entry.privacy.tracking else "untracked"
            return _result(entry, person, name, uncounted=why, deep_link=given, match=decided)
        if name == "OPEN" and decided.touch is None and self._is_repeated_server_open(state, entry, opening):
            return _result(entry, person, name, uncounted="server_open", deep_link=given, match=decided)
        return self._event(state, entry, person, name, deep_link=given, match=decided)

    def _bring(self, history: History, person: int, touch: Touch) -> None:
        if history.add_touch(touch) and person != NOBODY:
            self.brought.append((person, touch))

    def _decide(self, state: _State, entry: JournalEntry, opening: Opening, person: int, *, first_open: bool) -> Match:
        """Match an opening that nobody has answered yet."""
        self.undecided = True
        decided = match(
            opening,
            entry.at,
            entry.app,
            entry.test,
            self._candidates(state, entry, opening, person),
            first_open=first_open,
        )
        self._clicks.update((str(touch.id), touch) for touch in entry.direct.values())
        if decided.touch is not None:
            if opening.platform != "web":
                # A page that a click led to takes nothing from the app that is installed from there.
                state.claims.setdefault(decided.touch.id, person if person != NOBODY else -entry.row)
            if decided.touch.once:
                state.used.add(decided.touch.once)
        return decided

    def _recorded(self, entry: JournalEntry, recorded: Recorded, guessing: Guessing) -> Match:
        """The match that was answered, from the touches it names. A touch that is gone (erased) brings nothing."""
        own = next((one for one in entry.direct.values() if (one.app, one.test) == (entry.app, entry.test)), None)
        if own is not None:
            self._clicks.setdefault(str(entry.row), own)
        considered: list[Considered] = []
        for one in dict.fromkeys((recorded.click, *recorded.named)):
            touch = self._clicks.get(str(one))
            if touch is None:
                continue
            age = entry.at - touch.at
            if one == recorded.click:
                way: Way = cast("Way", recorded.way)
                considered.append(Considered(way=way, verdict="taken", touch=touch, age=age))
            else:
                verdict: Verdict = "too_late" if age > touch.duration else "used"
                considered.append(Considered(way="click_id", verdict=verdict, touch=touch, age=age))
        if not considered or considered[0].verdict != "taken":
            if considered:
                return Match(considered=tuple(considered))
            return Match(guessing=guessing, foreign_url=_foreign(entry))
        taken = considered[0]
        guaranteed = taken.way in DETERMINISTIC
        return Match(touch=taken.touch, way=taken.way, guaranteed=guaranteed, considered=tuple(considered))

    def _is_repeated_server_open(self, state: _State, entry: JournalEntry, opening: Opening) -> bool:
        if entry.recorded is not None:
            return entry.recorded.repeated
        if not opening.server_to_server or not opening.ip:
            return False
        last = state.server_opens.get(opening.ip)
        if last is not None and entry.at - last < SERVER_OPEN_PAUSE:
            return True
        state.server_opens[opening.ip] = entry.at
        return False

    def _candidates(self, state: _State, entry: JournalEntry, opening: Opening, person: int) -> Candidates:
        asked = wanted(opening)
        given: dict[int, Touch] = {}
        for one in asked.given:
            given.update((touch.id, touch) for touch in state.given.get(one, ()))
        return Candidates(
            named={one: self._clicks[one] for one in asked.named if one in self._clicks},
            browsers={one: state.browsers[one] for one in asked.named if one in state.browsers},
            opened=entry.direct,
            given=sorted(given.values(), key=lambda touch: touch.order),
            nearby=state.nearby.get(asked.address, ()) if asked.address else (),
            used=state.used,
            claimed=_ClaimedByOthers(state.claims, person),
            given_out=_ClaimedBy(state.claims, person),
        )

    def _event(
        self,
        state: _State,
        entry: JournalEntry,
        person: int,
        name: str,
        deep_link: dict[str, Any] | None = None,
        match: Match | None = None,
    ) -> Attributed:
        history = state.history(person)
        if entry.given_touch is not None:
            self._bring(history, person, entry.given_touch)
        windows = self._windows(entry.app, entry.at)
        previous = history.activity(entry.at)
        first, had_app = name not in history.names, history.has_app
        history.names.add(name)
        if (entry.opening is not None or entry.kind == "import") and name in session_kind.HAS_APP:
            history.has_app = True
        credit = (
            None
            if entry.kind == "import"
            else last_touch(history.touches, entry.at, session_kind.occasion(name), windows)
        )
        return _result(
            entry,
            person,
            name,
            credit=credit,
            first_event_for_user=first,
            had_app=had_app,
            previous_activity=previous,
            reengagement=session_kind.is_reengagement(name, entry.at, previous, windows.reengagement_inactivity),
            deep_link=deep_link,
            match=match,
        )


def _foreign(entry: JournalEntry) -> str:
    """The address that opened the app and was none of ours, as `matching` found it."""
    if entry.opening is None:
        return ""
    return foreign_address(entry.opening.evidence, entry.direct, entry.app, entry.test)


def _result(entry: JournalEntry, person: int, name: str, credit: Credit | None = None, **rest: Any) -> Attributed:
    touch = credit.touch if credit is not None else None
    if touch is not None:
        rest |= {
            "touch_type": touch.kind.upper(),
            "touch_id": touch.id,
            "touch_at": touch.at,
            "touch_data": touch_data(touch),
            "days_from_touch": session_kind.days_between(touch.at, entry.at),
        }
    elif entry.given is not None:
        rest |= {
            "touch_type": entry.given.type,
            "touch_at": entry.given.at,
            "touch_data": entry.given.data,
            "days_from_touch": None if entry.given.at is None else session_kind.days_between(entry.given.at, entry.at),
        }
    return Attributed(
        id=entry.row,
        at=entry.at,
        app=entry.app,
        test=entry.test,
        person=person,
        name=name,
        privacy=entry.privacy.reason,
        credit=credit,
        **rest,
    )
