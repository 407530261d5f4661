"""Kept counts of results are what the results add up to, whatever is merged, repeated or attributed again."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bough.attribution.stored.consumer import StoredFollower, start_rebuild
from bough.store import Store, open_store
from bough.vocabulary.calendar_days import local_day
from tests.attribution.traffic import World, acts, play

KEPT = """SELECT link, day, name, count, thousands * 1000000000 + micro FROM link_day_event
    WHERE count <> 0 OR thousands <> 0 OR micro <> 0"""
RESULTS = "SELECT at, name, counted, body FROM attributed"


def expected(store: Store) -> dict[tuple[int, int, str], tuple[int, int]]:
    """The sums of all results that a link is credited with."""
    counts: Counter[tuple[int, int, str]] = Counter()
    micros: Counter[tuple[int, int, str]] = Counter()
    for at, name, counted, body in store.rows(RESULTS):
        kept: dict[str, Any] = msgspec.json.decode(body)
        if counted and kept.get("link"):
            key = (kept["link"], local_day("UTC", at), name)
            counts[key] += 1
            micros[key] += kept.get("micro") or 0
    return {key: (count, micros[key]) for key, count in counts.items()}


def kept(store: Store) -> dict[tuple[int, int, str], tuple[int, int]]:
    """The kept sums."""
    return {(link, day, name): (count, micro) for link, day, name, count, micro in store.rows(KEPT)}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(acts(), min_size=5, max_size=40), st.integers(1, 7))
def test_kept_sums_are_those_of_the_results(story: list[dict[str, Any]], step: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder), "")
        try:
            world = World(store)
            follower = StoredFollower(store)
            for act in story:
                play(world, act)
                follower.step(step)
            while follower.step(step):
                pass
            assert kept(store) == expected(store)
            before = kept(store)
            store.transact(start_rebuild, None)
            while follower.step():
                pass
            assert kept(store) == expected(store) == before
        finally:
            store.close()
