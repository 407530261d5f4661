"""CPU time and memory of a server: all of its processes together, from /proc."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")
FOLLOWERS = ("bough-backgroun", "bough-warehouse")
"""Processes that work on what was answered before (counts, attribution, warehouse); of a name 15 letters are kept."""


class Cpu(Struct, frozen=True):
    """User and system time in microseconds."""

    answering: int
    following: int

    def since(self, before: Cpu) -> Cpu:
        """The difference."""
        return Cpu(self.answering - before.answering, self.following - before.following)


def family(pid: int) -> list[int]:
    """A process and all that it has started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def cpu(pid: int) -> Cpu:
    """What a process and its living and waited-for children have used."""
    totals = [0, 0]
    for member in family(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        follows = Path(f"/proc/{member}/comm").read_text().strip() in FOLLOWERS
        totals[follows] += sum(int(field) for field in fields[11:15]) * TICK_US
    return Cpu(*totals)


def memory_mb(pid: int) -> float:
    """Memory in MB; what processes share counts once (Pss)."""
    kilobytes = 0
    for member in family(pid):
        for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                kilobytes += int(line.split()[1])
    return kilobytes / 1024
