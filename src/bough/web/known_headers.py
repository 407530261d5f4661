"""What was understood of a request's headers, kept for the next request with the same ones.

Many clicks come with the same headers, byte for byte: those of one connection, and those of phones of one kind that
come from one page. A GET that is only another address before known headers need not be parsed.
"""

from __future__ import annotations

from typing import Protocol

MAX_HEADS = 1000
MAX_HEAD_BYTES = 2048
LEARNED_OF = 16
"""One of so many requests that were parsed is learned from: headers that come often are soon known, and those that
nobody sends again, as behind a proxy that numbers its requests, cost next to nothing.
"""
MAX_KNOWN_BYTES = 8192
"""A larger request is parsed, and meets the limits there."""

GET = b"GET "
AFTER_ADDRESS = b" HTTP/1.1\r\n"
END = b"\r\n\r\n"


class Caller(Protocol):
    """What a request's headers say of who asks."""

    @property
    def recurs(self) -> bool:
        """Whether others are likely to send the same headers."""


class Heads:
    """Callers by the bytes of their headers, all that stands behind the first line; for one process."""

    def __init__(self) -> None:
        self._callers: dict[bytes, Caller] = {}
        self._offered = 0

    def __len__(self) -> int:
        return len(self._callers)

    def offer(self, request: bytes, url: bytes, caller: Caller) -> None:
        """Learn from one of LEARNED_OF requests."""
        self._offered += 1
        if self._offered % LEARNED_OF == 0:
            self.learn(request, url, caller)

    def learn(self, request: bytes, url: bytes, caller: Caller) -> None:
        """Remember the caller of a GET without a body, if these are the bytes of that one request and nothing else.

        It was parsed and answered, and its connection stays open.
        """
        line = GET + url + AFTER_ADDRESS
        is_whole = request.startswith(line) and request.find(END) == len(request) - len(END)
        head = request[len(GET) + len(url) :]
        if not is_whole or not caller.recurs or len(head) > MAX_HEAD_BYTES:
            return
        if len(self._callers) >= MAX_HEADS:
            self._callers.clear()
        self._callers[head] = caller

    def known(self, request: bytes) -> tuple[bytes, Caller] | None:
        """Address and caller of a GET with known headers.

        The address is all that stands before ` HTTP/1.1`: one with a space in it belongs to a request of another kind.
        """
        if request[:4] != GET or len(request) > MAX_KNOWN_BYTES:
            return None
        end = request.find(AFTER_ADDRESS)
        caller = self._callers.get(request[end:])
        return (request[4:end], caller) if caller is not None and end > 4 else None
