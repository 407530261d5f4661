"""Requests that are wrong: the documented error, and nothing stored."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.conftest import Api, error
from tests.running import Running
from tests.sdk.journals import Mark

UNKNOWN = error(400, "Invalid or missing app id, Branch key, or secret")
FORM = "application/x-www-form-urlencoded"

POSTS = (
    "/v1/open",
    "/v1/install",
    "/v1/pageview",
    "/v1/event",
    "/v2/event/standard",
    "/v2/event/custom",
    "/v1/close",
    "/v1/dismiss",
    "/v1/content-events",
    "/v1/register-view",
    "/v1/profile",
    "/v1/logout",
    "/v1/cpid",
    "/v1/cpid/latd",
    "/v1/deepview",
    "/api/impressions",
)
"""Everything that SDKs and ad servers post."""

EVENTS = ("/v2/event/standard", "/v2/event/custom")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One store is enough here: what is refused never comes near it."""
    running = Running(tmp_path_factory.mktemp("bad") / "data", "--empty", environment={"BOUGH_RATE_LIMITS": "off"})
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def mark(server: Running) -> Iterator[Mark]:
    """Nothing of what these tests send may reach the journal."""
    mark = Mark(server)
    yield mark
    assert mark.rows() == []


def post(api: Api, path: str, body: Any = None, **more: Any) -> httpx.Response:
    """POST JSON, or the bytes in `content`."""
    if body is not None:
        more["content"] = json.dumps(body).encode()
    return api.http.post(path, headers={"Content-Type": "application/json", **more.pop("headers", {})}, **more)


def event(api: Api, **fields: Any) -> dict[str, Any]:
    """A sound PURCHASE with some fields changed; None leaves one out."""
    body = {
        "branch_key": api.key,
        "name": "PURCHASE",
        "user_data": {"browser_fingerprint_id": "1400000000000007919", "sdk": "web"},
        **fields,
    }
    return {name: value for name, value in body.items() if value is not None}


def refused(response: httpx.Response, message: str, status: int = 400) -> None:
    """The answer is this error, in the one shape, readable by pages."""
    assert response.json() == error(status, message)
    assert response.status_code == status
    assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("key", ["key_live_" + "x" * 32, "", None, 7, ["a"], {"a": 1}])
def test_an_unknown_key(api: Api, path: str, key: Any) -> None:
    refused(post(api, path, {**event(api), "branch_key": key}), UNKNOWN["error"]["message"])


@pytest.mark.parametrize("path", POSTS)
def test_an_unknown_key_in_a_form(api: Api, path: str) -> None:
    body = urlencode({"branch_key": "key_live_nobody", "name": "PURCHASE"}).encode()
    refused(post(api, path, content=body, headers={"Content-Type": FORM}), UNKNOWN["error"]["message"])


@pytest.mark.parametrize("path", ["/v1/has-app/key_live_nobody", "/v1/app-link-settings/key_live_nobody"])
def test_an_unknown_key_in_the_path(api: Api, path: str) -> None:
    refused(api.http.get(path), UNKNOWN["error"]["message"])


@pytest.mark.parametrize("path", POSTS)
def test_a_body_of_300_kb(api: Api, path: str) -> None:
    answer = post(api, path, {**event(api), "padding": "x" * 300_000})
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == 413


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("content", [b"{", b"[]", b"7", b'"text"', b"null", b'{"a":1}}', b'{"branch_key":"\xff\xfe"}'])
def test_a_body_that_is_no_object(api: Api, path: str, content: bytes) -> None:
    answer = post(api, path, content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == 400


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("content", [b"branch_key=%ff%fe", b"branch_key=\xff", b"&".join([b"a=1"] * 5000)])
def test_a_form_that_cannot_be_read(api: Api, path: str, content: bytes) -> None:
    assert post(api, path, content=content, headers={"Content-Type": FORM}).status_code == 400


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_nested_bomb(api: Api, path: str, opening: str) -> None:
    start = json.dumps({"branch_key": api.key, "name": "mine"}).removesuffix("}") + ',"metadata":'
    bomb = start + opening * 40_000
    assert post(api, path, content=bomb.encode()).status_code == 400
    closing = {"[": "]", '{"a":': "}"}[opening]
    deep = start + opening * 30 + "1" + closing * 30 + "}"
    refused(post(api, path, content=deep.encode()), "body: nested deeper than 16 levels.")


@pytest.mark.parametrize("path", EVENTS)
@pytest.mark.parametrize(
    "user_data",
    [
        None,
        {},
        {"os": "iOS", "aaid": "a"},
        {"os": "Android", "idfa": "a"},
        {"idfa": "a"},
        {"developer_identity": ""},
        {"browser_fingerprint_id": None},
        {"developer_identity": {"a": 1}},
    ],
)
def test_an_event_that_names_nobody(api: Api, path: str, user_data: Any) -> None:
    name = "PURCHASE" if path.endswith("standard") else "mine"
    refused(
        post(api, path, event(api, name=name, user_data=user_data)),
        "user_data: needs developer_identity, or browser_fingerprint_id, or os iOS with idfa or idfv, "
        "or os Android with aaid or android_id.",
    )


@pytest.mark.parametrize("path", ["/v1/cpid", "/v1/cpid/latd"])
def test_asking_about_nobody(api: Api, path: str) -> None:
    answer = post(api, path, {"branch_key": api.key, "user_data": {}})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("user_data: needs developer_identity")


@pytest.mark.parametrize("days", ["soon", 0, 91, -1, 1.5])
def test_a_window_that_is_none(api: Api, days: Any) -> None:
    user_data = {"browser_fingerprint_id": "1400000000000007919"}
    body = {"branch_key": api.key, "user_data": user_data, "attribution_window": days}
    refused(post(api, "/v1/cpid/latd", body), "attribution_window: must be a whole number of days from 1 to 90.")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (None, "name: required, and must be text."),
        ("", "name: required, and must be text."),
        (7, "name: required, and must be text."),
        (["PURCHASE"], "name: required, and must be text."),
        ("BOUGHT", "name: not a standard event; send it to /v2/event/custom."),
        ("INSTALL", "name: INSTALL is recorded by the server itself and cannot be posted."),
    ],
)
def test_a_standard_event_with_a_name_that_cannot_be(api: Api, name: Any, message: str) -> None:
    refused(post(api, "/v2/event/standard", event(api, name=name)), message)


@pytest.mark.parametrize("name", ["", "x" * 256, "a\nb", "purchase", "install", 7, None])
def test_a_custom_event_with_a_name_that_cannot_be(api: Api, name: Any) -> None:
    answer = post(api, "/v2/event/custom", event(api, name=name))
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("name: ")


@pytest.mark.parametrize("name", ["", "x" * 64, "INSTALL", 7, None])
def test_an_old_event_with_a_name_that_cannot_be(api: Api, name: Any) -> None:
    answer = post(api, "/v1/event", {"branch_key": api.key, "event": name, "identity": "reader"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].partition(":")[0] in ("event", "name")


@pytest.mark.parametrize("metadata", ["[1]", [1], {"a": {"b": 1}}, {"a": "x" * 256}])
def test_an_old_event_with_metadata_that_cannot_be(api: Api, metadata: Any) -> None:
    body = {"branch_key": api.key, "event": "turned page", "identity": "reader", "metadata": metadata}
    answer = post(api, "/v1/event", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("metadata")


def test_an_old_event_that_names_nobody(api: Api) -> None:
    answer = post(api, "/v1/event", {"branch_key": api.key, "event": "turned page"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("identity_id: one of identity, identity_id")


@pytest.mark.parametrize(
    ("event_data", "message"),
    [
        ({"revenue": -5}, "event_data.revenue: a refund must be sent from a server, not from an SDK."),
        ({"revenue": "much"}, "event_data.revenue: must be a plain number below 10^15 with at most 30 decimals."),
        ({"revenue": "1e999"}, "event_data.revenue: must be a plain number below 10^15 with at most 30 decimals."),
        ({"revenue": 10**15}, "event_data.revenue: must be below 10^15."),
        (
            {"revenue": "0." + "1" * 31},
            "event_data.revenue: must be a plain number below 10^15 with at most 30 decimals.",
        ),
        ({"revenue": 1, "currency": "BTC"}, "event_data.currency: not an ISO 4217 currency code."),
        ({"revenue": 1, "currency": 7}, "event_data.currency: not an ISO 4217 currency code."),
        ({"transaction_id": "x" * 256}, "event_data.transaction_id: longer than 255 characters."),
        ("nonsense", "event_data: not valid JSON."),
        ([], "event_data: must be an object."),
        ({str(i): i for i in range(501)}, "event_data: more than 500 keys."),
    ],
)
def test_event_data_that_cannot_be(api: Api, event_data: Any, message: str) -> None:
    refused(post(api, "/v2/event/standard", event(api, event_data=event_data)), message)


def test_negative_revenue_of_anything_but_a_purchase(api: Api) -> None:
    body = event(api, name="RESERVE", user_data={"developer_identity": "a"}, event_data={"revenue": -5})
    refused(post(api, "/v2/event/standard", body), "event_data.revenue: may be negative on PURCHASE only.")


@pytest.mark.parametrize("value", [True, [1], {"a": 1}])
def test_revenue_of_another_type(api: Api, value: Any) -> None:
    answer = post(api, "/v2/event/standard", event(api, event_data={"revenue": value}))
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("event_data.revenue: ")


@pytest.mark.parametrize("items", [[{"$sku": str(i)} for i in range(10_000)], [{}] * 1001])
def test_ten_thousand_content_items(api: Api, items: Any) -> None:
    refused(post(api, "/v2/event/standard", event(api, content_items=items)), "content_items: more than 1000 items.")


@pytest.mark.parametrize("items", ["[", "7", {"a": 1}, [7], [None], [{"$price": "x"}], [{"$currency": "QQQ"}]])
def test_content_items_that_cannot_be(api: Api, items: Any) -> None:
    answer = post(api, "/v2/event/standard", event(api, content_items=items))
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("content_items")


def test_a_bomb_inside_a_text(api: Api) -> None:
    fields = {"branch_key": api.key, "name": "mine", "user_data": '{"browser_fingerprint_id":"1400000000000007919"}'}
    for field in ("custom_data", "event_data", "content_items", "metadata", "user_data"):
        body = urlencode({**fields, field: '{"a":' * 20_000}).encode()
        answer = post(api, "/v2/event/custom", content=body, headers={"Content-Type": FORM})
        assert answer.status_code == 400, field


@pytest.mark.parametrize("path", ["/v1/open", "/v1/install"])
@pytest.mark.parametrize(
    "field",
    ["identity", "browser_fingerprint_id", "link_identifier", "hardware_id", "randomized_bundle_token", "os", "sdk"],
)
@pytest.mark.parametrize("value", [{"a": 1}, [1]])
def test_an_open_with_identifiers_of_another_type(api: Api, path: str, field: str, value: Any) -> None:
    refused(post(api, path, {"branch_key": api.key, field: value}), f"{field}: must be a string.")


@pytest.mark.parametrize("field", ["metadata", "options", "advertising_ids", "user_data", "partner_data"])
def test_an_open_with_nested_fields_of_another_type(api: Api, field: str) -> None:
    for value in ("[1]", [1], 7):
        refused(post(api, "/v1/open", {"branch_key": api.key, field: value}), f"{field}: must be an object.")


INJECTIONS = (
    "",
    "alert(1)//",
    "a.b",
    "a[0]",
    "1a",
    "a b",
    "a\nb",
    "<script>",
    "callback\u2028",
    "é",
    "x" * 129,
    "a;b",
    "a%00",
    "constructor.constructor",
)


@pytest.mark.parametrize("name", INJECTIONS)
@pytest.mark.parametrize("path", ["/_r", "/v1/deepview"])
def test_a_callback_that_is_no_identifier(api: Api, path: str, name: str) -> None:
    posted = base64.b64encode(json.dumps({"branch_key": api.key, "data": "{}"}).encode()).decode()
    answer = api.http.get(path, params={"callback": name, "post_data": posted, "branch_key": api.key})
    refused(answer, "callback: must be a JavaScript identifier of at most 128 characters.")
    assert answer.headers["content-type"] == "application/json"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("posted", ["", "%%%", "bm9uc2Vuc2U=", "W10=", "e30", "5OT=="])
def test_a_deepview_that_cannot_be_read(api: Api, posted: str) -> None:
    answer = api.http.get("/v1/deepview", params={"callback": "cb", "post_data": posted})
    assert answer.status_code == 400


def test_a_deepview_too_large_for_a_link(api: Api) -> None:
    body = {"branch_key": api.key, "data": {"x": "y" * 20_000}}
    refused(
        post(api, "/v1/deepview", body),
        "data: makes a link of more than 12288 bytes; create it with POST /v1/url.",
        413,
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "identity_id: is missing; it is the one that an open was answered with."),
        ({"identity_id": "1400000000000007919"}, "identity: required, printable text of at most 127 characters."),
        (
            {"identity_id": "1400000000000007919", "identity": "x" * 128},
            "identity: required, printable text of at most 127 characters.",
        ),
        (
            {"identity_id": "1400000000000007919", "identity": "a\x00b"},
            "identity: required, printable text of at most 127 characters.",
        ),
        (
            {"identity_id": "1400000000000007919", "identity": ["a"]},
            "identity: required, printable text of at most 127 characters.",
        ),
    ],
)
def test_an_old_login_that_cannot_be(api: Api, fields: dict[str, Any], message: str) -> None:
    refused(post(api, "/v1/profile", {"branch_key": api.key, **fields}), message)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (None, "impressions: must be a list of 1 to 1000 objects."),
        ([], "impressions: must be a list of 1 to 1000 objects."),
        ([{}] * 1001, "impressions: must be a list of 1 to 1000 objects."),
        ([7], "impressions[0]: must be an object."),
        ([{}], "impressions[0].url: is missing; it must be the link's address."),
    ],
)
def test_impressions_that_cannot_be(api: Api, items: Any, message: str) -> None:
    refused(post(api, "/api/impressions", {"branch_key": api.key, "impressions": items}), message)


def test_one_bad_impression_stores_none(api: Api) -> None:
    url = api.created(data={"a": 1})
    good = {"url": url, "aaid": "cdda802e-fb9c-47ad-9866-0794d394c912"}
    body = {"branch_key": api.key, "impressions": [good, {"url": url}]}
    answer = post(api, "/api/impressions", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("impressions[1]: needs browser_fingerprint_id or one of")
    unknown = {**good, "url": url + "-not-there"}
    refused(
        post(api, "/api/impressions", {"branch_key": api.key, "impressions": [good, unknown]}),
        "impressions[1].url: there is no such link.",
        404,
    )


def test_credits_are_gone(api: Api) -> None:
    for method, path in (("GET", "/v1/credits/1"), ("POST", "/v1/redeem"), ("POST", "/v1/credithistory")):
        answer = api.http.request(method, path, json={"branch_key": api.key})
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == 404
