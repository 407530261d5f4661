"""Passwords: which may be chosen, and how they are kept (argon2id).

Hashing takes some 64 MB and a good part of a second of one core on purpose. It runs in two threads of each worker and
no more, so that many sign-ins at once cost time and not all memory.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from secrets import token_bytes

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from bough.errors import BadRequest

SHORTEST = 10
LONGEST = 256
"""Characters; a limit only so that hashing cannot be made to work through megabytes."""

MIN_DIFFERENT = 5

_hasher = PasswordHasher()


def check_password(password: str, name: str) -> str:
    """The password, when it may be chosen by the user `name`. Raises BadRequest."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadRequest(f"password: must have {SHORTEST} to {LONGEST} characters.")
    if len(set(password)) < MIN_DIFFERENT:
        raise BadRequest(f"password: must have at least {MIN_DIFFERENT} different characters.")
    if len(name) >= MIN_DIFFERENT and name.lower() in password.lower():
        raise BadRequest("password: must not hold your own name.")
    return password


def hashed(password: str) -> str:
    """What is kept of a password. Slow."""
    return _hasher.hash(password)


def matches(kept: str, password: str) -> bool:
    """Whether this is the password. Slow, and as slow when `kept` is empty (no such account, no password)."""
    try:
        return _hasher.verify(kept or _nobodys(), password[: LONGEST + 1]) and bool(kept)
    except VerificationError:
        return False


@lru_cache(maxsize=1)
def _nobodys() -> str:
    """A hash that takes as long to check as any other and lets nobody in.

    It is written and not computed: else the first wrong name of each worker would take twice as long as all others.
    """
    cost = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    salt, digest = (b64encode(token_bytes(size)).decode().rstrip("=") for size in (_hasher.salt_len, _hasher.hash_len))
    return f"$argon2id$v=19${cost}${salt}${digest}"


class Hashing:
    """The hashing threads of one worker."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="bough-argon2")

    async def hashed(self, password: str) -> str:
        """`hashed`, beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, hashed, password)

    async def matches(self, kept: str, password: str) -> bool:
        """`matches`, beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, matches, kept, password)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()
