"""The least that uvicorn can do: ``python -m bench.bare PORT`` answers every request with a redirect."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

START = {
    "type": "http.response.start",
    "status": 302,
    "headers": [(b"location", b"https://example.com/ios"), (b"content-length", b"0")],
}
BODY = {"type": "http.response.body", "body": b""}


async def application(_scope: Any, _receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
    """ASGI."""
    await send(START)
    await send(BODY)


if __name__ == "__main__":
    uvicorn.run(
        application, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False, log_level="error",
        lifespan="off",
    )  # fmt: skip
