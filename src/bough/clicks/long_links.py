"""Long links: a link that is written out in its own query and stored nowhere (docs/clicks.md).

`https://acme.app.link/?k=v…` and, on custom domains, `https://go.acme.com/a/<branch key>?k=v…`. The Android and Web
SDKs make them when the server cannot be reached, so that the link in the customer's hands works anyway.

Nobody can mend such a link once it has been sent, and an SDK's habits (Android's writes `duration=0` when nobody set
one) are not the fault of the person who follows it. So nothing in it is refused: a value that no link may have counts
as not given, and the rest works.
"""

from __future__ import annotations

from typing import Any

from bough.accounts.model import App
from bough.clicks.decision import merge
from bough.clicks.link_data import read_data
from bough.clicks.query import Query
from bough.errors import BadRequest
from bough.links.alias import check_alias
from bough.links.model import DEFAULT_DURATION, LABELS, CreationSource, Link, LinkType, is_made_by_server
from bough.links.parameters import MAX_DURATION, MAX_LABEL, MAX_TAG, MAX_TAGS, parse_text, parse_type

TAG_KEYS = frozenset({"tags", "tags[]", "~tags", "~tags[]"})

UTM_LABELS = (("utm_source", "channel"), ("utm_medium", "feature"), ("utm_campaign", "campaign"))
"""What `utm_*` means when the app reads it as labels; `utm_content` is a tag and `utm_term` the keywords."""


def build(app: App, domain: str, query: Query, *, test: bool = False, path: str = "") -> Link:
    """The link that a query describes: id 0, source DYNAMIC.

    `path` is empty or `a/<key>`. Of repeated parameters the last counts, but tags add up.
    """
    kept = merge.accepted(query)
    own = dict(kept)
    inner = read_data(dict(query).get("data", ""))
    data = {key: value for key, value in inner.items() if not is_made_by_server(key)}
    data.update({key: value for key, value in kept if key and key not in TAG_KEYS and key not in merge.LONG_LINK})
    labels = {name: _label(name, own, data, inner) for name in LABELS}
    tags = _tags(kept, data)
    if app.config.utm_to_labels:
        labels, tags = _from_utm(own, labels, tags, data)
    return Link(
        id=0,
        app=app.id,
        test=test,
        domain=domain,
        path=path,
        alias=_alias(own.get("alias", "")),
        type=_type(own.get("type", "")),
        duration=duration_of(query),
        data=data,
        tags=tags,
        source=CreationSource.DYNAMIC,
        channel=labels["channel"],
        feature=labels["feature"],
        campaign=labels["campaign"],
        stage=labels["stage"],
    )


def duration_of(query: Query) -> int:
    """Seconds for which a click on the link may be matched: `duration`, unless a link may not have it."""
    text = dict(query).get("duration", "")
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MAX_DURATION):
        return DEFAULT_DURATION
    return int(text)


def _type(text: str) -> int:
    try:
        return parse_type(text)
    except BadRequest:
        return LinkType.STANDARD


def _alias(text: str) -> str | None:
    try:
        return check_alias(text)
    except BadRequest:
        return None


def _label(name: str, own: dict[str, str], data: dict[str, Any], inner: dict[str, Any]) -> str | None:
    """A label from its parameter, else from `~label` in the query, else from that in `data`; it leaves the data."""
    values = (own.get(name), data.pop(f"~{name}", None), inner.get(f"~{name}"))
    return next((label for value in values if (label := _text(value, MAX_LABEL))), None)


def _tags(query: Query, data: dict[str, Any]) -> tuple[str, ...]:
    """The tags of the query, else those in `data`; the first MAX_TAGS."""
    listed = data.pop("~tags", None)
    given: list[Any] = [value for key, value in query if key in TAG_KEYS and value]
    if not given and isinstance(listed, list):
        given = listed
    return tuple(tag for value in given if (tag := _text(value, MAX_TAG)))[:MAX_TAGS]


def _text(value: Any, limit: int) -> str | None:
    """A text as a stored link might have it, or None."""
    try:
        return parse_text("", value, limit)
    except BadRequest:
        return None


def _from_utm(
    own: dict[str, str], labels: dict[str, str | None], tags: tuple[str, ...], data: dict[str, Any]
) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """Fill what is still empty from `utm_*`."""
    found = {label: _text(own.get(key), MAX_LABEL) for key, label in UTM_LABELS}
    if own.get("utm_term"):
        data.setdefault("$keywords", [own["utm_term"]])
    content = _text(own.get("utm_content"), MAX_TAG)
    return {name: value or found.get(name) for name, value in labels.items()}, tags or ((content,) if content else ())
