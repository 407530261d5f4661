"""The servers that bench.links measures: bough, nginx, bare uvicorn. Each runs in processes of its own."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.processes import family

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000000; client_body_temp_path {folder};
    server {{ listen 127.0.0.1:{port}; location / {{ return 302 https://example.com/ios; }} }}
}}
"""


class Server:
    """A running server."""

    def __init__(self, command: list[str], port: int, environment: dict[str, str] | None = None) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(command, env={**os.environ, **(environment or {})})
        deadline = time.monotonic() + 30
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise RuntimeError(f"{command[0]} does not start")
            time.sleep(0.02)

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        """As an operator would."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def kill(self) -> None:
        """kill -9 of all its processes."""
        for member in family(self.pid):
            os.kill(member, signal.SIGKILL)
        self.process.wait(30)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("HEAD", "/readyz")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


@contextmanager
def nginx(folder: Path) -> Iterator[Server | None]:
    """One worker that answers `return 302`; None when nginx is not installed."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        yield None
        return
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port))
    with _running(Server([program, "-c", str(config), "-e", str(folder / "nginx.err")], port)) as server:
        yield server


@contextmanager
def bare_uvicorn() -> Iterator[Server]:
    """One process of uvicorn with the smallest ASGI application that redirects."""
    port = free_port()
    with _running(Server([sys.executable, "-m", "bench.bare", str(port)], port)) as server:
        yield server


@contextmanager
def bough(folder: Path, workers: int) -> Iterator[Server]:
    """`bough serve` on a data folder."""
    port = free_port()
    command = [sys.executable, "-m", "bough.cli", "serve", "--port", str(port), "--workers", str(workers)]
    with _running(Server([*command, "--data", str(folder)], port, environment(folder))) as server:
        yield server


@contextmanager
def bough_one_by_one(folder: Path) -> Iterator[Server]:
    """`bough serve` with one worker that commits every item by itself."""
    port = free_port()
    command = [sys.executable, "-m", "bench.one_by_one", str(port)]
    with _running(Server(command, port, environment(folder))) as server:
        yield server


def environment(folder: Path) -> dict[str, str]:
    """Settings for a bench: no rate limits, and a base address that does not depend on the port."""
    return {
        "BOUGH_DATA": str(folder),
        "BOUGH_BASE_URL": "http://127.0.0.1:8000",
        "BOUGH_RATE_LIMITS": "off",
        "BOUGH_LOG_LEVEL": "error",
    }
