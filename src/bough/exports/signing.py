"""Addresses that carry their own permission: an HMAC over the file's name, the user, and the time at which it ends.

The form is that of the documented example (`?Signature=…&AWSAccessKeyId=…&Expires=…`, docs/exports.md). The
access key's id is the user for whom the address was made: it works while that user may see the file. The signing key
is random, made once, and kept in the store, so that all hosts of an installation share it.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from hashlib import sha256
from urllib.parse import urlencode

from bough.errors import Forbidden
from bough.store.database import Store
from bough.store.transaction import Transaction

SECRET_NAME = "export-signing"
SIGNED_SECONDS = 86_400
INVALID = "The signature of this address is not valid."
READ_SECRET = "SELECT value FROM server_secret WHERE name = ?"
ADD_SECRET = "INSERT INTO server_secret (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING"


class Signer:
    """Signs and checks. `key` is the installation's secret."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def signed_query(self, name: str, expires: int, user: int) -> str:
        """The query of an address for a file that works for a user until `expires` (epoch seconds)."""
        return urlencode(
            {"Signature": self._signature(name, expires, user), "AWSAccessKeyId": user, "Expires": expires}
        )

    def check(self, name: str, signature: str, expires: str, user: str, now: int) -> int:
        """The id of the user for whom the address was made.

        Raises Forbidden when the signature is not ours for this very file, user and time, or the time is over.
        """
        valid = _is_number(expires) and _is_number(user)
        good = self._signature(name, int(expires) if valid else 0, int(user) if valid else 0)
        if not hmac.compare_digest(good.encode(), signature.encode("utf-8", "replace")) or not valid:
            raise Forbidden(INVALID)
        if int(expires) <= now:
            raise Forbidden("This address has expired; ask for the job's status to get a new one.")
        return int(user)

    @property
    def webhook_key(self) -> str:
        """The key that receivers of webhooks check with, as hexadecimal digits; it signs no files."""
        return hmac.new(self._key, b"webhooks", sha256).hexdigest()

    def payload_signature(self, payload: bytes) -> str:
        """Signature of a webhook's body, as hexadecimal HMAC-SHA256 under `webhook_key`."""
        return hmac.new(bytes.fromhex(self.webhook_key), payload, sha256).hexdigest()

    def _signature(self, name: str, expires: int, user: int) -> str:
        digest = hmac.new(self._key, f"file\0{name}\0{expires}\0{user}".encode(), sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def open_signer(store: Store) -> Signer:
    """The installation's signer; its key is made on first use."""
    return Signer(bytes.fromhex(store.transact(_secret_batch, SECRET_NAME)))


def _secret_batch(tx: Transaction, names: list[str]) -> list[str | Exception]:
    values: list[str | Exception] = []
    for name in names:
        tx.run(ADD_SECRET, (name, secrets.token_hex(32)))
        values.append(str(tx.rows(READ_SECRET, (name,))[0][0]))
    return values
