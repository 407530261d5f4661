"""After a start, links are read into memory; what is there is what a request would find in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from bough.accounts.context import Context
from bough.accounts.creation import NewApp, create_app
from bough.accounts.domains import add_batch
from bough.accounts.model import Domain
from bough.clicks import warm_up
from bough.clicks.link_cache import LinkCache, keep
from bough.clicks.warm_up import keep_read_in
from bough.errors import Unavailable
from bough.links import actions
from bough.links.model import Link
from bough.server.assembly import assemble
from bough.settings import Settings
from bough.store import open_store
from bough.store.journal import NewRow, append_batch
from bough.vocabulary.ids import now_ms
from tests.conftest import STORES

HOST = "127.0.0.1:8000"


class Stored:
    """A store with an app and links p0, p1, …, oldest first."""

    def __init__(self, folder: Path, address: str) -> None:
        self.settings = Settings(data=str(folder), store=address)
        self.store = open_store(folder, address)
        self.app = int(create_app(self.store, NewApp(name="New", base_url=f"http://{HOST}")).app_id)
        self.links: list[Link] = []

    def make(self, count: int) -> None:
        """Create links."""
        now = now_ms()
        drafts = [
            actions.Draft(
                link=Link(
                    id=0, app=self.app, test=False, domain=HOST, path=f"p{n}", alias=f"p{n}",
                    data={"$ios_url": f"https://good.example/{n}"}, created_at=now, updated_at=now,
                ),
                prefix="",
            )
            for n in range(len(self.links), len(self.links) + count)
        ]  # fmt: skip
        for start in range(0, len(drafts), 100):
            made = self.store.transact(actions.create_batch, drafts[start : start + 100])
            self.links += [link for link in made if isinstance(link, Link)]

    def click(self, number: int) -> None:
        """A click of p<number>."""
        self.store.transact(append_batch, NewRow(now_ms(), self.app, 0, "click", self.links[number].id, "{}"))

    def context(self, limit: int = 0) -> Context:
        """What a new process has."""
        settings = msgspec.structs.replace(self.settings, link_cache=limit)
        return assemble(settings, open_store(settings.folder, settings.store))


@pytest.fixture(params=STORES)
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stored]:
    """An empty one."""
    made = Stored(tmp_path / "data", request.getfixturevalue("database") if request.param == "postgres" else "")
    yield made
    made.store.close()


def read_in(context: Context, until: Callable[[], bool]) -> None:
    """Let a process read links in until something holds."""

    async def run() -> None:
        task = asyncio.create_task(keep_read_in(context))
        deadline = asyncio.get_running_loop().time() + 20
        while not until() and not task.done():
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # nothing more must come
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())


def kept(context: Context, count: int) -> list[int]:
    """Numbers of the links in memory."""
    return [n for n in range(count) if context.part(LinkCache).get(HOST, f"p{n}") is not None]


def test_all_links_are_read_in(stored: Stored) -> None:
    stored.make(200)
    stored.click(3)
    context = stored.context()
    read_in(context, lambda: len(context.part(LinkCache)) == 200)
    found = context.part(LinkCache).get(HOST, "p7")
    assert found is not None
    assert found.link == stored.links[7]
    context.close()


def test_links_clicked_lately_come_first_and_then_the_newest(stored: Stored) -> None:
    stored.make(300)
    for number in (5, 40, 5, 17):
        stored.click(number)
    context = stored.context(limit=64)
    read_in(context, lambda: not context.part(LinkCache).has_room)
    numbers = kept(context, 300)
    assert numbers == [5, 17, 40, *range(243, 300)]  # 60 of 64: the rest is for links that are asked for
    context.close()


def test_what_was_read_is_current_when_it_is_kept(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links change after they were read and before they are kept."""
    stored.make(3)
    context = stored.context()
    fetch = context.store.fetch
    changed = iter(stored.links)

    async def slow(sql: str, params: Any = ()) -> Any:
        rows = await fetch(sql, params)
        if sql == warm_up.NEWEST_LINKS and rows and (link := next(changed, None)) is not None:
            stored.store.transact(
                actions.change_batch,
                actions.LinkChange(
                    app=stored.app, test=False, domain=HOST, path=link.path,
                    change=lambda before: msgspec.structs.replace(before, campaign="new"),
                ),
            )  # fmt: skip
        return rows

    monkeypatch.setattr(context.store, "fetch", slow)
    read_in(context, lambda: len(context.part(LinkCache)) == 3)
    entries = [context.part(LinkCache).get(HOST, f"p{n}") for n in range(3)]
    assert [entry and entry.link.campaign for entry in entries] == ["new"] * 3
    context.close()


def test_links_in_memory_keep_their_plans(stored: Stored) -> None:
    stored.make(3)
    context = stored.context()
    entry = keep(context, stored.links[1])
    read_in(context, lambda: len(context.part(LinkCache)) == 3)
    assert context.part(LinkCache).get(HOST, "p1") is entry
    context.close()


def test_a_changed_app_has_its_links_read_again(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up, "AGAIN_SECONDS", 0.01)
    stored.make(3)
    context = stored.context()
    changed = False

    def with_the_change() -> bool:
        nonlocal changed
        if len(context.part(LinkCache)) == 3 and not changed:
            changed = True
            domain = Domain(host="own.example", prefix="", app=stored.app, test=False, kind="default", scheme="https")
            stored.store.transact(add_batch, domain)
            context.refresh()
            assert len(context.part(LinkCache)) == 0
        entry = context.part(LinkCache).get(HOST, "p0")
        return changed and entry is not None and entry.app is context.directory.apps[stored.app]

    read_in(context, with_the_change)
    assert kept(context, 3) == [0, 1, 2]
    context.close()


@pytest.mark.parametrize("failure", [Unavailable("The database cannot be reached."), apsw.BusyError("it is locked")])
def test_a_store_that_cannot_be_read_is_asked_again(
    stored: Stored, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    monkeypatch.setattr(warm_up, "AGAIN_SECONDS", 0.01)
    stored.make(3)
    context = stored.context()
    fetch = context.store.fetch
    failures = iter(range(2))

    async def now_and_then(sql: str, params: Any = ()) -> Any:
        if next(failures, None) is not None:
            raise failure
        return await fetch(sql, params)

    monkeypatch.setattr(context.store, "fetch", now_and_then)
    read_in(context, lambda: len(context.part(LinkCache)) == 3)
    context.close()


def test_a_new_app_leaves_links_in_memory(stored: Stored) -> None:
    stored.make(3)
    context = stored.context()
    read_in(context, lambda: len(context.part(LinkCache)) == 3)
    before = context.directory.loads
    create_app(stored.store, NewApp(name="Another", base_url=f"http://{HOST}"))
    context.refresh()
    assert context.directory.loads > before
    assert len(context.part(LinkCache)) == 3
    context.close()
