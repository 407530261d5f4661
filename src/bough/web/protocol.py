"""uvicorn's HTTP protocol with the edge's limits, and a short way for clicks.

uvicorn itself takes a megabyte of headers and waits for slow bodies; here a request has limits on the size and number
of its headers, on its address, and on the time in which it must be complete, each answered in the API's error shape.

A GET that a `Shortcut` knows how to answer (a click on a cached link) is answered without an ASGI cycle: an own task,
events and a scope cost more than the click itself. Keep-alive, pipelining, shutdown and time-outs stay uvicorn's: while
a short answer is pending, later requests of the connection wait in uvicorn's own pipeline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from bough.settings import Settings
from bough.web.errors import error_body

MAX_URL_BYTES = 16 * 1024

Headers = list[tuple[bytes, bytes]]


class Shortcut(Protocol):
    """Answers a request from its bytes alone, or declines by returning False."""

    def __call__(self, url: bytes, headers: Headers, peer: str, send: Callable[[bytes], None]) -> bool: ...


class _PendingAnswer:
    """Stands in for uvicorn's cycle while a short answer is pending."""

    __slots__ = ("body", "disconnected", "keep_alive", "message_event", "more_body", "response_complete")

    def __init__(self, keep_alive: bool) -> None:
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = keep_alive
        self.message_event = _NO_EVENT
        self.body = bytearray()
        self.more_body = False


class _NoEvent:
    def set(self) -> None:
        """Nobody waits for the body of a short request."""


_NO_EVENT = _NoEvent()


class EdgeProtocol(HttpToolsProtocol):
    """One connection. `settings` and `shortcut` are taken from the application."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.settings: Settings = config.loaded_app.settings
        self.shortcut: Shortcut | None = config.loaded_app.shortcut
        self.header_bytes = 0
        self.refused = False
        self.receiving = False
        """Whether a request has begun and is not complete yet."""
        self.deadline = 0.0
        """Loop time by which the request, or on an idle connection the next one, must have arrived; 0: none."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.deadline = self.loop.time() + self.settings.request_seconds
        if len(self.connections) > self.settings.max_connections:
            self._refuse(503, "The server has too many open connections; try again later.")

    def data_received(self, data: bytes) -> None:
        if not self.refused:
            super().data_received(data)

    def on_message_begin(self) -> None:
        self.header_bytes = 0
        self.receiving = True
        self.deadline = self.loop.time() + self.settings.request_seconds
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > MAX_URL_BYTES:
            self._refuse(414, f"The address must have at most {MAX_URL_BYTES} bytes.")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.header_bytes += len(name) + len(value) + 4
        if self.header_bytes > self.settings.max_header_bytes:
            self._refuse(431, f"The headers must have at most {self.settings.max_header_bytes} bytes together.")
        elif len(self.headers) >= self.settings.max_headers:
            self._refuse(431, f"There must be at most {self.settings.max_headers} headers.")
        else:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.refused:
            return
        idle = self.cycle is None or self.cycle.response_complete
        if (
            self.shortcut is not None
            and idle
            and self.parser.get_method() == b"GET"
            and not self.parser.should_upgrade()
        ):
            pending = _PendingAnswer(self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive())
            before, self.cycle = self.cycle, pending  # type: ignore[assignment]
            if self.shortcut(
                self.url, self.headers, self.client[0] if self.client else "", partial(self._send_short, pending)
            ):
                return
            self.cycle = before
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self.refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self.deadline = 0.0
        self.receiving = False
        if not self.refused and self.cycle is not None:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        # The sweep of idle connections stands in for uvicorn's timer, which costs more than a click.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        else:
            self.deadline = self.loop.time() + self.settings.idle_seconds

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, msg)

    def expire(self, now: float) -> None:
        """Close the connection when its time is over; called now and then for every connection."""
        if not self.deadline or now < self.deadline or self.transport.is_closing():
            return
        if self.receiving:
            self._refuse(408, "The request did not arrive in time.")
        else:
            self.transport.close()

    def _send_short(self, pending: _PendingAnswer, answer: bytes) -> None:
        if self.transport.is_closing():
            return
        pending.response_complete = True
        if not pending.keep_alive:
            head, _, body = answer.partition(b"\r\n\r\n")
            answer = head + b"\r\nconnection: close\r\n\r\n" + body
        self.transport.write(answer)
        if not pending.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _refuse(self, status: int, message: str) -> None:
        """Answer without looking further, and close."""
        if self.refused:
            return
        self.refused = True
        body = error_body(status, message)
        head = STATUS_LINE[status] + (
            b"content-type: application/json\r\naccess-control-allow-origin: *\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n" % len(body)
        )
        self.transport.write(head + body)
        self.transport.close()


async def sweep(state: ServerState, every: float = 1.0) -> None:
    """Close connections whose time is over; runs as long as the server."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(every)
        now = loop.time()
        for connection in list(state.connections):
            if isinstance(connection, EdgeProtocol):
                connection.expire(now)
