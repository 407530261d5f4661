"""Bodies of /v2/event/*."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bough.errors import BadRequest, TooLarge
from bough.events import body, schema
from bough.events.schema import Kind

USER = {"developer_identity": "ann", "sdk": "ios"}


def parse(kind: Kind = "standard", **fields: Any) -> schema.Event:
    """An event of Ann's, PURCHASE unless told otherwise, through JSON bytes as the edge would do it."""
    sent = {"name": "PURCHASE", "user_data": USER, **fields}
    return schema.parse(body.decode(body.encode(sent)), kind)


def test_a_full_standard_event() -> None:
    event = parse(
        customer_event_alias="first sale",
        event_data={
            "transaction_id": "t1",
            "revenue": Decimal("19.99"),
            "currency": "eur",
            "shipping": 2,
            "tax": "0.40",
        },
        custom_data={"colour": "red", "size": 42},
        content_items=[
            {"$sku": "s1", "$price": Decimal("9.995"), "$content_schema": "A_NEW_ONE", "$custom_fields": '{"a":1}'}
        ],
        metadata={"x": "y"},
        branch_sdk_request_unique_id="u-2026112123",
        retryNumber=2,
        some_future_field=[1],
    )
    assert event == schema.Event(
        name="PURCHASE",
        kind="standard",
        alias="first sale",
        user_data=USER,
        event_data={
            "transaction_id": "t1",
            "revenue": Decimal("19.99"),
            "currency": "eur",
            "shipping": 2,
            "tax": "0.40",
        },
        custom_data={"colour": "red", "size": 42},
        content_items=(
            {"$sku": "s1", "$price": Decimal("9.995"), "$content_schema": "A_NEW_ONE", "$custom_fields": {"a": 1}},
        ),
        metadata={"x": "y"},
        revenue=Decimal("19.99"),
        shipping=Decimal(2),
        tax=Decimal("0.40"),
        currency="EUR",
        transaction_id="t1",
        request_id="u-2026112123",
        retry_number=2,
    )


def test_the_web_form_gives_the_same_event() -> None:
    form = {
        "name": "PURCHASE",
        "user_data": '{"browser_fingerprint_id":"1400000000000007919","sdk":"web"}',
        "event_data": '{"revenue":"19.99","currency":"USD","transaction_id":"t1"}',
        "custom_data": '{"colour":"red"}',
        "content_items": "[]",
        "metadata": "",
        "sdk": "web2.89.2",
    }
    event = schema.parse(form, "standard")
    assert (event.revenue, event.currency, event.transaction_id) == (Decimal("19.99"), "USD", "t1")
    assert event.custom_data == {"colour": "red"}
    assert not event.server_to_server


@pytest.mark.parametrize(
    "revenue",
    [
        "123456789012.123456789012345678901234567890",
        "3.3000000000000003",  # 1.1 * 3 of an app that counts in floats
        "1e-30",
    ],
)
def test_money_is_exact_to_the_last_digit(revenue: str) -> None:
    raw = f'{{"name":"PURCHASE","user_data":{{"developer_identity":"a"}},"event_data":{{"revenue":{revenue}}}}}'
    assert schema.parse(body.decode(raw), "standard").revenue == Decimal(revenue)


@pytest.mark.parametrize(
    ("user", "good"),
    [
        ({"developer_identity": "ann"}, True),
        ({"browser_fingerprint_id": "1400000000000007919"}, True),
        ({"browser_fingerprint_id": 1400000000000007919}, True),
        ({"os": "iOS", "idfv": "A"}, True),
        ({"os": "IOS", "idfa": "A"}, True),
        ({"os": "Android", "aaid": "A"}, True),
        ({"os": "Android", "android_id": "A"}, True),
        ({"os": "Android", "idfa": "A"}, False),
        ({"os": "iOS", "aaid": "A"}, False),
        ({"idfa": "A"}, False),
        ({"developer_identity": ""}, False),
        ({"developer_identity": None}, False),
        ({}, False),
        ({"developer_identity": {"a": 1}}, False),
    ],
)
def test_somebody_must_be_named(user: dict[str, Any], good: bool) -> None:
    if good:
        assert parse(user_data=user).user_data == user
    else:
        with pytest.raises(BadRequest, match=r"^user_data: needs"):
            parse(user_data=user)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": None}, "name: required"),
        ({"name": 7}, "name: required"),
        ({"name": "BUY"}, "name: not a standard event"),
        ({"user_data": "nobody"}, "user_data: not valid JSON"),
        ({"user_data": [1]}, "user_data: must be an object"),
        ({"user_data": {"developer_identity": "a" * 256}}, "user_data.developer_identity: longer than 255"),
        ({"event_data": 5}, "event_data: must be an object"),
        ({"custom_data": "[1]"}, "custom_data: must be an object"),
        ({"content_items": {"a": 1}}, "content_items: must be a list"),
        ({"content_items": [7]}, r"content_items\[0\]: must be an object"),
        ({"content_items": [{}] * 1001}, "content_items: more than 1000"),
        ({"content_items": [{}, {"$price": "dear"}]}, r"content_items\[1\]\.\$price"),
        ({"content_items": [{"$currency": "BTC"}]}, r"content_items\[0\]\.\$currency"),
        ({"event_data": {"currency": "DOGE"}}, "event_data.currency: not an ISO 4217"),
        ({"event_data": {"currency": 840}}, "event_data.currency: not an ISO 4217"),
        ({"event_data": {"revenue": "a lot"}}, "event_data.revenue: must be"),
        ({"event_data": {"revenue": True}}, "event_data.revenue: must be"),
        ({"event_data": {"revenue": [1]}}, "event_data.revenue: must be"),
        ({"event_data": {"revenue": "NaN"}}, "event_data.revenue: must be"),
        ({"event_data": {"revenue": "1e400"}}, "event_data.revenue: must be"),
        ({"event_data": {"revenue": "1e90"}}, "event_data.revenue: must be"),
        ({"event_data": {"revenue": "1e-90"}}, "event_data.revenue: must be"),
        ({"event_data": {"revenue": 10**12}}, "event_data.revenue: must be"),
        ({"event_data": {"revenue": "1." + "0" * 30 + "1"}}, "event_data.revenue: must be"),
        ({"event_data": {"revenue": "٣"}}, "event_data.revenue: must be"),
        ({"event_data": {"transaction_id": "x" * 256}}, "event_data.transaction_id: longer"),
        ({"customer_event_alias": "x" * 256}, "customer_event_alias: longer"),
        ({"customer_event_alias": {"a": 1}}, "customer_event_alias: must be text"),
        ({"custom_data": {str(n): n for n in range(501)}}, "custom_data: more than 500"),
        ({"user_data": {**USER, "dma_eea": True}}, "user_data.dma_ad_personalization: required"),
        (
            {"user_data": {**USER, "dma_eea": "true", "dma_ad_personalization": 1}},
            "user_data.dma_ad_user_data: required",
        ),
    ],
)
def test_the_error_names_the_field(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest, match=f"^{message}"):
        parse(**fields)


def test_refunds_come_from_servers_on_purchase_only() -> None:
    server = {"developer_identity": "ann"}
    assert parse(user_data=server, event_data={"revenue": -5}).revenue == Decimal(-5)
    with pytest.raises(BadRequest, match="refund must be sent from a server"):
        parse(event_data={"revenue": -5})
    with pytest.raises(BadRequest, match="negative on PURCHASE only"):
        parse(name="RESERVE", user_data=server, event_data={"revenue": -5})


def test_custom_events_may_carry_event_data_as_the_web_sdk_sends_it() -> None:
    event = parse("custom", name="wheel_spun", event_data={}, content_items=[])
    assert (event.kind, event.name, event.revenue) == ("custom", "wheel_spun", None)


def test_a_float_is_our_own_fault() -> None:
    with pytest.raises(TypeError, match="float"):
        schema.amount(0.1, "event_data.revenue")


def test_bombs_and_broken_text() -> None:
    with pytest.raises(BadRequest, match="nested deeper"):
        body.decode(b"[" * 20 + b"]" * 20)
    with pytest.raises(BadRequest, match="nested deeper"):
        body.decode(b"[" * 100_000 + b"]" * 100_000)
    with pytest.raises(BadRequest, match=r"^user_data: nested deeper"):
        schema.parse({"name": "PURCHASE", "user_data": '{"a":' * 30 + "1" + "}" * 30}, "standard")
    with pytest.raises(BadRequest, match="not valid JSON"):
        body.decode(b'{"name":"\xff"}')
    with pytest.raises(TooLarge):
        body.decode(b" " * (body.MAX_BODY + 1))


def test_what_is_journalled_reads_back_digit_by_digit() -> None:
    sent = b'{"event_data":{"revenue":19.990}}'
    assert body.encode(body.decode(sent)) == sent
    assert msgspec.json.decode(body.encode({"a": Decimal("1E+3")}))["a"] == 1000
