"""Keys, secrets and tokens: their shapes, how they are made, how they are kept (as SHA-256, never themselves).

Shapes are Branch's, which its SDKs check (docs/links.md): `key_live_` or `key_test_` and 32 letters or digits.
They are long and random, so a plain hash is enough; passwords are another matter (argon2).
"""

from __future__ import annotations

import hashlib

from bough.vocabulary.ids import new_code


def environment(test: bool) -> str:
    """`test` or `live`."""
    return "test" if test else "live"


def new_branch_key(test: bool) -> str:
    """A public key of an app's environment."""
    return f"key_{environment(test)}_{new_code(32)}"


def new_branch_secret(test: bool) -> str:
    """The secret that goes with a branch key; shown once."""
    return f"secret_{environment(test)}_{new_code(32)}"


def new_access_token() -> str:
    """A user's token; shown once."""
    return f"api_user_{new_code(40)}"


def fingerprint(secret: str) -> str:
    """What is kept of a secret or token."""
    return hashlib.sha256(secret.encode()).hexdigest()
