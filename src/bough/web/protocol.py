"""uvicorn's HTTP protocol with the edge's limits, and a fast path for clicks.

uvicorn itself takes a megabyte of headers and waits for slow bodies; here a request has limits on the size and number
of its headers, on its address, and on the time in which it must be complete, each answered in the API's error shape, or
with a page where a person follows a link.

A GET that a `FastPath` knows how to answer (a click on a cached link) is answered without an ASGI cycle: an own task,
events and a scope cost more than the click itself. So is a POST to one of a `BodyFastPath`'s addresses, whose body is
gathered first; what is declined then takes the slow path, as if it had come all at once. Keep-alive, pipelining and
shutdown stay uvicorn's: while a short answer is pending, later requests of the connection wait in uvicorn's own
pipeline.

A connection that is closed while its client still sends would be reset by the kernel, and the client would never read
why. So closing is gentle: our side is shut, what still comes is thrown away, and the end comes with the client's own,
after LINGER_SECONDS, or after LINGER_BYTES.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from bough.condition import Part
from bough.settings import Settings
from bough.web.errors import CORS_HEADERS, error_body

log = logging.getLogger("bough.web")

MAX_URL_BYTES = 16 * 1024
MAX_SHORT_BODY = 64 * 1024
"""Bytes of a body that is gathered for the fast path."""

MAX_PIPELINED = 256
"""Requests of one connection that may wait for the answers before them."""

LINGER_SECONDS = 2.0
LINGER_BYTES = 64 * 1024 * 1024

Headers = list[tuple[bytes, bytes]]


class FastPath(Protocol):
    """Answers a GET without a body from its address and headers alone, or declines."""

    def __call__(self, url: bytes, headers: Headers, peer: str, send: Callable[[bytes], None]) -> bool:
        """Answer, or return False to decline."""


class BodyFastPath(Protocol):
    """Answers a POST with a small body, or declines by returning False. The body ends when it is called."""

    urls: frozenset[bytes]
    """The addresses that it knows, without query."""

    def __call__(self, url: bytes, headers: Headers, body: bytes, peer: str, send: Callable[[bytes], None]) -> bool: ...


class _NoEvent:
    def set(self) -> None:
        """Nobody waits for the body of a short request."""


class _ShortCycle:
    """Stands in for uvicorn's cycle while a short answer is pending; one per connection."""

    __slots__ = ("disconnected", "keep_alive", "message_event", "response_complete")

    def __init__(self) -> None:
        self.response_complete = True
        self.disconnected = False
        self.keep_alive = True
        self.message_event = _NoEvent()


class _GentleTransport:
    """What uvicorn's cycles write to: as the transport, but `close` is the protocol's gentle one."""

    __slots__ = ("_protocol", "close", "write")

    def __init__(self, protocol: EdgeProtocol) -> None:
        self._protocol = protocol
        self.write = protocol.transport.write
        self.close = protocol._close

    def is_closing(self) -> bool:
        """Also when only our side is shut: nothing more can be written."""
        return self._protocol.closed or self._protocol.transport.is_closing()


class EdgeProtocol(HttpToolsProtocol):
    """One connection. Settings and shortcuts are taken from the application."""

    __slots__ = (
        *("settings", "shortcut", "body_shortcut", "gathered", "peer"),
        *("max_headers", "max_header_bytes"),
        *("request_seconds", "chunk_bytes", "first_bytes", "held_bytes", "max_held_bytes", "receiving"),
        *("request_cycle", "deadline", "unread_deadline", "closing", "closed", "ended", "lingered_bytes", "refusal"),
        "short",
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.settings: Settings = config.loaded_app.settings
        self.shortcut: FastPath | None = config.loaded_app.shortcut
        self.url = b""
        self.headers: Headers = []
        self.body_shortcut: BodyFastPath | None = config.loaded_app.body_shortcut
        self.gathered: list[bytes] | None = None
        """The body so far of a request that may be answered shortly."""
        self.peer = ""
        self.max_headers = self.settings.max_headers
        self.max_header_bytes = self.settings.max_header_bytes
        self.request_seconds = self.settings.request_seconds
        self.chunk_bytes = 0
        """Size of what came last."""
        self.first_bytes = 0
        """Size of that in which the request began, with what may stand before it."""
        self.held_bytes = 0
        """What came after that and is not complete: the parser keeps an address, a header or a trailer that does not
        end. While headers are being completed, what stands behind them is in it too."""
        self.max_held_bytes = MAX_URL_BYTES + 2 * self.max_header_bytes
        """Spaces around values are not counted as headers, and have some room here."""
        self.receiving = False
        """Whether a request has begun and is not complete yet."""
        self.request_cycle: RequestResponseCycle | None = None
        """uvicorn's cycle of the request that is being received, if it has one."""
        self.deadline = 0.0
        """Loop time by which the request, or on an idle connection the next one, must have arrived; 0: none."""
        self.unread_deadline = 0.0
        """Loop time by which the client must have read on; 0: it is not behind."""
        self.closing = False
        """Whether everything that still comes is thrown away."""
        self.closed = False
        """Whether our side is shut."""
        self.ended = False
        """Whether the client's side is shut."""
        self.lingered_bytes = 0
        self.refusal = b""
        """The last answer of the connection, as long as answers before it are pending."""
        self.short = _ShortCycle()

    # The connection.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.peer = self.client[0] if self.client else ""
        self.deadline = self.loop.time() + self.request_seconds
        if len(self.connections) > self.settings.max_connections:
            self._refuse(503, "The server has too many open connections; try again later.")

    def data_received(self, data: bytes) -> None:
        if self.closing:
            self.lingered_bytes += len(data)
            if self.lingered_bytes > LINGER_BYTES:
                self.transport.abort()
            return
        if not self.receiving and not data.isascii():
            line, end, rest = data.partition(b"\r\n")
            data = _ascii(line) + end + rest
        self.chunk_bytes = len(data)
        self.held_bytes += self.chunk_bytes
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # The request is answered as if it had not asked; what follows is in the other protocol.
            if not self.closing:
                self.closing = True
                self.cycle.keep_alive = False
        except httptools.HttpParserError as error:
            self._refuse_unparsable(error)
        else:
            if self.receiving:
                self._check_headers()
                if self.held_bytes > self.max_held_bytes:
                    self._refuse_headers()
                elif not self.deadline and not self.closing:
                    self.deadline = self.loop.time() + self.request_seconds

    def eof_received(self) -> bool:  # type: ignore[override]
        """A client may shut its side after the request: it still gets its answers (True: do not close yet)."""
        self.ended = True
        if self.receiving:
            self._refuse(400, "The request is not complete.")
        elif not self._all_answered():
            self.closing = True
            self.cycle.keep_alive = False
        return not self._all_answered() and not self.closed

    def pause_writing(self) -> None:
        super().pause_writing()
        self.unread_deadline = self.loop.time() + self.request_seconds

    def resume_writing(self) -> None:
        super().resume_writing()
        self.unread_deadline = 0.0

    def expire(self, now: float) -> None:
        """Close the connection when its time is over; called now and then for every connection."""
        if 0 < self.unread_deadline <= now:
            self.transport.abort()
            return
        if not self.deadline or now < self.deadline:
            return
        if self.closed or self.transport.is_closing():
            self.transport.abort()
        elif self.receiving:
            self._refuse(408, "The request did not arrive in time.")
        else:
            self.transport.close()

    # One request, as the parser calls back.

    def on_message_begin(self) -> None:
        if self.closing:
            return
        # uvicorn's own preparations wait until the request is known to need a cycle.
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self.first_bytes = self.chunk_bytes
        self.held_bytes = 0
        self.request_cycle = None
        self.gathered = None
        self.receiving = True
        self.deadline = 0.0  # set when the request is not complete with the bytes that have come

    def on_url(self, url: bytes) -> None:
        self.url = self.url + url if self.url else url
        if len(self.url) > MAX_URL_BYTES:
            self._refuse(414, f"The address must have at most {MAX_URL_BYTES} bytes.")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.request_cycle is None:  # after the body come trailers, which nobody asked for
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._check_headers()
        self.held_bytes = 0
        if self.closing:
            return
        is_next = self._all_answered()
        method = self.parser.get_method()
        if is_next and method == b"GET" and self._is_answered_from_headers():
            return
        names = [name for name, _ in self.headers]
        if names.count(b"host") > 1:  # a proxy and this server might believe different ones (RFC 9112 §3.2)
            self._refuse(400, "There must be one Host header.")
            return
        if b"expect" in names:
            self.expect_100_continue = any(
                name == b"expect" and value.lower() == b"100-continue" for name, value in self.headers
            )
        if is_next and method == b"POST" and self._is_gathered():
            self.gathered = []
            return
        self._start_cycle()

    def _check_headers(self) -> None:
        """Refuse too many headers, and too large ones. They are only added up where they could be too large."""
        if len(self.headers) > self.max_headers:
            self._refuse(431, f"There must be at most {self.max_headers} headers.")
        elif (
            self.first_bytes + self.held_bytes > self.max_header_bytes
            and sum(len(name) + len(value) + 4 for name, value in self.headers) > self.max_header_bytes
        ):
            self._refuse_headers()

    def _refuse_headers(self) -> None:
        self._refuse(431, f"The headers must have at most {self.max_header_bytes} bytes together.")

    def _start_cycle(self) -> None:
        """Take the slow path, through ASGI."""
        if len(self.pipeline) >= MAX_PIPELINED:
            self._refuse(400, f"At most {MAX_PIPELINED} requests may wait for answers on one connection.")
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers = self.scope["headers"] = headers
        super().on_headers_complete()
        self.request_cycle = self.cycle
        self.cycle.transport = _GentleTransport(self)  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        self.held_bytes = 0
        if self.closing:
            return
        if self.gathered is not None:
            self.gathered.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self.closing:
            return
        self.deadline = 0.0
        self.receiving = False
        if self.gathered is not None:
            body, self.gathered = b"".join(self.gathered), None
            shortcut = self.body_shortcut
            if shortcut and self._is_taken(self._keeps_alive(), shortcut, self.url, self.headers, body):
                return
            self._start_cycle()
            super().on_body(body)
        if self.request_cycle is not None:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        # The sweep of idle connections stands in for uvicorn's timer, which costs more than a click.
        self.server_state.total_requests += 1
        if self.closed or self.transport.is_closing():
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self.refusal:
            self._send_refusal()
        elif not self.receiving:
            self.deadline = self.loop.time() + self.settings.idle_seconds

    # Answers of our own.

    def _is_gathered(self) -> bool:
        """Whether the request's body is gathered for the fast path."""
        if self.body_shortcut is None or self.url not in self.body_shortcut.urls or self.expect_100_continue:
            return False
        if self.parser.should_upgrade():
            return False
        lengths = [value for name, value in self.headers if name in (b"content-length", b"transfer-encoding")]
        return len(lengths) == 1 and lengths[0].isdigit() and int(lengths[0]) <= MAX_SHORT_BODY

    def _is_answered_from_headers(self) -> bool:
        """Offer the GET to the shortcut; whether it took it."""
        shortcut = self.shortcut
        if shortcut is None or self.parser.should_upgrade():
            return False
        return self._is_taken(self._keeps_alive(), shortcut, self.url, self.headers)

    def _keeps_alive(self) -> bool:
        return self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"

    def _is_taken(self, keep_alive: bool, shortcut: Callable[..., bool], *request: Any) -> bool:
        """Offer a request to a shortcut; whether it took it."""
        if self.flow.write_paused:
            return False
        cycle = self.short
        before, self.cycle = self.cycle, cycle  # type: ignore[assignment]
        cycle.keep_alive = keep_alive
        cycle.response_complete = False
        try:
            taken = shortcut(*request, self.peer, self._send_short)
        except Exception:
            log.exception("The fast path failed; the request takes the slow path")
            taken = False
        if not taken:
            cycle.response_complete = True
            self.cycle = before
        return taken

    def _send_short(self, answer: bytes) -> None:
        transport, cycle = self.transport, self.short
        cycle.response_complete = True
        if transport.is_closing():
            return
        if cycle.keep_alive:
            transport.write(answer)
        else:
            head, _, body = answer.partition(b"\r\n\r\n")
            transport.write(head + b"\r\nconnection: close\r\n\r\n" + body)
            self._close()
        self.on_response_complete()

    def _all_answered(self) -> bool:
        """Whether no answer is pending. `cycle` is that of the newest request, and answers go out in order."""
        return self.cycle is None or self.cycle.response_complete

    def _refuse_unparsable(self, error: httptools.HttpParserError) -> None:
        cause = error.__context__
        ours = isinstance(error, httptools.HttpParserCallbackError) and not isinstance(
            cause, httptools.HttpParserError | UnicodeDecodeError
        )
        if ours:
            log.error("A request could not be ingested", exc_info=cause)
        self._refuse(400, "The request is not valid HTTP.")

    def _refuse(self, status: int, message: str) -> None:
        """Answer the request that is being received without looking further, and close.

        Answers to the requests before it go out first. If its own answer is on its way already, only close.
        """
        if self.closing or self.transport.is_closing():
            return
        self.closing = True
        self.receiving = False
        self.deadline = 0.0
        own, self.request_cycle = self.request_cycle, None
        if own is not None and own.response_started:
            self._close()
            return
        self.refusal = self._written_refusal(status, message)
        if own is None:
            first = self._all_answered()
        else:
            queued = [entry for entry in self.pipeline if entry[0] is own]
            for entry in queued:
                self.pipeline.remove(entry)
            own.disconnected = True
            own.message_event.set()
            first = not queued
        if first:
            self._send_refusal()

    def _written_refusal(self, status: int, message: str) -> bytes:
        """A refusal as it goes over the wire: the error object, or a page for who follows a link."""
        page = self.config.loaded_app.refusal(status, self.url, self.headers)
        if page is None:
            body = error_body(status, message)
            headers: Iterable[tuple[str, str]] = (("content-type", "application/json"), *CORS_HEADERS.items())
        else:
            body, headers = page.body, page.headers
        lines = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers)
        head = f"{lines}connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        return STATUS_LINE[status] + head.encode("latin-1") + body

    def _send_refusal(self) -> None:
        self.transport.write(self.refusal)
        self.refusal = b""
        self._close()

    def _close(self) -> None:
        """Close; gently when the client may still be sending."""
        self.deadline = self.loop.time() + LINGER_SECONDS
        still_sending = (self.receiving or self.closing) and not self.ended
        self.closing = self.closed = True
        if still_sending and not self.transport.is_closing() and self.transport.can_write_eof():
            self.flow.resume_reading()
            self.transport.write_eof()
        else:
            self.transport.close()


def _ascii(line: bytes) -> bytes:
    """A request's first line with all bytes beyond ASCII percent-encoded. Some clients send an address as they found
    it, in any encoding, and the parser refuses that; what is no HTTP at all stays so."""
    if line.isascii() or not line.startswith((b"GET ", b"HEAD ")):
        return line
    return b"".join(b"%%%02X" % byte if byte > 0x7F else b"%c" % byte for byte in line)


async def sweep(state: ServerState, every: float = 1.0, part: Part | None = None) -> None:
    """Close connections whose time is over; runs as long as the server. `part`: how that goes."""
    part = part or Part("time limits of connections")
    while True:
        await asyncio.sleep(every)
        part.attempt(partial(_expire, state), None)


def _expire(state: ServerState) -> None:
    now = asyncio.get_running_loop().time()
    for connection in list(state.connections):
        if isinstance(connection, EdgeProtocol):
            connection.expire(now)
