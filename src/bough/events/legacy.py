"""`POST /v1/event` of SDKs before the v2 events: `{event, metadata, …}` (docs/sdk.md).

Such an event becomes a standard one when it bears exactly a standard name, else a custom one, with `metadata` as its
custom data. Its person is named at the top level, by the tokens of the old sessions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bough.errors import BadRequest
from bough.events.body import check_depth, nested_object
from bough.events.schema import Event
from bough.vocabulary import event_names
from bough.vocabulary.values import first, text, whole

MAX_NAME = 63
MAX_VALUE = 255

IDENTIFIERS = (
    "identity",
    "identity_id",
    "device_fingerprint_id",
    "browser_fingerprint_id",
    "randomized_bundle_token",
    "randomized_device_token",
)
"""One of these must say who it was."""

UNKNOWN = frozenset({"event_data", "content_items", "customer_event_alias"})
"""Fields of today's events that such an event does not have; money above all, which nothing has checked."""


def parse(body: Mapping[str, Any]) -> Event:
    """Check one legacy body.

    Raises:
        BadRequest: naming the field: `event` missing or longer than 63 characters, `metadata` nested or with values
            longer than 255 characters, or nobody named.
    """
    check_depth(dict(body), "body")
    name = body.get("event")
    if not isinstance(name, str) or not name.strip():
        raise BadRequest("event: required, and must be text.")
    if len(name) > MAX_NAME:
        raise BadRequest(f"event: longer than {MAX_NAME} characters.")
    standard = name in event_names.BY_NAME
    if not standard:
        event_names.check_custom_name(name)
    if not any(text(body.get(field)) for field in IDENTIFIERS):
        raise BadRequest(f"identity_id: one of {', '.join(IDENTIFIERS)} is required.")
    identity = text(first(body, "identity"))
    return Event(
        name=name,
        kind="standard" if standard else "custom",
        user_data={"developer_identity": identity} if identity else {},
        custom_data=_metadata(body),
        request_id=text(body.get("branch_sdk_request_unique_id"), MAX_VALUE),
        retry_number=whole(body.get("retryNumber")) or 0,
    )


def _metadata(body: Mapping[str, Any]) -> dict[str, Any]:
    metadata = nested_object(body.get("metadata"), "metadata")
    for key, value in metadata.items():
        if isinstance(value, (dict, list)):
            raise BadRequest(f"metadata.{key[:64]}: must be one level deep.")
        if isinstance(value, str) and len(value) > MAX_VALUE:
            raise BadRequest(f"metadata.{key[:64]}: longer than {MAX_VALUE} characters.")
    return metadata
