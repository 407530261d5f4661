"""Whether a request says of itself that nobody has asked for it yet: prefetch, prerender, preview.

Browsers, in-app browsers and page libraries say so in different headers, of which one may come several times and in any
case. What they have in common is kept here, rather than a list of their products:

* a header about the purpose (`Purpose`, `X-Purpose`, `Sec-Purpose`, `X-Sec-Purpose`, `Sec-Fetch-Purpose`, `X-Moz`) with
  a value that names one: `prefetch`, `prefetch;prerender`, `preview`, `instant`;
* a header whose own name says so (`Next-Router-Prefetch: 1`, `X-Middleware-Prefetch: 1`, `Sec-Speculation-Tags: null`),
  unless its value says no;
* `X-FB-HTTP-Engine`, which Meta's apps set on what they fetch without showing it; their web views do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Headers = Iterable[tuple[bytes, bytes]]
"""Names in lower case, in the order in which they came, repeated ones too."""

_PURPOSES = (b"purpose", b"x-moz")
_SAYING = (b"prefetch", b"prerender", b"speculation", b"hx-preloaded")
_FETCHER = b"x-fb-http-engine"
_WORDS = (*_PURPOSES, *_SAYING, _FETCHER)

_AHEAD = re.compile(rb"prefetch|prerender|preview|preload|instant|speculat", re.IGNORECASE)
_NO = frozenset({b"", b"0", b"?0", b"false", b"no", b"off", b"none"})


def may_be_prefetch(names: Iterable[bytes]) -> bool:
    """Whether the names of the headers, in lower case, allow for it; then `is_prefetch` must look at the values."""
    text = b"\n".join(names)
    return any(word in text for word in _WORDS)


def is_prefetch(headers: Headers) -> bool:
    """Whether a request is a prefetch, a prerender or a preview."""
    return any(_says_so(name, value) for name, value in headers)


def _says_so(name: bytes, value: bytes) -> bool:
    if any(word in name for word in _PURPOSES):
        return _AHEAD.search(value) is not None
    if any(word in name for word in _SAYING):
        return value.strip().lower() not in _NO
    return name == _FETCHER
