"""One number in memory shared by all processes of a data folder: the newest change of links and apps.

A writer stores the number after its commit and before it answers; a reader compares it on every request (0.1 µs) and
reads the `change` table only when it moved. So after an acknowledged change no process serves the old link. A writer
killed between commit and store leaves the number behind; nobody was told of that change, and the poll finds it.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from pathlib import Path

VERSION_FILE = "bough.version"
_WORD_BYTES = 8


class SharedVersion:
    """The version word of a data folder."""

    def __init__(self, folder: Path) -> None:
        self._lock_file = os.open(folder / "bough.version.lock", os.O_RDWR | os.O_CREAT, 0o600)
        path = folder / VERSION_FILE
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < _WORD_BYTES:
                os.ftruncate(descriptor, _WORD_BYTES)
            self._memory = mmap.mmap(descriptor, _WORD_BYTES)
            self._word = memoryview(self._memory).cast("q")
        finally:
            os.close(descriptor)

    def read(self) -> int:
        """The newest change that was announced."""
        return self._word[0]

    def raise_to(self, version: int) -> None:
        """Announce a change; never goes back."""
        if version <= self.read():
            return
        fcntl.flock(self._lock_file, fcntl.LOCK_EX)
        try:
            if version > self.read():
                self._word[0] = version
        finally:
            fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Unmap."""
        self._word.release()
        self._memory.close()
        os.close(self._lock_file)
