"""What all SDK endpoints do first: read the body, find the app, take the server's own facts."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import quote

from bough.accounts.call import Call, Caller
from bough.accounts.directory import Credential
from bough.errors import BadRequest, InvalidCredentials
from bough.events import body as bodies
from bough.events import identifiers as ids
from bough.events import server_fields as fact
from bough.events.server_fields import ServerFields
from bough.vocabulary.ids import new_id
from bough.web.bodies import FORM, parse_form

CREDENTIALS = frozenset({"branch_key", "branch_secret", "app_id", fact.KEY})
"""Fields that never reach the journal: secrets, what the row says itself, and the server's own key."""

NESTED = ("metadata", "options", "advertising_ids", "user_data", "event_data", "custom_data", "partner_data")
"""Objects that the Web SDK sends as JSON strings."""


async def read_body(call: Call) -> dict[str, Any]:
    """The fields of a JSON or form body, decimals kept exact. Raises BadRequest, TooLarge."""
    return parse_body(await call.bytes(bodies.MAX_BODY), call.header("content-type") or "")


def parse_body(raw: bytes, content_type: str) -> dict[str, Any]:
    """See `read_body`."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM and raw.lstrip()[:1] != b"{":
        return parse_form(raw)
    value = bodies.decode(raw) if raw.strip() else {}
    if not isinstance(value, dict):
        raise BadRequest("The body must be an object.")
    return value


def owner_of(call: Caller, body: dict[str, Any]) -> Credential:
    """The app and environment of a request; the key may stand in the body or the query."""
    return call.credential(body)


def journalled(body: dict[str, Any]) -> dict[str, Any]:
    """The request's own fields as they are kept: nested JSON texts as objects, credentials left out.

    Raises BadRequest naming a field that must be an object.
    """
    kept = body.copy()
    for name in CREDENTIALS:
        kept.pop(name, None)
    for name in NESTED:
        value = kept.get(name)
        if value is not None and type(value) is not dict:
            kept[name] = bodies.nested_object(value, name)
    return kept


PERSONAL = frozenset(
    {
        *(name for _, names in ids.FIELDS for name in names),
        "identity",
        "developer_identity",
        "hardware_id",
        "advertising_ids",
        "user_data",
        "user_agent",
        "ip",
        "local_ip",
        "push_identifier",
    }
)
"""Fields that say who somebody is."""


def is_tracked(body: dict[str, Any]) -> bool:
    """Whether the user allows that this request is kept as theirs. Raises BadRequest (user_data is no object)."""
    return ids.privacy(body, bodies.nested_object(body.get("user_data"), "user_data")).tracking


def without_person(body: dict[str, Any]) -> dict[str, Any]:
    """What may be kept of a request when tracking is disabled: which link it opened, and nothing about who did."""
    return {name: value for name, value in body.items() if name not in PERSONAL}


def facts_of_request(call: Caller, *, ip: str = "") -> ServerFields:
    """Address, User-Agent and country of the caller; `ip` is the device's address when a server speaks for it."""
    visitor = call.context.visitors.at(ip) if ip else call.visitor()
    return ServerFields(
        ip=visitor.ip,
        user_agent=(call.header("user-agent") or "")[:1024],
        country=visitor.country,
        region=visitor.region,
    )


def new_token() -> str:
    """A new id for a device, bundle, session or browser, as a decimal string."""
    return str(new_id())


def check_server(call: Caller, body: dict[str, Any], owner: Credential) -> str:
    """A server-to-server request needs the secret and the device's address, which is returned.

    Raises InvalidCredentials and BadRequest (X-IP-Override: missing, or no IP address).
    """
    secret = body.get("branch_secret")
    key = body.get("branch_key")
    if not isinstance(secret, str) or not isinstance(key, str):
        raise InvalidCredentials
    call.context.directory.by_secret(key, secret)
    ip = (call.header("x-ip-override") or "").strip()
    if not ip:
        raise BadRequest("X-IP-Override: is missing; it must be the device's IP address.")
    try:
        return str(ipaddress.ip_address(ip))
    except ValueError:
        raise BadRequest("X-IP-Override: is no IP address; it must be the device's.") from None


def user_link(call: Caller, owner: Credential, bundle: str) -> str:
    """`link`: the long link that SDKs build on when a link cannot be created: our domain, /a/<key>."""
    domain = owner.app.domain(owner.test)
    base = f"{domain.scheme}://{domain.host}" if domain else call.context.settings.base_url
    key = call.context.directory.branch_key(owner.app.id, owner.test)
    return f"{base}/a/{key}?%24identity_id={quote(bundle, safe='')}"
