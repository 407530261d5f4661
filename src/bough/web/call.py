"""One API request behind the edge: its parameters, body and credentials, as the handlers need them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
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


class Asked:
    """Who asks, as far as the head of a request tells; one without a query, unless it is a `Call`."""

    def __init__(self, headers: list[tuple[bytes, bytes]], peer: str, context: Context) -> None:
        self.context = context
        self._listed = headers
        """Names in lower case, in the order in which they came."""
        self._peer = peer
        self._headers: dict[bytes, bytes] | None = None

    def query(self, _name: str) -> str | None:
        """A query parameter, or None."""
        return None

    def header(self, name: str) -> str | None:
        """A request header, or None. The first one, when it came several times."""
        if self._headers is None:
            # Starlette decodes and compares all of them for each one that is asked for.
            self._headers = dict(reversed(self._listed))
        value = self._headers.get(name.lower().encode("latin-1"))
        return None if value is None else value.decode("latin-1")

    def visitor(self) -> Visitor:
        """Address and country of who asks."""
        country = self.context.settings.country_header
        forwarded = b",".join([value for name, value in self._listed if name == b"x-forwarded-for"])
        return self.context.visitors.visitor(
            self._peer, forwarded, (self.header(country) or "").encode("latin-1") if country else b""
        )

    def credential(self, body: dict[str, Any]) -> Credential:
        """The app of the request's branch key, or of the app id that some clients send in its place."""
        key = body.get("branch_key") or self.query("branch_key")
        if key:
            return self.context.directory.by_key(str(key))
        app_id = body.get("app_id") or self.query("app_id")
        if app_id:
            return self.context.directory.by_app_id(str(app_id))
        raise InvalidCredentials


class Call(Asked):
    """What a handler is given."""

    def __init__(self, request: Request, context: Context, path: dict[str, str]) -> None:
        client = request.scope.get("client")
        super().__init__(request.scope["headers"], client[0] if client else "", context)
        self.request = request
        self.path = path
        """Values of the path's variables, percent-decoded."""

    def query(self, name: str) -> str | None:
        """A query parameter, or None."""
        return self.request.query_params.get(name)

    async def bytes(self, limit: int | None = None) -> bytes:
        """The body. Raises TooLarge above `limit` bytes (default: the server's setting)."""
        limit = limit or self.context.settings.max_body
        length = self.header("content-length") or ""
        if length.isdigit() and int(length) > limit:
            raise TooLarge(f"The body must have at most {limit} bytes.")
        chunks: list[bytes] = []
        length_so_far = 0
        more = True
        while more:
            message = await self.request.receive()
            if message["type"] == "http.disconnect":
                raise BadRequest("The client went away before its request was complete.")
            chunks.append(message.get("body", b""))
            length_so_far += len(chunks[-1])
            more = message.get("more_body", False)
            if length_so_far > limit:
                raise TooLarge(f"The body must have at most {limit} bytes.")
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def value(self, limit: int | None = None) -> Any:
        """The body as JSON or form; an empty one is an empty object."""
        return parse_body(self.request.headers.get("content-type", ""), await self.bytes(limit))

    async def object(self, limit: int | None = None) -> dict[str, Any]:
        """The body, when it must be an object."""
        value = await self.value(limit)
        if not isinstance(value, dict):
            raise BadRequest("The body must be a JSON object.")
        return value

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
