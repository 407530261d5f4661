"""HTTP as nobody should send it: sizes, slowness, truncation, order. Every case is answered clearly or closed."""

from __future__ import annotations

import json
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Api
from tests.running import Running, wait_until
from tests.web.raw import Connection, once, request
from tests.web.watch import assert_healthy, opened, stored

REQUEST_SECONDS = 1.0
MAX_HEADER_BYTES = 32 * 1024
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile Safari/604.1"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that is impatient, so that slow clients are found out quickly."""
    environment = {
        "BOUGH_RATE_LIMITS": "off",
        "BOUGH_REQUEST_SECONDS": str(REQUEST_SECONDS),
        "BOUGH_IDLE_SECONDS": "20",
        "BOUGH_MAX_CONNECTIONS": "1100",
    }
    server = Running(tmp_path_factory.mktemp("edge") / "data", "--empty", environment=environment)
    yield server
    server.stop()


@pytest.fixture
def api(running: Running) -> Iterator[Api]:
    """A client of it; after each test the server must be healthy."""
    client = Api(running)
    yield client
    assert_healthy(client)
    client.http.close()


@pytest.fixture
def link(api: Api) -> str:
    """The path of a link whose click is answered by the fast path."""
    url = api.created(data={"$ios_url": "https://example.com/ios"})
    path = "/" + url.rpartition("/")[2]
    assert once(api.running.port, click(api, path)).status == 307
    return path


def click(api: Api, path: str, **headers: str) -> bytes:
    """A click as a phone sends it."""
    return request("GET", path, b"", Host=f"127.0.0.1:{api.running.port}", User_Agent=PHONE, **headers)


def create(api: Api, **parameters: object) -> bytes:
    """POST /v1/url as bytes."""
    return request("POST", "/v1/url", json.dumps({"branch_key": api.key, **parameters}).encode())


# Sizes.


def test_a_header_of_ten_megabytes_is_answered_431_and_the_connection_ends(api: Api) -> None:
    with Connection(api.running.port) as connection:
        connection.send(b"GET /x HTTP/1.1\r\nHost: h\r\nX-Long: " + b"a" * 10_000_000 + b"\r\n\r\n")
        answer = connection.answer()
        assert answer.status == 431
        assert answer.error["message"] == f"The headers must have at most {MAX_HEADER_BYTES} bytes together."
        assert answer.headers["connection"] == "close"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert connection.is_closed()


def test_a_header_that_never_ends_is_answered_431_before_it_fills_the_memory(api: Api) -> None:
    with Connection(api.running.port) as connection:
        connection.send(b"GET /x HTTP/1.1\r\nX-Long: ")
        sent = 0
        connection.socket.settimeout(0.01)
        while sent < 4_000_000:
            connection.send(b"a" * 16_384)
            sent += 16_384
            try:
                if connection.socket.recv(1, socket.MSG_PEEK):
                    break
            except TimeoutError:
                continue
        connection.socket.settimeout(10)
        assert connection.answer().status == 431
        assert sent < 500_000


def test_a_trailer_that_never_ends_is_answered_431(api: Api) -> None:
    with Connection(api.running.port) as connection:
        connection.send(
            b"POST /v1/url HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nX-Long: "
        )
        for _ in range(40):
            connection.send(b"a" * 16_384)
        assert connection.answer().status == 431


def test_twenty_thousand_headers_are_answered_431(api: Api) -> None:
    with Connection(api.running.port) as connection:
        connection.send(b"GET /x HTTP/1.1\r\nHost: h\r\n" + b"a: b\r\n" * 20_000 + b"\r\n")
        answer = connection.answer()
        assert answer.status == 431
        assert answer.error["message"] == "There must be at most 100 headers."


@pytest.mark.parametrize(("count", "status"), [(100, 404), (101, 431)])
def test_the_number_of_headers_is_limited_exactly(api: Api, count: int, status: int) -> None:
    assert once(api.running.port, b"GET /v1/none HTTP/1.1\r\n" + b"a: b\r\n" * count + b"\r\n").status == status


@pytest.mark.parametrize(("size", "status"), [(MAX_HEADER_BYTES, 404), (MAX_HEADER_BYTES + 1, 431)])
def test_the_size_of_all_headers_is_limited_exactly(api: Api, size: int, status: int) -> None:
    data = b"GET /v1/none HTTP/1.1\r\na: " + b"b" * (size - 5) + b"\r\n\r\n"
    assert once(api.running.port, data).status == status


@pytest.mark.parametrize("size", [MAX_HEADER_BYTES, MAX_HEADER_BYTES + 1])
@pytest.mark.parametrize("cut", [1, 5, 20, 40, 20_000, -1])
def test_a_cut_request_has_the_same_limits(api: Api, size: int, cut: int) -> None:
    data = b"GET /v1/none HTTP/1.1\r\na: " + b"b" * (size - 5) + b"\r\n\r\n"
    with Connection(api.running.port) as connection:
        connection.send(data[:cut])
        time.sleep(0.02)
        connection.send(data[cut:])
        assert connection.answer().status == (404 if size == MAX_HEADER_BYTES else 431)


@pytest.mark.parametrize("cut", [3, 25, 60, 1448])
def test_what_stands_behind_a_cut_head_is_no_header(api: Api, link: str, cut: int) -> None:
    """Of the limit on headers: a large body, and clicks that were sent with it."""
    post = create(api, data={"text": "x" * 60_000})
    clicks = click(api, link) * 200
    for data, statuses in ((post, [200]), (clicks, [307] * 200), (post + clicks, [200] + [307] * 200)):
        with Connection(api.running.port) as connection:
            connection.send(data[:cut])
            time.sleep(0.02)
            connection.send(data[cut:])
            assert [connection.answer().status for _ in statuses] == statuses


@pytest.mark.parametrize(("size", "status"), [(16_384, 404), (16_385, 414)])
def test_the_size_of_the_address_is_limited_exactly(api: Api, size: int, status: int) -> None:
    path = "/v1/" + "a" * (size - 4)
    answer = once(api.running.port, request("GET", path))
    assert answer.status == status
    assert answer.error["code"] == status


@pytest.mark.parametrize(("size", "status"), [(256 * 1024, 400), (256 * 1024 + 1, 413)])
def test_the_size_of_a_body_is_limited_exactly(api: Api, size: int, status: int) -> None:
    body = b'{"a":"' + b"a" * (size - 8) + b'"}'
    assert len(body) == size
    answer = once(api.running.port, request("POST", "/v1/url", body))
    assert answer.status == status
    assert "branch key" in answer.error["message"].lower() or "bytes" in answer.error["message"]


def test_an_oversize_body_is_refused_in_chunks_too(api: Api) -> None:
    chunk = b"4000\r\n" + b"a" * 0x4000 + b"\r\n"
    with Connection(api.running.port) as connection:
        connection.send(b"POST /v1/url HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 64)
        answer = connection.answer()
        assert answer.status == 413
        assert answer.error["message"] == "The body must have at most 262144 bytes."


def test_an_oversize_body_is_refused_before_it_is_sent(api: Api) -> None:
    head = request("POST", "/v1/url", Content_Length="300000", Content_Type="application/json", Expect="100-continue")
    assert once(api.running.port, head).status == 413


def test_a_client_that_closes_after_its_request_can_read_that_its_body_was_too_large(api: Api) -> None:
    body = b"a" * 5_000_000
    with Connection(api.running.port) as connection:
        connection.send(request("POST", "/v1/url", body, Connection="close"))
        assert connection.answer().status == 413


def test_a_body_within_the_limits_is_asked_for(api: Api) -> None:
    data = create(api, channel="expecting").replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n", 1)
    head, _, body = data.partition(b"\r\n\r\n")
    with Connection(api.running.port) as connection:
        connection.send(head + b"\r\n\r\n")
        assert connection.answer().status == 100
        connection.send(body)
        assert connection.answer().status == 200


# Slowness.


@pytest.mark.parametrize(
    "begin",
    [
        b"GET /x",
        b"GET /x HTTP/1.1\r\nHost: h\r\nX-Slow: a",
        b"POST /v1/url HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{",
        b"POST /v1/url HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
    ],
    ids=["request line", "header", "body", "chunk"],
)
def test_a_request_that_drips_in_is_answered_408(api: Api, begin: bytes) -> None:
    with opened(api.running) as store, Connection(api.running.port) as connection:
        before = stored(store)
        connection.send(begin)
        began = time.monotonic()
        connection.socket.settimeout(0.2)
        while time.monotonic() < began + 10:  # a byte now and then keeps no connection alive
            try:
                if connection.socket.recv(1, socket.MSG_PEEK):
                    break
            except TimeoutError:
                connection.send(b"a")
        connection.socket.settimeout(10)
        answer = connection.answer()
        assert answer.status == 408
        assert answer.error["message"] == "The request did not arrive in time."
        assert REQUEST_SECONDS <= time.monotonic() - began < REQUEST_SECONDS + 3
        assert connection.is_closed()
        assert stored(store) == before


def test_a_connection_that_says_nothing_is_closed_without_a_word(api: Api) -> None:
    with Connection(api.running.port) as connection:
        assert connection.is_closed()


@pytest.mark.parametrize("whole", [True, False], ids=["requests", "pieces of requests"])
def test_a_client_that_never_reads_is_dropped(api: Api, whole: bool) -> None:
    """Its answers pile up in our memory: after BOUGH_REQUEST_SECONDS without progress the connection is cut."""
    requests = request("GET", "/openapi.json") * 50
    with Connection(api.running.port, timeout=0.1) as connection:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        rest = requests

        def is_cut() -> bool:
            nonlocal rest
            try:
                sent = connection.socket.send(rest)
            except TimeoutError:
                return False
            except ConnectionError:
                return True
            rest = (rest[sent:] if whole else b"") or requests
            return False

        wait_until(is_cut, 20)


def test_a_thousand_idle_connections_leave_others_alone(api: Api, link: str) -> None:
    idle = [Connection(api.running.port) for _ in range(1000)]
    try:
        for number, connection in enumerate(idle):
            if number % 2:
                connection.send(b"GET /slow HTTP/1.1\r\nHost: h\r\n")
        slowest = 0.0
        with Connection(api.running.port) as connection:
            for _ in range(200):
                began = time.monotonic()
                connection.send(click(api, link))
                assert connection.answer().status == 307
                slowest = max(slowest, time.monotonic() - began)
        assert slowest < 1.0
        assert api.create().status_code == 200
    finally:
        for connection in idle:
            connection.__exit__()


def test_more_connections_are_served_than_files_are_allowed_by_default(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        running = Running(tmp_path / "data", "--empty")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    idle = [Connection(running.port) for _ in range(300)]
    try:
        assert once(running.port, request("GET", "/readyz")).status == 200
    finally:
        for connection in idle:
            connection.__exit__()
        running.stop()


def test_connections_beyond_the_limit_are_answered_503(api: Api) -> None:
    crowd = [Connection(api.running.port) for _ in range(1100)]
    try:
        with Connection(api.running.port) as connection:
            answer = connection.answer()
            assert answer.status == 503
            assert answer.error["message"] == "The server has too many open connections; try again later."
    finally:
        for connection in crowd:
            connection.__exit__()
    wait_until(lambda: once(api.running.port, request("GET", "/healthz")).status == 200)


# Broken and cut requests.


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 64,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: h\r\nBad Name: x\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: h\r\nX: a\x01b\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: h\r\n folded: x\r\n\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
        b"POST /v1/url HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/url HTTP/1.1\r\nHost: h\r\nContent-Length: ten\r\n\r\n",
        b"POST /v1/url HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST /v1/url HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/url HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /v1/url HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/url HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}garbage\r\n",
    ],
)
def test_what_is_not_http_is_answered_400(api: Api, data: bytes) -> None:
    with opened(api.running) as store, Connection(api.running.port) as connection:
        before = stored(store)
        connection.send(data)
        answer = connection.answer()
        assert answer.status == 400
        assert answer.error["message"] == "The request is not valid HTTP."
        assert connection.is_closed()
        assert stored(store) == before


@pytest.mark.parametrize("second", [b"Host: h", b"host: other"])
def test_a_request_for_two_hosts_is_answered_400(api: Api, link: str, second: bytes) -> None:
    path = link.removeprefix(api.running.base_url).encode()
    with opened(api.running) as store:
        before = stored(store)
        answer = once(api.running.port, b"GET " + path + b" HTTP/1.1\r\nHost: h\r\n" + second + b"\r\n\r\n")
        assert answer.status == 400
        assert answer.error["message"] == "There must be one Host header."
        assert stored(store) == before


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_that_is_cut_stores_nothing(api: Api, framing: str) -> None:
    body = json.dumps({"branch_key": api.key, "alias": f"cut-{framing}"}).encode()
    head = b"POST /v1/url HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
    if framing == "length":
        data = head + b"Content-Length: %d\r\n\r\n" % (len(body) + 1) + body
    else:
        data = head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body + b"\r\n"
    with opened(api.running) as store, Connection(api.running.port) as connection:
        before = stored(store)
        connection.send(data)
        connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.answer()
        assert answer.status == 400
        assert answer.error["message"] == "The request is not complete."
        assert_healthy(api)
        assert stored(store)[0] == before[0] + 1  # the healthy link alone


def test_a_client_may_shut_its_side_and_still_gets_its_answers(api: Api, link: str) -> None:
    with Connection(api.running.port) as connection:
        connection.send(click(api, link) + create(api) + click(api, link))
        connection.socket.shutdown(socket.SHUT_WR)
        assert [connection.answer().status for _ in range(3)] == [307, 200, 307]
        assert connection.is_closed()


def test_bytes_after_the_announced_length_are_not_part_of_the_body(api: Api) -> None:
    with Connection(api.running.port) as connection:
        connection.send(create(api, channel="exact") + b"}}}trailing")
        assert connection.answer().status == 200
        assert connection.answer().status == 400
        assert connection.is_closed()


# Many requests on one connection.


def test_answers_of_pipelined_requests_come_in_the_order_of_the_requests(api: Api, link: str) -> None:
    aliases = [f"pipelined-{number}" for number in range(20)]
    data = b""
    for alias in aliases:
        data += click(api, link) + create(api, alias=alias) + request("GET", "/v1/none") + click(api, "/unknown-link")
    with Connection(api.running.port) as connection:
        connection.send(data)
        for alias in aliases:
            assert connection.answer().headers["location"].startswith("https://example.com/ios")
            assert json.loads(connection.answer().body)["url"].endswith(f"/{alias}")
            assert connection.answer().error["code"] == 404
            assert connection.answer().headers["content-type"].startswith("text/html")


def test_pipelined_requests_that_arrive_byte_by_byte_are_answered_in_order(api: Api, link: str) -> None:
    data = click(api, link) + create(api, alias="drop-by-drop") + click(api, link)
    with Connection(api.running.port) as connection:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(data), 7):
            connection.send(data[at : at + 7])
        assert connection.answer().status == 307
        assert json.loads(connection.answer().body)["url"].endswith("/drop-by-drop")
        assert connection.answer().status == 307


@pytest.mark.parametrize("bad", [b"NOT HTTP\r\n\r\n", b"GET /x HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n"])
def test_a_bad_request_is_answered_after_the_good_ones_before_it(api: Api, link: str, bad: bytes) -> None:
    with Connection(api.running.port) as connection:
        connection.send(click(api, link) + create(api) + click(api, link) + bad + click(api, link))
        assert [connection.answer().status for _ in range(3)] == [307, 200, 307]
        assert connection.answer().error["code"] in (400, 431)
        assert connection.is_closed()


def test_nothing_is_answered_after_a_request_that_closes(api: Api, link: str) -> None:
    with opened(api.running) as store, Connection(api.running.port) as connection:
        before = stored(store)
        connection.send(click(api, link, Connection="close") + create(api) + click(api, link))
        answer = connection.answer()
        assert (answer.status, answer.headers["connection"]) == (307, "close")
        assert connection.is_closed()
        assert stored(store) == (before[0], before[1] + 1)


def test_a_flood_of_pipelined_requests_is_cut(api: Api) -> None:
    with Connection(api.running.port) as connection:
        connection.send(request("GET", "/healthz") * 2000)
        statuses: list[int] = []
        while statuses.count(400) == 0:
            statuses.append(connection.answer().status)
        assert set(statuses[:-1]) == {200}
        assert len(statuses) > 256
        assert connection.is_closed()


def test_an_upgrade_is_answered_as_a_plain_request(api: Api, link: str) -> None:
    with Connection(api.running.port) as connection:
        connection.send(click(api, link, Connection="Upgrade", Upgrade="websocket") + b"\x81\x05hello")
        assert connection.answer().status == 307
        assert connection.is_closed()


REFUSED_UPGRADES = (
    b"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"GET /x HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
)


@pytest.mark.parametrize("bad", REFUSED_UPGRADES)
@pytest.mark.parametrize("path", ["", "/healthz"])
def test_an_upgrade_can_be_refused_alone_and_after_another_request(api: Api, path: str, bad: bytes) -> None:
    logged = api.running.log.stat().st_size
    with Connection(api.running.port) as connection:
        connection.send((request("GET", path) if path else b"") + bad)
        if path:
            assert connection.answer().status == 200
        assert connection.answer().error["code"] in (400, 431)
        assert connection.is_closed()
    assert b"Traceback" not in api.running.log.read_bytes()[logged:]


def test_http_1_0_is_answered_and_closed(api: Api, link: str) -> None:
    with Connection(api.running.port) as connection:
        connection.send(click(api, link).replace(b"HTTP/1.1", b"HTTP/1.0"))
        answer = connection.answer()
        assert (answer.status, answer.headers["connection"]) == (307, "close")
        assert connection.is_closed()
