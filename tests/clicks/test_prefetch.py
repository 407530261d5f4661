"""A prefetch is redirected like its visitor, and neither a click nor an impression, however it is said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bough.store import Store
from bough.store.journal import read_after
from tests.clicks import user_agents as ua
from tests.conftest import Api
from tests.running import Running
from tests.web.raw import Answer, once
from tests.web.test_edge_clicks import newest, path_of
from tests.web.test_prefetch import AHEAD, NOT_AHEAD
from tests.web.watch import opened

Said = list[tuple[str, str]]


@pytest.fixture(scope="module")
def store(server: Running) -> Iterator[Store]:
    """The store behind the server."""
    with opened(server) as opened_store:
        yield opened_store


def ask(api: Api, path: str, said: Said, method: str = "GET") -> Answer:
    """One request of an iPhone with these lines in its head."""
    lines = [("Host", f"127.0.0.1:{api.running.port}"), ("User-Agent", ua.IPHONE_SAFARI), *said]
    head = "".join(f"{name}: {value}\r\n" for name, value in lines)
    return once(api.running.port, f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode(), method)


def kinds(store: Store, before: int) -> list[str]:
    """What was recorded since then."""
    return [row.kind for row in read_after(store, before)]


@pytest.mark.parametrize("known", [False, True], ids=["slow path", "fast path"])
@pytest.mark.parametrize("said", AHEAD, ids=str)
def test_a_prefetch_of_a_link_is_redirected_and_no_click(api: Api, store: Store, said: Said, known: bool) -> None:
    path = path_of(api.created(data={"$ios_url": "https://example.com/i"}))
    for _ in range(2 if known else 0):  # by then the fast path knows the link
        assert ask(api, path, []).status == 307
    before = newest(store)
    answer = ask(api, path, said)
    assert (answer.status, answer.headers["location"].split("?")[0]) == (307, "https://example.com/i")
    assert ask(api, path, said, "HEAD").status == 307
    assert kinds(store, before) == ["prefetch"]
    assert ask(api, path, []).status == 307
    assert kinds(store, before) == ["prefetch", "click"]


@pytest.mark.parametrize("said", AHEAD, ids=str)
def test_a_prefetch_of_a_pixel_is_a_picture_and_no_impression(api: Api, store: Store, said: Said) -> None:
    path = f"/i{path_of(api.created(data={'$ios_url': 'https://example.com/i'}))}"
    before = newest(store)
    for method in ("GET", "HEAD"):
        answer = ask(api, path, said, method)
        assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
        assert "set-cookie" not in answer.headers
    assert kinds(store, before) == []
    assert ask(api, path, []).status == 200
    assert kinds(store, before) == ["impression"]


@pytest.mark.parametrize("said", NOT_AHEAD, ids=str)
def test_a_persons_own_visit_counts(api: Api, store: Store, said: Said) -> None:
    path = path_of(api.created(data={"$ios_url": "https://example.com/i"}))
    before = newest(store)
    assert ask(api, path, said).status == 307
    assert ask(api, path, said).status == 307
    assert ask(api, f"/i{path}", said).status == 200
    assert kinds(store, before) == ["click", "click", "impression"]
