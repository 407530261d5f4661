"""The route table as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from bough import __version__
from bough.web.limits import LIMITS
from bough.web.routing import JSON, Access, Parameter, Route

Schema = dict[str, Any]

TITLE = "bough"

DESCRIPTION = """\
Deep links and mobile measurement, compatible with Branch's HTTP API under `/v1` and `/v2`; what lies under `/api` is
bough's own.

Bodies are JSON, or forms where it is said. Every error has one shape: `{"error": {"code": 400, "message": "…"}}`, where
`code` repeats the HTTP status and `message` is one sentence that names the field at fault. A limit that is reached
answers 429 with `Retry-After` in seconds. Ids are decimal texts, because JavaScript rounds numbers of their size.
Another organization's links and apps are answered like unknown ones."""

ERROR_MEANINGS = {
    400: "The request cannot be understood, breaks a limit, or its credentials are unknown.",
    403: "The caller is known and not allowed.",
    404: "Unknown, or another organization's.",
    409: "The alias is taken by a link with other parameters (400 by the app's setting).",
    413: "The body is too large.",
    415: "The body's content type is none of those that are understood.",
    429: "A rate limit is reached; `Retry-After` says how many seconds to wait.",
    500: "The server's fault.",
    503: "The server's fault, and it may pass.",
}
"""What each status means here."""

ACCESS_NOTES: dict[Access, str] = {
    "public": "Needs no credentials.",
    "branch_key": "Needs the app's branch key.",
    "branch_secret": "Needs the app's branch key and its secret.",
    "token": "Needs a user's access token in the header `Access-Token`.",
}
"""Which credentials an operation of the API takes."""

ERROR_SCHEMA: Schema = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "integer", "description": "The HTTP status."},
                "message": {"type": "string", "description": "One sentence that names the field at fault."},
            },
        }
    },
}


def document(routes: Iterable[Route], base_url: str) -> dict[str, Any]:
    """The whole document. `base_url` is the server's public address."""
    routes = list(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(plain_path(route), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": __version__,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base_url}],
        "tags": [{"name": name} for name in dict.fromkeys(route.heading for route in routes)],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "AccessToken": {"type": "apiKey", "in": "header", "name": "Access-Token"},
            },
            "schemas": {"Error": ERROR_SCHEMA},
            "responses": {str(status): _error_response(status) for status in ERROR_MEANINGS},
        },
    }


def error_statuses(route: Route) -> list[int]:
    """Every error status that an operation may answer."""
    found = {500, *route.errors}
    if (route.needs or route.level == "organization") and route.refusal != "authentication":
        found.add(403)
    if route.access != "public" or route.parameters:
        found.add(400)
    if route.has_body:
        found |= {413, 503} if route.consumes != (JSON,) and JSON not in route.consumes else {413, 415, 503}
    if route.limit:
        found.add(429)
    return sorted(found)


def plain_path(route: Route) -> str:
    """The path with its variables as OpenAPI writes them."""
    return re.sub(r"\{(\w+):path\}", r"{\1}", route.path)


def notes(route: Route) -> str:
    """All that an operation's description says: notes, credentials, limits."""
    parts = [route.notes, ACCESS_NOTES[route.access], needs(route)]
    if route.body_limit:
        parts.append(f"The body may have {route.body_limit} bytes.")
    if route.limit:
        second, minute, hour = LIMITS[route.limit]
        parts.append(f"Rate limit for each app: {second} a second, {minute} a minute, {hour} an hour.")
    return " ".join(part for part in parts if part)


def needs(route: Route) -> str:
    """Which permissions and level an operation takes, in a sentence; empty when any user will do."""
    parts = []
    if route.needs:
        names = " and ".join(f"`{name}`" for name in route.needs)
        parts.append(f"the permission{'s' if len(route.needs) > 1 else ''} {names}")
    if route.level == "organization":
        parts.append("organization-level access")
    return f"Needs {' and '.join(parts)}." if parts else ""


def schema(parameter: Parameter) -> Schema:
    """The JSON Schema of a value."""
    found: Schema = {}
    if parameter.kind == "object":
        found = _object(parameter.fields) if parameter.fields else {"type": "object"}
    elif parameter.kind == "array":
        entry = _object(parameter.fields) if parameter.fields else _typed(parameter.entries)
        found = {"type": "array", "items": entry}
    else:
        found = _typed(parameter.kind)
    if parameter.choices:
        found["enum"] = list(parameter.choices)
    if parameter.maximum is not None:
        found[{"string": "maxLength", "array": "maxItems"}.get(parameter.kind, "maximum")] = parameter.maximum
    if parameter.minimum is not None:
        found["minimum"] = parameter.minimum
    if parameter.default is not None:
        found["default"] = parameter.default
    if parameter.meaning:
        found["description"] = parameter.meaning
    if parameter.nullable:
        found["type"] = [found["type"], "null"]
    return found


def _typed(kind: str) -> Schema:
    return {} if kind == "any" else {"type": kind}


def _object(fields: Sequence[Parameter]) -> Schema:
    found: Schema = {"type": "object", "properties": {field.name: schema(field) for field in fields}}
    if required := [field.name for field in fields if field.required]:
        found["required"] = required
    return found


def _operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": route.operation_id,
        "tags": [route.heading],
        "summary": route.summary,
        "description": notes(route),
    }
    if parameters := [_parameter(parameter) for parameter in route.parameters if parameter.place != "body"]:
        found["parameters"] = parameters
    if route.has_body:
        found["requestBody"] = {"required": True, "content": {kind: _body(route, kind) for kind in route.consumes}}
    found["responses"] = {
        "200": _success(route),
        **{str(status): {"$ref": f"#/components/responses/{status}"} for status in error_statuses(route)},
    }
    if route.access == "token":
        found["security"] = [{"AccessToken": []}]
    if route.limit:
        second, minute, hour = LIMITS[route.limit]
        found["x-rate-limit"] = {"second": second, "minute": minute, "hour": hour}
    return found


def _parameter(parameter: Parameter) -> dict[str, Any]:
    described = schema(parameter)
    meaning = described.pop("description", "")
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": meaning,
        "schema": described,
    }


def _body(route: Route, kind: str) -> dict[str, Any]:
    if not route.body:
        return {"schema": {"type": "string"}}
    described = _object(route.body)
    return {"schema": {"type": "array", "items": described} if route.body_array else described}


def _success(route: Route) -> dict[str, Any]:
    described = _object(route.answers) if route.answers else {}
    if route.answer_array:
        described = {"type": "array", "items": described}
    return {
        "description": route.answer or route.summary,
        "content": {kind: {"schema": described} if kind == JSON else {} for kind in route.produces},
    }


def _error_response(status: int) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}: {ERROR_MEANINGS[status]}",
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    if status == 429:
        described["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return described
