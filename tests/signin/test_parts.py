"""The decisions behind the sign-in: waits, codes, passwords, public addresses, ID tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from argon2 import extract_parameters

from bough.accounts.session import csrf_token, is_csrf_token
from bough.errors import BadRequest
from bough.signin.attempts import (
    ACCOUNT,
    ADDRESS,
    FORGOTTEN_MS,
    Try,
    address_subject,
    forgive_batch,
    try_batch,
    wait_ms,
)
from bough.signin.exposure import is_public, public_address
from bough.signin.passwords import _nobodys, check_password, hashed, matches
from bough.signin.sessions import CODE_MS, IDLE_MS, LONGEST_MS, lives
from bough.signin.totp import accepted_step, new_secret
from bough.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "data", "")
    yield opened
    opened.close()


def test_each_further_try_waits_twice_as_long_up_to_five_minutes() -> None:
    waits = [wait_ms(ACCOUNT, count, 0) // 1000 for count in range(16)]
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert wait_ms(ACCOUNT, 9, 15_999) == 1
    assert wait_ms(ACCOUNT, 9, 16_000) == 0
    assert wait_ms(ACCOUNT, 1000, FORGOTTEN_MS) == 0
    assert wait_ms(ADDRESS, ADDRESS.free + 20, 0) == ADDRESS.longest * 1000


def test_tries_are_counted_before_they_are_checked_and_forgiven_after(store: Store) -> None:
    one = Try("account:x", "address:192.0.2.1")
    assert [store.transact(try_batch, one) for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    assert store.transact(try_batch, Try("account:y", "address:192.0.2.1")) == 0
    store.transact(forgive_batch, one)
    assert store.transact(try_batch, one) == 0


def test_a_clock_that_was_ahead_locks_nobody_out(store: Store) -> None:
    one = Try("account:x", "address:192.0.2.1")
    for _ in range(5):
        store.transact(try_batch, one)

    def ahead(tx: object, items: list[None]) -> list[Exception | None]:
        tx.run("UPDATE signin_attempt SET at = at + 86400000000")  # type: ignore[attr-defined]
        return [None] * len(items)

    store.transact(ahead, None)
    assert 0 < store.transact(try_batch, one) <= 2


def test_an_ipv6_network_is_one_address() -> None:
    assert address_subject("2001:db8::1") == address_subject("2001:db8::ffff:2") != address_subject("2001:db8:0:1::1")
    assert address_subject("192.0.2.1") != address_subject("192.0.2.2")


def test_a_code_counts_once_and_for_a_minute_and_a_half() -> None:
    secret = new_secret()
    now = 1_700_000_000.0
    code = pyotp.TOTP(secret).at(int(now))
    step = int(now) // 30
    assert accepted_step(secret, code, now, 0) == step
    assert accepted_step(secret, f"{code[:3]} {code[3:]}", now, 0) == step
    assert accepted_step(secret, code, now + 30, 0) == step
    assert accepted_step(secret, code, now - 30, 0) == step
    assert accepted_step(secret, code, now + 61, 0) is None
    assert accepted_step(secret, code, now, step) is None
    for wrong in ("", "12345", "1234567", "abcdef", "١٢٣٤٥٦"):
        assert accepted_step(secret, wrong, now, 0) is None


def test_passwords_are_kept_as_argon2id_and_compared() -> None:
    kept = hashed("correct horse battery")
    assert kept.startswith("$argon2id$")
    assert "correct" not in kept
    assert matches(kept, "correct horse battery")
    assert not matches(kept, "correct horse batterx")
    assert not matches("", "nobody's password")


def test_checking_nobodys_password_is_the_same_work_from_the_first_time() -> None:
    _nobodys.cache_clear()
    assert extract_parameters(_nobodys()) == extract_parameters(hashed("correct horse battery"))
    assert _nobodys() == _nobodys()


@pytest.mark.parametrize("password", ["123456789", "aaaabbbbcccc", "x" * 257, "me@example.com!"])
def test_passwords_that_may_not_be_chosen(password: str) -> None:
    with pytest.raises(BadRequest, match="password: must"):
        check_password(password, "me@example.com")


def test_sessions_end_by_age_and_by_rest() -> None:
    now = 10 * LONGEST_MS
    assert lives("full", now - LONGEST_MS + 1, now, now)
    assert not lives("full", now - LONGEST_MS, now, now)
    assert not lives("full", now - IDLE_MS, now - IDLE_MS, now)
    assert not lives("code", now - CODE_MS, now, now)


def test_csrf_tokens_are_bound_to_their_session() -> None:
    assert is_csrf_token(csrf_token("a"), "a")
    assert not is_csrf_token(csrf_token("a"), "b")
    assert not is_csrf_token("é", "a")


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("127.0.0.1", False), ("localhost", False), ("alternate.localhost", False), ("::1", False), ("[::1]", False),
        ("0.0.0.0", True), ("::", True), ("10.0.0.1", True), ("go.example.com", True), ("", True),
    ],
)  # fmt: skip
def test_which_addresses_others_can_reach(host: str, public: bool) -> None:
    assert is_public(host) is public
    assert bool(public_address("127.0.0.1", f"https://{host or 'x.example'}")) is (public and host != "::")
