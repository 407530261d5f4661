"""One API request behind the edge: its parameters, body and credentials, as the handlers need them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bough.accounts.audit import Actor, Audited, Entry, audited, note_batch
from bough.accounts.directory import Credential
from bough.accounts.model import User
from bough.errors import AuthenticationFailed, BadRequest, Forbidden, InvalidCredentials, TooLarge
from bough.signin.sessions import Session, is_csrf_token
from bough.store.transaction import Transaction
from bough.web.bodies import parse_body
from bough.web.errors import CORS_HEADERS
from bough.web.visitor import Visitor

if TYPE_CHECKING:
    from bough.accounts.context import Context

CSRF_HEADER = "X-CSRF-Token"
CSRF_FAULT = "This form is too old, or was not sent from its own page; load the page again."
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_encode = msgspec.json.Encoder().encode
Item = TypeVar("Item")
Result = TypeVar("Result")

Body = bytes
"""Inside `Call` the name `bytes` is its method."""


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
        self._user: User | None = None
        self._body: Body | None = None
        self.session: Session | None = None
        """Of a page, or of an API request without a token: who is signed in (`bough.signin.gate`)."""
        self.path = path
        """Values of the path's variables, percent-decoded."""

    def query(self, name: str) -> str | None:
        """A query parameter, or None."""
        return self.request.query_params.get(name)

    async def bytes(self, limit: int | None = None) -> Body:
        """The body. Raises TooLarge above `limit` bytes (default: the server's setting)."""
        if self._body is None:
            self._body = await self._read(limit)
        return self._body

    async def _read(self, limit: int | None) -> Body:
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
        """The app of a branch key, or of an app id in its place, that came with its secret."""
        key = body.get("branch_key") or self.query("branch_key") or self.path.get("branch_key")
        secret = body.get("branch_secret") or self.query("branch_secret")
        if not isinstance(secret, str):
            raise InvalidCredentials
        if not key and (app_id := body.get("app_id") or self.query("app_id")):
            return self.context.directory.by_app_secret(str(app_id), secret)
        if not isinstance(key, str):
            raise InvalidCredentials
        return self.context.directory.by_secret(key, secret)

    def user(self) -> User:
        """Who asks, as the route's access has found (`bough.accounts.access`). Raises AuthenticationFailed for nobody."""
        if self._user is None:
            raise AuthenticationFailed
        return self._user

    def act_for(self, user: User) -> None:
        """Whose request this is; for `bough.accounts.access` and what signs people in."""
        self._user = user

    def actor(self, owner: Credential | None = None) -> Actor:
        """Who asks, for the audit log; `owner` is whose key and secret were sent in place of a token."""
        ip = self.visitor().ip
        if owner is None or self._user is not None:
            user = self.user()
            return Actor(organization=user.organization, user=user.id, name=user.email, ip=ip, filters=user.filters)
        key = self.context.directory.branch_key(owner.app.id, owner.test)
        return Actor(organization=owner.app.organization, name=f"key {key}", ip=ip)

    async def change(
        self,
        batch: Callable[[Transaction, list[Item]], list[Result | Exception]],
        item: Item,
        tell: Callable[[Result], Entry | None],
        owner: Credential | None = None,
    ) -> Result:
        """`Store.write`, and in the same transaction what `tell` says of the result in the audit log."""
        result: Result = await self.context.store.write(audited(batch), Audited(item, self.actor(owner), tell))
        return result

    async def note(self, entry: Entry) -> None:
        """Log what changes nothing in the store."""
        await self.context.store.write(note_batch, (self.actor(), entry))

    def token(self) -> str | None:
        """The access token: header Access-Token, or the query parameters that older texts name."""
        return (
            self.header("access-token")
            or self.query("api_key")
            or self.query("access_token")
            or self.query("access_key")
        )

    def check_csrf(self, given: str) -> None:
        """Raises Forbidden when a request that changes something does not carry the session's CSRF token."""
        if self.request.method in SAFE_METHODS:
            return
        if self.session is None or not is_csrf_token(given, self.session.id):
            raise Forbidden(CSRF_FAULT)


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
