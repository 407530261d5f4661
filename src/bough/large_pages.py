"""Memory in large pages, for a process that has much of it and looks everywhere in it.

A processor remembers where some thousand pages are, and must look up all others: with pages of 4 KB that happens
several times for each link that was not asked for lately, and each time takes as long as the memory itself, on a
virtual machine twice as long. Linux puts pages together when it is asked to; Python does not ask.
"""

from __future__ import annotations

import asyncio
import ctypes
from pathlib import Path

LARGE = 2 << 20
"""Bytes of a large page."""

LEAST_BYTES = 256 << 20
"""What a process must have for it to be worth while: as much as two hundred thousand links take."""

AT_ONCE = 64 << 20
"""Bytes that are put together at once: a process that is told to end does not wait for the rest."""

MADV_HUGEPAGE, MADV_COLLAPSE = 14, 25
"""From madvise(2): large pages from now on, and at once (Linux 6.1; an older one takes its time)."""

MAPS = Path("/proc/self/maps")
SWITCH = Path("/sys/kernel/mm/transparent_hugepage/enabled")
"""Who runs the machine can forbid large pages here."""


def areas(maps: str) -> list[tuple[int, int]]:
    """Address and length of all that could be in large pages, from what /proc/PID/maps says: own memory, not files.

    In pieces of at most AT_ONCE bytes.
    """
    found = []
    for line in maps.splitlines():
        span, rights, _, _, _, *name = line.split()
        if rights != "rw-p" or (name and name[0] != "[heap]"):
            continue
        first, last = (int(address, 16) for address in span.split("-"))
        first, last = -(-first // LARGE) * LARGE, last // LARGE * LARGE
        found += [(address, min(AT_ONCE, last - address)) for address in range(first, last, AT_ONCE)]
    return found


async def use_large_pages() -> None:
    """Put this process' memory into large pages, where there is enough of it and the system has them.

    It takes 2 to 3 s per GB of another thread; the event loop waits for parts of a millisecond. What cannot be put
    together (no room, an old kernel) stays as it is.
    """
    found = areas(MAPS.read_text()) if _has_large_pages() else []
    if sum(length for _, length in found) < LEAST_BYTES:
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for address, length in found:
        for advice in (MADV_HUGEPAGE, MADV_COLLAPSE):
            await asyncio.to_thread(madvise, address, length, advice)


def _has_large_pages() -> bool:
    try:
        return MAPS.exists() and "[never]" not in SWITCH.read_text()
    except OSError:
        return False
