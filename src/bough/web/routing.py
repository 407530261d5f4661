"""The route table: one entry per method and path, from which requests are answered, documented and tested."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from msgspec import Struct
from starlette.responses import Response

from bough.errors import MethodNotAllowed, NotFound
from bough.vocabulary.permissions import Level, Permission
from bough.web.bodies import FORM

Handler = Callable[[Any], Awaitable[Response]]
"""Takes the request as the application made it (`bough.accounts.call.Call`)."""

Access = Literal["public", "branch_key", "branch_secret", "token", "page", "open_page"]
"""Who may ask: anyone, an app by key, an app by key and secret, a user by token, a user who has signed in; `open_page`:
anyone, as for the sign-in itself. Pages answer with HTML, also for errors, and check CSRF tokens."""

Refusal = Literal["unauthorized", "access_denied", "authentication"]
"""What a user without permission reads (`bough.accounts.access`)."""

Kind = Literal["string", "integer", "boolean", "object", "array", "number", "any"]

JSON = "application/json"


class Parameter(Struct, frozen=True, kw_only=True):
    """A query parameter, header or path variable, a field of a body, or a field of an answer."""

    name: str
    meaning: str = ""
    required: bool = False
    """In an answer: always there."""
    place: Literal["query", "body", "path", "header"] = "body"
    kind: Kind = "string"
    nullable: bool = False
    entries: Kind = "string"
    """Of an array: what its entries are."""
    fields: tuple[Parameter, ...] = ()
    """Of an object, or of an array's entries: what they hold."""
    choices: tuple[str | int, ...] = ()
    default: str | int | bool | None = None
    minimum: int | None = None
    maximum: int | None = None
    """Of a number its largest value, of a text its longest length, of an array its most entries."""


class Route(Struct, frozen=True, kw_only=True):
    """One operation of the API."""

    method: str
    path: str
    """Segments; `{name}` stands for one segment, `{name:path}` for the rest."""
    handler: Handler
    access: Access
    summary: str
    needs: tuple[Permission, ...] = ()
    """Permissions that the user must have, all of them; checked before the handler (`bough.accounts.access`)."""
    level: Level = "app"
    """`organization`: only for users who reach the whole organization."""
    refusal: Refusal = "unauthorized"
    """How a user without them is answered."""
    body_token: tuple[str, ...] = ()
    """Fields of the body in which older clients send the token."""
    or_secret: bool = False
    """Whether a branch key with its secret does as well as a token; the handler then looks at `needs` no more."""
    name: str = ""
    """Unique among all operations, as `createLink`; empty: made from method and path."""
    group: str = ""
    """The heading it stands under in the reference; empty: its slice's name."""
    notes: str = ""
    """What a user must know besides, in a few sentences."""
    parameters: Sequence[Parameter] = ()
    consumes: Sequence[str] = (JSON, FORM)
    """Content types of the body, when there is one."""
    body_array: bool = False
    """Whether the body is an array of objects of the body's parameters."""
    body_limit: int = 0
    """Largest body in bytes; 0: the server's setting `BOUGH_MAX_BODY`."""
    produces: Sequence[str] = (JSON,)
    answer: str = ""
    """What a 200 holds, in one sentence."""
    answers: Sequence[Parameter] = ()
    """Fields of a JSON answer (of each entry, with `answer_array`)."""
    answer_array: bool = False
    errors: Sequence[int] = ()
    """Statuses it may answer besides those that any operation of its kind may (`bough.web.openapi`)."""
    limit: str = ""
    """The rate limit it counts against (`bough.web.limits`), or none."""

    @property
    def operation_id(self) -> str:
        """`name`, or one made from method and path: `GET /v2/analytics/{job_id}` gives `getV2AnalyticsJobId`."""
        words = re.findall(r"[A-Za-z0-9]+", self.path)
        return self.name or self.method.lower() + "".join(word[0].upper() + word[1:] for word in words)

    @property
    def heading(self) -> str:
        """`group`, or the slice that the handler belongs to."""
        part = self.handler.__module__.split(".")[1]
        return self.group or (part.upper() if len(part) <= 3 else part.capitalize())

    @property
    def body(self) -> list[Parameter]:
        """The fields of its body."""
        return [parameter for parameter in self.parameters if parameter.place == "body"]

    @property
    def has_body(self) -> bool:
        """Whether a request carries a body."""
        return bool(self.body) or self.consumes not in ((JSON, FORM), ())


class RouteTable:
    """Finds the route of a request: static paths by dictionary, the others by pattern."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(routes)
        self._static: dict[str, dict[str, Route]] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], dict[str, Route]]] = {}
        for route in routes:
            if "{" in route.path:
                _, methods = self._patterns.setdefault(route.path, (_pattern(route.path), {}))
                methods[route.method] = route
            else:
                self._static.setdefault(route.path, {})[route.method] = route

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route and its path values. Raises NotFound or MethodNotAllowed."""
        methods, values = self._methods(path)
        if methods is None:
            raise NotFound
        if method == "HEAD" and "HEAD" not in methods:
            method = "GET"
        route = methods.get(method)
        if route is None:
            raise MethodNotAllowed(", ".join(sorted(methods)))
        return route, values

    def allowed(self, path: str) -> list[str]:
        """Methods of a path; empty when there is none."""
        methods, _ = self._methods(path)
        return sorted(methods or ())

    def _methods(self, path: str) -> tuple[dict[str, Route] | None, dict[str, str]]:
        """A slash at the end makes no difference: npm's node-branch-io updates links at `/v1/url/?url=…`."""
        path = path.removesuffix("/") or path
        methods = self._static.get(path)
        if methods is not None:
            return methods, {}
        for pattern, candidates in self._patterns.values():
            if match := pattern.fullmatch(path):
                return candidates, match.groupdict()
        return None, {}


def _pattern(path: str) -> re.Pattern[str]:
    text = re.escape(path).replace(r"\{", "{").replace(r"\}", "}").replace(r"\:", ":")
    text = re.sub(r"\{(\w+):path\}", r"(?P<\1>.+)", text)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", text))
