"""Short questions of workers to the warehouse process, which alone can read the warehouse: over a Unix socket.

One JSON object each way, each ended by a line's end. What a worker asks for is not kept; exports, which are, go by job.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from bough.errors import BadRequest, BoughError, Unavailable
from bough.exports.wake_up import socket_address

log = logging.getLogger("bough.exports")

NAME = "questions.sock"
TIMEOUT_SECONDS = 30.0
START_SECONDS = 10.0
"""How long a question waits for a warehouse process that is being started."""

RETRY_SECONDS = 0.05
MAX_BYTES = 64 * 1024 * 1024

Answerer = Callable[[str, Mapping[str, Any]], Any]
"""(kind, fields) → a value for JSON. Runs in several threads."""


def ask(folder: Path, kind: str, fields: Mapping[str, Any]) -> Any:
    """The answer to a question. Blocks: not for the event loop.

    Raises:
        BadRequest: what the warehouse says of the question.
        Unavailable: no warehouse process answers.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(TIMEOUT_SECONDS)
            _connect(connection, socket_address(folder, NAME))
            connection.sendall(msgspec.json.encode({"kind": kind, "fields": fields}) + b"\n")
            with connection.makefile("rb") as answers:
                line = answers.readline(MAX_BYTES)
    except OSError as error:
        raise Unavailable("The warehouse cannot be asked at present; please try again.") from error
    if not line.endswith(b"\n"):
        raise Unavailable("The warehouse did not answer; please try again.")
    document = msgspec.json.decode(line)
    if "refused" in document:
        raise BadRequest(document["refused"])
    if "failed" in document:
        raise Unavailable(document["failed"])
    return document["answer"]


def _connect(connection: socket.socket, path: str) -> None:
    """Raises OSError when nobody has listened for START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > deadline:
                raise
            time.sleep(RETRY_SECONDS)


class Questions:
    """The answering side: a thread for each question that is being answered."""

    def __init__(self, folder: Path, answerer: Answerer) -> None:
        self._path = socket_address(folder, NAME)
        Path(self._path).unlink(missing_ok=True)

        class Handler(socketserver.StreamRequestHandler):
            timeout = TIMEOUT_SECONDS

            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    self.wfile.write(_answer(answerer, self.rfile.readline(MAX_BYTES)) + b"\n")

        self._server = socketserver.ThreadingUnixStreamServer(self._path, Handler)
        os.chmod(self._path, 0o600)
        self._thread = self._new_thread()

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def keep_on(self) -> None:
        """Answer again when the thread has ended by a fault. Raises Unavailable then, for it to be told."""
        if not self._thread.is_alive():
            self._thread = self._new_thread()
            self._thread.start()
            raise Unavailable("The thread that answers workers' questions had ended; it was started again.")

    def _new_thread(self) -> threading.Thread:
        return threading.Thread(target=self._server.serve_forever, args=(0.1,), name="bough-questions")

    def close(self) -> None:
        """Answer no more; what is being answered is finished first."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        Path(self._path).unlink(missing_ok=True)


def _answer(answerer: Answerer, line: bytes) -> bytes:
    question = msgspec.json.decode(line)
    try:
        return msgspec.json.encode({"answer": answerer(question["kind"], question["fields"])})
    except BadRequest as error:
        return msgspec.json.encode({"refused": error.message})
    except BoughError as error:
        return msgspec.json.encode({"failed": error.message})
    except Exception:
        log.exception("A question to the warehouse failed")
        return msgspec.json.encode({"failed": "The question failed for a fault of the server; it is logged."})
