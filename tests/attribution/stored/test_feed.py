"""The feed of the warehouse: nothing is left out, whenever it is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from bough.attribution.stored import feed
from bough.store import Store
from bough.store.transaction import RowValues, Value
from tests.attribution.stored.test_consumer import CLICK, EVENT, follow, world
from tests.attribution.traffic import BROWSERS, play


class Interrupted:
    """A store in which attribution goes on right after a query was answered."""

    def __init__(self, store: Store, after: str) -> None:
        self._store = store
        self._after = after

    def rows(self, sql: str, params: Sequence[Value] = ()) -> list[RowValues]:
        found = self._store.rows(sql, params)
        if self._after in sql:
            follow(self._store)
        return found


@pytest.mark.parametrize(
    "query", ["max(version)", "FROM attributed WHERE", "FROM person_touch WHERE", "FROM person_merge"]
)
def test_what_is_attributed_while_the_feed_is_read_is_not_left_out(query: str) -> None:
    with world() as scene:
        store = cast("Store", Interrupted(scene.store, query))
        fed: list[Any] = []
        version = 0
        for round_ in range(3):
            play(scene, CLICK | {"browser": BROWSERS[0]})
            play(scene, EVENT | {"who": {"browser_fingerprint_id": BROWSERS[0], "developer_identity": f"ann {round_}"}})
            while (found := feed.feed(store, version)).version != version:
                fed += found.events
                version = found.version
        follow(scene.store)
        while (found := feed.feed(scene.store, version)).version != version:
            fed += found.events
            version = found.version
        whole = feed.feed(scene.store, 0).events
        assert {event.id for event in whole} == {event.id for event in fed}
        assert len(whole) >= 6
