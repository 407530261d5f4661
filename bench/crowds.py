"""Crowds behind one identifier, as journal rows: what would make one person of thousands.

Each shape is a list of (kind, body) in the order of arrival; used by `bench.attribution_crowds` and the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bough.events.server_fields import ServerFields, with_facts

Made = Iterator[tuple[str, dict[str, Any]]]

_ANSWERED = ServerFields(ip="203.0.113.7", match="none", first="1")


def install(number: int, **fields: Any) -> tuple[str, dict[str, Any]]:
    """A phone's install, as it was answered."""
    body = {"os": "Android", "sdk": "android5.21.2", "hardware_id": f"{number:016x}", "is_hardware_id_real": True}
    tokens = {"bundle": str(8 * 10**17 + number), "device": str(7 * 10**17 + number)}
    return "install", with_facts({**body, **fields}, ServerFields(ip=_ANSWERED.ip, match="none", first="1", **tokens))


def purchase(number: int | None, user: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    """An event of a user, on a phone or from a server."""
    who: dict[str, Any] = {"developer_identity": user} if user else {}
    if number is not None:
        who |= {"os": "Android", "android_id": f"{number:016x}"}
    return "event", {"name": "PURCHASE", "user_data": {**who, **fields}}


def one_login(size: int) -> Made:
    """Every phone is installed, then logs in as `guest`."""
    for number in range(1, size + 1):
        yield install(number)
        yield purchase(number, "guest")


def one_login_afterwards(size: int) -> Made:
    """All phones are installed before the first one logs in."""
    yield from (install(number) for number in range(1, size + 1))
    yield from (purchase(number, "guest") for number in range(1, size + 1))


def one_phone(size: int) -> Made:
    """Everybody, known from a phone of their own, logs in on one tablet."""
    for number in range(1, size + 1):
        yield purchase(number, f"user {number}")
        yield purchase(size + 1, f"user {number}")


def one_advertising_id(size: int) -> Made:
    """Phones whose build sends a constant for the advertising id, some time after the install."""
    for number in range(1, size + 1):
        yield install(number)
        yield purchase(number, "", aaid="38400000-8cf0-11bd-b23e-10b96e40000d")


def chain(size: int) -> Made:
    """Each user logs in on the own phone, and on the next user's."""
    for number in range(1, size + 1):
        yield install(number)
        yield purchase(number, f"user {number}")
        if number > 1:
            yield purchase(number, f"user {number - 1}")


def one_person(size: int) -> Made:
    """One phone that goes on and on."""
    yield install(1)
    yield from (purchase(1, "ann") for _ in range(2 * size - 1))


def one_request(size: int) -> Made:
    """Phones whose build gives every request the same id."""
    for number in range(1, size + 1):
        yield install(number)
        kind, body = purchase(number, "")
        yield kind, {**body, "branch_sdk_request_unique_id": "1"}


SHAPES: dict[str, Callable[[int], Made]] = {
    "one login": one_login,
    "one login afterwards": one_login_afterwards,
    "one phone": one_phone,
    "one advertising id": one_advertising_id,
    "one request id": one_request,
    "chain of users": chain,
    "one person": one_person,
}
