"""Starting is quick: what takes long to load is loaded where it is needed."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bough.clicks.link_cache import links_of_worker
from bough.server.processes import supervisor, worker
from bough.settings import Settings
from tests.running import Running, children_named, wait_until

SLOW = ("duckdb", "numpy", "obstore", "psycopg", "pytest")


@pytest.mark.parametrize(
    "module", ["bough.server.commands.demo", "bough.server.commands.serve", "bough.server.processes.worker"]
)
def test_no_process_loads_a_database_engine_that_it_does_not_open(module: str) -> None:
    code = f"import sys, {module}; print(*[name for name in {SLOW} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_supervisor_forks_without_threads_and_its_children_let_go_of_what_is_not_theirs(tmp_path: Path) -> None:
    """A lock that a thread holds during a fork would stay locked in the child; a follower that holds the listening
    socket would keep the port after the workers."""
    running = Running(tmp_path / "data", "--empty", "--workers", "2")
    try:
        assert running.process is not None
        pid = running.process.pid
        wait_until(lambda: children_named(pid, "warehouse") and not children_named(pid, "beside"))
        assert len(list(Path(f"/proc/{pid}/task").iterdir())) == 1
        listening = holders_of(running.port)
        assert listening == {pid, *children_named(pid, "worker")}
    finally:
        running.stop()


def holders_of(port: int) -> set[int]:
    """Processes of this machine that hold the socket that listens on a loopback port."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {fields[9] for fields in lines if fields[1].endswith(f":{port:04X}") and fields[3] == "0A"}
    sockets = {f"socket:[{inode}]" for inode in inodes}
    found = set()
    for handle in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):  # closed or ended meanwhile
            if os.readlink(handle) in sockets:
                found.add(int(handle.parts[2]))
    return found


def test_the_workers_share_the_memory_for_links(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    monkeypatch.setattr(worker, "main", lambda settings, _listener: started.append(settings.link_cache))
    with socket.socket() as listener:
        for links, workers in ((0, 1), (0, 4), (5, 4)):
            supervisor._worker(Settings(link_cache=links), listener, workers)
    assert started == [links_of_worker(1), links_of_worker(4), 5]
    assert started[0] > started[1]
