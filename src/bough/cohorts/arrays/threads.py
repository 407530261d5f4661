"""Work on independent arrays in several threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def in_threads(threads: int, work: Callable[[S], T], pieces: Sequence[S]) -> list[T]:
    """What `work` makes of each piece; the first error that it raises ends everything."""
    if threads < 2 or len(pieces) < 2:
        return [work(piece) for piece in pieces]
    with ThreadPoolExecutor(threads, thread_name_prefix="bough-cohort") as pool:
        return list(pool.map(work, pieces))
