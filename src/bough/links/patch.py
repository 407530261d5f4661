"""Change single fields of a link and leave the rest: PATCH /api/links/{id} and bulk updates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from bough.accounts.model import App
from bough.errors import BadRequest
from bough.links.change import NOT_UPDATABLE, agreeing
from bough.links.codec import same_state
from bough.links.model import DEFAULT_DURATION, LABELS, Link
from bough.links.parameters import (
    ONE_TIME_USE,
    LinkParameters,
    check_data_size,
    is_reserved,
    parse_data,
    parse_parameters,
)
from bough.links.targets import check_targets

FIELDS = (*LABELS, "tags", "duration", "qr_code_settings", "data")
"""What can be changed."""

LABEL_KEYS = frozenset({"~tags", *(f"~{name}" for name in LABELS)})
"""Keys of `data` that stand for a label, which they change."""


class Patch(Struct, frozen=True):
    """Checked changes. In `data`, null takes a key away."""

    parameters: LinkParameters


def parse_patch(body: Mapping[str, Any]) -> Patch:
    """Check a request's changes; null takes a label away. Raises BadRequest naming the field."""
    for name in body:
        if name in NOT_UPDATABLE:
            raise BadRequest(f"{name}: cannot be changed by an update.")
        if name not in FIELDS:
            raise BadRequest(f"{name}: is not a field that can be changed; those are {', '.join(FIELDS)}.")
    given = dict(body)
    if "duration" in given and given["duration"] is None:
        given["duration"] = DEFAULT_DURATION
    if "data" in given:
        given["data"] = _data(given["data"])
    return Patch(parse_parameters(given))


def _data(value: Any) -> dict[str, Any]:
    data = parse_data(value)
    if data is UNSET:
        raise BadRequest("data: must be an object or a JSON string of one.")
    for key in data:
        if is_reserved(key) and key not in LABEL_KEYS:
            raise BadRequest(f"data.{key}: is made by the server and cannot be changed.")
    if data.get(ONE_TIME_USE) in (False, "false"):
        return {**data, ONE_TIME_USE: None}  # off is how a link without the key reads
    return data


def patched_link(link: Link, patch: Patch, app: App, now: int) -> Link:
    """The link after the changes; `updated_at` moves to `now` (epoch ms) when there are any.

    A null for a key that holds null already changes nothing, so that what was read may be sent back. Raises BadRequest
    when a new target may not be used or `data` becomes too large.
    """
    parameters = patch.parameters
    changes: dict[str, Any] = {**parameters.inner_labels, **parameters.labels}
    for tags in (parameters.inner_tags, parameters.tags):
        if tags is not UNSET:
            changes["tags"] = tags
    if parameters.qr_code_settings is not UNSET:
        changes["qr_code_settings"] = parameters.qr_code_settings
    data = link.data
    if parameters.data is not UNSET and parameters.data:
        new = {key: value for key, value in parameters.data.items() if value is not None}
        check_targets({key: value for key, value in new.items() if value != link.data.get(key)}, app)
        gone = {key for key in parameters.data if key not in new and link.data.get(key) is not None}
        data = {**{key: value for key, value in link.data.items() if key not in gone}, **new}
        check_data_size(data)
    changes |= agreeing(link, data, parameters.duration)
    changed = msgspec.structs.replace(link, **changes)
    return link if same_state(changed, link) else msgspec.structs.replace(changed, updated_at=now)
