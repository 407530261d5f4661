"""The `_s` cookie: the id of a browser on a link domain (contract/sdk.md §1 "GET /_r")."""

from __future__ import annotations

import re

COOKIE = "_s"
COOKIE_SECONDS = 2 * 365 * 86_400

_COOKIE = re.compile(rf"(?:^|;\s*){COOKIE}=(\d{{18,19}})(?=;|$)")


def browser_of(header: str | None) -> str:
    """The browser's id in a Cookie header, or empty."""
    found = _COOKIE.search(header) if header else None
    return found[1] if found else ""


def cookie_value(browser: int | str, secure: bool) -> str:
    """The Set-Cookie value. On a link domain the id of a browser is that of its first click."""
    attributes = "Secure; SameSite=None" if secure else "SameSite=Lax"
    return f"{COOKIE}={browser}; Max-Age={COOKIE_SECONDS}; Path=/; HttpOnly; {attributes}"
