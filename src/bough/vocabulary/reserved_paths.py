"""First path segments that belong to the server: neither an alias nor a prefix of a domain may begin with one."""

from __future__ import annotations

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
