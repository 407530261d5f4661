"""Values of a query, which can only carry text: times, switches and whole numbers."""

from __future__ import annotations

from datetime import UTC, datetime

from bough.errors import BadRequest


def parse_time(field: str, text: str) -> int:
    """Epoch milliseconds of an ISO 8601 text or of digits. Raises BadRequest naming `field`."""
    if text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text)
    try:
        when = datetime.fromisoformat(text)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        return round(when.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"{field}: must be a time such as 2026-03-01, 2026-03-01T12:00:00Z or epoch ms.") from error


def parse_switch(field: str, text: str) -> bool:
    """true or false, 1 or 0. Raises BadRequest naming `field`."""
    value = {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
    if value is None:
        raise BadRequest(f"{field}: must be true or false.")
    return value


def parse_number(field: str, text: str, low: int, high: int) -> int:
    """A whole number within its limits. Raises BadRequest naming `field`."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
        raise BadRequest(f"{field}: must be a whole number from {low} to {high}.")
    return int(text)
