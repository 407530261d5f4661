"""What the server adds to a journalled SDK request: the body's one reserved key `bough`.

A journal row holds the request's own fields. Reading it again later also needs what only the server knew at that
moment: the network address, the User-Agent header and the ids that the answer gave to a new device. They are journalled
in the same row, so that a rebuild sees exactly what the live answer saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, json, to_builtins

KEY = "bough"
"""The reserved key. The edge drops a key of this name from what clients send."""


class ServerFields(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request's server-side facts; empty means unknown or not issued."""

    ip: str = ""
    """Client address; for server-to-server requests the `X-IP-Override` one."""
    user_agent: str = ""
    """The User-Agent header."""
    country: str = ""
    """ISO 3166-1 alpha-2 from an address database, when there is one."""
    region: str = ""
    """The region's English name from the same database."""
    bundle: str = ""
    """`randomized_bundle_token` or Web `identity_id` of the answer."""
    device: str = ""
    """`randomized_device_token` of the answer."""
    browser: str = ""
    """`browser_fingerprint_id` of the answer: cookie, then `alternative_browser_fingerprint_id`, then a new one."""
    session: str = ""
    """`session_id` of the answer."""
    match: str = ""
    """For openings: `way click-id` of the click whose data the answer gave, `none` when it gave none; empty when the
    row was not answered by this server (an import, a test)."""
    named: str = ""
    """For openings: ids of the clicks that it brings to its person for credit, joined by commas."""
    first: str = ""
    """For openings: `1` when the answer said that this is the first session."""
    repeated: str = ""
    """For a server's openings: `1` when another one without a link counted from the same address less than 4 h before
    (docs/events.md)."""
    imported: str = ""
    """For openings: `1` when an import has said that this device or user had the app before."""


NOTHING = ServerFields()

_NAMES = frozenset(ServerFields.__struct_fields__)
_encode = json.Encoder(decimal_format="number").encode


class Recorded(Struct, frozen=True, kw_only=True):
    """What was decided when an opening was answered. It was told to an app, so no later reading decides it again."""

    way: str = ""
    """Of `bough.attribution.rules.matching.Way`; empty when no link data were given."""
    click: int = 0
    """The click whose data were given; 0 for none. The opening's own row id for an address that opened the app."""
    named: tuple[int, ...] = ()
    """Clicks that it brings to its person for credit, the matched one among them."""
    first: bool = False
    """`+is_first_session` of the answer."""
    repeated: bool = False
    imported: bool = False
    """An import has said that this device or user had the app before."""


def recorded_of(facts: ServerFields) -> Recorded | None:
    """What the answer to an opening said, or None for a row that this server did not answer."""
    if not facts.match:
        return None
    way, _, click = facts.match.partition(" ")
    return Recorded(
        way=way if click.isdigit() else "",
        click=int(click) if click.isdigit() else 0,
        named=tuple(int(one) for one in facts.named.split(",") if one.isdigit()),
        first=facts.first == "1",
        repeated=facts.repeated == "1",
        imported=facts.imported == "1",
    )


def server_fields_of(body: Mapping[str, Any]) -> ServerFields:
    """The facts of a journal row's body; `NOTHING` when there are none."""
    stored = body.get(KEY)
    if not isinstance(stored, dict):
        return NOTHING
    return ServerFields(**{name: value for name, value in stored.items() if name in _NAMES and isinstance(value, str)})


def journal_text(body: Mapping[str, Any], facts: ServerFields) -> str:
    """The JSON of `with_facts`."""
    return _encode({**body, KEY: facts}).decode()


def with_facts(body: Mapping[str, Any], facts: ServerFields) -> dict[str, Any]:
    """The body to journal: the request's fields and the facts under `bough`."""
    return {**body, KEY: to_builtins(facts)}
