"""Put links at addresses that their owner chooses: upsert by alias, and import.

In contrast to `records.create_batch`, which never touches a link that is there, a placement may replace it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct

from bough.errors import AliasConflict, BoughError
from bough.links import actions, queries
from bough.links.change import same_parameters
from bough.links.codec import COLUMNS, to_row
from bough.links.model import Link
from bough.store.changes import Change, record
from bough.store.database import Rows
from bough.store.transaction import Transaction
from bough.vocabulary.ids import growing_ids

Outcome = Literal["created", "changed", "unchanged"]

Key = tuple[str, str]


class Placement(Struct, frozen=True, kw_only=True):
    """A link and where it shall be."""

    link: Link
    """With path, without id."""
    replace: bool
    """Whether a link that is there, of the same app and environment, becomes this one; else it is a conflict."""
    conflict_status: int = 409
    admits: Callable[[Link], bool] | None = None
    """Which links the caller sees; None: all. One that is there and not seen is a conflict."""


class Placed(NamedTuple):
    """The stored link and what was done."""

    link: Link
    outcome: Outcome


def place_batch(tx: Transaction, requests: list[list[Placement]]) -> list[list[Placed | BoughError] | Exception]:
    """Place links, each request's in order; one result per link."""
    placements = [placement for request in requests for placement in request]
    work = _Work(tx, placements)
    placed = [work.place(placement) for placement in placements]
    work.write()
    results: list[list[Placed | BoughError] | Exception] = []
    start = 0
    for request in requests:
        results.append(placed[start : start + len(request)])
        start += len(request)
    return results


def preview(rows: Rows, placements: list[Placement]) -> list[Outcome | BoughError]:
    """What placing would do."""
    states = actions.load(rows, ((p.link.domain, p.link.path) for p in placements))
    outcomes: list[Outcome | BoughError] = []
    for placement in placements:
        key = (placement.link.domain, placement.link.path)
        decided = decide(states.get(key), placement)
        if isinstance(decided, BoughError):
            outcomes.append(decided)
        else:
            states[key], outcome = decided
            outcomes.append(outcome)
    return outcomes


def decide(stored: Link | None, placement: Placement) -> tuple[Link, Outcome] | BoughError:
    """What becomes of the link at an address. Pure; the new state of a link that is there keeps id, alias, source and
    time of creation."""
    wanted = placement.link
    if stored is None:
        return wanted, "created"
    same = same_parameters(wanted, stored)
    expired = stored.expires_at is not None and stored.expires_at <= wanted.updated_at
    if placement.admits is not None and not placement.admits(stored):
        return AliasConflict(wanted.domain, wanted.path, placement.conflict_status)
    if same and not expired:
        return stored, "unchanged"
    if not same and (not placement.replace or (stored.app, stored.test) != (wanted.app, wanted.test)):
        return AliasConflict(wanted.domain, wanted.path, placement.conflict_status)
    replaced = msgspec.structs.replace(
        wanted, id=stored.id, alias=stored.alias, source=stored.source, created_at=stored.created_at
    )
    return replaced, "changed"


class _Work:
    """One transaction's placements: states are read once, changed in memory, written once."""

    def __init__(self, tx: Transaction, placements: list[Placement]) -> None:
        self._tx = tx
        self._states = actions.load(tx.rows, ((p.link.domain, p.link.path) for p in placements))
        self._identities = actions.identity_ids(tx, [p.link for p in placements if p.link.identity is not None])
        self._ids = growing_ids(tx.rows(queries.NEWEST_ID)[0][0] or 0)
        self._created: dict[Key, None] = {}
        self._changed: dict[Key, None] = {}
        self._changes: list[Change] = []

    def place(self, placement: Placement) -> Placed | BoughError:
        """Decide one placement; `write` makes it last."""
        key = (placement.link.domain, placement.link.path)
        stored = self._states.get(key)
        decided = decide(stored, placement)
        if isinstance(decided, BoughError):
            return decided
        link, outcome = decided
        if outcome == "unchanged":
            return Placed(link, outcome)
        identity = self._identities.get((link.app, link.test, link.identity))
        link = msgspec.structs.replace(link, id=link.id or next(self._ids), identity_id=identity)
        self._states[key] = link
        if stored is None:
            self._created[key] = None
        else:
            self._changed[key] = None
            self._changes.append(actions.change_of(stored))
        return Placed(link, outcome)

    def write(self) -> None:
        """Write the final states and the history."""
        new: list[tuple[Any, ...]] = [to_row(self._states[key]) for key in self._created]
        if new:
            self._tx.insert("link", COLUMNS, new)
        changed = [self._states[key] for key in self._changed if key not in self._created]
        self._tx.each(queries.UPDATE, [actions.update_values(link) for link in changed])
        record(self._tx, self._changes)
