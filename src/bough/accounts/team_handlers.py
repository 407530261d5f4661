"""bough's own API of people: /api/users, /api/agencies, /api/tokens, /api/permissions, an app's keys, /api/audit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from bough.accounts import audit, tokens, users
from bough.accounts.audit import AuditEntry, AuditQuery
from bough.accounts.call import Call
from bough.accounts.creation import MAX_OVERLAP_HOURS, Rotated, rotate_batch, rotation
from bough.accounts.data_filters import COLUMNS, as_document
from bough.accounts.keys import environment
from bough.accounts.model import Agency, App
from bough.accounts.tokens import MadeToken, NewToken, RevokedToken
from bough.accounts.users import Account, Changed, RemovedAgency, UserChange, WantedAgency
from bough.errors import BadRequest, NotFound
from bough.vocabulary.ids import iso_time
from bough.vocabulary.permissions import PERMISSIONS
from bough.web.query_values import parse_number, parse_time
from bough.web.responses import json_response


async def list_users(call: Call) -> Response:
    """GET /api/users."""
    store = call.context.store
    found = await store.beside(users.everyone, store.rows, call.user().organization)
    return json_response({"users": [users.document(account) for account in found]})


async def add_user(call: Call) -> Response:
    """POST /api/users."""
    user = call.user()
    changed = await call.change(users.save_batch, UserChange(user.organization, await call.object(), user), user_entry)
    return json_response(users.document(changed.account))


async def read_user(call: Call) -> Response:
    """GET /api/users/{user_id}."""
    store = call.context.store
    account = await store.beside(users.find, store.rows, call.user().organization, identifier(call.path["user_id"]))
    return json_response(users.document(account))


async def change_user(call: Call) -> Response:
    """PATCH /api/users/{user_id}."""
    user = call.user()
    wanted = UserChange(user.organization, await call.object(), user, identifier(call.path["user_id"]))
    changed = await call.change(users.save_batch, wanted, user_entry)
    return json_response(users.document(changed.account))


async def reset_token(call: Call) -> Response:
    """POST /api/users/{user_id}/token: a new permanent token, shown once; the one before ends."""
    user = call.user()
    wanted = NewToken(user.organization, identifier(call.path["user_id"]), "permanent", "permanent", by=user)
    return json_response(_made(await call.change(tokens.make_batch, wanted, token_entry("token.reset"))))


async def list_agencies(call: Call) -> Response:
    """GET /api/agencies."""
    store = call.context.store
    found = await store.beside(users.agencies, store.rows, call.user().organization)
    return json_response({"agencies": [users.agency_document(agency) for agency in found]})


async def add_agency(call: Call) -> Response:
    """POST /api/agencies."""
    body = await call.object()
    wanted = WantedAgency(call.user().organization, body.get("name") or "", body.get("tag") or "")
    agency = await call.change(users.add_agency_batch, wanted, agency_entry("agency.add"))
    return json_response(users.agency_document(agency))


async def remove_agency(call: Call) -> Response:
    """DELETE /api/agencies/{agency_id}: its members lose all access."""
    wanted = RemovedAgency(call.user().organization, identifier(call.path["agency_id"]))
    agency = await call.change(users.remove_agency_batch, wanted, agency_entry("agency.remove"))
    return json_response({**users.agency_document(agency), "removed": True})


async def list_tokens(call: Call) -> Response:
    """GET /api/tokens: all of the organization, without the tokens themselves."""
    store = call.context.store
    found = await store.beside(tokens.tokens, store.rows, call.user().organization)
    return json_response({"tokens": found})


async def add_token(call: Call) -> Response:
    """POST /api/tokens: a named token, shown once."""
    user = call.user()
    body = await call.object()
    days, name = body.get("expires_in_days"), body.get("name")
    if days is not None and (isinstance(days, bool) or not isinstance(days, int)):
        raise BadRequest("expires_in_days: must be a whole number.")
    if not isinstance(name, str):
        raise BadRequest("name: is missing; it must be a string.")
    account = user.id if body.get("user_id") is None else identifier(str(body["user_id"]))
    wanted = NewToken(user.organization, account, "named", name, tokens.parse_scopes(body.get("scopes")), days, user)
    return json_response(_made(await call.change(tokens.make_batch, wanted, token_entry("token.create"))))


async def revoke_token(call: Call) -> Response:
    """DELETE /api/tokens/{token_id}."""
    wanted = RevokedToken(call.user().organization, identifier(call.path["token_id"]))
    revoked = await call.change(tokens.revoke_batch, wanted, revoked_entry)
    return json_response({**revoked, "revoked": True})


async def list_permissions(call: Call) -> Response:
    """GET /api/permissions: what users can be given, and what the caller has."""
    user = call.user()
    return json_response(
        {
            "permissions": list(PERMISSIONS),
            "levels": ["organization", "app"],
            "filter_dimensions": sorted(COLUMNS),
            "you": {
                "user_id": str(user.id),
                "email": user.email,
                "level": user.level,
                "permissions": [name for name in PERMISSIONS if name in user.permissions],
                "apps": [str(app) for app in call.context.directory.apps_of(user)],
                "filters": as_document(user.filters),
            },
        }
    )


async def rotate_keys(call: Call) -> Response:
    """POST /api/apps/{app_id}/keys/rotate."""
    app = call.context.directory.app_of(call.user(), call.path["app_id"])
    if app is None:
        raise NotFound
    body = await call.object()
    kind = body.get("environment", "live")
    if kind not in ("live", "test"):
        raise BadRequest("environment: must be live or test.")
    hours = body.get("overlap_hours", 24)
    if isinstance(hours, bool) or not isinstance(hours, int) or not 0 <= hours <= MAX_OVERLAP_HOURS:
        raise BadRequest(f"overlap_hours: must be a whole number from 0 to {MAX_OVERLAP_HOURS}.")
    rotated = await call.change(rotate_batch, rotation(app.id, kind == "test", hours), rotated_entry(app, kind))
    return json_response(
        {
            "app_id": str(app.id),
            "environment": kind,
            "branch_key": rotated.branch_key,
            "branch_secret": rotated.branch_secret,
            "old_keys_end_at": iso_time(rotated.old_end_at),
        }
    )


async def list_keys(call: Call) -> Response:
    """GET /api/apps/{app_id}/keys: the keys that are valid, without secrets."""
    app = call.context.directory.app_of(call.user(), call.path["app_id"])
    if app is None:
        raise NotFound
    keys = [
        {
            "branch_key": name,
            "environment": environment(test),
            "expires_at": None if expires_at is None else iso_time(expires_at),
        }
        for name, test, expires_at in call.context.directory.keys_of(app.id)
    ]
    return json_response({"keys": keys})


async def read_audit(call: Call) -> Response:
    """GET /api/audit."""
    query = call.request.query_params
    for name in ("action", "actor", "subject"):
        if "\0" in query.get(name, ""):
            raise BadRequest(f"{name}: must not hold control characters.")
    asked = AuditQuery(
        organization=call.user().organization,
        action=query.get("action") or "",
        actor=query.get("actor") or "",
        subject=query.get("subject") or "",
        app=identifier(query["app_id"]) if query.get("app_id") else None,
        since=parse_time("since", query["since"]) if query.get("since") else None,
        until=parse_time("until", query["until"]) if query.get("until") else None,
        before=parse_number("cursor", query["cursor"], 1, 2**63 - 1) if query.get("cursor") else None,
        limit=parse_number("limit", query.get("limit") or "100", 1, audit.MAX_PAGE),
    )
    store = call.context.store
    found = await store.beside(audit.read, store.rows, asked)
    return json_response({"entries": found, "next_cursor": found[-1]["id"] if len(found) == asked.limit else None})


def identifier(text: str) -> int:
    """An id of a path or body. Raises NotFound for what cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) < 2**63):
        raise NotFound
    return int(text)


def user_entry(changed: Changed) -> AuditEntry | None:
    """What the audit log says of a user who was added or changed: the fields that differ, as they are now."""
    after = users.document(changed.account)
    before = {} if changed.before is None else users.document(changed.before)
    details = {name: value for name, value in after.items() if before.get(name) != value}
    if changed.before is None:
        action = "user.add"
    elif "disabled_at" in details:
        action = "user.disable" if details["disabled_at"] else "user.enable"
    else:
        action = "user.change"
    return _of_account(action, changed.account, details) if details else None


def agency_entry(action: str) -> Callable[[Agency], AuditEntry]:
    """What the audit log says of an agency."""
    return lambda agency: AuditEntry(
        action=action,
        subject=str(agency.id),
        organization=agency.organization,
        details={"name": agency.name, "tag": agency.tag},
    )


def token_entry(action: str) -> Callable[[MadeToken], AuditEntry]:
    """What the audit log says of a token that was made; never the token."""

    def entry(made: MadeToken) -> AuditEntry:
        ends = None if made.expires_at is None else iso_time(made.expires_at)
        return _of_account(action, made.account, {"token_id": str(made.id), "expires_at": ends})

    return entry


def revoked_entry(revoked: dict[str, Any]) -> AuditEntry:
    """What the audit log says of a revoked token."""
    details = {name: revoked[name] for name in ("token_id", "kind", "name")}
    return AuditEntry(action="token.revoke", subject=revoked["email"], details=details)


def rotated_entry(app: App, kind: str) -> Callable[[Rotated], AuditEntry]:
    """What the audit log says of new keys; never the secret."""
    return lambda rotated: AuditEntry(
        action="app.keys",
        subject=str(app.id),
        app=app.id,
        organization=app.organization,
        details={
            "environment": kind,
            "branch_key": rotated.branch_key,
            "old_keys_end_at": iso_time(rotated.old_end_at),
        },
    )


def _of_account(action: str, account: Account, details: dict[str, Any]) -> AuditEntry:
    return AuditEntry(action=action, subject=account.email, organization=account.organization, details=details)


def _made(made: MadeToken) -> dict[str, Any]:
    return {
        "token_id": str(made.id),
        "user_id": str(made.account.id),
        "email": made.account.email,
        "access_token": made.token,
        "expires_at": None if made.expires_at is None else iso_time(made.expires_at),
    }
