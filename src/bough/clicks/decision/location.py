"""From a decision to the address that is sent, once the click has an id (docs/clicks.md).

A click's id exists only after the click is on disk, so this is the last step of every answer. Everything that does not
depend on the id is done once per decision by `prepare`; `Prepared.url` then only joins strings, well under 1 µs.

All parts are percent-encoded ASCII: nothing that a link, a query or a setting holds can end a header line.
"""

from __future__ import annotations

import struct
import zlib
from binascii import b2a_base64
from functools import lru_cache

from msgspec import Struct

from bough.clicks.decision.model import LINK_CLICK_ID, Decision
from bough.clicks.query import Query, written
from bough.links.addresses import encode_value

MATCH_ID = "_branch_match_id"
REFERRER = "_branch_referrer"

GZIP_HEAD = b"\x1f\x8b\x08" + bytes(6) + b"\x03"
"""gzip of a Unix, without time and name."""

MAX_STORED = 0xFFFF
_TAIL = struct.Struct("<II")

INTENT_END = ";end"
"""What an intent address ends with; the fallback goes before it."""


class Prepared(Struct, frozen=True):
    """The addresses of one decision, cut where the click's id goes."""

    _url: tuple[str, ...]
    _app_url: tuple[str, ...]

    def url(self, click_id: int) -> str:
        """The decision's target or fallback with everything appended; empty when it has neither."""
        return str(click_id).join(self._url)

    def around_click_id(self) -> tuple[bytes, ...]:
        """`url` in pieces, as it goes over the wire: the click's id goes between them."""
        return tuple(piece.encode("ascii") for piece in self._url)

    def app_url(self, click_id: int) -> str:
        """The address that tries the app; empty when there is none. An intent carries `url` as its fallback."""
        return str(click_id).join(self._app_url)


def location(decision: Decision, click_id: int) -> str:
    """The address for the Location header (or a page's fallback) of one click. `prepare` is the quick way for many."""
    return prepare(decision).url(click_id)


def prepare(decision: Decision) -> Prepared:
    """Do once per decision all that does not need the click's id."""
    url = decision.target or decision.fallback or ""
    url = with_parameters(url, decision.parameters, decision.appends, decision.link_url)
    return Prepared(tuple(url.split(LINK_CLICK_ID)), tuple(_app_url(decision, url).split(LINK_CLICK_ID)))


def branch_referrer(link_url: str) -> str:
    """base64 of the gzipped link, always the same bytes for the same link (no time in the gzip header).

    The link is stored in the gzip and not compressed: so short a text hardly shrinks, and setting up a compressor costs
    more than the whole redirect. A text of 64 KB, the most that one block can store, is no address.
    """
    return _packed(link_url).decode("ascii")


def referrer_pair(link_url: str) -> bytes:
    """`branch_referrer` as a query parameter; what base64 has beside letters and digits is percent-encoded."""
    encoded = _packed(link_url).replace(b"+", b"%2B").replace(b"/", b"%2F").replace(b"=", b"%3D")
    return REFERRER.encode() + b"=" + encoded


def _packed(link_url: str) -> bytes:
    text = link_url.encode("utf-8", "replace")[:MAX_STORED]
    length = len(text)
    return b2a_base64(_before_stored(length) + text + _TAIL.pack(zlib.crc32(text), length), newline=False)


@lru_cache(maxsize=1024)
def _before_stored(length: int) -> bytes:
    return GZIP_HEAD + struct.pack("<BHH", 1, length, length ^ 0xFFFF)


def with_parameters(url: str, parameters: Query, appends: bool, link_url: str) -> str:
    """A target with `parameters` and, if it `appends`, the match parameters; LINK_CLICK_ID still in place."""
    if not url or not (appends or parameters):
        return url
    pairs = [written(pair) for pair in parameters]
    if appends:
        pairs += [f"{MATCH_ID}={LINK_CLICK_ID}", referrer_pair(link_url).decode("ascii")]
    page, hash_sign, fragment = url.partition("#")
    base, mark, query = page.partition("?")
    kept = [pair for pair in query.split("&") if pair and not _is_match_parameter(pair)] if mark else []
    return f"{base}?{'&'.join(kept + pairs)}{hash_sign}{fragment}"


def _is_match_parameter(pair: str) -> bool:
    """Whether a pair of the target is left over from another click, as when somebody pasted the address of a visit."""
    return pair.startswith((f"{MATCH_ID}=", f"{REFERRER}="))


def _app_url(decision: Decision, url: str) -> str:
    app_url = decision.app_url or ""
    if not url or not app_url.startswith("intent:") or not app_url.endswith(INTENT_END):
        return app_url
    fallback = LINK_CLICK_ID.join(encode_value(part) for part in url.split(LINK_CLICK_ID))
    return f"{app_url.removesuffix(INTENT_END)};S.browser_fallback_url={fallback}{INTENT_END}"
