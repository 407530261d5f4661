"""What a link becomes: made from parameters, or updated by them. Pure (docs/links.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from bough.accounts.model import App, Domain
from bough.errors import BadRequest
from bough.links.model import DEFAULT_DURATION, LABELS, Link, LinkType
from bough.links.parameters import LinkParameters, check_data_size, parse_type

DAY_MS = 86_400_000

NOT_UPDATABLE = (
    "alias",
    "identity",
    "identity_id",
    "type",
    "app_id",
    "randomized_bundle_token",
    "domain",
    "state",
    "creation_source",
    "app_short_identifier",
)
"""Parameters that an update may repeat but not change."""


MATCH_DURATION = "$match_duration"


def expiry(app: App, link_type: int, now: int) -> int | None:
    """When a link used at `now` (epoch ms) expires under the app's rule: standard and one-time links only."""
    if app.config.expiry_days == 0 or link_type == LinkType.MARKETING:
        return None
    return now + app.config.expiry_days * DAY_MS


def is_expired(link: Link, app: App, now: int) -> bool:
    """Whether the app's rule has ended the link at `now` (epoch ms); without the rule no link ends."""
    return app.config.expiry_days > 0 and link.expires_at is not None and link.expires_at <= now


def new_link(parameters: LinkParameters, app: App, domain: Domain, now: int) -> Link:
    """A link that has no id yet, and no path when it has no alias: the store gives both."""
    path = parameters.alias or ""
    if domain.prefix and path:
        path = f"{domain.prefix}/{path}"
    data = {} if parameters.data is UNSET else parameters.data
    duration = DEFAULT_DURATION if parameters.duration is UNSET else parameters.duration
    return Link(
        id=0,
        app=app.id,
        test=domain.test,
        domain=domain.host,
        path=path,
        alias=parameters.alias,
        type=parameters.type,
        data=_consistent({**parameters.analytics, **data}, parameters.type, duration),
        channel=parameters.label("channel"),
        feature=parameters.label("feature"),
        campaign=parameters.label("campaign"),
        stage=parameters.label("stage"),
        tags=parameters.all_tags(),
        duration=duration,
        identity=parameters.identity,
        source=parameters.source,
        created_at=now,
        updated_at=now,
        expires_at=expiry(app, parameters.type, now),
        qr_code_settings=None if parameters.qr_code_settings is UNSET else parameters.qr_code_settings,
    )


def same_parameters(wanted: Link, stored: Link) -> bool:
    """Whether a repeated POST with the alias of `stored` asks for that very link.

    `data` is compared as JSON, because 1, 1.0 and true are different there and alike in Python.
    """
    fields = ("app", "test", "type", *LABELS, "tags", "duration", "identity", "qr_code_settings")
    return all(getattr(wanted, field) == getattr(stored, field) for field in fields) and as_json(
        wanted.data
    ) == as_json(stored.data)


def as_json(value: Any) -> bytes:
    """JSON to compare by: the order of keys does not matter, types do."""
    return msgspec.json.encode(value, order="sorted")


def updated_link(link: Link, parameters: LinkParameters, now: int) -> Link:
    """The link after an update.

    `data` that was sent replaces the customer's keys; labels and the QR code's look that were not sent stay, null or
    empty ones go. Where a
    label stands both at the top level and inside `data`, the one that differs from the stored value wins, else the top
    level (so that a script that reads, changes one of the two and writes back gets what it changed).
    """
    changes: dict[str, Any] = {"updated_at": now}
    data = link.data if parameters.data is UNSET else parameters.data
    if parameters.data is not UNSET:
        data = {**parameters.analytics, **data}
    elif parameters.analytics:
        data = {**data, **parameters.analytics}
        check_data_size(data)
    for name in LABELS:
        stored = getattr(link, name)
        inner = parameters.inner_labels.get(name, stored)
        top = parameters.labels.get(name, inner)
        changes[name] = top if top != stored else inner
    inner_tags = link.tags if parameters.inner_tags is UNSET else parameters.inner_tags
    top_tags = inner_tags if parameters.tags is UNSET else parameters.tags
    changes["tags"] = top_tags if top_tags != link.tags else inner_tags
    if parameters.qr_code_settings is not UNSET:
        changes["qr_code_settings"] = parameters.qr_code_settings
    return msgspec.structs.replace(link, **changes, **agreeing(link, data, parameters.duration))


def agreeing(link: Link, data: dict[str, Any], duration: int | UnsetType) -> dict[str, Any]:
    """`data` and `duration` of a link that changes to them, made to agree. UNSET: the duration was not sent, so it
    stays, unless it stood in the data and was taken away there."""
    if duration is UNSET:
        dropped = MATCH_DURATION in link.data and MATCH_DURATION not in data
        duration = DEFAULT_DURATION if dropped else link.duration
    return {"data": _consistent(data, link.type, duration), "duration": duration}


def _consistent(data: dict[str, Any], link_type: int, duration: int) -> dict[str, Any]:
    """The customer's keys, agreeing with the link's own fields: a read that is written back must change nothing."""
    kept = dict(data)
    if link_type == LinkType.ONE_TIME:
        kept.pop("$one_time_use", None)
    if MATCH_DURATION in kept and str(kept[MATCH_DURATION]) != str(duration):
        kept[MATCH_DURATION] = duration
    return kept


def check_not_updatable(link: Link, app: App, body: Mapping[str, Any]) -> None:
    """Raises BadRequest when an update would change a parameter that must stay (unless the setting is to ignore)."""
    if app.config.update_immutable == "ignore":
        return
    prefix = next((d.prefix for d in app.domains if d.host == link.domain and d.test == link.test), "")
    identity_id = None if link.identity_id is None else str(link.identity_id)
    stored = {
        "alias": link.alias,
        "identity": link.identity,
        "identity_id": identity_id,
        "randomized_bundle_token": identity_id,
        "type": str(link.type),
        "app_id": str(link.app),
        "domain": link.domain,
        "state": None,
        "creation_source": str(link.source),
        "app_short_identifier": prefix,
    }
    for name in NOT_UPDATABLE:
        value = body.get(name)
        if name == "type" and value is not None:
            value = parse_type(value)
        if value not in (None, "") and str(value) != stored[name]:
            raise BadRequest(f"{name}: cannot be changed by an update.")
