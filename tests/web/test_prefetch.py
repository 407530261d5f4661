"""Which headers say that nobody has asked for a page yet."""

from __future__ import annotations

import pytest

from bough.web.prefetch import is_prefetch, may_be_prefetch

AHEAD: list[list[tuple[str, str]]] = [
    [("Purpose", "prefetch")],
    [("PURPOSE", "PreFetch")],
    [("Purpose", "prefetch; anonymous-client-ip")],
    [("X-Purpose", "preview")],
    [("X-Purpose", "instant")],
    [("X-Moz", "prefetch")],
    [("Sec-Purpose", "prefetch;prerender")],
    [("Sec-Purpose", "prefetch;anonymous-client-ip")],
    [("Sec-Purpose", "prefetch;prerender;preview")],
    [("Sec-Purpose", '"prerender"')],
    [("X-Sec-Purpose", "prefetch")],
    [("Sec-Fetch-Purpose", "prefetch")],
    [("Purpose", "navigate"), ("Purpose", "prefetch")],
    [("Purpose", ""), ("X-Moz", "prefetch")],
    [("Next-Router-Prefetch", "1")],
    [("X-Middleware-Prefetch", "1")],
    [("HX-Preloaded", "true")],
    [("Sec-Speculation-Tags", "null")],
    [("X-FB-HTTP-Engine", "Liger")],
]
"""Ways to say so, each as lines of a request."""

NOT_AHEAD: list[list[tuple[str, str]]] = [
    [("Purpose", "navigate")],
    [("Purpose", "")],
    [("Sec-Purpose", "none")],
    [("Next-Router-Prefetch", "0")],
    [("Service-Worker-Navigation-Preload", "true")],
    [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"), ("Sec-Fetch-User", "?1")],
    [("Referer", "https://example.com/?purpose=prefetch")],
]
"""What a person's own visit may send."""


def lines(said: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Headers as the server has them."""
    return [(name.lower().encode(), value.encode()) for name, value in said]


@pytest.mark.parametrize("said", AHEAD, ids=str)
def test_a_prefetch_is_known_by_what_it_says(said: list[tuple[str, str]]) -> None:
    headers = [(b"host", b"example.com"), *lines(said), (b"accept", b"*/*")]
    assert is_prefetch(headers)
    assert may_be_prefetch(name for name, _ in headers)


@pytest.mark.parametrize("said", NOT_AHEAD, ids=str)
def test_a_visit_is_no_prefetch(said: list[tuple[str, str]]) -> None:
    assert not is_prefetch(lines(said))


def test_ordinary_headers_need_no_closer_look() -> None:
    names = (b"host", b"user-agent", b"accept", b"referer", b"sec-fetch-mode", b"sec-ch-ua-platform", b"cookie")
    assert not may_be_prefetch(names)
