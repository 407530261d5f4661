"""Keys by which rows are found: identifiers and addresses as 64-bit numbers, small and equally quick in any index.

A key is the first eight bytes of BLAKE2b over app, environment, kind and value. Two different values share a key with a
chance of about one in a million at ten million keys; what is found is compared again wherever it decides anything.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b


def key(app: int, test: bool, kind: str, value: str) -> int:
    """The signed 64-bit key of a value of some kind in an app's environment."""
    hashed = _begun(app, test, kind).copy()
    hashed.update(value.encode("utf-8", "replace"))
    return int.from_bytes(hashed.digest(), "big", signed=True)


@lru_cache(maxsize=8192)  # a copy of a hash takes half the time of a new one
def _begun(app: int, test: bool, kind: str) -> blake2b:
    return blake2b(f"{app} {test:d} {kind} ".encode(), digest_size=8)
