"""Request bodies: JSON and forms, on every endpoint (docs/links.md, docs/sdk.md)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from bough.errors import BadRequest, UnsupportedMediaType

MAX_FORM_FIELDS = 2000

_decode = msgspec.json.Decoder().decode

FORM = "application/x-www-form-urlencoded"
_ARRAY = re.compile(r"\[[0-9]{0,4}\]\Z")
_JSON_TYPES = frozenset({"", "application/json", "text/plain", "text/json"})


def parse_json(body: bytes) -> Any:
    """Any JSON value. Raises BadRequest with the place of the mistake."""
    try:
        return _decode(body)
    except msgspec.DecodeError as error:
        raise BadRequest(f"The body is not valid JSON: {error}.") from error
    except UnicodeDecodeError as error:
        raise BadRequest("The body is not valid UTF-8.") from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.") from error


def parse_body(content_type: str, body: bytes) -> Any:
    """The value of a JSON body, or a form as an object: a field that is repeated becomes an array.

    Some SDKs label JSON as a form, and curl does so by default: a body that starts like JSON is JSON.
    """
    kind = content_type.partition(";")[0].strip().lower()
    start = body.lstrip()[:1]
    if start in (b"{", b"[") or (kind in _JSON_TYPES or kind.endswith("+json")):
        return parse_json(body) if start else {}
    if kind == FORM:
        return parse_form(body)
    raise UnsupportedMediaType("Content-Type: must be application/json or application/x-www-form-urlencoded.")


def parse_form(body: bytes) -> dict[str, Any]:
    """Form fields by name; `tags=a&tags=b`, `tags[]=a` and `tags[0]=a` become arrays, single fields stay strings."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("The body is not valid UTF-8.") from error
    except ValueError as error:
        raise BadRequest(f"The body has more than {MAX_FORM_FIELDS} form fields.") from error
    fields: dict[str, Any] = {}
    for key, value in pairs:
        name = _ARRAY.sub("", key)
        if name in fields or name != key:
            before = fields.get(name, [])
            fields[name] = [*(before if isinstance(before, list) else [before]), value]
        else:
            fields[name] = value
    return fields


def parse_object(content_type: str, body: bytes) -> dict[str, Any]:
    """`parse_body`, when it must be an object."""
    value = parse_body(content_type, body)
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    return value
