"""What a link looks like where it is shared: title, description, picture and meta tags (docs/clicks.md).

The link's own keys win over the app's defaults; what neither has is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from bough.accounts.model import App
from bough.clicks.pages.untrusted import text, web_url
from bough.links.preview_tags import TAGS

MAX_CUSTOM_TAGS = 50


class Tag(Struct, frozen=True):
    """One `<meta>` tag."""

    attribute: Literal["property", "name"]
    key: str
    content: str


class Preview(Struct, frozen=True, kw_only=True):
    """Everything the pages say about a link; all values are cleaned, none is escaped."""

    app_name: str
    title: str
    """Never empty: the app's name when there is nothing else."""
    description: str = ""
    image_url: str = ""
    tags: tuple[Tag, ...] = ()
    touch_icon: str = ""
    canonical_url: str = ""
    indexable: bool = True


def preview(data: Mapping[str, Any], app: App, link_url: str) -> Preview:
    """The preview of the link at `link_url` with `data` (the link's, under what the click's query laid over it)."""
    values = _values(data, app, link_url)
    custom = _custom_tags(data.get("$custom_meta_tags"))
    icon = custom.pop("apple_touch_icon", "")
    return Preview(
        app_name=text(app.name, 100),
        title=values["og:title"],
        description=values.get("og:description", ""),
        image_url=values.get("og:image", ""),
        tags=tuple(_tags({**values, **custom})),
        touch_icon=web_url(icon),
        canonical_url=web_url(data.get("$canonical_url")),
        indexable=str(data.get("$publicly_indexable", 1)).lower() not in ("0", "false"),
    )


def _values(data: Mapping[str, Any], app: App, link_url: str) -> dict[str, str]:
    """Tag -> cleaned value, for the tags that have one."""
    values: dict[str, str] = {}
    for tag, key, kind, default in TAGS:
        clean = web_url if kind == "url" else text
        given = data.get(key)
        value = clean(given) if given else ""
        if not value and default:
            value = clean(getattr(app.config, default))
        if value:
            values[tag] = value
    values.setdefault("og:title", text(app.name) or "Link")
    values.setdefault("og:url", web_url(link_url))
    values.setdefault("og:type", "website")
    if "og:video" in values:
        values.setdefault("twitter:player", values["og:video"])
    values.setdefault("twitter:card", _card(values))
    return values


def _card(values: Mapping[str, str]) -> str:
    """The card that shows the most of what is there; a player card needs its size."""
    if all(key in values for key in ("twitter:player", "twitter:player:width", "twitter:player:height")):
        return "player"
    return "summary_large_image" if "og:image" in values or "twitter:image" in values else "summary"


def _custom_tags(raw: object) -> dict[str, str]:
    """`$custom_meta_tags`: JSON text of an object, or the object. What cannot be read says nothing."""
    if isinstance(raw, str):
        try:
            raw = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return {}
    if not isinstance(raw, dict):
        return {}
    found = {}
    for key, value in list(raw.items())[:MAX_CUSTOM_TAGS]:
        name, content = text(key, 200), str(value).lower() if isinstance(value, bool) else text(value)
        if name and content:
            found[name] = content
    return found


def _tags(values: Mapping[str, str]) -> Iterator[Tag]:
    for key, content in values.items():
        if content:
            yield Tag("name" if key.startswith("twitter:") else "property", key, content)
