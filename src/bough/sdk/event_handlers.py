"""POST /v2/event/standard, /v2/event/custom, /v1/pageview and the legacy /v1/event (docs/sdk.md, docs/events.md)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from bough.accounts.call import Call, Caller
from bough.accounts.directory import Credential
from bough.events import legacy, schema
from bough.events.body import nested_object
from bough.events.server_fields import journal_text
from bough.sdk.edge import facts_of_request, is_tracked, journalled, owner_of, read_body
from bough.store.journal import ON_ARRIVAL, NewRow, append_batch
from bough.vocabulary.journal_rows import RowKind
from bough.web.responses import json_response

EVENT_ANSWER = {"branch_view_enabled": False}


async def standard_event(call: Call) -> Response:
    """POST /v2/event/standard."""
    return await _event(call, "standard")


async def custom_event(call: Call) -> Response:
    """POST /v2/event/custom."""
    return await _event(call, "custom")


async def pageview(call: Call) -> Response:
    """POST /v1/pageview: an event PAGEVIEW; the answer holds no journey."""
    return await _append(call, pageview_row(call, await read_body(call)), {})


async def legacy_event(call: Call) -> Response:
    """POST /v1/event: the event of old SDKs."""
    body = await read_body(call)
    owner = owner_of(call, body)
    event = legacy.parse(body)
    kept = {name: value for name, value in body.items() if name not in legacy.UNKNOWN}
    row = _row(call, owner, {**kept, "name": event.name, "custom_data": event.custom_data}, "event")
    return await _append(call, row, {})


async def _event(call: Call, kind: schema.Kind) -> Response:
    return await _append(call, event_row(call, await read_body(call), kind), EVENT_ANSWER)


async def _append(call: Call, row: NewRow | None, answer: dict[str, Any]) -> Response:
    """Journal what there is; durable when it returns."""
    if row is not None:
        await call.context.store.write(append_batch, row)
    return json_response(answer)


def event_row(call: Caller, body: dict[str, Any], kind: schema.Kind) -> NewRow | None:
    """The journal row of an event; None with tracking disabled. Raises BadRequest and InvalidCredentials."""
    owner = owner_of(call, body)
    event = schema.parse(body, kind, checked=True)
    kept = {
        **body,
        "name": event.name,
        "user_data": event.user_data,
        "event_data": event.event_data,
        "custom_data": event.custom_data,
        "content_items": event.content_items,
    }
    return _row(call, owner, kept, "event")


def pageview_row(call: Caller, body: dict[str, Any]) -> NewRow | None:
    """The journal row of a page view, as `event_row`."""
    return _row(call, owner_of(call, body), body, "pageview")


def _row(call: Caller, owner: Credential, body: dict[str, Any], kind: RowKind) -> NewRow | None:
    if not is_tracked(body):
        return None
    ip = call.header("x-ip-override") or ""
    if ip and nested_object(body.get("user_data"), "user_data").get("ip") != ip:
        ip = ""
    kept = journal_text(journalled(body), facts_of_request(call, ip=ip))
    return NewRow(ON_ARRIVAL, owner.app.id, int(owner.test), kind, None, kept)
