"""Seeing that bad input changed nothing and hurt nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bough.store import Store, open_store
from tests.conftest import Api
from tests.running import Running


def stored(store: Store) -> tuple[int, int]:
    """How many links and journal rows there are."""
    return store.rows("SELECT count(*) FROM link")[0][0], store.rows("SELECT count(*) FROM journal")[0][0]


@contextmanager
def opened(running: Running) -> Iterator[Store]:
    """The store of a running server."""
    store = open_store(running.folder, running.environment.get("BOUGH_STORE", ""))
    try:
        yield store
    finally:
        store.close()


def assert_healthy(api: Api) -> None:
    """The server still creates links and answers their clicks."""
    url = api.created(data={"$desktop_url": "https://example.com/healthy"})
    answer = api.http.get(url, headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/124.0.0.0"})
    assert answer.status_code == 307, answer.text
    assert answer.headers["location"].startswith("https://example.com/healthy")
