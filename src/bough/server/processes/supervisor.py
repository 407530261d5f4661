"""`bough serve`: binds the port, starts the workers and the background process, starts again what dies, ends together.

Where the system can (`START_METHOD`), children are forked from the supervisor once it has loaded what they share:
loading is most of what a start costs, so it is done once, and its memory is held once. No thread may run in the
supervisor, since a lock that one holds during a fork stays locked in the child: what else there is to do at the start
is done by a child, too (`beside`).

Workers share the listening socket. All children hold the reading end of a pipe: when the supervisor is gone, however
it died, the pipe ends and they stop, so that no process is left behind on the port or the data.
"""

from __future__ import annotations

import errno
import gc
import logging
import multiprocessing
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

import msgspec
from msgspec import Struct

from bough.condition import call_this_process, start_anew
from bough.errors import ConfigurationError
from bough.server.processes.lifeline import end_with_supervisor
from bough.settings import Settings

log = logging.getLogger("bough.serve")

START_METHOD = "fork" if sys.platform == "linux" else "spawn"
"""Elsewhere the system's own libraries do not survive a fork."""

BACKLOG = 2048
FOLLOWING_SECONDS = 0.5
"""How much later than the workers the warehouse starts: answering comes first, also on few cores."""

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
    name: str
    """As `ps -e` shows it after `bough-`; the name of a worker's or follower's module."""
    run: Callable[[], None]
    is_worker: bool = False
    is_once: bool = False
    """Not started again when it has ended."""
    process: BaseProcess | None = None
    not_before: float = 0.0
    started: float = 0.0
    deaths: int = 0
    """In a row."""


_NEXT = {
    errno.EADDRINUSE: "; another program listens there, so choose another --port",
    errno.EACCES: "; ports below 1024 are for root, so choose another --port",
    errno.EADDRNOTAVAIL: "; choose a --host that is an address of this machine",
}
"""What to do when an address cannot be had."""


def bind(host: str, port: int) -> socket.socket:
    """The listening socket. Raises ConfigurationError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError, UnicodeError) as error:
        listener.close()
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        what_next = _NEXT.get(error.errno or 0, "") if isinstance(error, OSError) else ""
        raise ConfigurationError(f"Cannot listen on {host} port {port}: {why}{what_next}.") from error
    listener.listen(BACKLOG)
    listener.set_inheritable(True)
    return listener


def supervise(
    listener: socket.socket, workers: int, settings: Settings, beside: Callable[[], None] | None = None
) -> None:
    """Run until SIGTERM or SIGINT; returns when every child has ended. `beside` runs once, in a process of its own."""
    start_anew(settings.folder)
    children = [
        _Child(name="worker", run=partial(_worker, settings, listener, workers, f"worker-{number}"), is_worker=True)
        for number in range(1, workers + 1)
    ]
    if beside is not None:
        children.append(_Child(name="beside", run=beside, is_once=True))
    children.append(_Child(name="background", run=partial(_follower, "background", settings)))
    if START_METHOD == "fork":
        import_module("bough.server.processes.worker")
        import_module("bough.server.processes.background")
        gc.freeze()  # what is here now stays, and is not written to by looking for garbage
    children.append(
        _Child(
            name="warehouse",
            run=partial(_follower, "warehouse", settings),
            not_before=time.monotonic() + FOLLOWING_SECONDS,
        )
    )
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    alive_reading, alive_writing = multiprocessing.Pipe(duplex=False)
    try:
        while not stopping:
            _start_missing(children, listener, (alive_reading, alive_writing))
            time.sleep(0.05)
    finally:
        _stop_all([child.process for child in children if child.process is not None])
        alive_writing.close()
        alive_reading.close()


def _worker(settings: Settings, listener: socket.socket, workers: int, name: str = "worker") -> None:
    from bough.clicks.link_cache import links_of_worker
    from bough.server.processes import worker

    call_this_process(name)
    links = settings.link_cache or links_of_worker(workers)
    worker.main(msgspec.structs.replace(settings, link_cache=links), listener)


def _follower(name: str, settings: Settings) -> None:
    # Only in the child: the warehouse loads what no other process needs.
    import_module(f"bough.server.processes.{name}").main(settings)


def _start_missing(children: Sequence[_Child], listener: socket.socket, alive: tuple[Connection, Connection]) -> None:
    now = time.monotonic()
    for child in children:
        if child.process is not None and child.process.exitcode is not None:
            _note_end(child, now)
        if child.process is None and now >= child.not_before:
            child.started = now
            child.process = _started(child, listener, alive)


def _note_end(child: _Child, now: float) -> None:
    """A child that has ended: when it may be started again. Raises ConfigurationError when that would be useless."""
    assert child.process is not None
    status = child.process.exitcode or 0
    child.process.close()
    child.process = None
    if child.is_once:
        child.not_before = float("inf")
        return
    log.error("The %s process ended with status %s; it is started again", child.name, status)
    child.deaths = 1 if status < 0 or now - child.started > SETTLED_SECONDS else child.deaths + 1
    child.not_before = now + min(LONGEST_PAUSE, RESTART_SECONDS * 2 ** min(child.deaths - 1, 10))
    if child.deaths >= MAX_DEATHS and child.is_worker:
        raise ConfigurationError("Workers do not start; their messages are above.")


def _started(child: _Child, listener: socket.socket, alive: tuple[Connection, Connection]) -> BaseProcess:
    context = multiprocessing.get_context(START_METHOD)
    foreign: list[socket.socket | Connection] = []
    if START_METHOD == "fork":
        # Only workers hold the socket: a process that gives way may take long to die, and the port must be free.
        foreign = [alive[1]] if child.is_worker else [alive[1], listener]
    process: BaseProcess = context.Process(target=_enter, args=(child.name, child.run, alive[0], foreign))  # type: ignore[attr-defined]
    process.start()
    return process


def _enter(
    name: str, run: Callable[[], None], alive: Connection, foreign: Sequence[socket.socket | Connection]
) -> None:
    """What a child does first: let go of what is not its own. Ctrl-C reaches it, too, but the supervisor ends it."""
    for one in foreign:
        one.close()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        Path("/proc/self/comm").write_text(f"bough-{name}")
    end_with_supervisor(alive.fileno())
    run()


def _stop_all(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        process.join(max(0.1, deadline - time.monotonic()))
        if process.exitcode is None:
            log.error("Process %s did not stop in %s s and is killed", process.pid, STOP_SECONDS)
            process.kill()
            process.join()
