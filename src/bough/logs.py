"""How bough's processes log: one line a record, and no secret in any of them.

Older texts send the token as `api_key` in the address, so whatever writes an address, a header or a traceback could
write a token. Every line is therefore looked through before it is written.
"""

from __future__ import annotations

import logging
import re

FORMAT = "%(levelname)s %(name)s: %(message)s"
REDACTED = "[redacted]"

SECRET_NAMES = (
    "api_key",
    "access_token",
    "access_key",
    "access-token",
    "branch_secret",
    "authorization",
    "signature",
    "password",
)
"""Parameters, headers and fields whose value is never written."""

_NAMED = re.compile(
    rf"(?i)\b({'|'.join(map(re.escape, SECRET_NAMES))})\b(['\"]?\s*[=:,]\s*[b(]*['\"]?)(?:bearer\s+)?[^\s&'\",;)\]}}]+"
)
_SHAPED = re.compile(r"\b(api_user|secret_live|secret_test)_[A-Za-z0-9]{8,}")
"""Tokens and secrets by their shape, wherever they stand (`bough.accounts.keys`)."""


def redact(text: str) -> str:
    """The text without the values of secrets."""
    return _SHAPED.sub(rf"\1_{REDACTED}", _NAMED.sub(rf"\1\2{REDACTED}", text))


class RedactingFormatter(logging.Formatter):
    """Looks the finished line through, its traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def configure(level: str) -> None:
    """Log to standard error from now on; `level` as in the setting BOUGH_LOG_LEVEL."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(FORMAT))
    logging.basicConfig(level=level.upper(), handlers=[handler])
