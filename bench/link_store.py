"""A data folder with an app and as many links as a bench wants, and what is in it afterwards."""

from __future__ import annotations

import time
from pathlib import Path

from msgspec import Struct

from bench.load import path
from bough.accounts.creation import NewApp, create_app
from bough.accounts.directory import Directory
from bough.clicks.counts import by_day
from bough.links import actions
from bough.links.model import Link
from bough.store import Store, open_store
from bough.vocabulary.ids import now_ms

AT_ONCE = 5000


class Stored(Struct, frozen=True):
    """Rows of a store."""

    links: int
    clicks: int


def make(folder: Path, links: int) -> str:
    """Found an app with links; returns its branch key."""
    store = open_store(folder)
    founded = create_app(store, NewApp(name="Bench", base_url="http://127.0.0.1:8000"))
    app = Directory(store).by_key(founded.branch_key).app
    domain = app.domain(False)
    assert domain is not None
    began = time.perf_counter()
    for start in range(1, links + 1, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, links + 1))
        store.transact(actions.create_batch, [_draft(app.id, domain.host, number) for number in numbers])
    took = time.perf_counter() - began
    while by_day.count_new_links(store):  # a store that has had its links for a while
        pass
    if links >= 100_000:
        print(f"({links:,} links made in {took:.0f} s, {links / took:,.0f} links/s)", flush=True)
    store.close()
    return founded.branch_key


def _draft(app: int, host: str, number: int) -> actions.Draft:
    name = path(number)
    data = {"$ios_url": f"https://example.com/ios/{number}", "$desktop_url": f"https://example.com/{number}"}
    now = now_ms()
    link = Link(
        id=0, app=app, test=False, domain=host, path=name, alias=name, data=data, channel="email", campaign="first",
        created_at=now, updated_at=now,
    )  # fmt: skip
    return actions.Draft(link=link, prefix="")


def stored(folder: Path) -> Stored:
    """Count what a new process finds."""
    store = open_store(folder)
    try:
        return Stored(_count(store, "SELECT count(*) FROM link"), _count(store, "SELECT count(*) FROM journal"))
    finally:
        store.close()


def _count(store: Store, sql: str) -> int:
    count: int = store.rows(sql)[0][0]
    return count
