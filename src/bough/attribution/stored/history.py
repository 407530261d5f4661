"""Stored attribution replayed: a group is read once more from its rows, with everything that was weighed.

What is kept of a result leaves out the touches that were refused; they follow from the rows. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct
from msgspec.structs import replace

from bough.accounts.directory import Directory
from bough.accounts.setting_history import ALL, SettingHistory
from bough.attribution.replay.entries import JournalEntry
from bough.attribution.replay.read import Attributed
from bough.attribution.rules.matching import Match
from bough.attribution.rules.persons import NOBODY, Claim, Persons
from bough.attribution.rules.sharing import usable
from bough.attribution.rules.touches import Touch
from bough.attribution.stored.group_loading import ROWS_OF_GROUPS, Loader, read_whole
from bough.attribution.stored.links import StoredLinks
from bough.attribution.stored.tables import SHARED_OF, Kept, exact_row, kept_of, shared_of
from bough.attribution.stored.touch_index import TouchIndex
from bough.errors import NotFound, TooLarge
from bough.events.identifiers import Identifier, Kind, clean
from bough.store.database import Store
from bough.store.select_in import select_in
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.lookup_keys import key
from bough.vocabulary.windows import Windows, windows_from_days

HEAD = "SELECT app, test, grp, person FROM attributed WHERE id = ?"
SIZE = "SELECT count(*) FROM attributed WHERE grp = ?"
GROUP_OF_KEY = "SELECT grp FROM group_key WHERE id = ?"
MERGED_INTO = "SELECT person FROM person_merge WHERE into_person = ? AND app = ? AND test = ? ORDER BY id"
NEWEST = 2**63 - 1

MAX_ROWS = 50_000
"""Rows of a group that are read again for one question."""


SEARCHED: dict[str, tuple[Kind, ...]] = {
    "identity": ("identity",),
    "aaid": ("aaid",),
    "idfa": ("idfa",),
    "idfv": ("idfv",),
    "android_id": ("android_id",),
    "browser": ("browser",),
    "bundle": ("bundle",),
    "device": ("device", "idfv", "android_id", "hardware", "idfa", "aaid", "oaid", "fire"),
}
"""Query parameters by which a person can be searched → kinds of identifiers they may be. `device` is any of them."""


class Head(Struct, frozen=True):
    """Whose an event is."""

    app: int
    test: bool
    group: int
    person: int


class Told(Struct, kw_only=True):
    """One group, read again."""

    head: Head
    rows: dict[int, JournalRow]
    entries: dict[int, JournalEntry]
    results: dict[int, Attributed]
    kept: dict[int, Kept]
    touches: list[tuple[int, Touch]]
    """(person, touch)"""
    persons: Persons
    shared: set[Identifier]
    """Identifiers of the app and environment that many share: they are no person's own."""

    def of_person(self, person: int) -> list[Attributed]:
        """The person's results in the order of time."""
        return [one for one in self.results.values() if one.person == person and one.name]

    def owner(self, one: Attributed) -> int:
        """Whose a result is; a row that merely says who somebody is, as a login does, has no person of its own."""
        claim = self.claim(one)
        return one.person if one.person != NOBODY or claim is None else self.persons.person(claim)

    def claim(self, one: Attributed) -> Claim | None:
        """Who the row says it is from, without what is shared."""
        entry = self.entries[one.id]
        return None if entry.claim is None else usable(entry.claim, self.shared)

    def owned_by(self, person: int) -> list[Attributed]:
        """All results of a person, logins among them."""
        return [one for one in self.results.values() if self.owner(one) == person]

    def identifiers(self, results: Iterable[Attributed]) -> list[Identifier]:
        """Everything a person was known by in the results, in the order of first use."""
        found: dict[Identifier, None] = {}
        for one in results:
            claim = self.claim(one)
            found.update((each, None) for each in (claim.identifiers if claim is not None else ()))
        return [one for one in found if one[0] != "request"]


class Stories:
    """Reads groups of one store again. For a thread of its own: a group can have many rows."""

    def __init__(self, store: Store, directory: Directory) -> None:
        self._store = store
        self._directory = directory

    def head(self, identifier: int) -> Head:
        """Whose a journal row is. Raises NotFound for one that is not attributed."""
        found = self._store.rows(HEAD, (identifier,))
        if not found:
            raise NotFound
        app, test, group, person = found[0]
        return Head(app, bool(test), group, person)

    def whose(self, identifier: int) -> Head:
        """As `head`, also for a row that merely says who somebody is."""
        head = self.head(identifier)
        if head.person != NOBODY:
            return head
        told = self.tell(head)
        return replace(head, person=told.owner(told.results[identifier])) if identifier in told.results else head

    def tell(self, head: Head) -> Told:
        """Read the group again. Raises TooLarge above `MAX_ROWS` rows."""
        if self._store.rows(SIZE, (head.group,))[0][0] > MAX_ROWS:
            raise TooLarge(f"This person has more than {MAX_ROWS} rows, too many to read again for one answer.")
        loader = Loader(self._store, StoredLinks(self._store.rows, self._directory), TouchIndex())
        rows: dict[int, JournalRow] = {}
        kept: dict[int, Kept] = {}
        for _, *values in select_in(self._store.rows, ROWS_OF_GROUPS, [head.group]):
            row = exact_row(values[8:])
            rows[row.id], kept[row.id] = row, kept_of(values[7])
        entries = {row.id: loader.entry(row) for row in rows.values()}
        some = {head.group: list(entries.values())}
        named, carrying = loader.named(some)[head.group], loader.carrying(some, NEWEST)[head.group]
        world = head.app, head.test
        shared = shared_of(self._store.rows(SHARED_OF, (head.app, int(head.test))))
        whole = read_whole(entries.values(), named, carrying, self._windows(), shared)
        return Told(
            head=head,
            rows=rows,
            entries=entries,
            results={one.id: one for one in whole.results},
            kept=kept,
            touches=list(whole.reading.brought),
            persons=whole.reading.persons(world),
            shared=shared.get(world, set()),
        )

    def search(self, name: str, value: str, worlds: list[tuple[int, bool]]) -> list[Head]:
        """Persons with an identifier in some apps and environments."""
        found: dict[tuple[int, bool, int], Head] = {}
        for app, test in worlds:
            for kind in SEARCHED[name]:
                for head in self._bearers(app, test, kind, clean(kind, value)):
                    found[app, test, head.person] = head
        return list(found.values())

    def merged(self, head: Head) -> list[int]:
        """Former persons that are this one now."""
        return [person for (person,) in self._store.rows(MERGED_INTO, (head.person, head.app, int(head.test)))]

    def _bearers(self, app: int, test: bool, kind: Kind, value: str) -> list[Head]:
        rows = self._store.rows(GROUP_OF_KEY, (key(app, test, kind, value),)) if value else []
        if not rows:
            return []
        head = Head(app, test, rows[0][0], NOBODY)
        told = self.tell(head)
        owners = {told.owner(one) for one in told.results.values()} - {NOBODY}
        bearers = [one for one in sorted(owners) if (kind, value) in told.identifiers(told.owned_by(one))]
        return [Head(app, test, head.group, person) for person in bearers]

    def _windows(self) -> Callable[[int, int], Windows]:
        history = SettingHistory(self._directory.apps.values(), self._store.rows(ALL))
        return lambda app, at: windows_from_days(history.at(app, at).attribution_windows)


def with_candidates(result: Attributed, again: Match) -> Attributed:
    """The result with all candidates of its opening; what was answered stays the answer."""
    answered = result.match
    if answered is None:
        return result
    considered = again.considered
    if answered.touch is not None and not any(
        one.verdict == "taken" and one.touch is not None and one.touch.id == answered.touch.id for one in considered
    ):
        considered = (*answered.considered, *(one for one in considered if one.verdict != "taken"))
    told = Match(
        touch=answered.touch,
        way=answered.way,
        guaranteed=answered.guaranteed,
        considered=considered,
        guessing=again.guessing,
        foreign_url=again.foreign_url if answered.touch is None else "",
    )
    return replace(result, match=told)
