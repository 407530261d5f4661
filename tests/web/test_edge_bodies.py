"""Bodies as nobody should send them, against both stores: a clear error, nothing stored, the server healthy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bough.store import Store
from tests.conftest import Api, error
from tests.running import Running
from tests.web.watch import assert_healthy, opened, stored

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def store(server: Running) -> Iterator[Store]:
    """The store behind the server."""
    with opened(server) as opened_store:
        yield opened_store


@pytest.fixture(autouse=True)
def _nothing_stored(api: Api, store: Store, request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test here there is not one row more, and the server still works."""
    before = stored(store)
    yield
    if "stores" not in request.keywords:
        assert stored(store) == before
    assert_healthy(api)


def post(api: Api, body: bytes, path: str = "/v1/url", **headers: str) -> tuple[int, str]:
    """POST bytes; the status and the message of the error."""
    response = api.http.post(path, content=body, headers={**JSON, **headers})
    assert response.headers["content-type"] == "application/json"
    assert response.headers["access-control-allow-origin"] == "*"
    document = response.json()
    assert document == error(response.status_code, document["error"]["message"])
    return response.status_code, document["error"]["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "The body is not valid JSON: Input data was truncated."),
        (b'{"a": 1', "The body is not valid JSON: Input data was truncated."),
        (b'{"a": 1}}', "The body is not valid JSON"),
        (b"{'a': 1}", "The body is not valid JSON: JSON is malformed: object keys must be strings (byte 1)."),
        (b'{"a": NaN}', "The body is not valid JSON: JSON is malformed: invalid character (byte 6)."),
        (b'{"a": 01}', "The body is not valid JSON"),
        (b'{"a": "\x01"}', "The body is not valid JSON"),
        (b'{"a": "\\ud800"}', "The body is not valid JSON"),
        (b'{"a": "\xff\xfe"}', "The body is not valid"),
        (b'{"a": "\xed\xa0\x80"}', "The body is not valid"),
        (b'\xef\xbb\xbf{"a": 1}', "The body is not valid JSON"),
        (b"nonsense", "The body is not valid JSON"),
        (b"[" * 100_000, "The body is nested too deeply."),
        (b'{"a":' * 50_000, "The body is nested too deeply."),
        (b'{"data":' * 20_000 + b"1" + b"}" * 20_000, "The body is nested too deeply."),
        (b"[]", "The body must be a JSON object."),
        (b'"text"', "The body must be a JSON object."),
        (b"1", "The body must be a JSON object."),
        (b"null", "The body must be a JSON object."),
        (b"", "Invalid or missing app id, Branch key, or secret"),
        (b"{}", "Invalid or missing app id, Branch key, or secret"),
        (b'{"branch_key": 5}', "Invalid or missing app id, Branch key, or secret"),
        (b'{"branch_key": {"a": []}}', "Invalid or missing app id, Branch key, or secret"),
        (b'{"branch_key": "key_live_\\u0000"}', "Invalid or missing app id, Branch key, or secret"),
        (b'{"app_id": "99999999999999999999999999"}', "Invalid or missing app id, Branch key, or secret"),
        ('{"app_id": "٣"}'.encode(), "Invalid or missing app id, Branch key, or secret"),
    ],
)
def test_a_body_that_is_no_request_is_answered_400(api: Api, body: bytes, message: str) -> None:
    status, said = post(api, body)
    assert status == 400
    assert said.startswith(message)


def of(field: str, *values: Any) -> list[tuple[str, Any]]:
    """Cases of one field."""
    return [(field, value) for value in values]


WRONG = [
    *of("alias", 5, ["a"], {"a": "b"}, True, "a", "-a b", "tab\there", "new\nline", "nul\0", "é", "🌳", "a" * 129),
    *of(
        "alias", "../etc", "a//b", "/ab", "ab/", ".hidden", "ab/.git", "ab/..", "v1", "v1/url", "api/x", "%2e%2e", "a?b"
    ),
    *of(
        "alias",
        "ab\r\nSet-Cookie: x=1",
        "ab\u2028cd",
        "ab\u202ecd",
        "ab#c",
        "ab\\c",
        "<script>",
        "sdk",
        "i/ab",
        "\ufeffab",
    ),
    *of("type", 3, -1, "x", 1.5, [], {}, True, 10**30, "1 ", "٣"),
    *of("duration", 0, -1, 2_592_001, "x", 1.5, [], {}, True, "1e3", 10**30, "٣٣", "0x10"),
    *of("channel", 5, ["a"], {"a": 1}, True, "c" * 256, "tab\there", "nul\0", "del\x7f", "cr\rlf\n"),
    *of("feature", 5, "c" * 256, "\x1b[31m"),
    *of("campaign", 5, "c" * 256, "\x00"),
    *of("stage", 5, "c" * 256, "\n"),
    *of("tags", 5, {"a": 1}, [1], [["a"]], ["t" * 65], ["a"] * 201, ["a\nb"]),
    *of("identity", 5, ["a"], "i" * 128, "nul\0"),
    *of("domain", 5, "evil.example", "127.0.0.1:1", "x" * 300, "a\r\nb"),
    *of(
        "data", 5, [], [1], "x", "[1]", "{", '"text"', "5", True, {"a": "b" * 102_400}, '{"a": "' + "b" * 102_400 + '"}'
    ),
    *of("analytics", 5, [], "{", "[]"),
]


@pytest.mark.parametrize(("field", "value"), WRONG, ids=[f"{f}={str(v)[:24]!a}-{n}" for n, (f, v) in enumerate(WRONG)])
def test_a_wrong_value_is_answered_400_naming_its_field(api: Api, field: str, value: object) -> None:
    status, message = post(api, json.dumps({"branch_key": api.key, field: value}).encode())
    assert status == 400
    assert message.startswith(f"{field}:")


def nested(depth: int) -> dict[str, Any]:
    """`data` of so many levels."""
    value: dict[str, Any] = {"bottom": 1}
    for _ in range(depth - 1):
        value = {"down": value}
    return value


@pytest.mark.stores
@pytest.mark.parametrize(("depth", "status"), [(64, 200), (65, 400)])
def test_the_depth_of_data_is_limited_exactly(api: Api, depth: int, status: int) -> None:
    assert api.create(data=nested(depth)).status_code == status


@pytest.mark.stores
@pytest.mark.parametrize(("size", "status"), [(102_400, 200), (102_401, 400)])
def test_the_size_of_data_is_limited_exactly(api: Api, size: int, status: int) -> None:
    response = api.create(data={"a": "b" * (size - len('{"a":""}'))})
    assert response.status_code == status, response.text


TARGETS = [
    "javascript:alert(1)",
    " JavaScript:alert(1)",
    "java\tscript:alert(1)",
    "javascript\n:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "intent://x#Intent;end",
    "unregistered://open",
    "//evil.example/x",
    "/relative",
    "example.com",
    "https:/\\evil.example",
    "https://user@evil.example/",
    "https://exa mple.com/",
    "https://example.com:99999/",
    "https://",
    "https://example.com/\r\nSet-Cookie: a=b",
    "https://example.com/\n",
    "https://example.com/\0",
    "https://example.com/\x7f",
    "https://example.com/\x85",
    "https://example.com/" + "a" * 8192,
    5,
    ["https://example.com"],
    {"url": "https://example.com"},
]
CASES = [("$ios_url", target) for target in TARGETS] + [
    (key, "javascript:alert(1)")
    for key in ("$fallback_url", "$desktop_url", "$android_url", "$ios_url_de", "$after_click_url", "$canonical_url")
]


@pytest.mark.parametrize(("key", "target"), CASES, ids=[f"{key}-{number}" for number, (key, _) in enumerate(CASES)])
def test_a_target_that_may_not_be_sent_is_answered_400_naming_its_key(api: Api, key: str, target: object) -> None:
    status, message = post(api, json.dumps({"branch_key": api.key, "data": {key: target}}).encode())
    assert status == 400
    assert message.startswith(f"{key} ")


def test_a_missing_comma_in_bulk_stores_nothing(api: Api) -> None:
    """One syntax error and no item is created: the array as a whole cannot be read."""
    status, message = post(api, b'[{"channel": "a"} {"channel": "b"}]', f"/v1/url/bulk/{api.key}")
    assert status == 400
    assert message == "The body is not valid JSON: JSON is malformed: expected ',' or ']' (byte 18)."


@pytest.mark.parametrize("body", [b"{}", b"5", b"null", b'"a"', b'{"links": []}'])
def test_bulk_takes_an_array_only(api: Api, body: bytes) -> None:
    assert post(api, body, f"/v1/url/bulk/{api.key}") == (400, "The body must be a JSON array of link parameters.")


def test_bulk_with_bad_items_only_answers_each_and_stores_nothing(api: Api) -> None:
    items: list[Any] = [5, None, "x", [], {"alias": "a b"}, {"data": {"$ios_url": "javascript:1"}}, {"type": 9}]
    response = api.http.post(f"/v1/url/bulk/{api.key}", json=items)
    assert response.status_code == 400
    answers = response.json()
    assert [list(answer) for answer in answers] == [["error"]] * len(items)
    assert [answer["error"].partition(" ")[0] for answer in answers[4:]] == ["alias:", "$ios_url", "type:"]


@pytest.mark.stores
def test_bulk_keeps_its_order_around_bad_items(api: Api) -> None:
    items = [{"alias": "bulk-order-1"}, {"alias": "bad alias"}, {"alias": "bulk-order-2"}]
    response = api.http.post(f"/v1/url/bulk/{api.key}", json=items)
    assert response.status_code == 200
    first, second, third = response.json()
    assert first["url"].endswith("/bulk-order-1")
    assert second["error"].startswith("alias:")
    assert third["url"].endswith("/bulk-order-2")


@pytest.mark.parametrize(("size", "status"), [(102_400, 400), (102_401, 413)])
def test_the_size_of_bulk_is_limited_exactly(api: Api, size: int, status: int) -> None:
    body = b'["' + b"a" * (size - 4) + b'"]'
    response = api.http.post(f"/v1/url/bulk/{api.key}", content=body, headers=JSON)
    assert response.status_code == status
    if status == 413:
        assert response.json() == error(413, "The body must have at most 102400 bytes.")
    else:
        assert [list(answer) for answer in response.json()] == [["error"]]


@pytest.mark.parametrize("content_type", ["application/xml", "multipart/form-data; boundary=x", "image/png", "x"])
def test_another_content_type_is_answered_415(api: Api, content_type: str) -> None:
    status, message = post(api, b"branch_key=x", "/v1/url", **{"Content-Type": content_type})
    assert status == 415
    assert message == "Content-Type: must be application/json or application/x-www-form-urlencoded."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"channel=\xff", "The body is not valid UTF-8."),
        (b"channel=%ff", "The body is not valid UTF-8."),
        (b"a=1&" * 2001, "The body has more than 2000 form fields."),
        (b"=&=&&;", "Invalid or missing app id, Branch key, or secret"),
    ],
)
def test_a_form_that_cannot_be_read_is_answered_400(api: Api, body: bytes, message: str) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert post(api, body, "/v1/url", **kind) == (400, message)


@pytest.mark.stores
def test_of_duplicate_keys_the_last_wins(api: Api) -> None:
    body = b'{"branch_key": "%b", "channel": "first", "channel": "last"}' % api.key.encode()
    url = api.http.post("/v1/url", content=body, headers=JSON).json()["url"]
    assert api.read(url).json()["channel"] == "last"


@pytest.mark.stores
def test_odd_but_valid_values_are_kept_as_they_are(api: Api) -> None:
    """NUL in data, numbers beyond 64 bits, astral characters and right-to-left marks come back unchanged."""
    data = {"nul": "a\0b", "big": 10**40, "small": -(10**40), "float": 1.5e300, "text": "🌳\u202e\u2028", "": [None]}
    url = api.created(data=data, channel="🌳")
    document = api.read(url).json()
    assert {key: document["data"][key] for key in data} == data
    assert document["channel"] == "🌳"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/url"),
        ("PUT", "/v1/url"),
        ("DELETE", "/v1/url"),
        ("GET", "/v1/app/none"),
        ("PUT", "/v1/app/none"),
        ("POST", "/v1/app"),
        ("POST", "/v1/url/bulk/none"),
    ],
)
@pytest.mark.parametrize(
    "url",
    [None, "", "nonsense", "http://", "http://[", "http://h/%00", "http://h/\r\n", "//", "http://h/" + "a" * 9000],
)
def test_every_operation_without_credentials_is_answered_in_the_error_shape(
    api: Api, method: str, path: str, url: str | None
) -> None:
    query = {} if url is None else {"url": url}
    response = api.http.request(method, path, params=query, json={} if method != "GET" else None)
    assert response.status_code == 400, response.text
    assert list(response.json()["error"]) == ["code", "message"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://",
        "http://[",
        "http://h:x/",
        "http://h/%00",
        "http://h/a%0d%0ab",
        "//",
        "ftp://h/x",
        "http://h/%ff",
        "é",
    ],
)
@pytest.mark.parametrize("method", ["read", "update", "delete"])
def test_an_odd_url_is_unknown_or_refused(api: Api, method: str, url: str) -> None:
    response = getattr(api, method)(url)
    assert response.status_code in (400, 404), response.text
    document = response.json()
    assert document == error(response.status_code, document["error"]["message"])


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("PATCH", "/v1/url", 405, "DELETE, GET, POST, PUT"),
        ("GET", "/v1/url/bulk/key", 405, "POST"),
        ("DELETE", "/healthz", 405, "GET"),
        ("GET", "/v1", 404, None),
        ("GET", "/v1/unknown", 404, None),
        ("POST", "/v2/unknown", 404, None),
        ("GET", "/api/unknown", 404, None),
        ("GET", "/v1/%2e%2e/url", 404, None),
        ("GET", "/v1/url/more", 404, None),
    ],
)
def test_unknown_paths_and_methods_are_answered_in_json(
    api: Api, method: str, path: str, status: int, allow: str | None
) -> None:
    response = api.http.request(method, api.running.base_url + path)
    assert response.status_code == status
    assert response.headers.get("allow") == allow
    assert response.json() == error(status, response.json()["error"]["message"])


def test_options_answers_a_preflight(api: Api) -> None:
    response = api.http.options("/v1/url", headers={"Origin": "https://shop.example"})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["access-control-allow-methods"] == "DELETE, GET, POST, PUT"
    assert response.content == b""


def test_head_answers_as_get_without_a_body(api: Api) -> None:
    got, head = api.http.get("/v1/unknown"), api.http.head("/v1/unknown")
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-length"] == str(len(got.content))
