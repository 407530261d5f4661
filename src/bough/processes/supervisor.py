"""`bough serve`: binds the port, starts the workers and the background process, starts again what dies, ends together.

The children share the listening socket. They also hold the reading end of a pipe: when the supervisor is gone, however
it died, the pipe ends and they stop, so that no process is left behind on the port or the data.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from types import FrameType

from msgspec import Struct

from bough.errors import ConfigurationError

log = logging.getLogger("bough.serve")

BACKLOG = 2048
WORKER = "bough.processes.worker"
FOLLOWING_SECONDS = 1.0
"""How much later than the workers the other processes start: answering comes first, also on few cores."""

RESTART_SECONDS = 1.0
"""Pause before a child that died is started again; doubled for each death in a row."""

SETTLED_SECONDS = 30.0
"""A child that lived so long had started well."""

MAX_DEATHS = 5
"""A worker that ended by itself so often in a row, without settling, cannot work: the server gives up. The other
processes are tried again for ever: links must go on working without them."""

LONGEST_PAUSE = 60.0

STOP_SECONDS = 20.0


class _Child(Struct):
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None
    not_before: float = 0.0
    started: float = 0.0
    deaths: int = 0
    """In a row."""


def bind(host: str, port: int) -> socket.socket:
    """The listening socket. Raises ConfigurationError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"Cannot listen on {host} port {port}: {error.strerror or error}.") from error
    listener.listen(BACKLOG)
    listener.set_inheritable(True)
    return listener


def supervise(listener: socket.socket, workers: int, environment: Mapping[str, str]) -> None:
    """Run until SIGTERM or SIGINT; returns when every child has ended."""
    alive_reading, alive_writing = os.pipe()
    fds = (listener.fileno(), alive_reading)
    worker = [WORKER, str(listener.fileno()), str(alive_reading)]
    single = [["bough.processes.background", str(alive_reading)], ["bough.processes.warehouse", str(alive_reading)]]
    later = time.monotonic() + FOLLOWING_SECONDS
    children = [_Child(arguments=worker) for _ in range(workers)]
    children += [_Child(arguments=one, not_before=later) for one in single]
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        while not stopping:
            _start_missing(children, fds, environment)
            time.sleep(0.05)
    finally:
        _stop_all([child.process for child in children if child.process is not None])
        os.close(alive_writing)
        os.close(alive_reading)


def _start_missing(children: Sequence[_Child], fds: tuple[int, int], environment: Mapping[str, str]) -> None:
    now = time.monotonic()
    for child in children:
        if child.process is not None and child.process.poll() is not None:
            log.error("%s ended with status %s; it is started again", child.arguments[0], child.process.returncode)
            killed = child.process.returncode < 0
            child.deaths = 1 if killed or now - child.started > SETTLED_SECONDS else child.deaths + 1
            child.not_before = now + min(LONGEST_PAUSE, RESTART_SECONDS * 2 ** min(child.deaths - 1, 10))
            child.process = None
            if child.deaths >= MAX_DEATHS and child.arguments[0] == WORKER:
                raise ConfigurationError(f"{child.arguments[0]} does not start; its messages are above.")
        if child.process is None and now >= child.not_before:
            command = [sys.executable, "-m", *child.arguments]
            child.started = now
            # Only workers hold the socket: a process that gives way may take long to die, and the port must be free.
            own = fds if child.arguments[0] == WORKER else fds[1:]
            child.process = subprocess.Popen(command, pass_fds=own, env=dict(environment))


def _stop_all(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.error("Process %s did not stop in %s s and is killed", process.pid, STOP_SECONDS)
            process.kill()
            process.wait()
