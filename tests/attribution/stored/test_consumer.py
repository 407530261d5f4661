"""Stored attribution against the pure reading: any traffic, any steps, restarts and rebuilds end in the same rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import to_builtins
from msgspec.structs import replace

from bough.agents.recognition import parse
from bough.attribution.replay.entries import JournalEntry
from bough.attribution.replay.read import always, attribute
from bough.attribution.rules.touches import LinkTable, Traces, touch_of, traces_of
from bough.attribution.stored import tables, touch_index
from bough.attribution.stored.consumer import StoredFollower, start_rebuild
from bough.attribution.stored.group_loading import Loader
from bough.attribution.stored.links import StoredLinks
from bough.attribution.stored.result_row import Stored
from bough.attribution.stored.touch_index import carried, first_of
from bough.events.body import encode
from bough.events.identifiers import given_on_click
from bough.links.model import Link
from bough.store import Store, open_store, watermark
from bough.vocabulary.journal_rows import Click, JournalRow
from bough.vocabulary.lookup_keys import key
from bough.vocabulary.windows import Windows
from tests.attribution.traffic import AD_ID, ADDRESSES, BROWSERS, HOST, World, acts, play
from tests.attribution.world import IPHONE_UA

ROWS = "SELECT id, app, test, person, at, name, counted, touch, body FROM attributed ORDER BY id"
TOUCHES = "SELECT person, touch, at, name, body FROM person_touch WHERE name <> '' ORDER BY person, touch"
JOURNAL = "SELECT id, at, app, test, kind, link, body FROM journal ORDER BY id"


@contextmanager
def world() -> Iterator[World]:
    """A fresh embedded store with one app and its links."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        try:
            yield World(store)
        finally:
            store.close()


def results(store: Store) -> tuple[list[Any], list[Any]]:
    return store.rows(ROWS), store.rows(TOUCHES)


def follow(store: Store, follower: StoredFollower | None = None, at_most: int = 400) -> None:
    one = follower or StoredFollower(store)
    while one.step(at_most):
        pass


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.lists(acts(), min_size=4, max_size=30))
def test_any_steps_restarts_and_rebuilds_end_in_the_rows_of_the_pure_reading(
    data: st.DataObject, script: list[dict[str, Any]]
) -> None:
    with world() as scene:
        follower = StoredFollower(scene.store)
        for act in script:
            play(scene, act)
            for _ in range(data.draw(st.integers(0, 3))):
                follower.step(data.draw(st.integers(1, 3)))
            if data.draw(st.integers(0, 19)) == 19:
                follower = StoredFollower(scene.store)
        follow(scene.store, follower, 3)
        live = results(scene.store)

        journal = [tables.exact_row(values) for values in scene.store.rows(JOURNAL)]
        links = StoredLinks(scene.store.rows, scene.directory)
        expected = {one.id: one for one in attribute(journal, always(Windows()), links, parse)}
        assert [row[0] for row in live[0]] == sorted(expected)
        for identifier, app, test, person, at, name, counted, touch, body in live[0]:
            facts = tables.facts_kept(tables.kept_of(body))
            assert Stored(identifier, app, bool(test), person, at, name, bool(counted), touch, body) == (
                tables.stored_of(expected[identifier], facts)
            )

        scene.store.transact(start_rebuild, None)
        follow(scene.store)
        assert results(scene.store) == live


CLICK = {"what": "click", "ip": ADDRESSES[0], "path": "summer", "browser": "", "user_agent": IPHONE_UA, "kind": "click"}
EVENT = {"what": "event", "ip": "", "first": False, "name": "PURCHASE", "transaction": "", "revenue": None}


@pytest.mark.parametrize("kind", ["click", "impression"])
def test_a_browsers_first_click_is_found_by_its_own_id_and_has_no_key_for_it(kind: str) -> None:
    with world() as scene:
        play(scene, CLICK | {"kind": kind})
        play(scene, EVENT | {"who": {"browser_fingerprint_id": str(scene.clicks[0])}})
        follow(scene.store)
        assert [row[1] for row in scene.store.rows(TOUCHES)] == scene.clicks
        keys = [key(scene.app, False, "ip", ADDRESSES[0])] if kind == "click" else []
        assert scene.store.rows("SELECT key, touch FROM touch_key") == [(one, scene.clicks[0]) for one in keys]
        found = first_of(scene.store.rows, scene.app, False, str(scene.clicks[0]))
        assert found == scene.clicks[0]
        for app, test in ((scene.app + 1, False), (scene.app, True)):
            assert first_of(scene.store.rows, app, test, str(found)) is None
        event = scene.store.rows("SELECT max(id) FROM journal")[0][0]
        for other in (str(event), BROWSERS[0], "9" * 19, "x", ""):
            assert first_of(scene.store.rows, scene.app, False, other) is None


def test_a_click_with_a_cookie_gives_no_browser_its_id() -> None:
    with world() as scene:
        play(scene, CLICK | {"browser": BROWSERS[0]})
        assert first_of(scene.store.rows, scene.app, False, str(scene.clicks[0])) is None
        play(scene, EVENT | {"who": {"browser_fingerprint_id": str(scene.clicks[0])}})
        follow(scene.store)
        assert scene.store.rows(TOUCHES) == []


def test_a_step_takes_few_rows_that_are_somebodys_and_many_that_are_nobodys() -> None:
    with world() as scene:
        follower = StoredFollower(scene.store)
        for _ in range(7):
            play(scene, CLICK)
        assert follower.step(2) == 7
        for _ in range(3):
            play(scene, EVENT | {"who": {"developer_identity": "ann"}})
            play(scene, CLICK)
        assert [follower.step(2) for _ in range(4)] == [3, 2, 1, 0]  # after a full step the next one looks at few


@settings(max_examples=200, deadline=None)
@given(
    is_stored=st.booleans(),
    is_plain=st.booleans(),
    query=st.sampled_from(
        ["", "?$idfa=" + AD_ID, "?~channel=mail&x=1", "?%24aaid=" + AD_ID, "?access_token=1&$idfa=x"]
    ),
    data=st.dictionaries(st.sampled_from(["$idfa", "~aaid", "%idfv", "$ios_url", "product"]), st.text(max_size=40)),
    browser=st.sampled_from(["", *BROWSERS]),
    user_agent=st.sampled_from([IPHONE_UA, "curl/8", ""]),
    kind=st.sampled_from(["click", "impression"]),
)
def test_traces_are_those_of_the_touch(
    is_stored: bool, is_plain: bool, query: str, data: dict[str, str], browser: str, user_agent: str, kind: Any
) -> None:
    link = Link(id=7, app=1, test=False, domain=HOST, path="x", data=data, campaign="c", tags=("t",), type=1)
    click = Click(
        url=f"http://{HOST}/x{query}",
        ip=ADDRESSES[0],
        browser=browser,
        user_agent=user_agent,
        data={} if is_stored else data,
        plain=is_stored and is_plain and not given_on_click(data),
    )
    body = to_builtins(click)
    row = JournalRow(id=5, at=1, app=1, test=False, kind=kind, link=7 if is_stored else None, body=body)
    touch = touch_of(row, LinkTable([link]), parse)
    values = (row.id, row.at, row.app, 0, row.kind, row.link, encode(body).decode())
    traces = traces_of(values, LinkTable([link]))
    assert traces == Traces(**{name: getattr(touch, name) for name in Traces.__struct_fields__})


def test_a_browsers_first_click_is_looked_up_by_nothing() -> None:
    """Nobody could name its browser before; what names it later finds the click (`Loader.carrying`)."""
    first = Traces(id=5, app=1, test=False, kind="click", ip="", cookie="", given=())
    assert carried(first) == []
    assert carried(replace(first, cookie="5")) == [("browser", "5")]
    given_too = replace(first, given=(("idfa", AD_ID),))
    assert carried(given_too) == [("idfa", AD_ID)]


def test_forgetting_touches_while_their_keys_are_made_loses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker forgets in its event loop while its writing thread goes through the clicks."""
    with world() as scene:
        for _ in range(3):
            play(scene, CLICK)
        real = StoredLinks.of_rows

        @contextmanager
        def forgotten(self: StoredLinks, links: Iterable[int]) -> Iterator[None]:
            with real(self, links):
                yield
            scene.opens.forget()

        monkeypatch.setattr(StoredLinks, "of_rows", forgotten)
        scene.store.transact(scene.opens.follow, 1000)
        assert [row[0] for row in scene.store.rows("SELECT touch FROM touch_key ORDER BY touch")] == scene.clicks


def test_rows_of_somebody_are_not_read_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all rows are somebody's, a step looks at no more of them than it takes."""
    read: list[int] = []
    real = Loader.entry

    def entry(self: Loader, row: JournalRow) -> JournalEntry:
        read.append(row.id)
        return real(self, row)

    monkeypatch.setattr(Loader, "entry", entry)
    with world() as scene:
        for number in range(40):
            play(scene, EVENT | {"who": {"developer_identity": f"person {number}"}})
        follow(scene.store, at_most=4)
        assert len(set(read)) == 40
        assert len(read) <= 40 + 4


def test_keys_are_written_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(touch_index, "FOLLOWED_AT_ONCE", 2)
    with world() as scene:
        for _ in range(5):
            play(scene, CLICK)
        play(scene, EVENT | {"who": {"developer_identity": "ann"}})
        StoredFollower(scene.store).step()
        assert [row[0] for row in scene.store.rows("SELECT touch FROM touch_key ORDER BY touch")] == scene.clicks
        assert watermark.reached(scene.store, touch_index.WATERMARK) == scene.store.rows(tables.NEWEST_ROW)[0][0]


def test_clicks_of_now_get_their_keys_while_attribution_is_made_again() -> None:
    with world() as scene:
        for _ in range(5):
            play(scene, EVENT | {"who": {"developer_identity": "ann"}})
        follower = StoredFollower(scene.store)
        follow(scene.store, follower)
        scene.store.transact(start_rebuild, None)
        play(scene, CLICK)
        follower.step(1)  # empties the tables
        assert [row[0] for row in scene.store.rows("SELECT touch FROM touch_key")] == scene.clicks
        while follower.step(1) and tables.position(scene.store) <= 0:
            pass
        play(scene, CLICK)
        follower.step(1)
        assert tables.position(scene.store) < scene.clicks[0]
        assert [row[0] for row in scene.store.rows("SELECT touch FROM touch_key ORDER BY touch")] == scene.clicks
