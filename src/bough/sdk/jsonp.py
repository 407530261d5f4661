"""JSONP: answers that a page loads as a script (docs/sdk.md, "GET /v1/deepview").

The callback's name becomes code on a customer's page, so it may be a plain identifier and nothing else, and the answer
may not be taken for anything but a script.
"""

from __future__ import annotations

import re

import msgspec
from starlette.responses import Response

from bough.errors import BadRequest
from bough.web.errors import CORS_HEADERS

MAX_CALLBACK = 128

HEADERS = {**CORS_HEADERS, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

_CALLBACK = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*\Z")
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def callback(name: str | None) -> str:
    """The name, when it is safe to write into a script.

    Raises:
        BadRequest: missing, too long, or anything but an identifier.
    """
    if not name or len(name) > MAX_CALLBACK or not _CALLBACK.match(name):
        raise BadRequest("callback: must be a JavaScript identifier of at most 128 characters.")
    return name


def literal(value: object) -> str:
    """A JSON value as JavaScript, also safe inside an HTML page."""
    written = msgspec.json.encode(value).decode()
    return "".join(_UNSAFE.get(character, character) for character in written)


def script(name: str, argument: str, headers: dict[str, str] | None = None) -> Response:
    """`name(argument);` where `argument` is JavaScript."""
    return Response(f"{name}({argument});", 200, {**HEADERS, **(headers or {})}, "application/javascript")
