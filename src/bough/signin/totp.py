"""Six-digit codes of an authenticator app (RFC 6238: SHA-1, 30 seconds, as all such apps understand)."""

from __future__ import annotations

import hmac

import pyotp

STEP_SECONDS = 30
DRIFT_STEPS = 1
"""Codes before and after the current one that count too: clocks of telephones differ."""

ISSUER = "bough"


def new_secret() -> str:
    """A random secret as base32 text."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, name: str) -> str:
    """What the authenticator app reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def accepted_step(secret: str, code: str, now: float, last_step: int) -> int | None:
    """The time step that a code belongs to, or None: wrong, or of a step that was used before.

    `now` is in seconds since the epoch. A code counts once (RFC 6238 §5.2), so `last_step` must be kept.
    """
    digits = code.replace(" ", "")
    if len(digits) != 6 or not digits.isascii() or not digits.isdigit():
        return None
    current = int(now) // STEP_SECONDS
    generator = pyotp.TOTP(secret)
    found = None
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        # Every step is compared, whichever was right, so that the time taken tells nothing.
        if hmac.compare_digest(generator.generate_otp(step), digits) and step > last_step:
            found = step
    return found
