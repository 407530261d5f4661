"""The query of a link's address, read in the same way wherever the address comes from: at a click, from an app that was
opened by it, in a question about it.

The person who follows a link cannot mend it, so every query can be read: bytes that are no UTF-8, percent signs without
two digits behind them, names without values and values without names. What travels on to the web is written as it came
(`written`): the target may read another encoding than UTF-8, and a `+` as a plus.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from bough.links.addresses import encode_value

MAX_FIELDS = 2000
"""Fields of one address that are read; what stands behind them is left out."""

Query = tuple[tuple[str, str], ...]
"""Decoded names and values in the order of the address."""

_UNWRITABLE = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%\[\]]+")
"""What no address may hold as it stands; braces and `#` are among it (`bough.clicks.decision.model.LINK_CLICK_ID`)."""


class Pair(tuple[str, str]):
    """A decoded name and value, and the text that they were read from."""

    written: str

    @classmethod
    def of(cls, text: str) -> Pair:
        """The pair that a query's part between two `&` says."""
        name, _, value = text.partition("=")
        pair = cls((_name(name), _decoded(value)))
        pair.written = text
        return pair


def read_query(text: str) -> Query:
    """The pairs of a query (without its `?`). Any text can be read."""
    return tuple(Pair.of(part) for part in text.split("&", MAX_FIELDS)[:MAX_FIELDS] if part) if text else ()


def query_of(url: str) -> Query:
    """The pairs of an address's query, which ends where the fragment begins."""
    return read_query(url.partition("#")[0].partition("?")[2])


def written(pair: tuple[str, str]) -> str:
    """A pair as it stands in an address, plain ASCII: byte for byte as it came, where an address may hold that, else
    percent-encoded."""
    if isinstance(pair, Pair):
        return _UNWRITABLE.sub(lambda found: encode_value(found[0]), pair.written)
    return f"{encode_value(pair[0])}={encode_value(pair[1])}"


def without(url: str, names: frozenset[str]) -> str:
    """An address without the fields of these names."""
    page, mark, rest = url.partition("?")
    query, hash_sign, fragment = rest.partition("#")
    kept = "&".join(part for part in query.split("&") if not part or Pair.of(part)[0] not in names)
    return f"{page}{mark if kept else ''}{kept}{hash_sign}{fragment}"


def _name(text: str) -> str:
    """A name: a `+` at its beginning is one, as no name begins with a blank and the server's own begin with `+`."""
    return f"+{_decoded(text[1:])}" if text.startswith("+") else _decoded(text)


def _decoded(text: str) -> str:
    return unquote(text.replace("+", " ")) if "%" in text or "+" in text else text
