"""Links in the store: create, change and delete in shared transactions, and read.

Every function named `*_batch` is a `Batch`: it gets all requests of its kind that came together. Batches run one after
another over the whole installation, so what one reads cannot change before its commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from bough.errors import AliasConflict, BoughError, NotFound
from bough.links import queries
from bough.links.change import same_parameters
from bough.links.codec import COLUMNS, from_row, same_state, to_json, to_row
from bough.links.model import Link
from bough.store.changes import Change, record
from bough.store.database import Rows, Store
from bough.store.transaction import Transaction
from bough.vocabulary.ids import growing_ids, new_codes


class Draft(Struct, frozen=True, kw_only=True):
    """A link to be created."""

    link: Link
    """Without id; without path when the store is to choose a random code."""
    prefix: str
    """The domain's app prefix, for the random code."""
    conflict_status: int = 409


Created = list["Link | BoughError"]


class LinkChange(Struct, frozen=True, kw_only=True):
    """A change of one stored link, decided by `change` from its state inside the transaction."""

    domain: str
    path: str
    app: int
    test: bool | None
    """None: whichever environment the link is in."""
    change: Callable[[Link], Link | None]
    """The new state, or None: delete it. May raise BoughError; then nothing is changed. A state that equals the old
    one is not written and leaves no trace in the history."""


async def find(store: Store, domain: str, path: str) -> Link | None:
    """The stored link at an address, expired or not."""
    rows = await store.fetch(queries.BY_PATH, (domain, path))
    return from_row(rows[0]) if rows else None


def load(rows: Rows, addresses: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Link]:
    """The stored links at some hundred (domain, path) addresses; those without a link are left out."""
    paths: dict[str, list[str]] = {}
    for domain, path in dict.fromkeys(addresses):
        paths.setdefault(domain, []).append(path)
    found = (
        from_row(row)
        for domain, wanted in paths.items()
        for row in rows(queries.by_paths(len(wanted)), (domain, *wanted))
    )
    return {(link.domain, link.path): link for link in found}


def create_batch(tx: Transaction, requests: list[list[Draft]]) -> list[Created | Exception]:
    """Create links, each request's in order. An alias that is taken by the very same link gives that link back."""
    drafts = [draft for request in requests for draft in request]
    created = _create(tx, drafts)
    results: list[Created | Exception] = []
    start = 0
    for request in requests:
        results.append(created[start : start + len(request)])
        start += len(request)
    return results


def change_batch(tx: Transaction, requests: list[LinkChange]) -> list[Link | Exception]:
    """Change or delete links; the result is the new state, for a deleted one the last. NotFound when there is none."""
    results: list[Link | Exception] = []
    changes: list[Change] = []
    for request in requests:
        try:
            link, change = _change(tx, request)
        except BoughError as error:
            results.append(error)
        else:
            results.append(link)
            changes += change
    record(tx, changes)
    return results


def extend_batch(tx: Transaction, extensions: list[tuple[int, int]]) -> list[Exception | None]:
    """Set when links expire: (epoch ms, link id) each."""
    tx.each(queries.EXTEND, extensions)
    return [None] * len(extensions)


def _create(tx: Transaction, drafts: list[Draft]) -> Created:
    ids = growing_ids(tx.rows(queries.NEWEST_ID)[0][0] or 0)
    identities = identity_ids(tx, [d.link for d in drafts if d.link.identity is not None])
    links = [draft.link for draft in drafts]
    results: list[Link | BoughError | None] = [None] * len(drafts)
    missing = list(range(len(drafts)))
    while missing:
        codes = iter(new_codes(len(missing)))
        for i in missing:
            draft = drafts[i]
            link = draft.link
            made: dict[str, Any] = {"id": next(ids)}
            if link.identity is not None:
                made["identity_id"] = identities[link.app, link.test, link.identity]
            if not link.path:
                made["path"] = f"{draft.prefix}/{next(codes)}" if draft.prefix else next(codes)
            links[i] = replace(link, **made)
        rows = [to_row(links[i]) for i in missing]
        stored = set(tx.insert("link", COLUMNS, rows, skip_conflicts=True))
        for i in missing:
            if links[i].id in stored:
                results[i] = links[i]
            elif drafts[i].link.path:
                results[i] = _existing(tx, links[i], drafts[i].conflict_status)
        missing = [i for i in missing if results[i] is None]
    return [result for result in results if result is not None]


def _existing(tx: Transaction, wanted: Link, conflict_status: int) -> Link | BoughError:
    """The link that has the address already, when the caller asks for that very link; asking revives an expired one."""
    stored = from_row(tx.rows(queries.BY_PATH, (wanted.domain, wanted.path))[0])
    if not same_parameters(wanted, stored):
        return AliasConflict(wanted.domain, wanted.path, conflict_status)
    if stored.expires_at is None or stored.expires_at > wanted.created_at:
        return stored
    tx.run(queries.EXTEND, (wanted.expires_at, stored.id))
    return replace(stored, expires_at=wanted.expires_at)


def identity_ids(tx: Transaction, links: list[Link]) -> dict[tuple[int, bool, str | None], int]:
    """The server-made id of each identity, made on first use."""
    found: dict[tuple[int, bool, str | None], int] = {}
    for key in {(link.app, link.test, link.identity or "") for link in links}:
        app, test, identity = key
        rows = tx.rows(queries.IDENTITY_ID, (app, int(test), identity))
        if rows:
            found[key] = rows[0][0]
            continue
        found[key] = next(growing_ids(tx.rows(queries.NEWEST_IDENTITY)[0][0] or 0))
        tx.run(queries.INSERT_IDENTITY, (found[key], app, int(test), identity))
    return found


def _change(tx: Transaction, request: LinkChange) -> tuple[Link, list[Change]]:
    rows = tx.rows(queries.BY_PATH, (request.domain, request.path))
    before = from_row(rows[0]) if rows else None
    if before is None or before.app != request.app or request.test not in (None, before.test):
        raise NotFound
    after = request.change(before)
    if after is not None and same_state(after, before):
        return before, []
    if after is None:
        tx.run(queries.DELETE, (before.id,))
        tx.run(queries.DELETE_COUNT, (before.id,))
    else:
        tx.run(queries.UPDATE, update_values(after))
    return after or before, [change_of(before)]


def update_values(link: Link) -> tuple[Any, ...]:
    """Parameters of `queries.UPDATE`."""
    values: tuple[Any, ...] = to_row(link)
    return (*values[1:], link.id)


def change_of(before: Link) -> Change:
    """What tells every process to forget the link, and keeps its last state for its history."""
    return Change(
        subject="link", app=before.app, link=before.id, domain=before.domain, path=before.path, before=to_json(before)
    )
