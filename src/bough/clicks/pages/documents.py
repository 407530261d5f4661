"""The pages a click can end on: pure functions from what a page needs to its bytes (docs/clicks.md).

Which page, with which targets, is `bough.clicks.decision.decide`'s matter. URLs are checked again here, so that a page
can never carry one that runs: an address that may not stand in a page counts as not given.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from msgspec import Struct

from bough.clicks.pages.preview import Preview
from bough.clicks.pages.rendering import HtmlPage, render
from bough.clicks.pages.untrusted import target_url, text, web_url
from bough.errors import BadRequest
from bough.links.qr.code import inline_svg
from bough.links.qr.look import QrSettings

MAX_QR_URL = 600
"""Bytes; longer links make codes too fine to be read from a screen."""

MAX_SHOWN_VALUE = 4000
"""Characters of one value on the debug page."""

_QR = QrSettings(width=300, margin=0)


class OgPage(Struct, frozen=True, kw_only=True):
    """For scrapers: the meta tags of a link."""

    preview: Preview
    link_url: str
    redirect_url: str = ""
    """`$og_redirect`: where the scraper finds the tags instead."""


class DeepviewPage(Struct, frozen=True, kw_only=True):
    """A splash page with the link's content and one button."""

    preview: Preview
    cta_url: str
    """Of the button: the link on the alternate domain, so that a universal link fires."""
    cta_label: str = "Get the app"
    web_url: str = ""
    """Where the content is on the web, if it is."""
    after_click_url: str = ""
    """Where the tab goes when the visitor comes back from the app or the store."""


class DesktopPage(Struct, frozen=True, kw_only=True):
    """For computers: the way to the phone."""

    preview: Preview
    link_url: str
    web_url: str = ""


class OpenAppPage(Struct, frozen=True, kw_only=True):
    """Tries to open the app; goes to the fallback when nothing opened."""

    preview: Preview
    open_url: str
    """A URI scheme's or an intent's address."""
    fallback_url: str
    """Store or web, after the timeout."""
    timeout_ms: int = 750
    after_click_url: str = ""


class NativeLinkPage(Struct, frozen=True, kw_only=True):
    """Copies the link to the pasteboard on tap, then goes to the store; the app finds it there on its first start."""

    preview: Preview
    link_url: str
    """What is copied."""
    store_url: str
    after_click_url: str = ""


class NotFoundPage(Struct, frozen=True, kw_only=True):
    """No such link (any more)."""

    app_name: str = ""
    home_url: str = ""


class DebugRoute(Struct, frozen=True, kw_only=True):
    """Where a link goes from one platform, and why."""

    platform: str
    target: str
    """A URL, or which page is shown."""
    rule: str
    """The rule of the decision table."""
    reason: str
    """One sentence."""
    current: bool = False
    """Whether this is the one that calls."""


class DebugPage(Struct, frozen=True, kw_only=True):
    """`?debug=1`: where a link goes from each platform, and from what data."""

    link_url: str
    """Without the `debug` parameter."""
    routes: tuple[DebugRoute, ...]
    data: Mapping[str, Any]
    """The link's data under what the query laid over it."""
    user_agent: str = ""


def og(page: OgPage) -> HtmlPage:
    """Meta tags with the app's defaults, and a plain link for a person who ends up here."""
    return render(
        "og.html", preview=page.preview, link_url=web_url(page.link_url), redirect_url=web_url(page.redirect_url)
    )


def deepview(page: DeepviewPage) -> HtmlPage:
    """Active deepview: stays until the visitor taps the button."""
    return _deepview(page, refresh_url="")


def passive_deepview(page: DeepviewPage) -> HtmlPage:
    """The same page, which goes on to the button's address (the store) at once."""
    return _deepview(page, refresh_url=target_url(page.cta_url))


def _deepview(page: DeepviewPage, refresh_url: str) -> HtmlPage:
    return render(
        "deepview.html",
        preview=page.preview,
        cta_url=target_url(page.cta_url),
        cta_label=text(page.cta_label, 60),
        web_url=web_url(page.web_url),
        refresh_url=refresh_url,
        after_click_url=web_url(page.after_click_url),
    )


def desktop(page: DesktopPage) -> HtmlPage:
    """The link as a QR code and as text. A link too long for a readable code is shown as text alone."""
    link_url = web_url(page.link_url)
    return render(
        "desktop.html",
        preview=page.preview,
        link_url=link_url,
        web_url=web_url(page.web_url),
        qr=_qr(link_url),
    )


def _qr(link_url: str) -> Markup:
    if not link_url or len(link_url.encode("utf-8")) > MAX_QR_URL:
        return Markup()
    try:
        return Markup(inline_svg(link_url, f"QR code of {link_url}", _QR))
    except BadRequest:  # too long for any code; the page says so
        return Markup()


def open_app(page: OpenAppPage) -> HtmlPage:
    """Opens the app by script; without script the visitor has both ways as links."""
    return render(
        "open_app.html",
        preview=page.preview,
        open_url=target_url(page.open_url),
        fallback_url=target_url(page.fallback_url),
        timeout_ms=max(0, min(page.timeout_ms, 10_000)),
        after_click_url=web_url(page.after_click_url),
    )


def nativelink(page: NativeLinkPage) -> HtmlPage:
    """One tap copies the link and goes to the store; a second link goes there without copying."""
    return render(
        "nativelink.html",
        preview=page.preview,
        link_url=web_url(page.link_url),
        store_url=target_url(page.store_url),
        after_click_url=web_url(page.after_click_url),
    )


def not_found(page: NotFoundPage | None = None) -> HtmlPage:
    """Status 404."""
    page = page or NotFoundPage()
    return render("not_found.html", 404, app_name=text(page.app_name, 100), home_url=web_url(page.home_url))


def debug(page: DebugPage) -> HtmlPage:
    """All routes as a table, the data, and the same question for a terminal."""
    routes = [
        {
            "platform": text(route.platform, 100),
            "target": text(route.target),
            "href": web_url(route.target),
            "rule": text(route.rule, 200),
            "reason": text(route.reason),
            "current": route.current,
        }
        for route in page.routes
    ]
    data = [(text(key, 200), _shown(value)) for key, value in sorted(page.data.items())]
    return render("debug.html", link_url=text(page.link_url), routes=routes, data=data, curl=curl_line(page))


def curl_line(page: DebugPage) -> str:
    """A shell command that follows the link as the visitor's browser did, and prints where it leads."""
    command = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}\\n"]
    agent = text(page.user_agent)
    if agent:
        command += ["-A", agent]
    return shlex.join([*command, text(page.link_url)])


def _shown(value: object) -> str:
    """A value as JSON, so that a number and its text are told apart."""
    return text(json.dumps(value, ensure_ascii=False), MAX_SHOWN_VALUE)
