"""A link as the API shows it (docs/links.md). No top-level key beyond the documented ones."""

from __future__ import annotations

from typing import Any

from bough.accounts.model import App
from bough.links.address import WEB_ONLY_PREFIX, written_path
from bough.links.model import LABELS, Link, LinkType

ON = (True, "true", "1")
"""Values of a switch that is on: forms and queries carry texts."""

TITLE_KEYS = ("$marketing_title", "$og_title")
"""Keys of `data` that name the link, the first that is set wins."""


def short_url(link: Link, scheme: str) -> str:
    """The address people share. A web-only link's begins with `/e/`, which no app claims (docs/clicks.md)."""
    web_only = WEB_ONLY_PREFIX if link.data.get("$web_only") in ON else ""
    return f"{scheme}://{link.domain}/{web_only}{written_path(link.path)}"


def link_url(link: Link, app: App) -> str:
    """`short_url` with the scheme of the link's domain."""
    return short_url(link, "https" if app.is_secure(link.domain) else "http")


def title(link: Link) -> str | None:
    """What the link is called: its marketing title, else the title of its preview."""
    for key in TITLE_KEYS:
        value = link.data.get(key)
        if isinstance(value, str) and value:
            return value
    return None


def full_data(link: Link, url: str) -> dict[str, Any]:
    """The customer's keys with the server's laid over them."""
    data = dict(link.data)
    data["$one_time_use"] = link.type == LinkType.ONE_TIME or link.data.get("$one_time_use") in ON
    for name in LABELS:
        if (value := getattr(link, name)) is not None:
            data[f"~{name}"] = value
    if link.tags:
        data["~tags"] = list(link.tags)
    if link.type == LinkType.MARKETING:
        data["~marketing"] = True
    if link.identity_id is not None:
        data["$identity_id"] = str(link.identity_id)
    data["~creation_source"] = link.source
    data["~id"] = str(link.id)
    data["url"] = url
    return data


def read_document(link: Link, url: str) -> dict[str, Any]:
    """The answer of GET /v1/url, keys as in Branch's own example: labels only when set, `alias` always."""
    document: dict[str, Any] = {n: v for n in LABELS if (v := getattr(link, n)) is not None}
    if link.tags:
        document["tags"] = list(link.tags)
    document["data"] = full_data(link, url)
    document["type"] = link.type
    document["alias"] = link.alias
    return document


def update_document(link: Link, url: str) -> dict[str, Any]:
    """The answer of PUT /v1/url: as read, with `+url`, and with `alias` only when there is one."""
    document = read_document(link, url)
    document["data"]["+url"] = url
    if link.alias is None:
        del document["alias"]
    return document
