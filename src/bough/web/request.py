"""One HTTP request behind the edge: its headers, query, path variables and body."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request as StarletteRequest

from bough.errors import BadRequest, TooLarge
from bough.web.bodies import parse_body

Body = bytes
"""Inside `Request` the name `bytes` is its method."""


class RequestHead:
    """The headers of a request. A fast path knows no more of it; its query is empty."""

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        self.listed = headers
        """Names in lower case, in the order in which they came."""
        self._headers: dict[bytes, bytes] | None = None

    def query(self, _name: str) -> str | None:
        """A query parameter, or None."""
        return None

    def header(self, name: str) -> str | None:
        """A request header, or None. The first one, when it came several times."""
        if self._headers is None:
            # Starlette decodes and compares all of them for each one that is asked for.
            self._headers = dict(reversed(self.listed))
        value = self._headers.get(name.lower().encode("latin-1"))
        return None if value is None else value.decode("latin-1")


class Request(RequestHead):
    """A whole request."""

    def __init__(self, request: StarletteRequest, path: dict[str, str], max_body: int) -> None:
        super().__init__(request.scope["headers"])
        self.request = request
        self.path = path
        """Values of the path's variables, percent-decoded."""
        self._max_body = max_body
        self._body: Body | None = None

    def query(self, name: str) -> str | None:
        """A query parameter, or None."""
        return self.request.query_params.get(name)

    async def bytes(self, limit: int | None = None) -> Body:
        """The body. Raises TooLarge above `limit` bytes (default: the server's setting)."""
        if self._body is None:
            self._body = await self._read(limit or self._max_body)
        return self._body

    async def _read(self, limit: int) -> Body:
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
