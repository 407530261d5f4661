"""Whose rows are meant by a person, on the way where attribution has nothing to say."""

from __future__ import annotations

from bough.persons.planning import touches
from tests.attribution.test_following import CLICK, follow, world
from tests.attribution.traffic import BROWSERS, play


def test_the_clicks_of_a_browser_are_found_with_its_cookie_and_by_its_id() -> None:
    with world() as scene:
        for browser in ("", BROWSERS[0], "", BROWSERS[0]):
            play(scene, CLICK | {"browser": browser})
        follow(scene.store)
        first, second, third, fourth = scene.clicks
        assert list(touches(scene.store, scene.app, False, {("browser", str(first)): None})) == [first]
        assert list(touches(scene.store, scene.app, False, {("browser", BROWSERS[0]): None})) == [second, fourth]
        assert list(touches(scene.store, scene.app, True, {("browser", str(third)): None})) == []
