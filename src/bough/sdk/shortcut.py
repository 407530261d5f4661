"""The short way of what apps send most: opens and events are answered without an ASGI cycle (`bough.web.protocol`).

Nothing is decided here: the functions are those of the routes. What they refuse goes the whole way, which refuses it
again and answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from bough.errors import BoughError
from bough.sdk.edge import parse_body
from bough.sdk.event_routes import EVENT_ANSWER, event_row, pageview_row
from bough.sdk.open_routes import document, open_request
from bough.store.journal import NewRow, append_batch
from bough.web.call import Asked, json_response
from bough.web.context import Context
from bough.web.errors import error_response
from bough.web.wire import Usual, wire

Headers = list[tuple[bytes, bytes]]
Send = Callable[[bytes], None]

_encode = msgspec.json.Encoder().encode


class Posts:
    """Answers common requests of SDKs for one process; see `bough.web.protocol.BodyShortcut`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._usual = Usual(json_response({}))
        self._ways: dict[bytes, Callable[[Asked, dict[str, Any], Send], None]] = {
            b"/v2/event/standard": lambda asked, body, send: self._append(
                event_row(asked, body, "standard"), EVENT_ANSWER, send
            ),
            b"/v2/event/custom": lambda asked, body, send: self._append(
                event_row(asked, body, "custom"), EVENT_ANSWER, send
            ),
            b"/v1/pageview": lambda asked, body, send: self._append(pageview_row(asked, body), {}, send),
            b"/v1/open": lambda asked, body, send: self._open(asked, body, "open", send),
            b"/v1/install": lambda asked, body, send: self._open(asked, body, "install", send),
        }
        self.urls = frozenset(self._ways)

    def __call__(self, url: bytes, headers: Headers, body: bytes, peer: str, send: Send) -> bool:
        """Answer the request; False when the whole way must."""
        self._context.refresh()
        asked = Asked(headers, peer, self._context)
        try:
            self._ways[url](asked, parse_body(body, asked.header("content-type") or ""), send)
        except BoughError:
            return False
        return True

    def _append(self, row: NewRow | None, answer: dict[str, Any], send: Send) -> None:
        told = self._usual.wire(_encode(answer))
        if row is None:
            send(told)
            return

        def done(result: int | Exception) -> None:
            send(told if not isinstance(result, Exception) else wire(error_response(result)))

        self._context.store.submit(append_batch, row, done)

    def _open(self, asked: Asked, body: dict[str, Any], kind: str, send: Send) -> None:
        def done(result: Any) -> None:
            if isinstance(result, Exception):
                send(wire(error_response(result)))
                return
            try:
                answer = self._usual.wire(_encode(document(asked, body, result)))
            except Exception as error:  # noqa: BLE001 - somebody waits for the answer
                answer = wire(error_response(error))
            send(answer)

        self._context.store.submit(self._context.opens.batch, open_request(asked, body, kind), done)
