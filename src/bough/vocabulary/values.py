"""Reading of values as the SDKs really send them (docs/sdk.md).

The Web SDK posts forms: nested values are JSON strings, numbers and booleans are text, one tag is a scalar. Android and
iOS post JSON, with ids as numbers in old releases. These functions give the plain value or None for "not said"; they
never raise, because a dirty side field must not lose an install.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

MAX_TEXT = 4096
"""Characters kept of a side field."""

_TRUE = frozenset({"true", "1", "yes"})
_FALSE = frozenset({"false", "0", "no"})


def text(value: object, limit: int = MAX_TEXT) -> str:
    """The value as stripped text; numbers in decimal digits; empty for anything else."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()[:limit] if value else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if -(10**40) < value < 10**40 else ""
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < 40:
        whole_number = value == value.to_integral_value()
        return format(value.quantize(Decimal(1)) if whole_number and value.adjusted() < 27 else value, "f")
    return ""


def flag(value: object) -> bool | None:
    """True, False, or None when the value says neither. Takes booleans, 0 and 1, and their texts."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int) or (isinstance(value, Decimal) and value.is_finite()):
        return bool(value) if value in (0, 1) else None
    if isinstance(value, str):
        lowered = value.strip().lower()
        return True if lowered in _TRUE else False if lowered in _FALSE else None
    return None


def whole(value: object) -> int | None:
    """A whole number of at most 18 digits, also from its text; None otherwise."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if -(10**18) < value < 10**18 else None
    digits = text(value, 20)
    if digits and len(digits) <= 19 and digits.removeprefix("-").isascii() and digits.removeprefix("-").isdigit():
        return int(digits)
    return None


def first(body: Mapping[str, Any], *names: str) -> Any:
    """The first of the fields that is there and not null: new names before old ones."""
    for name in names:
        value = body.get(name)
        if value is not None:
            return value
    return None
