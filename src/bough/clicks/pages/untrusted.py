"""Values of links and requests, made fit to stand in a page. Escaping is the templates' work, on top of this."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

MAX_TEXT = 2000
"""Characters of a text in a meta tag."""

MAX_URL = 16_384

_UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,63}):", re.IGNORECASE)
_UNSAFE_IN_URL = re.compile(r"[\s\"'<>\\^`{|}]")

_RUNNING_SCHEMES = frozenset({"javascript", "vbscript", "data", "blob", "filesystem", "file", "about", "view-source"})
"""Schemes that run code in the page or read the visitor's machine; no app may own them."""


def text(value: object, limit: int = MAX_TEXT) -> str:
    """`value` as one line of at most `limit` characters; empty unless it is a string or a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    line = str(value)[: limit * 2]
    if not line.isprintable():
        line = _UNPRINTED.sub(" ", line)
    line = line.strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def web_url(value: object) -> str:
    """`value` if it is an http(s) URL with a host, else empty: for pictures and for links to the web."""
    url = target_url(value)
    if url[:8].lower().startswith(("http://", "https://")):
        return url
    return ""


def target_url(value: object) -> str:
    """`value` if a visitor may be sent there (http(s) or an app's scheme), else empty.

    Which app schemes a link may use is checked where links are made; here only what could run in the page is refused.
    """
    if not isinstance(value, str) or len(value) > MAX_URL:
        return ""
    url = value.strip()
    scheme = _SCHEME.match(url)
    if scheme is None or scheme[1].lower() in _RUNNING_SCHEMES or _UNPRINTED.search(url):
        return ""
    if scheme[1].lower() in ("http", "https") and not _has_host(url):
        return ""
    return _UNSAFE_IN_URL.sub(lambda found: quote(found[0], safe=""), url)


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:  # brackets that hold no address
        return False
