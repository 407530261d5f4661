"""Access tokens: one permanent per user until it is reset, and named ones with scopes and an end.

A token is shown when it is made and never again: its SHA-256 is all that is kept. A token has at most its user's
permissions, and loses what the user loses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from bough.accounts import queries
from bough.accounts.keys import fingerprint, new_access_token
from bough.accounts.model import User
from bough.accounts.users import Account, find
from bough.errors import BadRequest, BoughError, Forbidden, NotFound
from bough.store.changes import Change, record
from bough.store.database import Rows
from bough.store.transaction import Transaction
from bough.vocabulary.ids import growing_ids, iso_time, now_ms
from bough.vocabulary.permissions import PERMISSIONS

DAY_MS = 86_400_000
MAX_DAYS = 3650
MAX_NAME = 255

_COLUMNS = "t.id, t.account_user, u.email, t.kind, t.name, t.scopes, t.created_at, t.expires_at, t.revoked_at"
_FROM = "FROM token t JOIN account_user u ON u.id = t.account_user"
ALL = f"SELECT {_COLUMNS} {_FROM} WHERE t.revoked_at IS NULL ORDER BY t.id"
OF_ORGANIZATION = f"SELECT {_COLUMNS} {_FROM} WHERE u.organization = ? AND t.revoked_at IS NULL ORDER BY t.id"
BY_ID = f"SELECT {_COLUMNS}, u.organization {_FROM} WHERE t.id = ? AND t.revoked_at IS NULL"
NEWEST = "SELECT max(id) FROM token"
REVOKE = "UPDATE token SET revoked_at = ? WHERE id = ?"
REVOKE_PERMANENT = (
    "UPDATE token SET revoked_at = ? WHERE account_user = ? AND kind = 'permanent' AND revoked_at IS NULL"
)


class NewToken(NamedTuple):
    """A token to make."""

    organization: int | None
    """Whose user it must be; None: any (command line)."""
    account: int
    kind: Literal["permanent", "named"]
    """A permanent one takes the place of the user's permanent one."""
    name: str = ""
    scopes: tuple[str, ...] | None = None
    """Permissions; None: all that the user has, now and later."""
    days: int | None = None
    """Until it ends; None: never."""
    by: User | None = None


class MadeToken(NamedTuple):
    """The token itself, which is not kept."""

    id: int
    account: Account
    token: str
    expires_at: int | None


class RevokedToken(NamedTuple):
    """A token to revoke."""

    organization: int | None
    id: int
    by: User | None = None


def make_batch(tx: Transaction, items: list[NewToken]) -> list[MadeToken | Exception]:
    """Make tokens."""
    results: list[MadeToken | Exception] = []
    for item in items:
        try:
            results.append(_make(tx, item))
        except BoughError as error:
            results.append(error)
    return results


def _make(tx: Transaction, item: NewToken) -> MadeToken:
    account = find(tx.rows, item.organization, item.account)
    if account.disabled_at is not None:
        raise BadRequest(f"user_id: {account.email} is disabled.")
    given = account.permissions if item.scopes is None else item.scopes
    if item.by is not None and not item.by.permissions.issuperset(given):
        raise Forbidden("You cannot make a token with permissions that you do not have.")
    _check(item, account)
    now = now_ms()
    if item.kind == "permanent":
        tx.run(REVOKE_PERMANENT, (now, account.id))
    token = new_access_token()
    identifier = next(growing_ids(tx.rows(NEWEST)[0][0] or 0))
    expires_at = None if item.days is None else now + item.days * DAY_MS
    scopes = None if item.scopes is None else msgspec.json.encode(item.scopes).decode()
    tx.run(
        queries.INSERT_TOKEN,
        (identifier, account.id, item.name, fingerprint(token), now, expires_at, item.kind, scopes),
    )
    record(tx, [Change(subject="account", app=0)])
    return MadeToken(identifier, account, token, expires_at)


def revoke_batch(tx: Transaction, items: list[RevokedToken]) -> list[dict[str, Any] | Exception]:
    """Revoke tokens; the results are their documents."""
    results: list[dict[str, Any] | Exception] = []
    for item in items:
        found = tx.rows(BY_ID, (item.id,))
        if not found or item.organization not in (None, found[0][-1]):
            results.append(NotFound())
            continue
        tx.run(REVOKE, (now_ms(), item.id))
        record(tx, [Change(subject="account", app=0)])
        results.append(document(found[0]))
    return results


def tokens(rows: Rows, organization: int | None) -> list[dict[str, Any]]:
    """The tokens that are not revoked, without themselves."""
    found = rows(ALL) if organization is None else rows(OF_ORGANIZATION, (organization,))
    return [document(row) for row in found]


def document(row: Sequence[Any]) -> dict[str, Any]:
    """A token for JSON; the token itself is nowhere."""
    identifier, user, email, kind, name, scopes, created_at, expires_at = row[:8]
    return {
        "token_id": str(identifier),
        "user_id": str(user),
        "email": email,
        "kind": kind,
        "name": name,
        "scopes": None if scopes is None else msgspec.json.decode(scopes),
        "created_at": iso_time(created_at),
        "expires_at": None if expires_at is None else iso_time(expires_at),
    }


def parse_scopes(value: Any) -> tuple[str, ...] | None:
    """Scopes from a request; null: all that the user has. Raises BadRequest."""
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not value or not all(one in PERMISSIONS for one in value):
        raise BadRequest(f"scopes: must be an array of {', '.join(PERMISSIONS)}.")
    return tuple(name for name in PERMISSIONS if name in value)


def _check(item: NewToken, account: Account) -> None:
    if item.kind == "named" and not 1 <= len(item.name) <= MAX_NAME:
        raise BadRequest(f"name: must have 1 to {MAX_NAME} characters.")
    if item.days is not None and not 1 <= item.days <= MAX_DAYS:
        raise BadRequest(f"expires_in_days: must be from 1 to {MAX_DAYS}.")
    if item.scopes is not None and not set(item.scopes) <= set(account.permissions):
        raise BadRequest(f"scopes: {account.email} does not have all of them.")
