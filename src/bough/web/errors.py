"""Errors as callers see them: ``{"error": {"code": 400, "message": "…"}}`` (docs/errors.md)."""

from __future__ import annotations

import logging

import msgspec
from starlette.responses import Response

from bough.errors import SERVER_FAULT, AliasConflict, BoughError, MethodNotAllowed, RateLimited

log = logging.getLogger("bough.web")

CORS_HEADERS = {"Access-Control-Allow-Origin": "*"}
"""On every API answer: browsers call the API from customers' pages."""


def error_body(status: int, message: str) -> bytes:
    """The one error shape."""
    return msgspec.json.encode({"error": {"code": status, "message": message}})


def status_of(error: BoughError) -> int:
    """The HTTP status that an error is answered with."""
    return error.conflict_status if isinstance(error, AliasConflict) else error.status


def error_response(error: Exception) -> Response:
    """Any exception as an answer; one that is not ours is logged and shown as a server fault."""
    if not isinstance(error, BoughError):
        log.error("A request failed", exc_info=error)
        return Response(error_body(500, SERVER_FAULT), 500, CORS_HEADERS, "application/json")
    headers = dict(CORS_HEADERS)
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = error.allow
    status = status_of(error)
    return Response(error_body(status, error.message), status, headers, "application/json")
