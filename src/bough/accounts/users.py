"""Users and agencies as an administrator sets them: add, change, disable (docs/exports.md).

Rules that no change can break:
* data filters and agencies are for app-level users, since the organization level reaches everything;
* who has data filters has neither Settings nor Team: an app's secret reads every link, and Team gives access;
* an organization always keeps one user who can let others in again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from bough.accounts.data_filters import as_document, parse_filters
from bough.accounts.model import Agency, User
from bough.errors import BadRequest, BoughError, Forbidden, NotFound
from bough.store.changes import Change, record
from bough.store.database import Rows
from bough.store.transaction import Transaction
from bough.vocabulary.filters import Filter
from bough.vocabulary.ids import growing_ids, iso_time, now_ms
from bough.vocabulary.permissions import PERMISSIONS, Level

MAX_TEXT = 255
UNFILTERED_ONLY = frozenset({"settings", "team"})
MEMBER_PERMISSIONS = ("aggregate_data", "export")
"""What an agency member gets when nothing is said: the two boxes of the documented dialog."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_COLUMNS = (
    "id, organization, email, name, permissions, level, apps, agency, agency_data_only, filters, created_at,"
    " disabled_at"
)
BY_ORGANIZATION = f"SELECT {_COLUMNS} FROM account_user WHERE organization = ? ORDER BY id"  # noqa: S608
EVERYONE = f"SELECT {_COLUMNS} FROM account_user ORDER BY id"  # noqa: S608
BY_ID = f"SELECT {_COLUMNS} FROM account_user WHERE id = ?"  # noqa: S608
BY_EMAIL = "SELECT id FROM account_user WHERE organization = ? AND email = ?"
NEWEST = "SELECT max(id) FROM account_user"
INSERT = f"INSERT INTO account_user ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
UPDATE = (
    "UPDATE account_user SET email = ?, name = ?, permissions = ?, level = ?, apps = ?, agency = ?,"
    " agency_data_only = ?, filters = ?, disabled_at = ? WHERE id = ?"
)
APPS = "SELECT id FROM app WHERE organization = ?"
AGENCY = "SELECT id, organization, name, tag, created_at FROM agency WHERE id = ?"
AGENCIES = "SELECT id, organization, name, tag, created_at FROM agency WHERE organization = ? ORDER BY id"
AGENCY_BY_NAME = "SELECT id FROM agency WHERE organization = ? AND name = ?"
NEWEST_AGENCY = "SELECT max(id) FROM agency"
INSERT_AGENCY = "INSERT INTO agency (id, organization, name, tag, created_at) VALUES (?, ?, ?, ?, ?)"
DELETE_AGENCY = "DELETE FROM agency WHERE id = ?"
DISABLE_MEMBERS = "UPDATE account_user SET disabled_at = ? WHERE agency = ? AND disabled_at IS NULL"


class Account(Struct, frozen=True, kw_only=True):
    """A user as it is stored."""

    id: int = 0
    organization: int
    email: str
    name: str = ""
    permissions: tuple[str, ...] = ()
    level: Level = "app"
    apps: tuple[int, ...] | None = None
    """None: all apps of the organization."""
    agency: int | None = None
    agency_data_only: bool = False
    """"Only show agency-tagged data"."""
    filters: tuple[Filter, ...] = ()
    created_at: int = 0
    disabled_at: int | None = None


class UserChange(NamedTuple):
    """A new user, or changes of one."""

    organization: int
    fields: Mapping[str, Any]
    by: User | None = None
    """The caller; None: someone at the command line. Nobody gives or takes more than they have themselves."""
    account: int | None = None
    """None: a new user."""


class Changed(NamedTuple):
    """What became of it."""

    account: Account
    before: Account | None


class WantedAgency(NamedTuple):
    """A new agency."""

    organization: int
    name: str
    tag: str


class RemovedAgency(NamedTuple):
    """An agency to remove."""

    organization: int
    id: int


FIELDS = ("email", "name", "permissions", "level", "apps", "agency_id", "agency_data_only", "filters", "disabled")
"""What can be said of a user."""


def save_batch(tx: Transaction, items: list[UserChange]) -> list[Changed | Exception]:
    """Add and change users."""
    results: list[Changed | Exception] = []
    for item in items:
        try:
            results.append(_save(tx, item))
        except BoughError as error:
            results.append(error)
    return results


def _save(tx: Transaction, item: UserChange) -> Changed:
    before = None if item.account is None else find(tx.rows, item.organization, item.account)
    base = before or Account(organization=item.organization, email="")
    _check_reach(item.by, base)
    after = checked(item.fields, base, _agency_of(tx, item))
    _check_reach(item.by, after)
    if after.apps is not None and not set(after.apps) <= {app for (app,) in tx.rows(APPS, (item.organization,))}:
        raise BadRequest("apps: must be apps of your organization.")
    same_email = tx.rows(BY_EMAIL, (item.organization, after.email))
    if same_email and same_email[0][0] != after.id:
        raise BadRequest(f"email: {after.email} is a user already.")
    if before is None:
        identifier = next(growing_ids(tx.rows(NEWEST)[0][0] or 0))
        after = msgspec.structs.replace(after, id=identifier, created_at=now_ms())
        tx.run(INSERT, _row(after))
    elif after != before:
        tx.run(UPDATE, (*_row(after)[2:10], after.disabled_at, after.id))
        _check_owner_left(tx, item.organization)
    record(tx, [Change(subject="account", app=0)])
    return Changed(after, before)


def find(rows: Rows, organization: int | None, identifier: int) -> Account:
    """A user of an organization (None: of any). Raises NotFound."""
    found = rows(BY_ID, (identifier,))
    if not found or organization not in (None, found[0][1]):
        raise NotFound
    return account_of(found[0])


def everyone(rows: Rows, organization: int | None) -> list[Account]:
    """The users of an organization (None: of all), disabled ones too."""
    found = rows(EVERYONE) if organization is None else rows(BY_ORGANIZATION, (organization,))
    return [account_of(row) for row in found]


def account_of(row: Sequence[Any]) -> Account:
    """A row of `account_user`."""
    return Account(
        id=row[0],
        organization=row[1],
        email=row[2],
        name=row[3],
        permissions=tuple(msgspec.json.decode(row[4], type=list[str])),
        level=row[5],
        apps=None if row[6] is None else msgspec.json.decode(row[6], type=tuple[int, ...]),
        agency=row[7],
        agency_data_only=bool(row[8]),
        filters=msgspec.json.decode(row[9], type=tuple[Filter, ...]),
        created_at=row[10],
        disabled_at=row[11],
    )


def document(account: Account) -> dict[str, Any]:
    """A user for JSON."""
    return {
        "user_id": str(account.id),
        "organization_id": str(account.organization),
        "email": account.email,
        "name": account.name,
        "level": account.level,
        "permissions": list(account.permissions),
        "apps": None if account.apps is None else [str(app) for app in account.apps],
        "agency_id": None if account.agency is None else str(account.agency),
        "agency_data_only": account.agency_data_only,
        "filters": as_document(account.filters),
        "created_at": iso_time(account.created_at),
        "disabled_at": None if account.disabled_at is None else iso_time(account.disabled_at),
    }


def checked(fields: Mapping[str, Any], base: Account, agency: Agency | None) -> Account:
    """The user with the fields of a request laid over it. Raises BadRequest naming the field."""
    for name in fields:
        if name not in FIELDS:
            raise BadRequest(f"{str(name)[:MAX_TEXT]}: is not a field of a user; those are {', '.join(FIELDS)}.")
    given: dict[str, Any] = {name: fields[name] for name in ("email", "name") if name in fields}
    for name, value in given.items():
        _check_text(name, value, least=int(name == "email"))
    new = base.id == 0
    if agency is not None:
        given |= {"agency": agency.id, "level": "app"}
    elif "agency_id" in fields:
        given["agency"] = None
    if "level" in fields:
        given["level"] = _choice("level", fields["level"], ("organization", "app"))
    if "permissions" in fields:
        given["permissions"] = _permissions(fields["permissions"])
    elif new and agency is not None:
        given["permissions"] = MEMBER_PERMISSIONS
    if "apps" in fields:
        given["apps"] = _apps(fields["apps"])
    for name in ("agency_data_only", "disabled"):
        if name in fields and not isinstance(fields[name], bool):
            raise BadRequest(f"{name}: must be true or false.")
    if "agency_data_only" in fields:
        given["agency_data_only"] = fields["agency_data_only"]
    if "filters" in fields:
        given["filters"] = parse_filters(fields["filters"])
    if "disabled" in fields:
        given["disabled_at"] = (base.disabled_at or now_ms()) if fields["disabled"] else None
    after = msgspec.structs.replace(base, **given)
    _check_rules(after)
    return after


def add_agency_batch(tx: Transaction, items: list[WantedAgency]) -> list[Agency | Exception]:
    """Add agencies."""
    results: list[Agency | Exception] = []
    for item in items:
        try:
            _check_text("name", item.name, least=1)
            _check_text("tag", item.tag, least=0)
            if tx.rows(AGENCY_BY_NAME, (item.organization, item.name)):
                raise BadRequest(f"name: there is an agency {item.name} already.")
        except BadRequest as error:
            results.append(error)
            continue
        identifier = next(growing_ids(tx.rows(NEWEST_AGENCY)[0][0] or 0))
        agency = Agency(
            id=identifier, organization=item.organization, name=item.name, tag=item.tag, created_at=now_ms()
        )
        tx.run(INSERT_AGENCY, (agency.id, agency.organization, agency.name, agency.tag, agency.created_at))
        record(tx, [Change(subject="account", app=0)])
        results.append(agency)
    return results


def remove_agency_batch(tx: Transaction, items: list[RemovedAgency]) -> list[Agency | Exception]:
    """Remove agencies; their members are disabled."""
    results: list[Agency | Exception] = []
    for item in items:
        found = tx.rows(AGENCY, (item.id,))
        if not found or found[0][1] != item.organization:
            results.append(NotFound())
            continue
        tx.run(DISABLE_MEMBERS, (now_ms(), item.id))
        tx.run(DELETE_AGENCY, (item.id,))
        record(tx, [Change(subject="account", app=0)])
        results.append(agency_of(found[0]))
    return results


def agencies(rows: Rows, organization: int) -> list[Agency]:
    """The agencies of an organization."""
    return [agency_of(row) for row in rows(AGENCIES, (organization,))]


def agency_of(row: Sequence[Any]) -> Agency:
    """A row of `agency`."""
    return Agency(id=row[0], organization=row[1], name=row[2], tag=row[3], created_at=row[4])


def agency_document(agency: Agency) -> dict[str, Any]:
    """An agency for JSON."""
    return {
        "agency_id": str(agency.id),
        "name": agency.name,
        "tag": agency.tag or None,
        "created_at": iso_time(agency.created_at),
    }


def _agency_of(tx: Transaction, item: UserChange) -> Agency | None:
    """The agency that a request names."""
    written = item.fields.get("agency_id")
    if written is None:
        return None
    text = str(written)
    known = text.isascii() and text.isdigit() and len(text) < 20
    found = tx.rows(AGENCY, (int(text),)) if known and int(text) < 2**63 else []
    if not found or found[0][1] != item.organization:
        raise BadRequest("agency_id: there is no such agency.")
    return agency_of(found[0])


def _check_rules(account: Account) -> None:
    filtered = bool(account.filters) or account.agency_data_only
    if not account.email:
        raise BadRequest("email: is missing.")
    if account.agency_data_only and account.agency is None:
        raise BadRequest("agency_data_only: is for members of an agency.")
    if account.level == "organization":
        if account.agency is not None or filtered:
            raise BadRequest("level: members of agencies and users with data filters have app-level access.")
        if account.apps is not None:
            raise BadRequest("apps: organization-level access is to all apps.")
    if filtered and (forbidden := sorted(UNFILTERED_ONLY & set(account.permissions))):
        raise BadRequest(f"permissions: {', '.join(forbidden)} cannot be had with data filters.")


def _check_reach(by: User | None, account: Account) -> None:
    """Nobody gives, takes or changes access that they do not have."""
    if by is not None and not by.permissions.issuperset(account.permissions):
        raise Forbidden("You cannot give or change permissions that you do not have.")


def _check_owner_left(tx: Transaction, organization: int) -> None:
    left = [
        account
        for account in everyone(tx.rows, organization)
        if account.disabled_at is None and account.level == "organization" and "team" in account.permissions
    ]
    if not left:
        raise BadRequest("The organization must keep one organization-level user with the permission team.")


def _permissions(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(one in PERMISSIONS for one in value):
        raise BadRequest(f"permissions: must be an array of {', '.join(PERMISSIONS)}.")
    return tuple(name for name in PERMISSIONS if name in value)


def _apps(value: Any) -> tuple[int, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not all(
        isinstance(one, str) and one.isascii() and one.isdigit() and len(one) < 20 for one in value
    ):
        raise BadRequest("apps: must be an array of app ids, or null for all.")
    return tuple(dict.fromkeys(int(one) for one in value))


def _choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise BadRequest(f"{name}: must be one of {', '.join(choices)}.")
    return str(value)


def _check_text(name: str, value: Any, *, least: int) -> None:
    if not isinstance(value, str) or not least <= len(value) <= MAX_TEXT or _CONTROL.search(value):
        raise BadRequest(f"{name}: must be a text of {least} to {MAX_TEXT} characters.")


def _row(account: Account) -> tuple[Any, ...]:
    return (
        account.id,
        account.organization,
        account.email,
        account.name,
        msgspec.json.encode(account.permissions).decode(),
        account.level,
        None if account.apps is None else msgspec.json.encode(account.apps).decode(),
        account.agency,
        int(account.agency_data_only),
        msgspec.json.encode(account.filters).decode(),
        account.created_at,
        account.disabled_at,
    )
