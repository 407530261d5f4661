"""POST /v1/open and /v1/install, for Web, Android, iOS and servers (docs/sdk.md, docs/events.md)."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from bough.accounts.call import Call, Caller
from bough.attribution.live.opens import OpenAnswer, Opens, parse_request
from bough.attribution.live.request import OpenRequest
from bough.attribution.rules.openings import PLATFORM_OF_OS, platform_of
from bough.errors import BadRequest
from bough.events import identifiers as ids
from bough.events.body import encode
from bough.events.server_fields import ServerFields
from bough.sdk.edge import (
    check_server,
    facts_of_request,
    is_tracked,
    journalled,
    new_token,
    owner_of,
    read_body,
    user_link,
    without_person,
)
from bough.vocabulary.ids import now_ms
from bough.vocabulary.values import first, flag, text
from bough.web.cookies import browser_of
from bough.web.responses import json_response

SERVER_FIELDS = ("app_version", "model", "os", "os_version", "user_agent", "is_hardware_id_real", "ad_tracking_enabled")
"""What a server-to-server open must carry (docs/events.md)."""


WRITTEN = frozenset(
    {
        "sdk",
        "identity",
        "browser_fingerprint_id",
        "alternative_browser_fingerprint_id",
        "link_identifier",
        "link_click_id",
        "hardware_id",
        "randomized_bundle_token",
        "randomized_device_token",
        "identity_id",
        "device_fingerprint_id",
        "branch_sdk_request_unique_id",
        "os",
    }
)
"""Fields that decide who is who: text or numbers."""

NOT_WRITTEN = frozenset({dict, list})


async def open_session(call: Call) -> Response:
    """POST /v1/open."""
    return await _answer(call, "open")


async def install(call: Call) -> Response:
    """POST /v1/install."""
    return await _answer(call, "install")


async def _answer(call: Call, kind: str) -> Response:
    body = await read_body(call)
    request = open_request(call, body, kind)
    answer = await call.context.store.write(call.context.part(Opens).batch, request)
    return json_response(document(call, body, answer))


def open_request(call: Caller, body: dict[str, Any], kind: str) -> OpenRequest:
    """What is to be decided. Raises BadRequest and InvalidCredentials."""
    owner = owner_of(call, body)
    _check_types(body)
    server = bool(flag(body.get("server_to_server")))
    ip = check_server(call, body, owner) if server else ""
    if server:
        _check_server_fields(body)
    kept = journalled(body)
    asking = facts_of_request(call, ip=ip)
    if not is_tracked(kept):
        kept, asking = without_person(kept), ServerFields()
    facts = _issued(call, body, asking, kind)
    app, test = owner.app.id, owner.test
    parsed = parse_request(app, test, kind, kept, facts)
    return OpenRequest(at=now_ms(), app=app, test=test, kind=kind, body=kept, facts=facts, parsed=parsed)


def _is_page(body: dict[str, Any]) -> bool:
    """Whether the Web SDK asks. Its oldest releases do not name themselves; Safari's first visit names no browser."""
    return platform_of(body) == "web" and not body.get("hardware_id")


def _check_types(body: dict[str, Any]) -> None:
    """Raises BadRequest naming the field."""
    if NOT_WRITTEN.isdisjoint(map(type, body.values())):
        return
    for name, value in body.items():
        if type(value) in NOT_WRITTEN and name in WRITTEN:
            raise BadRequest(f"{name}: must be a string.")


def _check_server_fields(body: dict[str, Any]) -> None:
    for name in SERVER_FIELDS:
        if body.get(name) in (None, ""):
            raise BadRequest(f"{name}: is missing; a server-to-server open must carry it.")
    if text(body["os"], 32).casefold() not in PLATFORM_OF_OS:
        raise BadRequest("os: must be iOS or Android.")


def _issued(call: Caller, body: dict[str, Any], facts: ServerFields, kind: str) -> ServerFields:
    """The ids that the answer gives: what the client already has stays, the rest is new."""
    bundle = ids.clean("bundle", first(body, "randomized_bundle_token", "identity_id")) or new_token()
    facts = msgspec.structs.replace(facts, bundle=bundle, session=new_token())
    if _is_page(body) and kind == "open":
        return msgspec.structs.replace(facts, browser=_browser(call, body))
    device = ids.clean("device", first(body, "randomized_device_token", "device_fingerprint_id")) or new_token()
    return msgspec.structs.replace(facts, device=device)


def _browser(call: Caller, body: dict[str, Any]) -> str:
    """The browser's id: what the SDK knows, else the link domain's cookie, else a new one.

    The SDK repeats a page's `link_identifier` as its own browser id; that is a click's id and never adopted
    (docs/sdk.md), unless the cookie says that the click made this browser's id.
    """
    cookie = browser_of(call.header("cookie"))
    said = ids.clean("browser", body.get("browser_fingerprint_id"))
    other = ids.clean("browser", body.get("alternative_browser_fingerprint_id"))
    if said and said == text(body.get("link_identifier")):
        said = ""
    return cookie or said or other or new_token()


def document(call: Caller, body: dict[str, Any], answer: OpenAnswer) -> dict[str, Any]:
    """What the SDKs read; `data` is a JSON string, all ids are decimal strings (docs/sdk.md).

    Raises InvalidCredentials when the key has ended meanwhile.
    """
    owner = owner_of(call, body)
    facts = answer.facts
    identity = answer.opening.identity
    document: dict[str, Any] = {
        "session_id": facts.session,
        "randomized_bundle_token": facts.bundle,
        "identity_id": facts.bundle,
        "link": user_link(call, owner, facts.bundle),
        "data": encode(answer.data).decode(),
        "has_app": answer.has_app,
        "branch_view_enabled": False,
    }
    if facts.device:
        document["randomized_device_token"] = facts.device
        document["device_fingerprint_id"] = facts.device
    if facts.browser:
        document["browser_fingerprint_id"] = facts.browser
    if identity:
        document["identity"] = identity
    touch = answer.touch
    if touch is not None:
        click = str(touch.id)
        document["link_click_id"] = click
        document["click_id"] = click
        document["session_link_click_id"] = click
        document["referring_link"] = touch.url
    return document
