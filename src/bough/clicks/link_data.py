"""`data` of a long link: base64 of a JSON object, as SDKs, scripts and mail programs really write it.

What can be read is read: either alphabet, padded or not, broken into lines (Ruby's `encode64`, Python's
`encodebytes`), percent-encoded twice, or plain JSON; a text with half a character in it (an emoji that was cut) keeps
its other half. What cannot be read says nothing.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import msgspec

from bough.errors import BadRequest
from bough.links.parameters import MAX_DATA_BYTES, check_depth

MAX_TEXT = MAX_DATA_BYTES * 4 // 3 + 4
"""Characters of base64; what is longer holds more than a link may."""

_BREAKS = re.compile(r"[\r\n\t]+")
_HALF = re.compile(r"[\ud800-\udfff]")


def read_data(text: str) -> dict[str, Any]:
    """The object that `data` holds, empty when there is none."""
    if not text or len(text) > MAX_TEXT:
        return {}
    return next((data for raw in _decodings(text) if (data := _object(raw)) is not None), {})


def _decodings(text: str) -> Iterator[bytes]:
    """The bytes that a text may stand for, the likeliest first."""
    text = text.strip()
    if text.startswith("{"):
        yield text.encode("utf-8", "replace")
    if "%" in text:
        text = unquote(text).strip()
        if text.startswith("{"):
            yield text.encode("utf-8", "replace")
    text = _BREAKS.sub("", text).replace("-", "+").replace("_", "/").rstrip("=")
    # A reader of forms makes a blank of `+`; a line break that became a blank stands for nothing.
    for letters in (text.replace(" ", "+"), text.replace(" ", "")) if " " in text else (text,):
        try:
            yield b64decode(letters + "=" * (-len(letters) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue


def _object(raw: bytes) -> dict[str, Any] | None:
    """The JSON object in some bytes, if a link may have it as its data."""
    try:
        data = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        data = _leniently(raw)
    if not isinstance(data, dict):
        return None
    try:
        check_depth(data)
    except BadRequest:
        return None
    return data


def _leniently(raw: bytes) -> Any:
    """JSON with broken characters, a byte order mark or a control character in a text; None when it is no JSON."""
    try:
        read = json.loads(raw.decode("utf-8-sig", "replace"), strict=False)
        # Halves of a character come out of JSON's escapes; as text they could be stored nowhere.
        return msgspec.json.decode(_HALF.sub("\ufffd", json.dumps(read, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return None
