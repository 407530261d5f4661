"""The fast path of what is posted most: opens, events and new links, without an ASGI cycle (`bough.web.protocol`).

Nothing is decided here: the functions are those of the routes. What they refuse takes the slow path, which refuses it
again and answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from bough.accounts.call import CallHead
from bough.accounts.context import Context
from bough.attribution.live.opens import Opens
from bough.errors import BoughError, TooLarge
from bough.links.actions import create_batch
from bough.links.document import link_url
from bough.links.handlers import draft
from bough.sdk.edge import parse_body
from bough.sdk.event_handlers import EVENT_ANSWER, event_row, pageview_row
from bough.sdk.open_handlers import document, open_request
from bough.store.journal import NewRow, append_batch
from bough.web.bodies import parse_object
from bough.web.errors import error_response
from bough.web.responses import json_response
from bough.web.wire import Usual, wire

Headers = list[tuple[bytes, bytes]]
Send = Callable[[bytes], None]

_encode = msgspec.json.Encoder().encode


class PostFastPath:
    """Answers common requests for one process; see `bough.web.protocol.BodyFastPath`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._opens = context.part(Opens)
        self._usual = Usual(json_response({}))
        self._ways: dict[bytes, Callable[[CallHead, bytes, Send], None]] = {
            b"/v2/event/standard": lambda asked, raw, send: self._append(
                event_row(asked, _fields(asked, raw), "standard"), EVENT_ANSWER, send
            ),
            b"/v2/event/custom": lambda asked, raw, send: self._append(
                event_row(asked, _fields(asked, raw), "custom"), EVENT_ANSWER, send
            ),
            b"/v1/pageview": lambda asked, raw, send: self._append(pageview_row(asked, _fields(asked, raw)), {}, send),
            b"/v1/open": lambda asked, raw, send: self._open(asked, _fields(asked, raw), "open", send),
            b"/v1/install": lambda asked, raw, send: self._open(asked, _fields(asked, raw), "install", send),
            b"/v1/url": self._create,
        }
        self.urls = frozenset(self._ways)

    def __call__(self, url: bytes, headers: Headers, body: bytes, peer: str, send: Send) -> bool:
        """Answer the request; False when the slow path must."""
        self._context.refresh()
        asked = CallHead(headers, peer, self._context)
        try:
            self._ways[url](asked, body, send)
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

        self._context.store.submit(append_batch, row, done, light=True)

    def _open(self, asked: CallHead, body: dict[str, Any], kind: str, send: Send) -> None:
        def done(result: Any) -> None:
            if isinstance(result, Exception):
                send(wire(error_response(result)))
                return
            try:
                answer = self._usual.wire(_encode(document(asked, body, result)))
            except Exception as error:  # noqa: BLE001 - somebody waits for the answer
                answer = wire(error_response(error))
            send(answer)

        self._context.store.submit(self._opens.batch, open_request(asked, body, kind), done, light=True)

    def _create(self, asked: CallHead, raw: bytes, send: Send) -> None:
        if len(raw) > self._context.settings.max_body:
            raise TooLarge("The body is larger than the server's setting.")
        body = parse_object(asked.header("content-type") or "", raw)
        owner = asked.credential(body)
        drafts = [draft(asked, owner, body)]
        # Last, so that what is refused above is counted once, by the slow path.
        self._context.limits.check_app(owner.app, "create")

        def done(result: Any) -> None:
            link = result if isinstance(result, Exception) else result[0]
            if isinstance(link, Exception):
                send(wire(error_response(link)))
            else:
                send(self._usual.wire(_encode({"url": link_url(link, owner.app)})))

        self._context.store.submit(create_batch, drafts, done)


def _fields(asked: CallHead, raw: bytes) -> dict[str, Any]:
    return parse_body(raw, asked.header("content-type") or "")
