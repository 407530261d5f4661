"""POST /v2/event/standard, /v2/event/custom, /v1/pageview and the legacy /v1/event (contract/sdk.md §1, §3)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from bough.attribution.facts import with_facts
from bough.events import legacy, schema
from bough.events.body import encode, nested_object
from bough.journal import RowKind
from bough.sdk.edge import facts_of_request, is_tracked, journalled, owner_of, read_body
from bough.store.journal import ON_ARRIVAL, NewRow, append_batch
from bough.web.call import Call, json_response


async def standard_event(call: Call) -> Response:
    """POST /v2/event/standard."""
    return await _event(call, "standard")


async def custom_event(call: Call) -> Response:
    """POST /v2/event/custom."""
    return await _event(call, "custom")


async def pageview(call: Call) -> Response:
    """POST /v1/pageview: an event PAGEVIEW; the answer holds no journey."""
    body = await read_body(call)
    await _append(call, body, "pageview")
    return json_response({})


async def legacy_event(call: Call) -> Response:
    """POST /v1/event: the event of old SDKs."""
    body = await read_body(call)
    owner_of(call, body)
    event = legacy.parse(body)
    await _append(call, {**body, "name": event.name, "custom_data": event.custom_data}, "event")
    return json_response({})


async def _event(call: Call, kind: schema.Kind) -> Response:
    body = await read_body(call)
    owner_of(call, body)
    event = schema.parse(body, kind, checked=True)
    user_data = dict(event.user_data)
    kept = {**body, "name": event.name, "user_data": user_data, "event_data": event.event_data}
    kept |= {"custom_data": event.custom_data, "content_items": list(event.content_items)}
    await _append(call, kept, "event")
    return json_response({"branch_view_enabled": False})


async def _append(call: Call, body: dict[str, Any], kind: RowKind) -> None:
    """Journal a request; durable when it returns. With tracking disabled nothing is kept."""
    owner = owner_of(call, body)
    if not is_tracked(body):
        return
    user_data = nested_object(body.get("user_data"), "user_data")
    said = user_data.get("ip") if call.header("x-ip-override") else None
    ip = said if isinstance(said, str) and said == call.header("x-ip-override") else ""
    kept = encode(with_facts(journalled(body), facts_of_request(call, ip=ip))).decode()
    row = NewRow(ON_ARRIVAL, owner.app.id, int(owner.test), kind, None, kept)
    await call.context.store.write(append_batch, row)
