"""One API request behind the edge: its parameters, body and credentials, as the handlers need them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from starlette.requests import Request as StarletteRequest

from bough.accounts.audit import Actor, Audited, AuditEntry, audited, note_batch
from bough.accounts.context import Context
from bough.accounts.directory import Credential
from bough.accounts.model import User
from bough.accounts.session import Session, is_csrf_token
from bough.errors import AuthenticationFailed, Forbidden, InvalidCredentials
from bough.store.transaction import Transaction
from bough.web.request import Request, RequestHead
from bough.web.visitor import Visitor

CSRF_HEADER = "X-CSRF-Token"
CSRF_FAULT = "This form is too old, or was not sent from its own page; load the page again."
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Item = TypeVar("Item")
Result = TypeVar("Result")


class Caller:
    """Who sends a request, and the app or user that it says: what `Call` and the head of a fast path have in common."""

    listed: list[tuple[bytes, bytes]]

    def __init__(self, peer: str, context: Context) -> None:
        self.context = context
        self._peer = peer

    def header(self, name: str) -> str | None:
        """A request header, or None."""
        raise NotImplementedError

    def query(self, name: str) -> str | None:
        """A query parameter, or None."""
        raise NotImplementedError

    def visitor(self) -> Visitor:
        """Address and country of the caller."""
        country = self.context.settings.country_header
        forwarded = b",".join([value for name, value in self.listed if name == b"x-forwarded-for"])
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


class CallHead(RequestHead, Caller):
    """The head of a request on a fast path, without a query."""

    def __init__(self, headers: list[tuple[bytes, bytes]], peer: str, context: Context) -> None:
        RequestHead.__init__(self, headers)
        Caller.__init__(self, peer, context)


class Call(Request, Caller):
    """What a handler is given: the request, its caller, and what the process shares (`context`)."""

    def __init__(self, request: StarletteRequest, context: Context, path: dict[str, str]) -> None:
        client = request.scope.get("client")
        Request.__init__(self, request, path, context.settings.max_body)
        Caller.__init__(self, client[0] if client else "", context)
        self._user: User | None = None
        self.session: Session | None = None
        """Of a page, or of an API request without a token: who is signed in (`bough.signin.gate`)."""

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
        """The user that sends it, as the route's access has established (`bough.accounts.access`). Raises
        AuthenticationFailed for nobody."""
        if self._user is None:
            raise AuthenticationFailed
        return self._user

    def act_for(self, user: User) -> None:
        """Whose request this is; for `bough.accounts.access` and what signs people in."""
        self._user = user

    def actor(self, owner: Credential | None = None) -> Actor:
        """The caller, for the audit log; `owner` is whose key and secret were sent in place of a token."""
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
        tell: Callable[[Result], AuditEntry | None],
        owner: Credential | None = None,
    ) -> Result:
        """`Store.write`, and in the same transaction what `tell` says of the result in the audit log."""
        result: Result = await self.context.store.write(audited(batch), Audited(item, self.actor(owner), tell))
        return result

    async def note(self, entry: AuditEntry) -> None:
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
