"""The `_s` cookie: the id of a browser on a link domain (docs/sdk.md)."""

from __future__ import annotations

import re
from functools import lru_cache

COOKIE = "_s"
COOKIE_SECONDS = 2 * 365 * 86_400

_ATTRIBUTES = f"; Max-Age={COOKIE_SECONDS}; Path=/; HttpOnly; "
FOR_ALL_SITES = f"{_ATTRIBUTES}Secure; SameSite=None".encode()
FOR_OWN_SITE = f"{_ATTRIBUTES}SameSite=Lax".encode()

_COOKIE = re.compile(rf"(?:^|;\s*){COOKIE}=(\d{{18,19}})(?=;|$)")
_LOOPBACK = re.compile(r"(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?\Z")


def browser_of(header: str | None) -> str:
    """The browser's id in a Cookie header, or empty."""
    found = _COOKIE.search(header) if header else None
    return found[1] if found else ""


def cookie_value(browser: int | str, host: str, *, https: bool) -> str:
    """The Set-Cookie value. On a link domain the id of a browser is that of its first click."""
    return f"{COOKIE}={browser}{cookie_end(host, https=https).decode()}"


@lru_cache(maxsize=1024)
def cookie_end(host: str, *, https: bool) -> bytes:
    """What follows the browser's id in a Set-Cookie header.

    Other sites' pages must be able to send it, and browsers allow that for a `Secure` cookie only. They keep one over
    https, and on the loopback host in any case; elsewhere it would be dropped, and a cookie of the own site is better.
    """
    return FOR_ALL_SITES if https or _LOOPBACK.match(host) else FOR_OWN_SITE
