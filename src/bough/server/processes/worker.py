"""A worker: answers requests on the socket that the supervisor has bound."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import sys

import uvicorn
import uvloop

from bough.condition import Part
from bough.logs import configure
from bough.server.application import Application
from bough.server.processes.garbage import collect_seldom
from bough.settings import Settings
from bough.web.protocol import EdgeProtocol, sweep

SWITCH_INTERVAL = 0.000_05
"""Seconds after which a busy event loop gives the writing thread the interpreter lock (Python's default: 5 ms). The
thread needs it back after every statement, while all others wait for the write lock: 9,500 events/s at this value,
7,600 at 1 ms, 5,900 at 5 ms."""


def main(settings: Settings, listener: socket.socket) -> None:
    """Serve until SIGTERM."""
    configure(settings.log_level)
    sys.setswitchinterval(SWITCH_INTERVAL)
    _raise_open_files()
    application = Application(settings)
    config = uvicorn.Config(
        application,
        http=EdgeProtocol,
        ws="none",
        lifespan="on",
        loop="uvloop",
        access_log=False,
        log_config=None,
        log_level=settings.log_level if settings.log_level == "debug" else "warning",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    collect_seldom()
    uvloop.run(_serve(uvicorn.Server(config), listener, application.sweeping))


def _raise_open_files() -> None:
    """Every connection is an open file, and most systems allow a process 1,024 unless it asks for more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _serve(server: uvicorn.Server, listener: socket.socket, part: Part) -> None:
    sweeping = asyncio.get_running_loop().create_task(sweep(server.server_state, part=part))
    try:
        await server.serve(sockets=[listener])
    finally:
        sweeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeping
