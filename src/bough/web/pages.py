"""How the pages for signed-in people become answers: shared frame, strict headers, errors as pages.

A slice makes one `Templates` of its folder; its templates extend `frame.html` of web/templates. Nothing may run or load
but the files under /static: no inline script, no inline style, no `style=` attribute, nothing from elsewhere.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from bough.errors import SERVER_FAULT, BoughError, MethodNotAllowed, RateLimited
from bough.web import static
from bough.web.errors import status_of

log = logging.getLogger("bough.web")

COMMON = Path(__file__).parent / "templates"

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Of every page. Addresses of pages (one-time links, filters) are nobody else's business: no referrer."""


class SignedIn(Protocol):
    """Whose page it is."""

    @property
    def user(self) -> object:
        """The user."""

    @property
    def csrf(self) -> str:
        """The token that forms of the page carry."""


class PageCall(Protocol):
    """A request that a page answers."""

    @property
    def session(self) -> SignedIn | None:
        """The caller's session."""


class Templates:
    """The templates of a folder, and those of web/templates."""

    def __init__(self, folder: Path) -> None:
        self._environment = Environment(
            loader=FileSystemLoader([folder, COMMON]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals["static"] = static.address

    def render(self, template: str, **values: object) -> bytes:
        """A template with `values`; `user` and `csrf` are None and empty unless given."""
        text = self._environment.get_template(template).render({"user": None, "csrf": "", **values})
        return text.encode("utf-8", "replace")

    def page(self, call: PageCall, template: str, status: int = 200, **values: object) -> Response:
        """An answer for the call; `user` and `csrf` are those of its session."""
        session = call.session
        known = {"user": session.user, "csrf": session.csrf} if session is not None else {}
        return Response(self.render(template, **{**known, **values}), status, HEADERS)


_errors = Templates(COMMON)


def error_page(error: Exception) -> Response:
    """Any exception as a page; one that is not ours is logged and shown as a server fault."""
    if not isinstance(error, BoughError):
        log.error("A request failed", exc_info=error)
        return Response(_errors.render("error.html", status=500, message=SERVER_FAULT), 500, HEADERS)
    headers = dict(HEADERS)
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = error.allow
    status = status_of(error)
    return Response(_errors.render("error.html", status=status, message=error.message), status, headers)
