"""Stored attribution against the pure reading: any traffic, any steps, restarts and rebuilds end in the same rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bough.attribution import stored
from bough.attribution.following import StoredFollower, start_rebuild
from bough.attribution.read import always, attribute
from bough.attribution.stored import Stored
from bough.attribution.stored_links import StoredLinks
from bough.attribution.windows import Windows
from bough.clicks.agents import parse
from bough.store import Store, open_store
from tests.attribution.traffic import World, acts, play

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

        journal = [stored.exact_row(values) for values in scene.store.rows(JOURNAL)]
        links = StoredLinks(scene.store.rows, scene.directory)
        expected = {one.id: one for one in attribute(journal, always(Windows()), links, parse)}
        assert [row[0] for row in live[0]] == sorted(expected)
        for identifier, app, test, person, at, name, counted, touch, body in live[0]:
            facts = stored.facts_kept(stored.kept_of(body))
            assert Stored(identifier, app, bool(test), person, at, name, bool(counted), touch, body) == (
                stored.stored_of(expected[identifier], facts)
            )

        scene.store.transact(start_rebuild, None)
        follow(scene.store)
        assert results(scene.store) == live
