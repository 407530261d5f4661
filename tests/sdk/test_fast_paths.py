"""The fast path of opens, events and new links answers and stores exactly what the slow path does.

An address with a query is never answered shortly (`bough.web.protocol.BodyFastPath`), so the same bytes with `?` behind
the path take the slow path.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.conftest import Api
from tests.sdk.journals import Mark
from tests.web.raw import Answer, Connection

PHONE = {"os": "iOS", "os_version": "17.4", "model": "iPhone15,2", "idfv": "0A1B2C3D-1111-4222-8333-444455556666"}
EVENT: dict[str, Any] = {
    "name": "PURCHASE",
    "user_data": {**PHONE, "ip": "198.51.100.7"},
    "event_data": {"revenue": 19.990, "currency": "EUR", "tax": "0.10"},
    "custom_data": {"shelf": "Ä"},
    "content_items": [{"$sku": "7", "$price": 1.50}],
    "metadata": {"a": 1},
    "unknown": [1, {"b": None}],
}
OPEN: dict[str, Any] = {
    "sdk": "ios3.14.0",
    **PHONE,
    "hardware_id": PHONE["idfv"],
    "hardware_id_type": "vendor_id",
    "is_hardware_id_real": True,
    "identity": "reader-7",
}
LINK: dict[str, Any] = {
    "alias": "short-way",
    "channel": "Ä",
    "tags": ["a", "b"],
    "data": {"$ios_url": "https://example.com/ios", "price": 1.50},
}
ISSUED = ("session_id", "randomized_bundle_token", "identity_id", "randomized_device_token", "device_fingerprint_id")
"""What each answer makes anew."""

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"


def as_form(body: dict[str, Any]) -> bytes:
    """As the Web SDK posts it: objects as JSON texts."""
    return urlencode({k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items()}).encode()


def request(path: str, body: bytes, kind: str = JSON_TYPE, head: str = "", version: str = "1.1") -> bytes:
    """One POST."""
    lines = f"POST {path} HTTP/{version}\r\nHost: localhost\r\nContent-Type: {kind}\r\n{head}"
    return f"{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


def asked(api: Api, data: bytes) -> Answer:
    with Connection(api.running.port) as connection:
        connection.send(data)
        return connection.answer()


def plain(answer: Answer) -> tuple[int, dict[str, str], Any]:
    """An answer without what differs from one request to the next."""
    document = json.loads(answer.body)
    for name in ISSUED:
        if name in document:
            assert document.pop(name).isdigit()
    if "link" in document:
        document["link"] = document["link"].partition("?")[0]
    different = ("date", "content-length")
    return answer.status, {k: v for k, v in answer.headers.items() if k not in different}, document


def kept(mark: Mark) -> list[Any]:
    """The rows since the mark, without what differs."""
    found = []
    for row in mark.rows():
        body = dict(row.body)
        body["bough"] = {k: v for k, v in body["bough"].items() if k not in ("session", "bundle", "device")}
        found.append((row.app, row.test, row.kind, row.link, body))
    return found


BODIES = [
    ("/v2/event/standard", EVENT),
    ("/v2/event/custom", {**EVENT, "name": "shelf filled"}),
    ("/v2/event/custom", {**EVENT, "name": "shelf", "user_data": {**PHONE, "tracking_disabled": True}}),
    ("/v1/pageview", {"browser_fingerprint_id": "1400000000000007919", "sdk": "web2.89.2", "metadata": {}}),
    ("/v1/open", OPEN),
    ("/v1/install", OPEN),
    ("/v1/open", {**OPEN, "tracking_disabled": True}),
    ("/v1/url", LINK),
    # Refused:
    ("/v1/url", {**LINK, "stage": "other link, same alias"}),
    ("/v1/url", {**LINK, "data": {"$ios_url": "javascript:alert(1)"}}),
    ("/v1/url", {**LINK, "alias": "no\nalias"}),
    ("/v2/event/standard", {**EVENT, "name": "nonsense"}),
    ("/v2/event/standard", {**EVENT, "event_data": {"revenue": "much"}}),
    ("/v2/event/custom", {"name": "shelf", "user_data": {}}),
    ("/v1/open", {**OPEN, "identity": ["a"]}),
    ("/v1/open", {**OPEN, "server_to_server": True}),
]


@pytest.mark.parametrize("kind", [JSON_TYPE, FORM_TYPE])
@pytest.mark.parametrize(("path", "body"), BODIES)
def test_both_ways_answer_and_store_the_same(api: Api, mark: Mark, path: str, body: dict[str, Any], kind: str) -> None:
    keyed = {"branch_key": api.key, **body}
    data = json.dumps(keyed).encode() if kind == JSON_TYPE else as_form(keyed)
    head = "User-Agent: Shelf/1 CFNetwork\r\nX-Forwarded-For: 203.0.113.9\r\nX-IP-Override: 198.51.100.7\r\n"
    # Both are retries of one that came before, so that neither is the first of its person.
    asked(api, request(path, data, kind, head))
    shortly = asked(api, request(path, data, kind, head))
    first, before = kept(mark), len(kept(mark))
    wholly = asked(api, request(f"{path}?", data, kind, head))
    assert plain(shortly) == plain(wholly)
    after = kept(mark)[before:]
    assert after == first[-1:] or (not after and not first)
    assert (shortly.status == 200) == (wholly.status == 200)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"branch_key": "key_live_none"}', b"\xff"])
def test_what_cannot_be_read_is_refused_alike(api: Api, data: bytes) -> None:
    shortly = asked(api, request("/v1/open", data))
    assert shortly.status == 400
    assert plain(shortly) == plain(asked(api, request("/v1/open?", data)))


def test_bodies_in_pieces_and_requests_in_a_row(api: Api, mark: Mark) -> None:
    body = json.dumps({"branch_key": api.key, **EVENT}).encode()
    one = request("/v2/event/standard", body)
    other = request("/v2/event/standard?", body)
    with Connection(api.running.port) as connection:
        for place in range(0, len(one), 97):
            connection.send(one[place : place + 97])
        assert connection.answer().status == 200
        connection.send(one + other + one + request("/v1/open", b"{") + other)
        assert [connection.answer().status for _ in range(5)] == [200, 200, 200, 400, 200]
    assert len(mark.rows()) == 5


def test_chunked_and_awaited_bodies_go_the_whole_way(api: Api, mark: Mark) -> None:
    body = json.dumps({"branch_key": api.key, **EVENT}).encode()
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    head = b"POST /v2/event/standard HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert asked(api, head + chunked).status == 200
    awaited = request("/v2/event/standard", body, head="Expect: 100-continue\r\n")
    with Connection(api.running.port) as connection:
        connection.send(awaited[: -len(body)])
        assert connection.answer().status == 100
        connection.send(body)
        assert connection.answer().status == 200
    assert len(mark.rows()) == 2


@pytest.mark.parametrize(("head", "version"), [("Connection: close\r\n", "1.1"), ("", "1.0")])
def test_the_connection_ends_when_the_client_says_so(api: Api, head: str, version: str) -> None:
    body = json.dumps({"branch_key": api.key, **EVENT}).encode()
    with Connection(api.running.port) as connection:
        connection.send(request("/v2/event/standard", body, head=head, version=version))
        answer = connection.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert connection.is_closed()


def test_half_a_body_is_no_request(api: Api, mark: Mark) -> None:
    one = request("/v2/event/standard", json.dumps({"branch_key": api.key, **EVENT}).encode())
    with Connection(api.running.port) as connection:
        connection.send(one[:-5])
        connection.socket.shutdown(1)
        assert connection.answer().status == 400
    assert not mark.rows()
