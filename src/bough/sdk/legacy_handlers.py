"""Requests of old SDKs, and those of newer ones that ask for nothing (docs/sdk.md)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from bough.accounts.call import Call
from bough.accounts.directory import Credential
from bough.attribution.live import legacy_identity
from bough.errors import BadRequest
from bough.events import identifiers as ids
from bough.events.body import encode
from bough.events.server_fields import with_facts
from bough.sdk.edge import facts_of_request, is_tracked, journalled, new_token, owner_of, read_body, user_link
from bough.store.journal import NewRow
from bough.vocabulary.ids import now_ms
from bough.vocabulary.values import first
from bough.web.responses import json_response

MAX_IDENTITY = 127


async def nothing(call: Call) -> Response:
    """POST /v1/close, /v1/dismiss, /v1/content-events, /v1/register-view: accepted, nothing follows from them."""
    owner_of(call, await read_body(call))
    return json_response({})


async def profile(call: Call) -> Response:
    """POST /v1/profile: an old SDK's setIdentity."""
    body = await read_body(call)
    owner = owner_of(call, body)
    bundle = _bundle(body)
    identity = ids.clean("identity", body.get("identity"))
    if not identity or len(identity) > MAX_IDENTITY or not identity.isprintable():
        raise BadRequest(f"identity: required, printable text of at most {MAX_IDENTITY} characters.")
    if is_tracked(body):
        said = encode(with_facts(journalled(body), facts_of_request(call))).decode()
        row = NewRow(now_ms(), owner.app.id, int(owner.test), "identity", None, said)
        key = legacy_identity.bundle_key(owner.app.id, owner.test, bundle)
        await call.context.store.write(
            legacy_identity.login_batch, legacy_identity.Login(bundle=key, identity=identity, row=row)
        )
    return json_response({**_ids(call, owner, bundle), "identity": identity})


async def logout(call: Call) -> Response:
    """POST /v1/logout: the stored identity of the bundle is forgotten, and a new session begins."""
    body = await read_body(call)
    owner = owner_of(call, body)
    bundle = _bundle(body)
    await call.context.store.write(
        legacy_identity.logout_batch, legacy_identity.bundle_key(owner.app.id, owner.test, bundle)
    )
    return json_response({"session_id": new_token(), **_ids(call, owner, bundle)})


def _bundle(body: dict[str, Any]) -> str:
    bundle = ids.clean("bundle", first(body, "randomized_bundle_token", "identity_id"))
    if not bundle:
        raise BadRequest("identity_id: is missing; it is the one that an open was answered with.")
    return bundle


def _ids(call: Call, owner: Credential, bundle: str) -> dict[str, Any]:
    return {"identity_id": bundle, "randomized_bundle_token": bundle, "link": user_link(call, owner, bundle)}
