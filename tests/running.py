"""Start and stop a real bough for tests."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

START_SECONDS = 60.0
PR_SET_PDEATHSIG = 1


class Running:
    """A `bough demo` in processes of its own, and what its demo.json says."""

    def __init__(self, folder: Path, *options: str, environment: dict[str, str] | None = None, port: int = 0) -> None:
        self.folder = folder
        self.options = options
        self.environment = environment or {}
        self.port = port or free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder.parent / f"{folder.name}.log"
        self.start()

    def start(self) -> None:
        """Start (again) and wait until it answers."""
        command = [sys.executable, "-m", "bough.cli", "demo", "--port", str(self.port), "--data", str(self.folder)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("BOUGH_")} | self.environment
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.options], stdout=log, stderr=log, env=environment, preexec_fn=end_with_the_tests
            )
        try:
            wait_until(self._answers, START_SECONDS, lambda: self.log.read_text(errors="replace")[-3000:])
        except BaseException:
            if self.process.poll() is None:
                self.kill()  # or it would run on after the tests, and slow down those of others
            raise
        self.card: dict[str, str] = json.loads((self.folder / "demo.json").read_text())

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End it as an operator would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def kill(self) -> None:
        """kill -9 of the supervisor and every process it started."""
        assert self.process is not None
        for pid in [self.process.pid, *children(self.process.pid)]:
            with contextlib.suppress(ProcessLookupError):  # one that has just ended by itself
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"bough ended with {self.process.returncode}: {self.log.read_text(errors='replace')}")
        try:
            with urllib.request.urlopen(f"{self.base_url}/readyz", timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def end_with_the_tests() -> None:
    """In the child: get SIGTERM when the test process dies, however it dies, so that no server is left behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def children(pid: int) -> list[int]:
    """Processes that a process has started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def children_named(pid: int, name: str) -> list[int]:
    """Those of them that the supervisor calls so: worker, background, warehouse."""
    found = []
    for child in children(pid):
        try:
            comm = Path(f"/proc/{child}/comm").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if comm == f"bough-{name}"[:15]:  # what the system keeps of a name
            found.append(child)
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], Any], seconds: float = 30.0, context: Callable[[], str] = str) -> None:
    """Wait for a condition; fails with `context()` when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {context()}"
        time.sleep(0.02)
