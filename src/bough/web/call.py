"""One API request behind the edge: its parameters, body and credentials, as the handlers need them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bough.accounts.directory import Credential
from bough.accounts.model import User
from bough.errors import AuthenticationFailed, BadRequest, InvalidCredentials, TooLarge
from bough.web.bodies import parse_body
from bough.web.errors import CORS_HEADERS
from bough.web.visitor import Visitor

if TYPE_CHECKING:
    from bough.web.context import Context

_encode = msgspec.json.Encoder().encode


class Call:
    """What a handler is given."""

    def __init__(self, request: Request, context: Context, path: dict[str, str]) -> None:
        self.request = request
        self.context = context
        self.path = path
        """Values of the path's variables, percent-decoded."""

    def query(self, name: str) -> str | None:
        """A query parameter, or None."""
        return self.request.query_params.get(name)

    def header(self, name: str) -> str | None:
        """A request header, or None."""
        return self.request.headers.get(name)

    def visitor(self) -> Visitor:
        """Address and country of who asks."""
        country = self.context.settings.country_header
        return self.context.visitors.visitor(
            self.request.client.host if self.request.client else "",
            ",".join(self.request.headers.getlist("x-forwarded-for")).encode("latin-1"),
            (self.header(country) or "").encode("latin-1") if country else b"",
        )

    async def bytes(self, limit: int | None = None) -> bytes:
        """The body. Raises TooLarge above `limit` bytes (default: the server's setting)."""
        limit = limit or self.context.settings.max_body
        length = self.request.headers.get("content-length", "")
        if length.isdigit() and int(length) > limit:
            raise TooLarge(f"The body must have at most {limit} bytes.")
        body = bytearray()
        try:
            async for chunk in self.request.stream():
                body += chunk
                if len(body) > limit:
                    raise TooLarge(f"The body must have at most {limit} bytes.")
        except ClientDisconnect as error:
            raise BadRequest("The client went away before its request was complete.") from error
        return bytes(body)

    async def value(self, limit: int | None = None) -> Any:
        """The body as JSON or form; an empty one is an empty object."""
        return parse_body(self.request.headers.get("content-type", ""), await self.bytes(limit))

    async def object(self, limit: int | None = None) -> dict[str, Any]:
        """The body, when it must be an object."""
        value = await self.value(limit)
        if not isinstance(value, dict):
            raise BadRequest("The body must be a JSON object.")
        return value

    def credential(self, body: dict[str, Any]) -> Credential:
        """The app of the request's branch key, or of the app id that some clients send in its place."""
        key = body.get("branch_key") or self.query("branch_key")
        if key:
            return self.context.directory.by_key(str(key))
        app_id = body.get("app_id") or self.query("app_id")
        if app_id:
            return self.context.directory.by_app_id(str(app_id))
        raise InvalidCredentials

    def secret_credential(self, body: dict[str, Any]) -> Credential:
        """The app of a branch key that came with its secret."""
        key = body.get("branch_key") or self.query("branch_key") or self.path.get("branch_key")
        secret = body.get("branch_secret") or self.query("branch_secret")
        if not isinstance(key, str) or not isinstance(secret, str):
            raise InvalidCredentials
        return self.context.directory.by_secret(key, secret)

    def user(self, body: dict[str, Any] | None = None) -> User:
        """The user of the access token: header Access-Token, or the fields that older texts name."""
        given = body or {}
        token = (
            self.header("access-token")
            or self.query("api_key")
            or given.get("access_token")
            or given.get("access_key")
            or self.query("access_token")
            or self.query("access_key")
        )
        if not isinstance(token, str):
            raise AuthenticationFailed
        return self.context.directory.by_token(token)


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer with CORS."""
    return Response(_encode(value), status, {**CORS_HEADERS, **(headers or {})}, "application/json")
