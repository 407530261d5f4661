"""The route table: one entry per method and path, from which requests are answered, documented and tested."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from msgspec import Struct
from starlette.responses import Response

from bough.errors import MethodNotAllowed, NotFound
from bough.web.call import Call

Handler = Callable[[Call], Awaitable[Response]]
Access = Literal["public", "branch_key", "branch_secret", "token"]


class Parameter(Struct, frozen=True, kw_only=True):
    """A query parameter or body field, for the reference."""

    name: str
    meaning: str
    required: bool = False
    place: Literal["query", "body", "path", "header"] = "body"
    kind: Literal["string", "integer", "boolean", "object", "array", "number"] = "string"


class Route(Struct, frozen=True, kw_only=True):
    """One operation of the API."""

    method: str
    path: str
    """Segments; `{name}` stands for one segment, `{name:path}` for the rest."""
    handler: Handler
    access: Access
    summary: str
    parameters: Sequence[Parameter] = ()
    answer: str = ""
    """What a 200 holds, in one sentence."""
    limit: str = ""
    """The rate limit it counts against (`bough.web.limits`), or none."""


class Table:
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
