"""Slowing down who guesses passwords, per account and per address, the same whether the account exists or not.

Every try is counted before it is checked, in one transaction of the store, so that many tries at once on many workers
do not slip past the count. After a few free ones each further try must wait, twice as long each time. The wait for an
account ends after five minutes at most: someone else's guessing must not keep its owner out.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from bough.accounts.keys import fingerprint
from bough.signin import queries
from bough.store.transaction import Transaction
from bough.vocabulary.ids import now_ms

FORGOTTEN_MS = 3_600_000
"""A count ends when nobody tried for so long."""


class Patience(NamedTuple):
    """How many tries are free, and the longest wait in seconds after that."""

    free: int
    longest: int


ACCOUNT = Patience(5, 300)
ADDRESS = Patience(30, 900)


class Try(NamedTuple):
    """Someone wants to try a password or code. Subjects come from `account_subject` and `address_subject`."""

    account: str
    address: str


def account_subject(name: str) -> str:
    """Of the name that was typed, whether there is such an account or not."""
    return "account:" + fingerprint(name.strip().lower())


def code_subject(user: int) -> str:
    """Of the second step of a user's sign-in."""
    return f"code:{user}"


def address_subject(ip: str) -> str:
    """Of an address; of IPv6 the network of 64 bits, which one person has whole."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "address:"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return f"address:{ipaddress.ip_network((address, 64), strict=False)}"
    return f"address:{address}"


def wait_ms(patience: Patience, count: int, since_ms: int) -> int:
    """How long the next try must wait after `count` of them, the last one `since_ms` milliseconds ago."""
    if count < patience.free or since_ms >= FORGOTTEN_MS:
        return 0
    delay = min(patience.longest, 1 << min(count - patience.free, 20)) * 1000
    return max(0, delay - max(0, since_ms))


def try_batch(tx: Transaction, tries: list[Try]) -> list[int | Exception]:
    """Count each try, or say how many seconds it must wait (then it is not counted and must not be checked)."""
    now = now_ms()
    tx.run(queries.FORGET_OLD_ATTEMPTS, (now - FORGOTTEN_MS,))
    results: list[int | Exception] = []
    for one in tries:
        counts = [(subject, patience, *_count(tx, subject, now)) for subject, patience in _subjects(one)]
        longest = max(wait_ms(patience, count, now - at) for _, patience, count, at in counts)
        if not longest:
            for subject, _, count, at in counts:
                _keep(tx, subject, count + 1, now, new=at == 0)
        results.append(-(-longest // 1000))
    return results


def forgive_batch(tx: Transaction, tries: list[Try]) -> list[Exception | None]:
    """A try was right: the account's count ends, and its address is not blamed for it."""
    now = now_ms()
    for one in tries:
        tx.run(queries.FORGET_ATTEMPT, (one.account,))
        count, at = _count(tx, one.address, now)
        if at:
            _keep(tx, one.address, max(0, count - 1), at, new=False)
    return [None] * len(tries)


def _subjects(one: Try) -> list[tuple[str, Patience]]:
    return [(one.account, ACCOUNT), (one.address, ADDRESS)]


def _count(tx: Transaction, subject: str, now: int) -> tuple[int, int]:
    """Tries and the time of the last one; a time in the future (the clock went back) is taken for now."""
    found = tx.rows(queries.ATTEMPT, (subject,))
    if not found:
        return 0, 0
    count, at = found[0]
    if at > now:
        _keep(tx, subject, count, now, new=False)
    return count, min(at, now)


def _keep(tx: Transaction, subject: str, count: int, at: int, *, new: bool) -> None:
    if new:
        tx.run(queries.INSERT_ATTEMPT, (subject, count, at))
    else:
        tx.run(queries.SET_ATTEMPT, (count, at, subject))
