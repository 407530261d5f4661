"""Bodies of `/v2/event/standard` and `/v2/event/custom` (docs/events.md), checked and frozen.

What identifies the event, its person and its money is checked and typed; everything else is stored as sent, unknown
fields and values included, because the SDKs do not enforce their own lists either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from bough.errors import BadRequest
from bough.events.body import check_depth, nested_list, nested_object
from bough.vocabulary import event_names
from bough.vocabulary.currencies import CURRENCIES
from bough.vocabulary.money import MAX_AMOUNT
from bough.vocabulary.values import first, flag, text, whole

Kind = Literal["standard", "custom"]

MAX_CONTENT_ITEMS = 1000
MAX_TEXT = 255
"""Characters of alias, transaction id, developer identity and request id."""
MAX_KEYS = 500
"""Keys of one object of the body."""

MONEY_FIELDS = ("revenue", "shipping", "tax")
ITEM_MONEY_FIELDS = ("$price",)

USER_IDENTIFIERS = ("developer_identity", "browser_fingerprint_id")
IOS_IDENTIFIERS = ("idfa", "idfv")
SYSTEM_IDENTIFIERS = {"ios": IOS_IDENTIFIERS, "ipados": IOS_IDENTIFIERS, "android": ("aaid", "android_id")}
"""By `os`."""

_NUMBER = re.compile(r"[+-]?(?:\d{1,15}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,2})?\Z", re.ASCII)
_PLAIN_NUMBER = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,30})?\Z", re.ASCII)
"""The usual case of `_NUMBER`, which keeps to the limits by itself. Thirty decimals hold what apps send that add up
prices as floats: 3.3000000000000003."""
_LIMIT = Decimal(MAX_AMOUNT)
FORMER_LIMIT = Decimal(10) ** 15
"""What amounts were below before: rows that have been stored may hold as much."""


class Event(Struct, frozen=True, kw_only=True):
    """One accepted event."""

    name: str
    kind: Kind
    alias: str = ""
    """`customer_event_alias`."""
    user_data: dict[str, Any]
    event_data: dict[str, Any] = {}
    """As sent, the money fields included; read money from the typed fields below."""
    custom_data: dict[str, Any] = {}
    content_items: tuple[dict[str, Any], ...] = ()
    metadata: dict[str, Any] = {}
    revenue: Decimal | None = None
    """Exact, in `currency`; None when the event carries none."""
    shipping: Decimal | None = None
    tax: Decimal | None = None
    currency: str = "USD"
    """ISO 4217; USD when none was sent (docs/exports.md)."""
    transaction_id: str = ""
    request_id: str = ""
    """`branch_sdk_request_unique_id`: the same on every retry of one request; empty from Web and servers."""
    retry_number: int = 0
    server_to_server: bool = False


def parse(body: Mapping[str, Any], kind: Kind, *, checked: bool = False) -> Event:
    """Check one body, decoded by `bough.events.body.decode` or from a form.

    `branch_key` is the edge's business and not looked at. `checked`: the body comes from `decode` or a form, so its
    depth is known to be bounded.

    Raises:
        BadRequest: naming the field at fault.
    """
    if not checked:
        check_depth(dict(body), "body")
    name = event_name(body.get("name"), kind)
    user_data = _object(body, "user_data")
    server = is_server_to_server(body, user_data)
    check_identifiers(user_data)
    check_consent(user_data)
    event_data = _object(body, "event_data")
    money = {
        field: amount(event_data[field], f"event_data.{field}") if field in event_data else None
        for field in MONEY_FIELDS
    }
    check_sign(name, money["revenue"], refunds=server)
    return Event(
        name=name,
        kind=kind,
        alias=_short(body, "customer_event_alias"),
        user_data=user_data,
        event_data=event_data,
        custom_data=_object(body, "custom_data"),
        content_items=_content_items(body),
        metadata=_object(body, "metadata"),
        revenue=money["revenue"],
        shipping=money["shipping"],
        tax=money["tax"],
        currency=currency(event_data.get("currency"), "event_data.currency"),
        transaction_id=_short(event_data, "transaction_id", "event_data."),
        request_id=_short(body, "branch_sdk_request_unique_id"),
        retry_number=whole(body.get("retryNumber")) or 0,
        server_to_server=server,
    )


def event_name(value: object, kind: Kind) -> str:
    """The event's name, allowed for its kind (see `bough.vocabulary.event_names`).

    Raises:
        BadRequest: missing, empty, no text, or not allowed.
    """
    if not isinstance(value, str) or not value.strip():
        raise BadRequest("name: required, and must be text.")
    if kind == "standard":
        return event_names.check_standard_name(value).name
    return event_names.check_custom_name(value)


def check_identifiers(user_data: Mapping[str, Any]) -> None:
    """The identifier rule (docs/events.md).

    Raises:
        BadRequest: nobody is named, or by more than 255 characters, which would be nobody.
    """
    system = text(user_data.get("os")).casefold()
    for name in (*USER_IDENTIFIERS, *SYSTEM_IDENTIFIERS.get(system, ())):
        if name in user_data and (written := text(user_data[name], MAX_TEXT + 1)):
            if len(written) > MAX_TEXT:
                raise BadRequest(f"user_data.{name}: longer than {MAX_TEXT} characters.")
            return
    raise BadRequest(
        "user_data: needs developer_identity, or browser_fingerprint_id, or os iOS with idfa or idfv, "
        "or os Android with aaid or android_id."
    )


def check_consent(user_data: Mapping[str, Any]) -> None:
    """With `dma_eea` true the two other DMA fields are required (docs/events.md).

    Raises:
        BadRequest: one is missing or no boolean.
    """
    if not flag(user_data.get("dma_eea")):
        return
    for name in ("dma_ad_personalization", "dma_ad_user_data"):
        if flag(user_data.get(name)) is None:
            raise BadRequest(f"user_data.{name}: required and boolean when dma_eea is true.")


def is_server_to_server(body: Mapping[str, Any], user_data: Mapping[str, Any]) -> bool:
    """Whether a server posted it: every SDK names itself in `sdk`, a server has no reason to."""
    return not text(first(body, "sdk")) and not text(first(user_data, "sdk"))


def amount(value: object, field: str, limit: Decimal = _LIMIT) -> Decimal | None:
    """An exact amount from a whole number, a `Decimal` or their text; None when not sent.

    `limit`: what it must stay below (`bough.vocabulary.money`).

    Raises:
        BadRequest: no finite number, 10^12 or more, or more than 30 decimals.
        TypeError: a float came in, a fault of our own: decode with `bough.events.body.decode`.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, float):
        raise TypeError(f"{field}: a float cannot hold money; decode bodies with bough.events.body.decode")
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise BadRequest(f"{field}: must be a number.")
    if isinstance(value, int) and abs(value) >= limit:
        raise BadRequest(f"{field}: must be below 10^12.")
    written = str(value).strip()
    if _PLAIN_NUMBER.match(written):
        return value if type(value) is Decimal else Decimal(written)
    if not _NUMBER.match(written):
        raise BadRequest(f"{field}: must be a plain number below 10^12 with at most 30 decimals.")
    number = Decimal(written)
    exponent = number.as_tuple().exponent
    if abs(number) >= limit or not isinstance(exponent, int) or exponent < -30:
        raise BadRequest(f"{field}: must be a plain number below 10^12 with at most 30 decimals.")
    return number


def currency(value: object, field: str) -> str:
    """An ISO 4217 code in capitals; USD when none was sent.

    Raises:
        BadRequest: unknown code.
    """
    if value is None or value == "":
        return "USD"
    code = value.strip().upper() if isinstance(value, str) else ""
    if code not in CURRENCIES:
        raise BadRequest(f"{field}: not an ISO 4217 currency code.")
    return code


def check_sign(name: str, revenue: Decimal | None, *, refunds: bool) -> None:
    """Negative revenue is a refund: on PURCHASE, by import and server to server only (docs/exports.md).

    Raises:
        BadRequest: negative elsewhere.
    """
    if revenue is None or revenue >= 0:
        return
    if name not in event_names.REFUNDABLE:
        raise BadRequest("event_data.revenue: may be negative on PURCHASE only.")
    if not refunds:
        raise BadRequest("event_data.revenue: a refund must be sent from a server, not from an SDK.")


def _content_items(body: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    items = nested_list(body.get("content_items"), "content_items")
    if len(items) > MAX_CONTENT_ITEMS:
        raise BadRequest(f"content_items: more than {MAX_CONTENT_ITEMS} items.")
    return tuple(_content_item(item, f"content_items[{place}]") for place, item in enumerate(items))


def _content_item(item: object, field: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise BadRequest(f"{field}: must be an object.")
    _check_keys(item, field)
    for name in ITEM_MONEY_FIELDS:
        if name in item:
            amount(item[name], f"{field}.{name}")
    if item.get("$currency") is not None:
        currency(item["$currency"], f"{field}.$currency")
    if "$custom_fields" in item:
        return {**item, "$custom_fields": nested_object(item["$custom_fields"], f"{field}.$custom_fields")}
    return item


def _object(body: Mapping[str, Any], field: str) -> dict[str, Any]:
    value = nested_object(body.get(field), field)
    _check_keys(value, field)
    return value


def _check_keys(value: Mapping[str, Any], field: str) -> None:
    if len(value) > MAX_KEYS:
        raise BadRequest(f"{field}: more than {MAX_KEYS} keys.")


def _short(body: Mapping[str, Any], field: str, prefix: str = "") -> str:
    value = body.get(field)
    if value is None:
        return ""
    if isinstance(value, (dict, list, bool)):
        raise BadRequest(f"{prefix}{field}: must be text.")
    written = text(value, MAX_TEXT + 1)
    if len(written) > MAX_TEXT:
        raise BadRequest(f"{prefix}{field}: longer than {MAX_TEXT} characters.")
    return written
