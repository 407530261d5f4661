"""Headers that are known byte for byte: what is remembered, and that nobody can tell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from bough.settings import Settings
from bough.store import Store
from bough.store.journal import read_after
from bough.web.known_headers import LEARNED_OF, MAX_HEAD_BYTES, MAX_HEADS, MAX_KNOWN_BYTES, Heads
from bough.web.protocol import EdgeProtocol
from tests.conftest import Api
from tests.running import Running
from tests.web.raw import Connection, request
from tests.web.watch import opened


class Someone(NamedTuple):
    """A caller without anything to say."""

    recurs: bool = True


HEAD = b"Host: a.example\r\nUser-Agent: b\r\n\r\n"
PLAIN = b"GET /one HTTP/1.1\r\n" + HEAD
SOMEONE = Someone()
TURNS = LEARNED_OF + 4
"""So often sent, headers are known at the end."""


def learned(data: bytes, caller: Someone = SOMEONE, url: bytes = b"/one") -> Heads:
    """Heads that have learned from one request."""
    heads = Heads()
    heads.learn(data, url, caller)
    return heads


def test_another_address_before_the_same_headers_is_known() -> None:
    heads = learned(PLAIN)
    assert heads.known(PLAIN) == (b"/one", SOMEONE)
    assert heads.known(b"GET /two?x=1 HTTP/1.1\r\n" + HEAD) == (b"/two?x=1", SOMEONE)


@pytest.mark.parametrize(
    "data",
    [
        b"HEAD /one HTTP/1.1\r\n" + HEAD,
        b"POST /one HTTP/1.1\r\n" + HEAD,
        b"GET /one HTTP/1.0\r\n" + HEAD,
        b"GET /one\r\n" + HEAD,
        b"GETHTTP/1.1\r\n" + HEAD,
        b"GET HTTP/1.1\r\n" + HEAD,
        b"OPT /one HTTP/1.1\r\n" + HEAD,
        b"\r\nGET /one HTTP/1.1\r\n" + HEAD,
        PLAIN + b"\r\n",
        PLAIN + PLAIN,
        PLAIN[:-1],
        PLAIN.replace(b"b\r\n", b"B\r\n"),
        b"GET /" + b"x" * MAX_KNOWN_BYTES + b" HTTP/1.1\r\n" + HEAD,
        HEAD,
        b"",
    ],
)
def test_anything_else_is_not_known(data: bytes) -> None:
    assert learned(PLAIN).known(data) is None


def test_an_address_ends_before_the_version() -> None:
    other = b"GET /one HTTP/1.0\r\nX: GET HTTP/1.1\r\n" + HEAD
    known = learned(PLAIN).known(other)
    assert known is not None
    assert b" " in known[0]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN + PLAIN,
        PLAIN + b"x",
        b"\r\n" + PLAIN,
        b"GET /two HTTP/1.1\r\n" + HEAD,
        b"HEAD /one HTTP/1.1\r\n" + HEAD,
        b"GET /one HTTP/1.1\r\nA: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n",
    ],
)
def test_only_one_whole_request_is_learned(data: bytes) -> None:
    assert len(learned(data)) == 0


def test_headers_that_nobody_else_sends_are_not_learned() -> None:
    assert len(learned(PLAIN, Someone(recurs=False))) == 0


def test_headers_that_come_often_are_learned_soon() -> None:
    heads = Heads()
    for number in range(LEARNED_OF - 1):
        heads.offer(b"GET /one HTTP/1.1\r\nHost: %d\r\n\r\n" % number, b"/one", SOMEONE)
    assert len(heads) == 0
    heads.offer(PLAIN, b"/one", SOMEONE)
    assert heads.known(PLAIN) is not None


def test_the_number_of_known_headers_is_limited() -> None:
    heads = Heads()
    for number in range(2 * MAX_HEADS + 1):
        heads.learn(b"GET /one HTTP/1.1\r\nHost: %d\r\n\r\n" % number, b"/one", SOMEONE)
        assert len(heads) <= MAX_HEADS
    assert heads.known(b"GET /one HTTP/1.1\r\nHost: %d\r\n\r\n" % (2 * MAX_HEADS)) is not None


class Answers:
    """A shortcut that answers everything with the address, and knows everybody."""

    def caller(self, headers: list[tuple[bytes, bytes]]) -> Someone:
        """Anybody."""
        return SOMEONE

    def __call__(self, url: bytes, caller: Someone, peer: str, send: Callable[[bytes], None]) -> bool:
        """Say what was asked for."""
        send(url)
        return True


class Written(asyncio.Transport):
    """A connection that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.answers.append(bytes(data))

    def is_closing(self) -> bool:
        """Never."""
        return False


class NoParser:
    """What must not be asked."""

    def feed_data(self, data: bytes) -> None:
        """Fail."""
        raise AssertionError(data)


def test_known_headers_are_not_parsed() -> None:
    async def run() -> None:
        parts = SimpleNamespace(settings=Settings(), shortcut=Answers(), body_shortcut=None, heads=Heads())
        config = Config(app=cast("Any", parts), ws="none", lifespan="off")
        config.load()
        config.loaded_app = parts
        protocol, transport = EdgeProtocol(config, ServerState(), {}), Written()
        protocol.connection_made(transport)
        for _ in range(LEARNED_OF):
            protocol.data_received(PLAIN)
        protocol.parser = cast("Any", NoParser())
        protocol.data_received(PLAIN.replace(b"/one", b"/two"))
        assert transport.answers == [b"/one"] * LEARNED_OF + [b"/two"]
        with pytest.raises(AssertionError):
            protocol.data_received(PLAIN.replace(b"Host", b"host"))

    asyncio.run(run())


@pytest.fixture(scope="module")
def store(server: Running) -> Iterator[Store]:
    """The store behind the server."""
    with opened(server) as opened_store:
        yield opened_store


class Clicked(NamedTuple):
    """A click of the journal."""

    url: str
    user_agent: str
    referrer: str


def clicks_after(store: Store, row: int) -> list[Clicked]:
    """The clicks behind a row."""
    rows = [one.body for one in read_after(store, row)]
    return [Clicked(row["url"], row.get("user_agent", ""), row.get("referrer", "")) for row in rows]


def newest(store: Store) -> int:
    """The id of the newest journal row."""
    found: int = store.rows("SELECT max(id) FROM journal")[0][0] or 0
    return found


class Links(NamedTuple):
    """Two links on the server."""

    host: str
    paths: tuple[str, str]
    targets: tuple[str, str]


@pytest.fixture
def links(api: Api) -> Links:
    targets = ("https://example.com/1", "https://example.com/2")
    urls = [api.created(data={"$fallback_url": one, "$desktop_url": one}) for one in targets]
    return Links(f"127.0.0.1:{api.running.port}", (urls[0].split("/", 3)[3], urls[1].split("/", 3)[3]), targets)


def agent(name: str) -> str:
    """A User-Agent that no other test sends."""
    return f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0 Safari/537.36 {name} {time.time_ns()}"


def test_each_click_of_known_headers_is_answered_and_recorded_by_itself(api: Api, store: Store, links: Links) -> None:
    before, user_agent, referrer = newest(store), agent("one"), "https://news.example/é".encode().decode("latin-1")
    with Connection(api.running.port) as connection:
        for turn in range(TURNS):
            path = links.paths[turn % 2]
            connection.send(request("GET", f"/{path}", Host=links.host, User_Agent=user_agent, Referer=referrer))
            answer = connection.answer()
            assert answer.status == 307
            assert answer.headers["location"].startswith(links.targets[turn % 2])
    found = clicks_after(store, before)
    assert [one.url for one in found] == [f"http://{links.host}/{links.paths[turn % 2]}" for turn in range(TURNS)]
    assert {(one.user_agent, one.referrer) for one in found} == {(user_agent, referrer)}


def test_known_headers_answer_only_what_a_click_is(api: Api, store: Store, links: Links) -> None:
    user_agent = agent("two")
    with Connection(api.running.port) as known:
        for _ in range(LEARNED_OF):
            known.send(request("GET", f"/{links.paths[0]}", Host=links.host, User_Agent=user_agent))
            assert known.answer().status == 307
        before = newest(store)
        for method, path in (
            ("GET", "/no-such-link"),
            ("GET", f"/{links.paths[0]}?debug=1"),
            ("GET", f"/{links.paths[0]}%2e"),
            ("HEAD", f"/{links.paths[0]}"),
            ("POST", f"/{links.paths[0]}"),
            ("GET", "/v1/url?url=x"),
        ):
            data = request(method, path, Host=links.host, User_Agent=user_agent)
            known.send(data)
            answer = known.answer(method)
            with Connection(api.running.port) as fresh:
                fresh.send(data.replace(user_agent.encode(), agent("fresh").encode()))
                expected = fresh.answer(method)
            assert answer.status == expected.status, (method, path)
            assert answer.headers.get("content-type") == expected.headers.get("content-type")
        assert newest(store) == before


@pytest.mark.parametrize("rest", [" HTTP/1.0\r\nX: GET", "\r\nX: GET", " X"])
def test_known_headers_behind_what_is_no_address_are_parsed(api: Api, links: Links, rest: str) -> None:
    user_agent, answers = agent("six"), []
    for is_known in (False, True):
        with Connection(api.running.port) as connection:
            for _ in range(LEARNED_OF * is_known):
                connection.send(request("GET", f"/{links.paths[0]}", Host=links.host, User_Agent=user_agent))
                assert connection.answer().status == 307
            connection.send(request("GET", f"/{links.paths[0]}{rest}", Host=links.host, User_Agent=user_agent))
            answer = connection.answer()
            answers.append((answer.status, answer.headers["connection"], connection.is_closed()))
    assert answers[0] == answers[1]


def test_known_headers_may_be_pipelined(api: Api, store: Store, links: Links) -> None:
    before, user_agent = newest(store), agent("three")
    both = b"".join(request("GET", f"/{path}", Host=links.host, User_Agent=user_agent) for path in links.paths)
    with Connection(api.running.port) as connection:
        for _ in range(LEARNED_OF):
            connection.send(both[: len(both) // 2])
            assert connection.answer().status == 307
        connection.send(3 * both)
        for turn in range(6):
            assert connection.answer().headers["location"].startswith(links.targets[turn % 2])
        connection.send(both[: len(both) // 2])
        connection.send(both[len(both) // 2 :])
        for turn in range(2):
            assert connection.answer().headers["location"].startswith(links.targets[turn])
    assert len(clicks_after(store, before)) == LEARNED_OF + 8


def test_nobody_can_make_headers_mean_something_else(api: Api, store: Store, links: Links) -> None:
    path, evil = links.paths[0], agent("evil")
    honest = f"Host: {links.host}\r\nAccept: {time.time_ns()}\r\n\r\n".encode()
    line = f"GET /{path} HTTP/1.1\r\n".encode()
    with Connection(api.running.port) as connection:
        for _ in range(LEARNED_OF):
            # The second part alone looks like a request of its own; what was said before it belongs to it.
            connection.send(line + f"User-Agent: {evil}\r\nX-Rest: ".encode())
            time.sleep(0.05)
            connection.send(line + honest)
            assert connection.answer().status == 307
    before = newest(store)
    with Connection(api.running.port) as connection:
        for _ in range(TURNS):
            connection.send(line + honest)
            assert connection.answer().status == 307
    assert [one.user_agent for one in clicks_after(store, before)] == [""] * TURNS


def test_known_headers_with_close_are_closed(api: Api, links: Links) -> None:
    user_agent = agent("four")
    for _ in range(TURNS):
        with Connection(api.running.port) as connection:
            connection.send(
                request("GET", f"/{links.paths[0]}", Host=links.host, User_Agent=user_agent, Connection="close")
            )
            assert connection.answer().headers["connection"] == "close"
            assert connection.is_closed()


def test_a_cookie_is_each_browsers_own(api: Api, store: Store, links: Links) -> None:
    user_agent = agent("five")
    with Connection(api.running.port) as connection:
        seen = set()
        for _ in range(TURNS):
            connection.send(request("GET", f"/{links.paths[0]}", Host=links.host, User_Agent=user_agent))
            seen.add(connection.answer().headers["set-cookie"].partition(";")[0])
        assert len(seen) == TURNS
        browser = sorted(seen)[0]
        for _ in range(2):
            connection.send(
                request("GET", f"/{links.paths[0]}", Host=links.host, User_Agent=user_agent, Cookie=browser)
            )
            assert "set-cookie" not in connection.answer().headers
    rows = [one.body.get("browser", "") for one in read_after(store, newest(store) - 1)]
    assert rows == [browser.partition("=")[2]]
