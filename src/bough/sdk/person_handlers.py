"""POST /v1/cpid, /v1/cpid/latd and the legacy GET /v1/has-app/<key> (docs/sdk.md)."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from bough.accounts.call import Call
from bough.accounts.directory import Credential
from bough.attribution.live.opens import Opens
from bough.attribution.live.person import KnownPerson
from bough.attribution.rules.persons import NOBODY
from bough.errors import BadRequest
from bough.events import identifiers as ids
from bough.events import schema
from bough.events.body import nested_object
from bough.events.server_fields import NOTHING
from bough.sdk.edge import owner_of, read_body
from bough.vocabulary.ids import now_ms
from bough.vocabulary.values import first, text, whole
from bough.vocabulary.windows import DAY, Windows, windows_from_days
from bough.web.responses import json_response

ROWS_TO_INDEX = 100_000
"""Journal rows whose clicks are made findable before a person is looked up; the background does it all the time."""


async def cross_platform_ids(call: Call) -> Response:
    """POST /v1/cpid: the person's id here. Of other ids only those are repeated that the request has brought."""
    body = await read_body(call)
    owner = owner_of(call, body)
    user_data = _user_data(body)
    person = await _person(call, owner)
    found = await asyncio.to_thread(person.last_touch_of, user_data, now_ms(), _windows(owner))
    known = found.person if found is not None and found.id != found.person else NOBODY
    answer: dict[str, Any] = {
        "cross_platform_id": str(known) if known else None,
        "past_cross_platform_ids": [],
        "prob_cross_platform_ids": [],
    }
    identity = ids.clean("identity", first(user_data, "developer_identity", "identity"))
    if identity:
        answer["developer_identity"] = identity
    return json_response({"user_data": answer})


async def last_attributed_touch(call: Call) -> Response:
    """POST /v1/cpid/latd."""
    body = await read_body(call)
    owner = owner_of(call, body)
    user_data = _user_data(body)
    days, windows = _window(owner, first(body, "attribution_window"), user_data.pop("attribution_window", None))
    person = await _person(call, owner)
    found = await asyncio.to_thread(person.last_touch_of, user_data, now_ms(), windows)
    data = dict(found.touch_data) if found is not None else {}
    if found is not None and found.touch_at is not None:
        data["+click_timestamp"] = found.touch_at // 1000
    return json_response({"last_attributed_touch_data": data, "attribution_window": days})


async def has_app(call: Call) -> Response:
    """GET /v1/has-app/<key>: `true` or `false`."""
    owner = call.context.directory.by_key(call.path["branch_key"])
    browser = ids.clean("browser", call.query("browser_fingerprint_id"))
    if not browser:
        return json_response(False)
    person = await _person(call, owner)
    return json_response(await asyncio.to_thread(person.has_app, browser))


def _user_data(body: dict[str, Any]) -> dict[str, Any]:
    """`user_data` that names somebody, as an event must. Raises BadRequest."""
    user_data = nested_object(body.get("user_data"), "user_data")
    if not ids.extract({}, user_data, NOTHING, ids.privacy({}, user_data)):
        schema.check_identifiers(user_data)
    return user_data


def _windows(owner: Credential) -> Windows:
    return windows_from_days(owner.app.config.attribution_windows)


def _window(owner: Credential, *said: object) -> tuple[int, Windows]:
    """Days and windows of the first value that was sent (iOS: top level, others: in `user_data`); else the app's."""
    value = next((one for one in said if text(one)), None)
    if value is None:
        windows = _windows(owner)
        return windows.click_conversion // DAY, windows
    days = whole(value)
    if days is None or not 1 <= days <= 90:
        raise BadRequest("attribution_window: must be a whole number of days from 1 to 90.")
    said_windows = {"click_conversion": days, "impression_conversion": days}
    return days, windows_from_days({**owner.app.config.attribution_windows, **said_windows})


async def _person(call: Call, owner: Credential) -> KnownPerson:
    await call.context.store.write(call.context.part(Opens).follow, ROWS_TO_INDEX)
    context = call.context
    return KnownPerson(context.store.rows, context.directory, owner.app.id, owner.test)
