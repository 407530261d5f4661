"""Branch's App API: /v1/app (docs/settings.md)."""

from __future__ import annotations

from typing import Any, NamedTuple

from starlette.responses import Response

from bough.accounts.app_document import app_document, updated_config, updated_identity
from bough.accounts.audit import AuditEntry
from bough.accounts.call import Call
from bough.accounts.creation import CreatedApp, NewApp, create_batch, save_app
from bough.accounts.directory import Credential
from bough.accounts.model import App, AppConfig
from bough.errors import BadRequest
from bough.store.transaction import Transaction
from bough.web.responses import json_response

MAX_FIELDS = 100


async def read_app(call: Call) -> Response:
    """GET /v1/app/{branch_key}."""
    owner = call.secret_credential({})
    return _answer(call, owner, {})


async def update_app(call: Call) -> Response:
    """PUT /v1/app/{branch_key}."""
    body = await call.object()
    owner = call.secret_credential({**body, "branch_key": call.path["branch_key"]})
    app = await change_app(call, owner.app, body, owner)
    return _answer(call, Credential(app, owner.test), body)


async def change_app(call: Call, app: App, body: dict[str, Any], owner: Credential | None = None) -> App:
    """Lay the fields of a request over an app's name, time zone and configuration; the app as it is then.

    `owner`: whose key and secret asked for it; None: the call's user.
    """
    name, timezone = updated_identity(app, body)
    saved = _SavedApp(app.id, name, timezone, updated_config(app.config, body))
    entry = AuditEntry(
        action="app.change",
        subject=str(app.id),
        app=app.id,
        details={"fields": sorted(set(body) - {"branch_key", "branch_secret"})[:MAX_FIELDS]},
    )
    await call.change(_save_batch, saved, lambda _: entry, owner)
    call.context.refresh()
    return call.context.directory.apps[app.id]


async def create_app(call: Call) -> Response:
    """POST /v1/app: deprecated at Branch; `user_id` may be the access token."""
    body = await call.object()
    user = call.user()
    for field in ("app_name", "dev_name", "dev_email"):
        if not isinstance(body.get(field), str) or not body[field]:
            raise BadRequest(f"{field}: is missing; it must be a string.")
    wanted = NewApp(
        name=body["app_name"],
        timezone=updated_timezone(body),
        base_url=call.context.settings.base_url,
        organization=user.organization,
        config=updated_config(AppConfig(), body),
    )
    founded = await call.change(create_batch, wanted, founded_entry)
    call.context.refresh()
    app = call.context.directory.apps[int(founded.app_id)]
    document = app_document(app, founded.branch_key, founded.branch_secret, False)
    return json_response({**document, "id": founded.app_id, "app_key": founded.branch_key, "origin": "API"})


def founded_entry(founded: CreatedApp) -> AuditEntry:
    """What the audit log says of a new app."""
    app = int(founded.app_id)
    organization = int(founded.organization_id)
    return AuditEntry(
        action="app.create", subject=founded.app_id, app=app, organization=organization, details={"name": founded.name}
    )


def updated_timezone(body: dict[str, Any]) -> str:
    """`timezone` of a new app."""
    timezone = body.get("timezone", "UTC")
    if not isinstance(timezone, str):
        raise BadRequest("timezone: must be a string.")
    return timezone


class _SavedApp(NamedTuple):
    app: int
    name: str
    timezone: str
    config: AppConfig


def _save_batch(tx: Transaction, items: list[_SavedApp]) -> list[Exception | None]:
    for item in items:
        save_app(tx, item.app, item.name, item.timezone, item.config)
    return [None] * len(items)


def _answer(call: Call, owner: Credential, body: dict[str, Any]) -> Response:
    secret = str(body.get("branch_secret") or call.query("branch_secret") or "")
    return json_response(app_document(owner.app, call.path["branch_key"], secret, owner.test))
