"""What a link does and how it looks, stored or not: OG card and where each platform goes, with reasons."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from bough.accounts.model import App
from bough.clicks.decision.explain import PLATFORMS, explain
from bough.clicks.decision.model import Decision
from bough.clicks.handlers import as_document
from bough.clicks.pages.preview import Preview, preview
from bough.links.document import full_data, link_url
from bough.links.model import Link

FIRST = ("iPhone, Safari", "Android, Chrome", "Windows", "Social scraper")
"""What is shown at once; the others follow."""

CALLED = {
    "iPhone, Safari": "iPhone",
    "Android, Chrome": "Android",
    "Windows": "Desktop",
    "Social scraper": "Crawler of a social network",
}

PAGES = {
    "og": "preview tags for the crawler",
    "deepview": "a page with the content and a button",
    "passive_deepview": "a page with the content, then on at once",
    "desktop": "a page with a QR code for the phone",
    "open_app": "a page that tries the app first",
    "nativelink": "a page that copies the link",
    "not_found": "link not found",
}


class Destination(NamedTuple):
    """One platform."""

    name: str
    target: str
    """Where it ends when the app does not open; empty for a page of ours."""
    first: str
    """The app address that is tried before; empty for none."""
    page: str
    reason: str
    document: dict[str, Any]
    """As POST /api/decide says it."""


class PreviewPanel(NamedTuple):
    """Everything the preview shows."""

    card: Preview
    host: str
    picture: str
    """Our own address of the card's picture, or empty."""
    main: list[Destination]
    others: list[Destination]
    url: str


def show(link: Link, app: App) -> PreviewPanel:
    """The preview of a link, stored or not. Raises BadRequest as `clicks.explain` does."""
    url = link_url(link, app)
    platforms = {platform.name: platform for platform in PLATFORMS}
    found = {
        name: destination(CALLED.get(name, name), decision, as_document(platforms[name], decision))
        for name, decision in explain(link, app, test=link.test, link_url=url)
    }
    card = preview(full_data(link, url), app, url)
    return PreviewPanel(
        card=card,
        host=urlsplit(url).netloc,
        picture=f"/dashboard/picture?{urlencode({'url': card.image_url})}" if card.image_url else "",
        main=[found[name] for name in FIRST],
        others=[one for name, one in found.items() if name not in FIRST],
        url=url,
    )


def destination(name: str, decision: Decision, document: dict[str, Any]) -> Destination:
    """A decision in the words of the page."""
    return Destination(
        name=name,
        target=decision.target or decision.fallback or "",
        first=decision.app_url or "",
        page=PAGES.get(decision.page, ""),
        reason=decision.reason,
        document=document,
    )
