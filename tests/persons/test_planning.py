"""Whose rows are meant by a person, and what following does with them after an erasure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bough.accounts.audit import Actor
from bough.persons.erasing import Erasure, ErasureRequest, advance, ask_batch, read
from bough.persons.planning import find_persons, touches
from tests.attribution.stored.test_consumer import CLICK, EVENT, follow, world
from tests.attribution.traffic import BROWSERS, World, play

TOMBSTONE = (
    "INSERT INTO person_touch (id, touch, grp, app, test, person, at, version, name, body)"
    " VALUES (1, ?, 1, ?, 0, ?, 0, 1, '', '{}')"
)


def test_the_clicks_of_a_browser_are_found_with_its_cookie_and_by_its_id() -> None:
    with world() as scene:
        for browser in ("", BROWSERS[0], "", BROWSERS[0]):
            play(scene, CLICK | {"browser": browser})
        follow(scene.store)
        first, second, third, fourth = scene.clicks
        assert list(touches(scene.store, scene.app, False, {("browser", str(first)): None})) == [first]
        assert list(touches(scene.store, scene.app, False, {("browser", BROWSERS[0]): None})) == [second, fourth]
        assert list(touches(scene.store, scene.app, True, {("browser", str(third)): None})) == []


def test_a_touch_that_turned_out_to_be_somebody_elses_is_not_meant(tmp_path: Path) -> None:
    with world() as scene:
        play(scene, CLICK | {"browser": BROWSERS[0]})
        play(scene, EVENT | {"who": {"developer_identity": "ann"}})
        follow(scene.store)
        person = scene.store.rows("SELECT person FROM attributed")[0][0]
        scene.store.transact(lambda tx, _: [tx.run(TOMBSTONE, (scene.clicks[0], scene.app, person))], None)
        (found,) = find_persons(scene.store, tmp_path, scene.directory, [(scene.app, False)], "identity", "ann")
        assert scene.clicks[0] not in found.plan.rows
        assert found.plan.rows


def erase_browser(scene: World, folder: Path, browser: str, meanwhile: dict[str, Any] | None) -> None:
    """Erase the person of a browser, up to where attribution reads the journal again."""
    (person,) = find_persons(scene.store, folder, scene.directory, [(scene.app, False)], "browser", browser)
    if meanwhile is not None:
        play(scene, meanwhile)
    number = scene.store.transact(ask_batch, ErasureRequest(person, Actor(name="x"), 1))
    while _erasure(scene, number).step != "rebuild":
        advance(scene.store, folder)


def _erasure(scene: World, number: int) -> Erasure:
    found = read(scene.store, number)
    assert found is not None
    return found


@pytest.mark.parametrize(("path", "is_late"), [("summer", False), ("ad", False), ("summer", True)])
def test_following_goes_on_after_an_erasure(tmp_path: Path, path: str, is_late: bool) -> None:
    """Also when the newest clicks were the person's, or came while they were erased: their keys are there already."""
    with world() as scene:
        play(scene, CLICK | {"path": path})
        browser = str(scene.clicks[0])
        if not is_late:
            follow(scene.store)
        play(scene, EVENT | {"who": {"browser_fingerprint_id": browser}})
        follow(scene.store)
        erase_browser(scene, tmp_path, browser, CLICK | {"browser": browser} if is_late else None)
        play(scene, CLICK)
        follow(scene.store)
        play(scene, EVENT | {"who": {"browser_fingerprint_id": str(scene.clicks[-1])}})
        follow(scene.store)
        assert scene.store.rows("SELECT touch FROM attributed ORDER BY id DESC LIMIT 1") == [(scene.clicks[-1],)]
