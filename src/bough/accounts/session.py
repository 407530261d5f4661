"""A session that holds: who is signed in, and the CSRF token that goes with it. `bough.signin` starts and ends them."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Literal

from msgspec import Struct

from bough.accounts.keys import fingerprint
from bough.accounts.model import User

Stage = Literal["full", "code"]
"""`code`: the password was right, the code of the authenticator app is still missing."""


class Session(Struct, frozen=True, kw_only=True):
    """A session that holds."""

    id: str
    """The secret in the cookie."""
    user: User
    stage: Stage
    created_at: int
    seen_at: int

    @property
    def hash(self) -> str:
        """What is stored of the id."""
        return fingerprint(self.id)

    @property
    def csrf(self) -> str:
        """The token that unsafe requests of this session carry."""
        return csrf_token(self.id)


def csrf_token(secret: str) -> str:
    """The token that goes with a cookie's secret."""
    return hmac.new(secret.encode(), b"bough csrf", sha256).hexdigest()


def is_csrf_token(given: str, secret: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), csrf_token(secret).encode())
