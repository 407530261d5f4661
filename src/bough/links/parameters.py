"""The parameters of a link as clients send them, checked and made into values (docs/links.md).

Clients send `data` as an object or as a JSON string, numbers as text (forms), labels at the top level or as `~` keys
inside `data`. Everything is settled here; the rest of bough sees `LinkParameters`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from bough.errors import BadRequest
from bough.links.alias import check_alias
from bough.links.model import LABELS, CreationSource, LinkType, is_made_by_server
from bough.links.qr.look import kept_settings
from bough.vocabulary.money import MAX_AMOUNT

MAX_LABEL = 255
MAX_TAG = 64
MAX_TAGS = 200
MAX_IDENTITY = 127
MAX_DATA_BYTES = 100 * 1024
MAX_DATA_DEPTH = 64
MAX_DURATION = 2_592_000

SERVER_KEYS = frozenset(
    {
        "url",
        "$randomized_bundle_token",
        "~tags",
        *(f"~{label}" for label in LABELS),
    }
)
"""Keys of `data` that mirror a field of the link; what a client sends under these names is not stored as data."""

ONE_TIME_USE = "$one_time_use"

SOURCES = {
    "web-sdk": CreationSource.WEB_SDK,
    "android": CreationSource.ANDROID_SDK,
    "ios": CreationSource.IOS_SDK,
    "dashboard": CreationSource.DASHBOARD,
}
"""`source` as the SDKs send it; anything else is the API."""

TYPE_NAMES = {
    "STANDARD": LinkType.STANDARD,
    "ONE_TIME": LinkType.ONE_TIME,
    "ONE_TIME_USE": LinkType.ONE_TIME,
    "MARKETING": LinkType.MARKETING,
}
"""Branch's MCP server sends the type by name."""

INNER_LABELS = tuple((label, f"~{label}") for label in LABELS)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class LinkParameters(Struct, frozen=True, kw_only=True):
    """What a request says about a link. UNSET: not sent; None: sent as null or empty."""

    alias: str | None = None
    type: int = LinkType.STANDARD
    data: dict[str, Any] | UnsetType = UNSET
    """The customer's keys: without those that `is_reserved`, and without a `$one_time_use` that is off."""
    analytics: dict[str, Any] = {}
    """`~` keys of the `analytics` parameter that are no labels; they belong to `data`, which wins."""
    labels: dict[str, str | None] = {}
    """Top-level labels that were sent, by name."""
    inner_labels: dict[str, str | None] = {}
    """Labels sent inside `data` (`~channel` as `channel`)."""
    tags: tuple[str, ...] | UnsetType = UNSET
    inner_tags: tuple[str, ...] | UnsetType = UNSET
    duration: int | UnsetType = UNSET
    identity: str | None = None
    domain: str | None = None
    source: int = CreationSource.API
    qr_code_settings: str | UnsetType | None = UNSET
    """As they are kept (`Link.qr_code_settings`)."""

    def label(self, name: str) -> str | None:
        """A new link's label: the top-level one wins."""
        return self.labels[name] if name in self.labels else self.inner_labels.get(name)

    def all_tags(self) -> tuple[str, ...]:
        """A new link's tags: the top-level ones win."""
        if self.tags is not UNSET:
            return self.tags
        return () if self.inner_tags is UNSET else self.inner_tags


def parse_parameters(body: Mapping[str, Any]) -> LinkParameters:
    """Check a request's link parameters. Unknown keys are ignored. Raises BadRequest naming the field."""
    data = parse_data(body.get("data"))
    analytics = _analytics(body.get("analytics"))
    inner = {**analytics, **({} if data is UNSET else data)}
    check_data_size(_own_keys(inner))
    labels = {name: _label(name, body[name]) for name in LABELS if name in body}
    inner_labels = {name: _label(f"data.{key}", inner[key]) for name, key in INNER_LABELS if key in inner}
    return LinkParameters(
        alias=_alias(body.get("alias")),
        type=parse_type(body.get("type")),
        data=UNSET if data is UNSET else _own_keys(data),
        analytics=_own_keys(analytics),
        labels=labels,
        inner_labels=inner_labels,
        tags=_tags("tags", body["tags"]) if "tags" in body else UNSET,
        inner_tags=_tags("data.~tags", inner["~tags"]) if "~tags" in inner else UNSET,
        duration=_duration(body, inner),
        identity=parse_text("identity", body.get("identity"), MAX_IDENTITY),
        domain=parse_text("domain", body.get("domain"), MAX_LABEL),
        source=SOURCES.get(str(body.get("source")), CreationSource.API),
        qr_code_settings=kept_settings(body["qr_code_settings"]) if "qr_code_settings" in body else UNSET,
    )


def is_reserved(key: str) -> bool:
    """Whether a key of `data` is the server's. What a client sends under it is left out and no fault: clients send back
    what they have read, of a link or of a session that began with one."""
    return key in SERVER_KEYS or is_made_by_server(key)


def parse_data(value: Any) -> dict[str, Any] | UnsetType:
    """`data` as an object or as a JSON string; UNSET when absent, null or empty."""
    if value is None or value == "":
        return UNSET
    if isinstance(value, str):
        value = _decode("data", value)
    if not isinstance(value, dict):
        raise BadRequest("data: must be an object or a JSON string of one.")
    check_depth(value)
    _check_cost("data", value)
    return value


def check_data_size(data: dict[str, Any]) -> None:
    """Raises BadRequest when the customer's keys of a link are larger than MAX_DATA_BYTES. The server's do not count: a
    read must fit when it is sent back."""
    if len(msgspec.json.encode(data)) > MAX_DATA_BYTES:
        raise BadRequest("data: must have at most 100 KB of JSON.")


def _check_cost(field: str, data: Mapping[str, Any]) -> None:
    """Raises BadRequest for a `~cost` that no sum of costs has room for. What is no number costs nothing."""
    value = data.get("~cost")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return
    if number.is_nan() or abs(number) >= MAX_AMOUNT:
        raise BadRequest(f"{field}.~cost: must be a number below 10^12.")


def check_depth(value: Any) -> None:
    """Raises BadRequest when `data` is nested more than MAX_DATA_DEPTH levels deep."""
    level = [value]
    for _ in range(MAX_DATA_DEPTH):
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                deeper += [v for v in item.values() if isinstance(v, dict | list)]
            elif isinstance(item, list):
                deeper += [v for v in item if isinstance(v, dict | list)]
        if not deeper:
            return
        level = deeper
    raise BadRequest(f"data: must be nested at most {MAX_DATA_DEPTH} levels deep.")


def parse_type(value: Any) -> int:
    """`type` as a number, digits or a name; 0 when absent."""
    if value is None or value == "":
        return LinkType.STANDARD
    if isinstance(value, str):
        value = TYPE_NAMES.get(value.upper(), int(value) if value in ("0", "1", "2") else value)
    if isinstance(value, bool) or value not in (0, 1, 2):
        raise BadRequest("type: must be 0 (standard), 1 (one-time use) or 2 (marketing).")
    return int(value)


def _analytics(analytics: Any) -> dict[str, Any]:
    if analytics is None or analytics == "":
        return {}
    if isinstance(analytics, str):
        analytics = _decode("analytics", analytics)
    if not isinstance(analytics, dict):
        raise BadRequest("analytics: must be an object of '~' keys.")
    check_depth(analytics)
    _check_cost("analytics", analytics)
    return {key: value for key, value in analytics.items() if key.startswith("~")}


def _own_keys(data: Mapping[str, Any]) -> dict[str, Any]:
    """What is the customer's. Reads always show `$one_time_use`, so a false one only says that it was read before."""
    return {
        key: value
        for key, value in data.items()
        if not is_reserved(key) and not (key == ONE_TIME_USE and value in (False, "false"))
    }


def _decode(field: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"{field}: is not valid JSON ({error}).") from error


def _label(field: str, value: Any) -> str | None:
    return parse_text(field, value, MAX_LABEL)


def parse_text(field: str, value: Any, limit: int) -> str | None:
    """A string without control characters, or None for null and empty."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadRequest(f"{field}: must be a string.")
    if len(value) > limit:
        raise BadRequest(f"{field}: must have at most {limit} characters.")
    if _CONTROL.search(value):
        raise BadRequest(f"{field}: must not hold control characters.")
    return value


def _alias(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadRequest("alias: must be a string.")
    return check_alias(value)


def _tags(field: str, value: Any) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise BadRequest(f"{field}: must be an array of strings.")
    if len(value) > MAX_TAGS:
        raise BadRequest(f"{field}: must have at most {MAX_TAGS} entries.")
    return tuple(tag for item in value if (tag := parse_text(field, item, MAX_TAG)) is not None)


def _duration(body: Mapping[str, Any], inner: Mapping[str, Any]) -> int | UnsetType:
    field, value = ("duration", body.get("duration"))
    if value is None:
        field, value = ("data.$match_duration", inner.get("$match_duration"))
    if value is None or value == "":
        return UNSET
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_DURATION:
        raise BadRequest(f"{field}: must be a whole number of seconds from 1 to {MAX_DURATION}.")
    return value
