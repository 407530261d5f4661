"""Links in memory: which are kept, how many, and that nobody has to look through them."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from bough import machine
from bough.clicks import link_cache
from bough.clicks.link_cache import (
    BYTES_OF_DATA,
    BYTES_OF_LINK,
    DROPPED_AT_ONCE,
    MEMORY_SHARE,
    MIN_LINKS,
    CachedLink,
    LinkCache,
    cached_link,
    links_of_worker,
)
from bough.clicks.plans import Plans
from bough.links.model import Link
from tests.clicks import user_agents as ua
from tests.clicks.examples import app


def entry(number: int, more: str = "") -> CachedLink:
    data = {"$ios_url": f"https://good.example/{number}", "more": more}
    return cached_link(Link(id=number, app=1, test=False, domain="x.example", path=f"p{number}", data=data), app())


def kept(links: LinkCache, numbers: range) -> list[int]:
    return [number for number in numbers if links.get("x.example", f"p{number}") is not None]


def test_the_oldest_tenth_makes_room() -> None:
    links = LinkCache(20)
    for number in range(21):
        links.put(entry(number))
    assert kept(links, range(21)) == list(range(2, 21))
    assert len(links) == 19


def test_a_large_link_counts_as_several() -> None:
    links = LinkCache(20)
    for number in range(20):
        links.put(entry(number))
    large = entry(20, "x" * (5 * BYTES_OF_DATA))
    assert large.weight == 6
    links.put(large)
    assert kept(links, range(21)) == list(range(6, 21))
    links.put(entry(20))
    for number in range(21, 26):
        links.put(entry(number))
    assert kept(links, range(26)) == list(range(6, 26))
    links.put(entry(30, "x" * (99 * BYTES_OF_DATA)))
    assert kept(links, range(31)) == [30]
    links.clear()
    for number in range(20):
        links.put(entry(number))
    assert len(links) == 20


def test_the_domain_with_most_makes_room() -> None:
    links = LinkCache(20)
    other = Link(id=99, app=1, test=False, domain="y.example", path="p0", data={})
    links.put(cached_link(other, app()))
    for number in range(30):
        links.put(entry(number))
    assert links.get("y.example", "p0") is not None
    assert links.get("y.example", "p1") is None
    assert links.get("z.example", "p0") is None
    assert len(links) == 19
    links.forget("z.example", "p0")
    links.forget("y.example", "p0")
    assert links.get("y.example", "p0") is None
    assert len(links) == 18


def test_few_are_dropped_at_once() -> None:
    links = LinkCache(10_000)
    for number in range(10_001):
        links.put(entry(number))
    assert len(links) == 10_001 - DROPPED_AT_ONCE
    assert kept(links, range(10_001)) == list(range(DROPPED_AT_ONCE, 10_001))


def test_a_changed_link_and_then_all_are_dropped() -> None:
    links = LinkCache(20)
    for number in range(5):
        links.put(entry(number))
    links.forget("x.example", "p3")
    links.forget("x.example", "p9")
    assert kept(links, range(9)) == [0, 1, 2, 4]
    links.clear()
    assert kept(links, range(9)) == []


@pytest.mark.parametrize(
    ("memory", "workers", "expected"),
    [(32 << 30, 1, 2_097_152), (32 << 30, 16, 131_072), (1 << 30, 2, 32_768), (1 << 20, 1, MIN_LINKS)],
)
def test_how_many_are_kept_follows_the_memory(
    monkeypatch: pytest.MonkeyPatch, memory: int, workers: int, expected: int
) -> None:
    monkeypatch.setattr(link_cache, "memory_bytes", lambda: memory)
    assert links_of_worker(workers) == expected
    assert expected in (memory // MEMORY_SHARE // BYTES_OF_LINK // workers, MIN_LINKS)
    assert LinkCache(0).limit == links_of_worker(1)
    assert LinkCache(7).limit == 7


def test_a_container_may_have_less_memory_than_its_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = machine.memory_bytes()
    for text, expected in (("1048576\n", 1_048_576), ("max\n", whole), (str(1 << 62), whole)):
        (tmp_path / "memory.max").write_text(text)
        monkeypatch.setattr(machine, "CONTAINER_LIMITS", (tmp_path / "memory.max", tmp_path / "none"))
        assert machine.memory_bytes() == expected


def test_the_garbage_collector_does_not_look_through_them() -> None:
    plans = Plans()
    entries = [entry(number) for number in range(100)]
    for one in entries:
        plan = plans.plan(one, plans.known(ua.IPHONE_SAFARI.encode()), "", False, False)
        assert plan.redirects
    gc.collect()
    plan_of = [one.plan for one in entries]
    assert not any(gc.is_tracked(part) for part in (*entries, *plan_of, *(one.link for one in entries)))
    assert not any(gc.is_tracked(one.link.data) for one in entries)
