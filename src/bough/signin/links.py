"""One-time links by which a user sets a password: first set-up, invitation, reset.

The link's code is random and only its hash is kept. A new link ends the earlier ones of its user, and setting a
password ends them all, with every session.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

from bough.accounts.audit import AuditEntry, transact
from bough.accounts.creation import OWNER
from bough.accounts.keys import fingerprint
from bough.accounts.queries import FIND_USER, FIRST_ORGANIZATION, INSERT_ORGANIZATION, INSERT_USER
from bough.errors import NotFound
from bough.signin import queries
from bough.store.changes import Change, record
from bough.store.database import Rows, Store
from bough.store.transaction import Transaction
from bough.vocabulary.ids import new_code, new_id, now_ms
from bough.vocabulary.permissions import PERMISSIONS

Purpose = Literal["setup", "invitation", "reset"]

HOURS: dict[Purpose, int] = {"setup": 24, "invitation": 7 * 24, "reset": 24}
"""How long a link works."""

CODE_LENGTH = 32


class OneTimeLink(NamedTuple):
    """Whose password a link sets."""

    user: int
    name: str
    purpose: Purpose


class NewPassword(NamedTuple):
    """A password set through a link. `hash` is argon2's."""

    code: str
    hash: str


def address(base_url: str, code: str) -> str:
    """Where a link leads."""
    return f"{base_url.rstrip('/')}/setup/{code}"


def first_link(store: Store) -> str | None:
    """A new code for the owner's first password; None when it has one. Makes the owner if there is none."""
    return store.transact(_first_batch, None)


def new_link(store: Store, name: str, without_totp: bool = False) -> tuple[str, Purpose]:
    """A new code for a user, for an invitation or a reset, from the command line. Raises NotFound.

    `without_totp`: the authenticator app is no longer asked for.
    """
    made = transact(store, _new_batch, (name, without_totp), lambda one: _made(one, name, without_totp))
    return made.code, made.purpose


class _NewLink(NamedTuple):
    code: str
    purpose: Purpose
    organization: int


def _made(link: _NewLink, name: str, without_totp: bool) -> AuditEntry:
    details = {"purpose": link.purpose, "without_totp": without_totp}
    return AuditEntry(action="signin.link", subject=name, organization=link.organization, details=details)


def named(rows: Rows, name: str) -> list[tuple[Any, ...]]:
    """(id, organization, email) of the users of any organization with this email or name, or with this id."""
    text = name.strip().lower()
    found = rows(queries.USERS_NAMED, (text,))
    if not found and text.isascii() and text.isdigit() and len(text) < 20 and int(text) < 2**63:
        return rows(queries.USER_NUMBERED, (int(text),))
    return found


async def read_link(store: Store, code: str) -> OneTimeLink:
    """Whose link it is. Raises NotFound when it is unknown, used or too old."""
    found = await store.fetch(queries.LINK, (fingerprint(code),))
    if not found or found[0][2] <= now_ms():
        raise NotFound("This link was used already, or is too old; ask for a new one.")
    user, purpose, _ = found[0]
    names = await store.fetch(queries.USER, (user,))
    if not names:
        raise NotFound("This link was used already, or is too old; ask for a new one.")
    return OneTimeLink(user, names[0][0], purpose)


def use_batch(tx: Transaction, items: list[NewPassword]) -> list[int | Exception]:
    """Set passwords; the users' ids. A link works once: of two at the same time the second is refused."""
    results: list[int | Exception] = []
    for item in items:
        found = tx.rows(queries.LINK, (fingerprint(item.code),))
        if not found or found[0][2] <= now_ms():
            results.append(NotFound("This link was used already, or is too old; ask for a new one."))
            continue
        user = int(found[0][0])
        set_password(tx, user, item.hash)
        tx.run(queries.END_SESSIONS_OF, (user, ""))
        results.append(user)
    return results


def set_password(tx: Transaction, user: int, password_hash: str) -> None:
    """Keep a password; links that could set another one end."""
    now = now_ms()
    if not tx.run(queries.SET_PASSWORD, (password_hash, now, user)):
        tx.run(queries.INSERT_ACCOUNT, (user, password_hash, now))
    tx.run(queries.END_LINKS_OF, (user,))


def _first_batch(tx: Transaction, items: list[None]) -> list[str | Exception | None]:
    owner = _owner(tx)
    kept = tx.rows(queries.ACCOUNT, (owner,))
    if kept and kept[0][0]:
        return [None] * len(items)
    return [_add(tx, owner, "setup") for _ in items]


def _owner(tx: Transaction) -> int:
    """The first organization's owner; both are made when they do not exist."""
    now = now_ms()
    organizations = tx.rows(FIRST_ORGANIZATION)
    organization = int(organizations[0][0]) if organizations else new_id()
    if not organizations:
        tx.run(INSERT_ORGANIZATION, (organization, "Default", now))
    users = tx.rows(FIND_USER, (organization, OWNER))
    if users:
        return int(users[0][0])
    user = new_id()
    tx.run(INSERT_USER, (user, organization, OWNER, msgspec.json.encode(PERMISSIONS).decode(), now))
    record(tx, [Change(subject="account", app=0)])
    return user


def _new_batch(tx: Transaction, items: list[tuple[str, bool]]) -> list[_NewLink | Exception]:
    results: list[_NewLink | Exception] = []
    for name, without_totp in items:
        users = named(tx.rows, name)
        if len(users) != 1:
            ids = f"; name one by id: {', '.join(str(user[0]) for user in users)}" if users else ""
            results.append(NotFound(f"There is {'more than one' if users else 'no'} user {name!r}{ids}."))
            continue
        user = int(users[0][0])
        kept = tx.rows(queries.ACCOUNT, (user,))
        purpose: Purpose = "reset" if kept and kept[0][0] else "invitation"
        if without_totp:
            tx.run(queries.SET_TOTP, ("", 0, now_ms(), user))
        results.append(_NewLink(_add(tx, user, purpose), purpose, int(users[0][1])))
    return results


def _add(tx: Transaction, user: int, purpose: Purpose) -> str:
    code = new_code(CODE_LENGTH)
    tx.run(queries.END_LINKS_OF, (user,))
    tx.run(queries.INSERT_LINK, (fingerprint(code), user, purpose, now_ms() + HOURS[purpose] * 3_600_000))
    return code
