"""Which aliases a link may have (contract/links.md §1.1, §10)."""

from __future__ import annotations

import re

from bough.errors import BadRequest

MAX_LENGTH = 128

RESERVED_FIRST_SEGMENTS = frozenset(
    {
        "v1",
        "v2",
        "api",
        "a",
        "e",
        "i",
        ".well-known",
        "apple-app-site-association",
        "_r",
        "sdk",
        "dashboard",
        "setup",
        "signin",
        "signout",
        "static",
        "healthz",
        "readyz",
        "metrics",
        "openapi.json",
    }
)
"""First path segments that the server itself answers."""

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
