"""Long links: a link that is written out in its own query and stored nowhere (contract/links.md §3.1).

`https://acme.app.link/?k=v…` and, on custom domains, `https://go.acme.com/a/<branch key>?k=v…`. The Android and Web
SDKs make them when the server cannot be reached, so that the link in the customer's hands works anyway.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable
from typing import Any

import msgspec

from bough.accounts.model import App
from bough.clicks import merge
from bough.clicks.merge import Query
from bough.errors import BadRequest
from bough.links.model import DEFAULT_DURATION, LABELS, CreationSource, Link, LinkType

MAX_DATA = 102_400
"""Bytes of JSON that `data` may hold (contract/links.md §10)."""

MAX_DEPTH = 64
MAX_LABEL = 255
MAX_TAGS = 200
MAX_TAG = 64
MAX_ALIAS = 128
MAX_DURATION = 2_592_000

TAG_KEYS = frozenset({"tags", "tags[]", "~tags", "~tags[]"})

UTM_LABELS = (("utm_source", "channel"), ("utm_medium", "feature"), ("utm_campaign", "campaign"))
"""What `utm_*` means when the app reads it as labels; `utm_content` is a tag and `utm_term` the keywords."""


def build(app: App, domain: str, query: Query, *, test: bool = False, path: str = "") -> Link:
    """The link that a query describes: id 0, source DYNAMIC.

    `path` is empty or `a/<key>`. Raises BadRequest naming the field when `data` is no base64 of a JSON object, a limit
    of contract/links.md §10 is passed, or credentials are appended.
    """
    kept = merge.accepted(query)
    own = dict(kept)
    data = _decode_data(dict(query).get("data", ""))
    data.update({key: value for key, value in kept if key not in TAG_KEYS and key not in merge.LONG_LINK})
    labels = {name: _label(name, own, data) for name in LABELS}
    tags = _tags(kept, data)
    if app.config.utm_to_labels:
        labels, tags = _from_utm(own, labels, tags, data)
    return Link(
        id=0,
        app=app.id,
        test=test,
        domain=domain,
        path=path,
        alias=_limited("alias", own.get("alias", ""), MAX_ALIAS) or None,
        type=_number("type", own.get("type", ""), LinkType.STANDARD, 0, LinkType.MARKETING),
        duration=_number("duration", own.get("duration", ""), DEFAULT_DURATION, 1, MAX_DURATION),
        data=data,
        tags=tags,
        source=CreationSource.DYNAMIC,
        channel=labels["channel"],
        feature=labels["feature"],
        campaign=labels["campaign"],
        stage=labels["stage"],
    )


def _decode_data(text: str) -> dict[str, Any]:
    """`data`: base64 of a JSON object in either alphabet, padded or not; plain JSON is understood, too."""
    if not text:
        return {}
    if len(text) > MAX_DATA * 4 // 3 + 4:
        raise BadRequest(f"data must not hold more than {MAX_DATA} bytes.")
    raw = text.encode("utf-8", "replace") if text.lstrip().startswith("{") else _base64(text)
    try:
        data = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest("data must be the base64 form of a JSON object.") from error
    if not isinstance(data, dict):
        raise BadRequest("data must be the base64 form of a JSON object.")
    if _deeper_than(data, MAX_DEPTH):
        raise BadRequest(f"data must not be nested deeper than {MAX_DEPTH} levels.")
    return {key: value for key, value in data.items() if not key.startswith("+") and key not in merge.SERVER_MADE}


def _base64(text: str) -> bytes:
    """A `+` that a form reader turned into a space counts as a `+`."""
    standard = text.strip().replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("data must be the base64 form of a JSON object.") from error


def _deeper_than(value: Any, levels: int) -> bool:
    """Whether JSON is nested deeper than that, found level by level without recursion."""
    level = [value]
    for _ in range(levels):
        level = [child for item in level for child in _children(item) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _label(name: str, own: dict[str, str], data: dict[str, Any]) -> str | None:
    """A label from its parameter, else from `~label` in the query or in `data`; it leaves the data."""
    from_data = data.pop(f"~{name}", None)
    value = own.get(name) or from_data
    return _limited(name, value, MAX_LABEL) or None if isinstance(value, str) else None


def _tags(query: Query, data: dict[str, Any]) -> tuple[str, ...]:
    listed = data.pop("~tags", None)
    tags = tuple(value for key, value in query if key in TAG_KEYS and value)
    if not tags and isinstance(listed, list):
        tags = tuple(tag for tag in listed if isinstance(tag, str) and tag)
    if len(tags) > MAX_TAGS:
        raise BadRequest(f"tags must not be more than {MAX_TAGS}.")
    return tuple(_limited("tags", tag, MAX_TAG) for tag in tags)


def _from_utm(
    own: dict[str, str], labels: dict[str, str | None], tags: tuple[str, ...], data: dict[str, Any]
) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """Fill what is still empty from `utm_*`."""
    found = {label: _limited(key, own.get(key, ""), MAX_LABEL) or None for key, label in UTM_LABELS}
    if own.get("utm_term"):
        data.setdefault("$keywords", [own["utm_term"]])
    content = _limited("utm_content", own.get("utm_content", ""), MAX_TAG)
    return {name: value or found.get(name) for name, value in labels.items()}, tags or ((content,) if content else ())


def _limited(name: str, value: str, limit: int) -> str:
    if len(value) > limit:
        raise BadRequest(f"{name} must not be longer than {limit} characters.")
    return value


def _number(name: str, text: str, default: int, lowest: int, highest: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and lowest <= int(text) <= highest):
        raise BadRequest(f"{name} must be a whole number from {lowest} to {highest}.")
    return int(text)
