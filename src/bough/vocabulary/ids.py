"""Ids of links, clicks, events, apps: 19 decimal digits that grow with time.

An id is ``epoch milliseconds << 20`` plus a random part, and larger than every id before it. The random steps make
neighbours hard to guess; nothing relies on that alone (link codes are random, docs/links.md). In JSON ids are
always decimal strings, because JavaScript rounds numbers above 2**53.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

RANDOM_BITS = 20
STRIDE = 1 << 10
"""Largest step between two ids of one batch: about a thousand ids fit into each millisecond."""

STEPS_AT_ONCE = 64

CODE_LENGTH = 10
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHARACTERS = bytes(ord(_ALPHABET[byte % 62]) for byte in range(256))
_THROWN_AWAY = bytes(range(248, 256))
_system_random = secrets.SystemRandom()


def now_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


def iso_time(ms: int) -> str:
    """Epoch milliseconds as `2026-03-01T12:00:00.000Z`."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def growing_ids(last: int, random: Random = _system_random) -> Iterator[int]:
    """Yield ids larger than `last` and not before now; never two alike, also when the clock goes back."""
    value = max(last + 1, (now_ms() << RANDOM_BITS) + random.getrandbits(RANDOM_BITS - 1))
    while True:
        # One draw for many steps: each draw is a call of the operating system.
        for step in memoryview(random.randbytes(2 * STEPS_AT_ONCE)).cast("H"):
            yield value
            value += 1 + step % STRIDE


def new_id() -> int:
    """One id for a rare thing (an app, a user): collisions are left to the table's key."""
    return (now_ms() << RANDOM_BITS) + (_random_word() & _LOW_BITS)


_LOW_BITS = (1 << RANDOM_BITS - 1) - 1
_WORDS_AT_ONCE = 256
_words: list[int] = []
os.register_at_fork(after_in_child=_words.clear)


def _random_word() -> int:
    """32 random bits; the operating system is asked for many at once. A fork starts with none, so none comes twice."""
    while True:
        try:
            return _words.pop()
        except IndexError:
            _words.extend(memoryview(secrets.token_bytes(4 * _WORDS_AT_ONCE)).cast("I"))


def arrived_at(identifier: int) -> int:
    """Epoch milliseconds that an id carries."""
    return identifier >> RANDOM_BITS


def new_code(length: int = CODE_LENGTH) -> str:
    """A random base62 link code, each character from the operating system's random source."""
    return "".join([_ALPHABET[_system_random.randrange(62)] for _ in range(length)])


def new_codes(count: int) -> list[str]:
    """`count` random link codes in one draw: bytes 248 and above are thrown away, so that all 62 are equally likely."""
    wanted = count * CODE_LENGTH
    characters = b""
    while len(characters) < wanted:
        characters += secrets.token_bytes(wanted - len(characters) + 16).translate(_CHARACTERS, _THROWN_AWAY)
    text = characters.decode()
    return [text[i : i + CODE_LENGTH] for i in range(0, wanted, CODE_LENGTH)]
