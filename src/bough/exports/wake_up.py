"""A bell between processes of one host: a worker rings when a job waits, the warehouse process wakes at once.

A lost ring costs nothing but time: the process also looks by itself now and then.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
from pathlib import Path

NAME = "warehouse.sock"
MAX_PATH = 100
"""Bytes that a Unix socket's path may have, less the name."""


def ring(folder: Path) -> bool:
    """Wake the warehouse process of this data folder; whether there is one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.setblocking(False)
        try:
            bell.sendto(b"1", socket_address(folder, NAME))
        except BlockingIOError:
            return True  # it has been rung so often that it will look anyway
        except OSError:
            return False
    return True


class Bell:
    """The side that waits."""

    def __init__(self, folder: Path) -> None:
        self._path = socket_address(folder, NAME)
        Path(self._path).unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self._path)
        self._socket.setblocking(False)

    def wait(self, seconds: float) -> None:
        """Return when somebody rang, or after `seconds`."""
        if select.select([self._socket], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                while self._socket.recv(64):
                    pass

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        Path(self._path).unlink(missing_ok=True)


def socket_address(folder: Path, name: str) -> str:
    """Where a socket of the data folder lies."""
    path = str(folder.resolve() / name)
    # A deep folder does not fit into a socket's address; relative to the current folder it usually does.
    return path if len(path.encode()) <= MAX_PATH else os.path.relpath(path)
