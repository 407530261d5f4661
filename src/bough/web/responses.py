"""JSON answers."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from bough.web.errors import CORS_HEADERS

_encode = msgspec.json.Encoder().encode


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer with CORS."""
    if status == 200 and not headers:
        return _Json(_encode(value))
    return Response(_encode(value), status, {**CORS_HEADERS, **(headers or {})}, "application/json")


class _Json(Response):
    """The usual answer; its headers are put together once."""

    _usual = Response(b"", 200, dict(CORS_HEADERS), "application/json").raw_headers
    _constant = tuple(one for one in _usual if one[0] != b"content-length")

    def __init__(self, body: bytes) -> None:
        self.status_code = 200
        self.background = None
        self.body = body
        self.raw_headers = [(b"content-length", str(len(body)).encode("latin-1")), *self._constant]
