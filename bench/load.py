"""64 keep-alive clients: wrk where it is installed, else a plain event loop of our own (which itself costs more)."""

from __future__ import annotations

import json
import random
import selectors
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

CLIENTS = 64
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Mobile/15E148 Safari/604.1"
)
SCRIPT = Path(__file__).with_name("load.lua")


class Load(Struct, frozen=True):
    """What the clients saw. `failed`: answers with a status of 400 and more; `cut`: connections that broke."""

    requests: int
    seconds: float
    p50_us: int
    p99_us: int
    failed: int
    cut: int


def path(i: int) -> str:
    """The path of the i-th link: spread over the whole index, as random codes are (load.lua has the same)."""
    return f"n{i * 387_420_489 % 2**32:08x}"


def generator() -> str:
    """What makes the load."""
    return "wrk" if shutil.which("wrk") else "Python (wrk is not installed: rates are too low, CPU figures hold)"


def gets(url: str, kind: str, links: int, seconds: float) -> Load:
    """GET links of a server, `uniform` or `zipf`; `unlike`: uniform, and no two requests have the same headers."""
    if shutil.which("wrk"):
        return _wrk(url, seconds, kind, str(links))
    host = urlsplit(url).netloc
    number = count()

    def request() -> bytes:
        i = int(links ** random.random()) if kind == "zipf" else random.randint(1, links)
        own = f"X-Request-Id: {next(number)}\r\n" if kind == "unlike" else ""
        return f"GET /{path(i)} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {PHONE}\r\n{own}\r\n".encode()

    return _own(url, seconds, request)


def posts(url: str, body: bytes, seconds: float, folder: Path) -> Load:
    """POST the same body."""
    if shutil.which("wrk"):
        file = folder / "body.json"
        file.write_bytes(body)
        return _wrk(url, seconds, "post", str(file))
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: {PHONE}\r\n"
    data = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    return _own(url, seconds, lambda: data)


def _wrk(url: str, seconds: float, *arguments: str) -> Load:
    command = [
        "wrk",
        "-t1",
        f"-c{CLIENTS}",
        f"-d{max(1, round(seconds))}s",
        "-H",
        f"User-Agent: {PHONE}",
        "-s",
        str(SCRIPT),
        url,
    ]
    done = subprocess.run([*command, "--", *arguments], capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("{"))
    return Load(**json.loads(line))


class _Client:
    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.began = 0.0
        self.buffer = b""

    def ask(self, data: bytes) -> None:
        self.began = time.perf_counter()
        self.socket.sendall(data)

    def read(self) -> int | None:
        """The status of an answer that is complete."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return None
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) < length:
            return None
        self.buffer = body[length:]
        return int(head[9:12])


def _own(url: str, seconds: float, request: Callable[[], bytes]) -> Load:
    parts = urlsplit(url)
    selector = selectors.DefaultSelector()
    clients = [_Client((parts.hostname or "", parts.port or 80)) for _ in range(CLIENTS)]
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.ask(request())
    times: list[float] = []
    failed = cut = 0
    began = time.perf_counter()
    while time.perf_counter() < began + seconds and cut < CLIENTS:
        for key, _ in selector.select(0.1):
            client = key.data
            try:
                status = client.read()
                if status is None:
                    continue
                times.append(time.perf_counter() - client.began)
                failed += status >= 400
                client.ask(request())
            except OSError:
                cut += 1
                selector.unregister(client.socket)
    took = time.perf_counter() - began
    for client in clients:
        client.socket.close()
    times.sort()
    middle, last = (int(times[int(len(times) * part)] * 1e6) for part in (0.5, 0.99))
    return Load(len(times), took, middle, last, failed, cut)
