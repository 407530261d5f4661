"""Much memory is put into large pages, little of it and that of others is left alone."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from bough.large_pages import SWITCH, areas

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux is asked for large pages")

MAPS = """\
55d0c0000000-55d0c0a01000 rw-p 00000000 00:00 0                          [heap]
7f0000000000-7f0000400000 rw-p 00000000 00:00 0
7f0000500000-7f0000901000 rw-p 00000000 00:00 0
7f0000a00000-7f0000b00000 rw-p 00000000 00:00 0
7f0001000000-7f0001800000 r--p 00000000 00:00 0
7f0002000000-7f0002800000 rw-p 00000000 fe:01 123                        /data/bough.db
7f0003000000-7f0003800000 rw-s 00000000 00:01 5                          /dev/zero (deleted)
7ffc00000000-7ffc00800000 rw-p 00000000 00:00 0                          [stack]
"""

PROGRAM = """
import asyncio, sys
from pathlib import Path
from bough import large_pages
large_pages.LEAST_BYTES = int(sys.argv[1])
large_pages.SWITCH = Path(sys.argv[2])
def large():
    text = Path("/proc/self/smaps_rollup").read_text()
    return int(text.partition("AnonHugePages:")[2].split()[0]) * 1024
kept = [str(number) * 20 for number in range(400_000)]
before = large()
asyncio.run(large_pages.use_large_pages())
assert kept == [str(number) * 20 for number in range(400_000)]
print(large() - before)
"""

MB = 1 << 20


def put_together(least: int, switch: Path = SWITCH) -> int:
    """Bytes that come into large pages in a process with some 60 MB."""
    command = [sys.executable, "-c", PROGRAM, str(least), str(switch)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1] / "src")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_own_memory_is_cut_to_whole_large_pages() -> None:
    assert [(hex(address), length // MB) for address, length in areas(MAPS)] == [
        ("0x55d0c0000000", 10),
        ("0x7f0000000000", 4),
        ("0x7f0000600000", 2),
    ]


def test_a_long_area_is_cut_into_pieces() -> None:
    found = areas("7f0000000000-7f0009000000 rw-p 00000000 00:00 0\n")
    assert [(hex(address), length // MB) for address, length in found] == [
        ("0x7f0000000000", 64),
        ("0x7f0004000000", 64),
        ("0x7f0008000000", 16),
    ]


def can_collapse() -> bool:
    """Whether this system puts pages together when it is asked."""
    if sys.platform != "linux":
        return False
    release = tuple(int(part) for part in platform.release().split(".")[:2])
    return release >= (6, 1) and SWITCH.exists() and "[never]" not in SWITCH.read_text()


@pytest.mark.skipif(not can_collapse(), reason="this system has no large pages on request")
def test_much_memory_is_put_into_large_pages() -> None:
    assert put_together(1 * MB) > 20 * MB


def test_little_memory_is_left_alone() -> None:
    assert put_together(1024 * MB) == 0


def test_who_forbids_large_pages_gets_none(tmp_path: Path) -> None:
    switch = tmp_path / "enabled"
    switch.write_text("always madvise [never]\n")
    assert put_together(1 * MB, switch) == 0
    assert put_together(1 * MB, tmp_path / "missing") == 0
