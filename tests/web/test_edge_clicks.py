"""Clicks as nobody should make them, on both stores: nothing reaches a header or the journal that should not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bough.store import Store
from bough.store.journal import read_after
from tests.conftest import Api
from tests.running import Running
from tests.web.raw import Answer, once, request
from tests.web.watch import assert_healthy, opened

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile Safari/604.1"
BARE = "curl/8.5.0"
AGENTS = [PHONE, BARE]


@pytest.fixture(scope="module")
def store(server: Running) -> Iterator[Store]:
    """The store behind the server."""
    with opened(server) as opened_store:
        yield opened_store


@pytest.fixture(autouse=True)
def _healthy(api: Api) -> Iterator[None]:
    yield
    assert_healthy(api)


def newest(store: Store) -> int:
    """The id of the newest journal row."""
    found: int = store.rows("SELECT max(id) FROM journal")[0][0] or 0
    return found


def get(api: Api, path: str, method: str = "GET", user_agent: str = PHONE, **headers: str) -> Answer:
    """One request as bytes, so that nothing tidies it up on the way."""
    host = headers.pop("Host", f"127.0.0.1:{api.running.port}")
    return once(api.running.port, request(method, path, b"", Host=host, User_Agent=user_agent, **headers), method)


def path_of(url: str) -> str:
    """The path of a link on the server."""
    return "/" + url.split("/", 3)[3]


def is_clean(answer: Answer) -> bool:
    """Whether a redirect's Location is plain, printable ASCII and no header was smuggled in."""
    location = answer.headers["location"]
    return location.isascii() and location.isprintable() and " " not in location and "evil" not in answer.headers


SPLITTING = [
    "%0d%0aEvil:%201",
    "%0D%0A%0D%0A<script>alert(1)</script>",
    "%0aEvil:1",
    "%E5%98%8A%E5%98%8DEvil:1",
    "%250d%250aEvil:1",
    "\r%0aEvil:1".replace("\r", "%0d"),
    "%00%01%7f%c2%85",
    "%ff%fe",
    "%",
    "%zz",
    "a=" * 60,
    "&&&=&=",
    "%F0%9F%8C%B3=%E2%80%AE",
    "a;b;c",
]


@pytest.mark.parametrize("user_agent", AGENTS, ids=["phone", "program"])
@pytest.mark.parametrize("query", SPLITTING)
@pytest.mark.parametrize("key", ["$fallback_url", "utm_source", "$deeplink_path"])
def test_the_query_of_a_click_cannot_split_the_answer(api: Api, key: str, query: str, user_agent: str) -> None:
    url = api.created(data={"$ios_url": "https://example.com/i", "$desktop_url": "https://example.com/d"})
    answer = get(api, f"{path_of(url)}?{key}={query}", user_agent=user_agent)
    assert answer.status in (307, 200)
    if answer.status == 307:
        assert is_clean(answer)
        assert answer.headers["location"].startswith("https://example.com/")


@pytest.mark.parametrize("user_agent", AGENTS, ids=["phone", "program"])
@pytest.mark.parametrize(
    "text",
    ["https://example.com/%0d%0aEvil:1", "https://example.com/é 🌳\u2028\u202e<>\"'`{}|^", "https://éxample.com/x"],
)
def test_a_stored_target_is_sent_percent_encoded(api: Api, text: str, user_agent: str) -> None:
    url = api.created(data={"$ios_url": text, "$desktop_url": text})
    for _ in range(2):  # the second answer takes the fast path
        answer = get(api, path_of(url), user_agent=user_agent)
        assert answer.status == 307
        assert is_clean(answer)
        assert answer.headers["location"].startswith("https://")


def test_labels_with_odd_characters_are_sent_percent_encoded(api: Api) -> None:
    url = api.created(channel="é 🌳&=#\u2028", data={"$ios_url": "https://example.com/i", "k": "a\r\nEvil: 1"})
    for _ in range(2):
        answer = get(api, path_of(url))
        assert answer.status == 307
        assert is_clean(answer)


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "https:/\\evil.example",
        "unknown://x",
        "\\\\evil.example",
    ],
)
@pytest.mark.parametrize("user_agent", AGENTS, ids=["phone", "program"])
def test_a_query_cannot_bring_a_forbidden_scheme(api: Api, target: str, user_agent: str) -> None:
    url = api.created(data={"$ios_url": "https://example.com/i", "$desktop_url": "https://example.com/d"})
    quoted = "".join(f"%{byte:02x}" for byte in target.encode())
    for key in ("$fallback_url", "$ios_url", "$desktop_url"):
        answer = get(api, f"{path_of(url)}?{key}={quoted}", user_agent=user_agent)
        assert answer.status == 307
        assert answer.headers["location"].startswith("https://example.com/")


@pytest.mark.parametrize(
    "path",
    [
        "/%00",
        "/a%00b",
        "/%ff%fe",
        "/%0d%0aEvil:1",
        "/" + "x" * 5000,
        "/..%2f..%2fetc%2fpasswd",
        "//",
        "///evil.example/%2f..",
        "/%e2%80%ae",
        "/a/",
        "/a/%00",
        "/e/",
        "/e/e/e/x",
        "/<script>alert(1)</script>",
        "/.well-known/other",
        "/%2e%2e/v1/url",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_odd_path_is_an_unknown_link(api: Api, store: Store, method: str, path: str) -> None:
    before = newest(store)
    answer = get(api, path, method)
    assert answer.status == 404
    assert "evil" not in answer.headers
    assert b"<script>alert(1)" not in answer.body
    assert newest(store) == before


@pytest.mark.parametrize(
    "host", ["evil.example", '127.0.0.1:1"><script>', "", "a" * 300, "é".encode().decode("latin-1")]
)
def test_an_odd_host_is_the_server_itself(api: Api, host: str) -> None:
    url = api.created(data={"$ios_url": "https://example.com/i"})
    answer = get(api, path_of(url), Host=host)
    assert answer.status == 307
    assert is_clean(answer)


@pytest.mark.parametrize("fields", [200, 201, 2000])
def test_many_query_fields_are_no_fault_of_the_server(api: Api, fields: int) -> None:
    url = api.created(data={"$ios_url": "https://example.com/i"})
    answer = get(api, path_of(url) + "?" + "&".join(["a=1"] * fields))
    assert answer.status == 307


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_head_and_options_are_not_clicks(api: Api, store: Store, method: str) -> None:
    url = api.created(data={"$ios_url": "https://example.com/i"})
    before = newest(store)
    answer = get(api, path_of(url), method)
    assert answer.status == (307 if method == "HEAD" else 200)
    assert newest(store) == before


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
def test_a_link_takes_no_other_method(api: Api, store: Store, method: str) -> None:
    url = api.created(data={"$ios_url": "https://example.com/i"})
    before = newest(store)
    answer = get(api, path_of(url), method)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert answer.error["code"] == 405
    assert newest(store) == before


@pytest.mark.parametrize("header", ["Purpose", "Sec-Purpose", "X-Moz"])
@pytest.mark.parametrize("value", ["prefetch", "prefetch;prerender", "Preview"])
def test_a_prefetch_is_recorded_as_such_and_redirects(api: Api, store: Store, header: str, value: str) -> None:
    url = api.created(data={"$ios_url": "https://example.com/i"})
    assert get(api, path_of(url)).status == 307  # from now on the fast path knows the link
    before = newest(store)
    answer = get(api, path_of(url), **{header: value})
    assert answer.status == 307
    assert [row.kind for row in read_after(store, before)] == ["prefetch"]


def test_a_click_is_recorded_with_exactly_what_was_sent(api: Api, store: Store) -> None:
    url = api.created(data={"$ios_url": "https://example.com/i"})
    hostile = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) \"'<>\\\xff\x80 end"
    for _ in range(2):  # the slow path, then the fast path
        before = newest(store)
        assert get(api, path_of(url), user_agent=hostile, Referer="https://r.example/?a=<b>\xe9").status == 307
        (row,) = read_after(store, before)
        assert row.kind == "click"
        assert row.body["user_agent"] == hostile
        assert row.body["referrer"] == "https://r.example/?a=<b>\xe9"


@pytest.mark.parametrize(
    "cookie", ["_s=1", "_s=" + "9" * 5000, "_s=abc", "_s=1234567890123456789012", ";;;=;_s", "a=_s=1"]
)
def test_a_cookie_that_is_no_browser_id_is_replaced(api: Api, store: Store, cookie: str) -> None:
    url = api.created(data={"$ios_url": "https://example.com/i"})
    for _ in range(2):
        before = newest(store)
        answer = get(api, path_of(url), Cookie=cookie)
        (row,) = read_after(store, before)
        assert answer.headers["set-cookie"].startswith(f"_s={row.id};")
        assert "browser" not in row.body
