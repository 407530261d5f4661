"""From bytes and forms to plain dictionaries, without a float on the way.

`decode` reads JSON with decimals as `Decimal`, so that a price of 19.99 stays 19.99; `nested` unwraps the JSON strings
that the Web SDK puts into its form fields (docs/sdk.md). Depth and size are bounded here, once.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from bough.errors import BadRequest, TooLarge

MAX_BODY = 256 * 1024
"""Bytes of one event or open request (ours; docs/events.md)."""

MAX_DEPTH = 16
"""Levels of nesting in one body."""

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def decode(raw: bytes | str, field: str = "body", most: int = MAX_BODY) -> Any:
    """The JSON value, with decimals as `Decimal`. Duplicate keys: the last wins.

    Raises:
        TooLarge: more than `most` bytes (256 KB).
        BadRequest: not JSON, invalid UTF-8, or deeper than 16 levels.
    """
    if len(raw) > most:
        raise TooLarge(f"{field}: larger than {most} bytes.")
    try:
        value = _decoder.decode(raw)
    except RecursionError:
        raise BadRequest(f"{field}: nested deeper than {MAX_DEPTH} levels.") from None
    except (msgspec.DecodeError, UnicodeError, ArithmeticError):
        raise BadRequest(f"{field}: not valid JSON.") from None
    if _brackets(raw) > MAX_DEPTH:
        check_depth(value, field)
    return value


def _brackets(raw: bytes | str) -> int:
    """Opening brackets: nothing can be nested deeper than there are of them."""
    return raw.count("{") + raw.count("[") if isinstance(raw, str) else raw.count(b"{") + raw.count(b"[")


def encode(value: object) -> bytes:
    """JSON that keeps decimals as numbers, digit by digit: what the journal stores."""
    return _encoder.encode(value)


def check_depth(value: object, field: str) -> None:
    """Refuse what is nested deeper than 16 levels. Level by level, so that a bomb cannot exhaust the stack.

    Raises:
        BadRequest: naming `field`.
    """
    level: list[object] = [value]
    for _ in range(MAX_DEPTH + 1):
        deeper: list[object] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(child for child in item.values() if isinstance(child, (dict, list)))
            elif isinstance(item, list):
                deeper.extend(child for child in item if isinstance(child, (dict, list)))
        if not deeper:
            return
        level = deeper
    raise BadRequest(f"{field}: nested deeper than {MAX_DEPTH} levels.")


def nested_object(value: object, field: str) -> dict[str, Any]:
    """An object, given as one or as its JSON text; absent and empty text are `{}`.

    Raises:
        BadRequest: something else.
    """
    if type(value) is dict:
        return value
    value = _unwrapped(value, field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest(f"{field}: must be an object.")
    return value


def nested_list(value: object, field: str) -> list[Any]:
    """A list, given as one or as its JSON text; absent and empty text are `[]`.

    Raises:
        BadRequest: something else.
    """
    value = _unwrapped(value, field)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequest(f"{field}: must be a list.")
    return value


def _unwrapped(value: object, field: str) -> object:
    if isinstance(value, str):
        return decode(value, field) if value.strip() else None
    return value
