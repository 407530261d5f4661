"""Which aliases a link may have, and which addresses an import may keep.

A new link's alias is held to Branch's rules, so that it can move anywhere. An imported link has its address already: it
is kept whatever it looks like, as long as a browser can ask for it and the server does not answer there itself.
"""

from __future__ import annotations

import re

from bough.errors import BadRequest
from bough.vocabulary.reserved_paths import RESERVED_FIRST_SEGMENTS

MAX_LENGTH = 128

MAX_IMPORTED_BYTES = 1024
"""UTF-8 of an imported path; PostgreSQL's index of addresses holds about 2,700 for host and path together."""


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SEGMENT = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9_.~-]*\Z")


def check_alias(alias: str) -> str:
    """The alias, when it may be used. Raises BadRequest saying what is wrong with it."""
    if len(alias) > MAX_LENGTH:
        raise BadRequest(f"alias: must have at most {MAX_LENGTH} characters.")
    segments = alias.split("/")
    if not all(_SEGMENT.match(segment) for segment in segments):
        raise BadRequest(
            "alias: may hold letters, digits, '_', '-', '.', '~' and single '/' between segments; "
            "no segment may be empty or start with '.'."
        )
    if segments[0] in RESERVED_FIRST_SEGMENTS:
        raise BadRequest(f"alias: '{segments[0]}' is one of the server's own addresses.")
    if len(segments[0]) == 1:
        raise BadRequest("alias: the first path segment must have at least two characters.")
    return alias


def check_imported(path: str) -> None:
    """Raises BadRequest, naming `url`, when a link cannot be kept at a decoded path without leading slash."""
    if not path:
        raise BadRequest("url: names a host and no path; a link needs one, as in https://go.example.com/welcome.")
    if "\ufffd" in path or any("\ud800" <= character <= "\udfff" for character in path):
        raise BadRequest("url: the path is not valid UTF-8 once it is decoded; write it as the links that people have.")
    if len(path.encode()) > MAX_IMPORTED_BYTES:
        raise BadRequest(f"url: the path must have at most {MAX_IMPORTED_BYTES} bytes.")
    if _CONTROL.search(path):
        raise BadRequest("url: the path must not hold control characters.")
    segments = path.split("/")
    if not {".", ".."}.isdisjoint(segments):
        raise BadRequest("url: the path must not hold the segments '.' and '..', which browsers resolve themselves.")
    if segments[0] in RESERVED_FIRST_SEGMENTS:
        raise BadRequest(
            f"url: addresses that begin with /{segments[0]} are the server's own, so no link can be kept there; make a "
            "link with another alias and let your proxy redirect this address to it."
        )
