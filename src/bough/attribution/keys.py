"""Keys by which rows are found: identifiers and addresses as 64-bit numbers, small and equally quick in any index.

A key is the first eight bytes of BLAKE2b over app, environment, kind and value. Two different values share a key with a
chance of about one in a million at ten million keys; what is found is compared again wherever it decides anything.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b


@lru_cache(maxsize=8192)  # one request asks for the same key several times
def key(app: int, test: bool, kind: str, value: str) -> int:
    """The signed 64-bit key of a value of some kind in an app's environment."""
    digest = blake2b(f"{app} {test:d} {kind} {value}".encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
