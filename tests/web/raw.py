"""A client that sends exactly the bytes it is told, and reads what comes back."""

from __future__ import annotations

import json
import socket
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """The inside of the API's error shape; fails when the body has any other shape."""
        document = json.loads(self.body)
        assert list(document) == ["error"], document
        assert list(document["error"]) == ["code", "message"], document
        assert document["error"]["code"] == self.status
        assert document["error"]["message"].endswith((".", "!", "secret")) or self.status in (404, 409), document
        inside: dict[str, Any] = document["error"]
        return inside


class Connection:
    """One TCP connection."""

    def __init__(self, port: int, timeout: float = 10.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._read = b""

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(data)

    def answer(self, method: str = "GET") -> Answer:
        """The next answer; `method` says whether a body follows."""
        head = self._until(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        status = int(lines[0].split(" ")[1])
        if method == "HEAD" or status in (100, 204, 304):
            return Answer(status, headers, b"")
        assert "content-length" in headers, head
        length = int(headers["content-length"])
        while len(self._read) < length:
            self._more()
        body, self._read = self._read[:length], self._read[length:]
        return Answer(status, headers, body)

    def is_closed(self) -> bool:
        """Wait for the end that the server makes; False when something else comes first."""
        try:
            return self._read == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._read:
            self._more()
        found, _, self._read = self._read.partition(mark)
        return found

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError(f"the server closed after {self._read!r}")
        self._read += data


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A well-formed request; underscores in header names become dashes."""
    given = {"Host": "127.0.0.1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if body:
        given.setdefault("Content-Type", "application/json")
        given.setdefault("Content-Length", str(len(body)))
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


def once(port: int, data: bytes, method: str = "GET") -> Answer:
    """Send one request on a connection of its own; the answer."""
    with Connection(port) as connection:
        connection.send(data)
        return connection.answer(method)
