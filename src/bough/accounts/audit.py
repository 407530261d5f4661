"""The audit log: every change and every export, by whom, when, from where, under which data filters.

An entry is written in the transaction of the change it tells of: `audited` turns the batch of a change into one that
does both, so that neither is there without the other. The table is append-only; triggers of both databases refuse
everything else (migration 0030). Secrets, tokens and what identifies an app's users never stand in it.

What an app's own SDK and servers do with the public branch key (creating links, sending events) is traffic and not
administration: it is in `link` and `journal`, and who did it is not known.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from bough.accounts.data_filters import as_document
from bough.store.database import Rows, Store
from bough.store.transaction import Batch, Transaction, Value
from bough.vocabulary.filters import Filter
from bough.vocabulary.ids import growing_ids, iso_time, now_ms

ACTIONS: dict[str, str] = {
    "organization.add": "An organization was added.",
    "app.create": "An app was created.",
    "app.change": "An app's name, time zone or configuration was changed.",
    "app.keys": "An environment of an app got a new branch key and secret.",
    "domain.add": "An app got a link domain.",
    "domain.remove": "An app lost a link domain.",
    "link.change": "A link was changed.",
    "link.delete": "A link was deleted.",
    "link.place": "A link was created or replaced at an alias.",
    "links.change": "Several links were changed at once.",
    "links.delete": "Several links were deleted at once.",
    "links.import": "Links were imported.",
    "costs.add": "Costs were stored.",
    "rates.add": "Exchange rates were stored.",
    "events.import": "Events were imported.",
    "export.create": "An export was asked for.",
    "export.cancel": "An export was cancelled.",
    "export.download": "The file of an export was fetched.",
    "export.rows": "The members and events behind a cell were read.",
    "report.save": "A cohort question was saved or scheduled.",
    "report.delete": "A saved question was deleted.",
    "user.add": "A user was added.",
    "user.change": "A user's access was changed.",
    "user.disable": "A user lost all access.",
    "user.enable": "A disabled user was let in again.",
    "agency.add": "An agency was added.",
    "agency.remove": "An agency was removed, and its members lost all access.",
    "token.create": "A token was made.",
    "token.reset": "A user's permanent token was replaced.",
    "token.revoke": "A token was revoked.",
    "person.export": "Everything that is known of a person was read.",
    "person.erase": "The erasure of a person was asked for.",
    "person.erased": "A person was erased; the subject is the erasure's id.",
    "signin.password": "A user set a password through a one-time link, or changed it.",
    "signin.totp": "A user turned an authenticator app on or off.",
    "signin.link": "A one-time link for a password was made.",
    "signin.out": "All sessions of a user were ended.",
}
"""Everything that is logged. A slice that logs more adds its actions here."""

COLUMNS = ("id", "at", "organization", "account_user", "actor", "ip", "action", "app", "subject", "details", "filters")
NEWEST = "SELECT max(id) FROM audit"
ORGANIZATION_OF = "SELECT organization FROM app WHERE id = ?"
MAX_PAGE = 500
MAX_ACTOR = 255

Item = TypeVar("Item")
Result = TypeVar("Result")


class Actor(Struct, frozen=True, kw_only=True):
    """Who does something."""

    organization: int | None = None
    user: int | None = None
    name: str
    """The user's email, `key key_live_…` for an app's key and secret, or `command line (root)`."""
    ip: str = ""
    filters: tuple[Filter, ...] = ()
    """Data filters in force."""


class AuditEntry(Struct, frozen=True, kw_only=True):
    """What was done."""

    action: str
    """Of ACTIONS."""
    subject: str = ""
    """Id, address or name of what it was done to."""
    app: int | None = None
    organization: int | None = None
    """Whose log it stands in, when neither the actor's organization nor the app says it."""
    details: dict[str, Any] = {}


class Audited(NamedTuple):
    """An item for an `audited` batch."""

    item: Any
    actor: Actor
    tell: Callable[[Any], AuditEntry | None]
    """What to log of the item's result; None: nothing was done. Not asked when the item failed."""


class AuditQuery(Struct, frozen=True, kw_only=True):
    """What of the log is wanted: newest first, below `before`."""

    organization: int | None = None
    """None: of all, for the command line."""
    action: str = ""
    """Exactly this, or all that begin with it when it ends in `.`."""
    actor: str = ""
    subject: str = ""
    app: int | None = None
    since: int | None = None
    until: int | None = None
    """Epoch ms; `since` is inclusive, `until` is not."""
    before: int | None = None
    limit: int = 100


def command_line() -> Actor:
    """Someone with a shell on the server, who may do everything."""
    return Actor(name=f"command line ({os.environ.get('USER') or os.getuid()})"[:MAX_ACTOR])


@lru_cache(maxsize=256)
def audited(batch: Batch) -> Batch:
    """The batch that does the same and logs it. Its items are `Audited`."""

    def both(tx: Transaction, items: list[Audited]) -> list[Any]:
        results = batch(tx, [audited_item.item for audited_item in items])
        told = [
            (one.actor, entry)
            for one, result in zip(items, results, strict=True)
            if not isinstance(result, Exception) and (entry := one.tell(result)) is not None
        ]
        write(tx, told)
        return results

    return both


def write(tx: Transaction, told: Sequence[tuple[Actor, AuditEntry]]) -> None:
    """Add entries to the transaction."""
    if not told:
        return
    ids = growing_ids(tx.rows(NEWEST)[0][0] or 0)
    at = now_ms()
    tx.insert("audit", COLUMNS, [(next(ids), at, *_values(tx, actor, entry)) for actor, entry in told])


def note_batch(tx: Transaction, items: list[tuple[Actor, AuditEntry]]) -> list[Exception | None]:
    """Log what changed nothing in the store: a download, rows that were read."""
    write(tx, items)
    return [None] * len(items)


def transact(
    store: Store,
    batch: Callable[[Transaction, list[Item]], list[Result | Exception]],
    item: Item,
    tell: Callable[[Result], AuditEntry | None],
    actor: Actor | None = None,
) -> Result:
    """`Store.transact`, logged; for the command line unless `actor` is someone else."""
    result: Result = store.transact(audited(batch), Audited(item, actor or command_line(), tell))
    return result


def read(rows: Rows, asked: AuditQuery) -> list[dict[str, Any]]:
    """A page of the log, newest first. The last entry's id is the next page's `before`."""
    conditions: list[tuple[str, Value]] = []
    given: tuple[tuple[str, str | int | None], ...]
    if asked.organization is not None:
        # Exchange rates are everybody's, and those that the command line has added belong to no organization.
        conditions.append(("(organization = ? OR organization IS NULL)", asked.organization))
    if asked.action.endswith("."):
        conditions.append(("substr(action, 1, ?) = ?", len(asked.action)))
    given = (
        ("action = ?", "" if asked.action.endswith(".") else asked.action),
        ("actor = ?", asked.actor),
        ("subject = ?", asked.subject),
        ("app = ?", asked.app),
        ("at >= ?", asked.since),
        ("at < ?", asked.until),
        ("id < ?", asked.before),
    )
    conditions += [(condition, value) for condition, value in given if value not in (None, "")]
    where = " AND ".join(condition for condition, _ in conditions)
    values: list[Value] = []
    for condition, wanted in conditions:
        values += [wanted, asked.action] if condition.startswith("substr") else [wanted]
    found = rows(
        f"SELECT {', '.join(COLUMNS)} FROM audit{' WHERE ' + where if where else ''} ORDER BY id DESC LIMIT ?",  # noqa: S608
        (*values, asked.limit),
    )
    return [document(row) for row in found]


def document(row: Sequence[Any]) -> dict[str, Any]:
    """An entry for JSON."""
    identifier, at, organization, user, actor, ip, action, app, subject, details, filters = row
    return {
        "id": str(identifier),
        "at": iso_time(at),
        "organization_id": None if organization is None else str(organization),
        "user_id": None if user is None else str(user),
        "actor": actor,
        "ip": ip or None,
        "action": action,
        "app_id": None if app is None else str(app),
        "subject": subject,
        "details": msgspec.json.decode(details),
        "filters": msgspec.json.decode(filters),
    }


def _values(tx: Transaction, actor: Actor, entry: AuditEntry) -> tuple[Value, ...]:
    if entry.action not in ACTIONS:
        raise ValueError(f"{entry.action} is not in ACTIONS")
    organization = entry.organization if actor.organization is None else actor.organization
    if organization is None and entry.app is not None:
        found = tx.rows(ORGANIZATION_OF, (entry.app,))
        organization = found[0][0] if found else None
    return (
        organization,
        actor.user,
        actor.name[:MAX_ACTOR],
        actor.ip,
        entry.action,
        entry.app,
        entry.subject[:2048],
        msgspec.json.encode(entry.details).decode(),
        msgspec.json.encode(as_document(actor.filters)).decode(),
    )
