"""Answers as bytes, for requests that are answered without an ASGI cycle (`bough.web.protocol`)."""

from __future__ import annotations

import time
from email.utils import formatdate
from http import HTTPStatus

from starlette.responses import Response

_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}


def wire(response: Response) -> bytes:
    """A whole answer, as uvicorn would send it."""
    phrase = _PHRASES.get(response.status_code, b"")
    lines = [b"HTTP/1.1 %d %b" % (response.status_code, phrase), b"date: " + formatdate(usegmt=True).encode()]
    lines += [name + b": " + value for name, value in response.raw_headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + bytes(response.body)


class Usual:
    """Answers that differ in nothing but the body; the head is put together once a second."""

    def __init__(self, example: Response) -> None:
        self._status = b"HTTP/1.1 %d %b\r\ndate: " % (example.status_code, _PHRASES[example.status_code])
        rest = [name + b": " + value for name, value in example.raw_headers if name != b"content-length"]
        self._rest = b"\r\n" + b"\r\n".join(rest) + b"\r\ncontent-length: "
        self._second = 0
        self._head = b""

    def wire(self, body: bytes) -> bytes:
        """An answer with this body."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._head = self._status + formatdate(second, usegmt=True).encode() + self._rest
        return b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
