"""A link as bough's own API and command line show it: every key always there, null when unset."""

from __future__ import annotations

from typing import Any

import msgspec

from bough.accounts.model import App
from bough.links.document import full_data, link_url, title
from bough.links.listing import Listed
from bough.links.model import LABELS, Link
from bough.vocabulary.ids import iso_time


def item(listed: Listed, app: App) -> dict[str, Any]:
    """One line of a listing. Ids are decimal strings, times ISO 8601 with milliseconds."""
    link = listed.link
    return {
        "id": str(link.id),
        "url": link_url(link, app),
        "app_id": str(link.app),
        "test": link.test,
        "alias": link.alias,
        "type": link.type,
        **{name: getattr(link, name) for name in LABELS},
        "tags": list(link.tags),
        "title": title(link),
        "created_at": iso_time(link.created_at),
        "updated_at": iso_time(link.updated_at),
        "clicks": listed.clicks,
        "last_click_at": optional_time(listed.last_click_at),
    }


def details(listed: Listed, app: App) -> dict[str, Any]:
    """A whole link: `item` and all that it leaves out."""
    link = listed.link
    return {
        **item(listed, app),
        "data": full_data(link, link_url(link, app)),
        "duration": link.duration,
        "identity": link.identity,
        "qr_code_settings": qr_look(link),
        "creation_source": link.source,
        "expires_at": optional_time(link.expires_at if app.config.expiry_days else None),
    }


def qr_look(link: Link) -> dict[str, Any] | None:
    """What the link's QR code has of its own, or None."""
    return None if link.qr_code_settings is None else msgspec.json.decode(link.qr_code_settings)


def optional_time(ms: int | None) -> str | None:
    """`iso_time`, or None."""
    return None if ms is None else iso_time(ms)
