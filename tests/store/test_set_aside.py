"""A row that a consumer cannot digest is set aside with its reason, what is behind it goes on, and it is replayed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import psycopg
import pytest

from bough.attribution.stored.consumer import StoredFollower, start_rebuild
from bough.clicks.counts.by_day import day_counting
from bough.clicks.counts.kept import link_counting
from bough.errors import Unavailable
from bough.store import Store, set_aside
from bough.store.journal import NewRow, append_batch
from bough.store.set_aside import Halving, SetAside, is_of_row
from bough.store.transaction import Transaction
from bough.vocabulary.journal_rows import Click
from tests.attribution.traffic import World

BROKEN = '{"name": "PURCHASE", "user_data": '
"""No edge lets it in: a file system, a bug or somebody with the database has written it."""
FIX = "UPDATE journal SET body = ? WHERE id = ?"
REPORTED = "SELECT id, name, person FROM attributed WHERE counted = 1 ORDER BY id"


def event(name: str, who: str, **data: Any) -> str:
    """The body of an event."""
    body = {"name": name, "user_data": {"developer_identity": who}, "event_data": data, "custom_data": {}}
    return msgspec.json.encode(body).decode()


def click(url: str = "http://127.0.0.1:8000/summer") -> str:
    """The body of a click."""
    return msgspec.json.encode(Click(url=url, user_agent="Mozilla/5.0 (iPhone)", ip="192.0.2.1")).decode()


def append(store: Store, app: int, kind: Any, body: str, link: int | None = None) -> int:
    """A row written below the edge."""
    return int(store.transact(append_batch, NewRow(1_800_000_000_000, app, 0, kind, link, body)))


def fix(store: Store, row: int, body: str) -> None:
    """What a new release would do for a reader, done to the row instead."""

    def write(tx: Transaction, items: list[Any]) -> list[Exception | None]:
        tx.run(FIX, (body, row))
        return [None]

    store.transact(write, None)


def caught_up(step: Callable[[], int]) -> None:
    """Step until there is nothing more to do."""
    while step():
        pass


def aside(store: Store) -> list[tuple[str, int, int]]:
    """Consumer, app and id of what is set aside, oldest first."""
    return [(one.consumer, one.app, one.item) for one in reversed(set_aside.listed(store))]


def test_attribution_goes_on_behind_a_broken_row_and_replays_it(store: Store) -> None:
    world = World(store)
    before = [append(store, world.app, "event", event("SEARCH", f"early {n}")) for n in range(20)]
    poison = append(store, world.app, "event", BROKEN)
    behind = [append(store, world.app, "event", event("LOGIN", f"late {n}")) for n in range(20)]
    caught_up(StoredFollower(store).step)
    assert [row[0] for row in store.rows(REPORTED)] == [*before, *behind]
    (one,) = set_aside.listed(store)
    assert (one.consumer, one.app, one.kind, one.item) == ("attribution", world.app, "event", poison)
    assert one.reason.startswith("DecodeError: Input data was truncated")
    caught_up(StoredFollower(store).step)  # after a restart
    assert aside(store) == [("attribution", world.app, poison)]
    store.transact(set_aside.replay_batch, ("", 0))
    follower = StoredFollower(store)
    caught_up(follower.step)
    assert [(row.item, row.replay) for row in set_aside.listed(store)] == [(poison, False)]  # broken as before
    fix(store, poison, event("PURCHASE", "early 3", revenue=5))
    store.transact(set_aside.replay_batch, ("attribution", 0))
    caught_up(follower.step)
    assert aside(store) == []
    found = {row: (name, person) for row, name, person in store.rows(REPORTED)}
    assert found[poison] == ("PURCHASE", found[before[3]][1])
    replayed = store.rows("SELECT id, name, counted, person, body FROM attributed ORDER BY id")
    store.transact(start_rebuild, None)
    caught_up(follower.step)
    assert store.rows("SELECT id, name, counted, person, body FROM attributed ORDER BY id") == replayed


def test_many_broken_rows_in_a_row_are_set_aside_one_by_one(store: Store) -> None:
    world = World(store)
    rows = [append(store, world.app, "event", BROKEN if n % 3 else event("LOGIN", f"u{n}")) for n in range(30)]
    caught_up(StoredFollower(store).step)
    assert [row[0] for row in store.rows(REPORTED)] == rows[::3]
    assert [item for _, _, item in aside(store)] == [row for n, row in enumerate(rows) if n % 3]


def test_a_rebuild_looks_at_everything_again(store: Store) -> None:
    world = World(store)
    poison = append(store, world.app, "event", BROKEN)
    follower = StoredFollower(store)
    caught_up(follower.step)
    fix(store, poison, event("LOGIN", "ann"))
    store.transact(start_rebuild, None)
    caught_up(follower.step)
    assert (aside(store), [row[0] for row in store.rows(REPORTED)]) == ([], [poison])


def test_a_broken_click_is_counted_by_nobody_and_stops_nobody(store: Store) -> None:
    world = World(store)
    link = world.links["summer"]
    good = append(store, world.app, "click", click(), link)
    poison = append(store, world.app, "click", '{"url": 7}', link)
    append(store, world.app, "click", click(), link)
    followers = (StoredFollower(store), link_counting(store), day_counting(store))
    for one in followers:
        caught_up(one.step)
    assert Counter(aside(store)) == Counter({("touches", world.app, poison): 1})
    by_day = "SELECT sum(clicks) FROM link_day_count WHERE link = ? AND dimension = 'platform'"
    assert [store.rows(by_day, (link,))[0][0], good in {t for (t,) in store.rows("SELECT touch FROM touch_key")}] == [
        3, True,
    ]  # fmt: skip
    fix(store, poison, click())
    store.transact(set_aside.replay_batch, ("", poison))
    caught_up(StoredFollower(store).step)
    assert aside(store) == []
    assert poison in {touch for (touch,) in store.rows("SELECT touch FROM touch_key")}


def test_counts_leave_a_broken_row_out_until_it_is_replayed(store: Store) -> None:
    world = World(store)
    link = world.links["summer"]
    append(store, world.app, "click", click(), link)
    poison = append(store, world.app, "click", '{"user_agent": 7}', link)
    append(store, world.app, "click", click(), link)
    counted = "SELECT clicks FROM link_day_count WHERE link = ? AND dimension = 'platform'"
    caught_up(day_counting(store).step)
    assert (store.rows(counted, (link,)), aside(store)) == ([(2,)], [("day counts", world.app, poison)])
    fix(store, poison, click())
    counting = day_counting(store)
    caught_up(counting.step)
    assert store.rows(counted, (link,)) == [(2,)]
    store.transact(set_aside.replay_batch, ("day counts", 0))
    append(store, world.app, "click", click(), link)
    caught_up(counting.step)
    assert (store.rows(counted, (link,)), aside(store)) == ([(4,)], [])
    caught_up(day_counting(store).step)
    assert store.rows(counted, (link,)) == [(4,)]


def test_an_amount_of_an_earlier_release_that_is_too_large_leaves_the_event_without_dollars(store: Store) -> None:
    """Releases before took amounts below 10^15; rows that hold them are still there."""
    world = World(store)
    amounts = (8_999_999_999_999, 8_999_999_999_999, 999_999_999_999_999, 1)
    rows = [append(store, world.app, "event", event("PURCHASE", "ann", revenue=amount)) for amount in amounts]
    caught_up(StoredFollower(store).step)
    micros = [
        msgspec.json.decode(body).get("micro") for (body,) in store.rows("SELECT body FROM attributed ORDER BY id")
    ]
    assert micros == [8_999_999_999_999_000_000, 8_999_999_999_999_000_000, None, 1_000_000]
    (one,) = set_aside.listed(store)
    assert (one.consumer, one.item) == ("money", rows[2])
    assert one.reason == "revenue: 999999999999999 USD is more than an event can hold"
    fix(store, rows[2], event("PURCHASE", "ann", revenue=3))
    store.transact(set_aside.replay_batch, ("money", 0))
    caught_up(StoredFollower(store).step)
    assert aside(store) == []
    assert (
        msgspec.json.decode(store.rows("SELECT body FROM attributed WHERE id = ?", (rows[2],))[0][0])["micro"]
        == 3_000_000
    )


def test_kept_sums_of_the_largest_amounts_are_exact(store: Store) -> None:
    """Test environments keep all their events' sums in the store."""
    world = World(store)
    for n in range(40):
        row = NewRow(1_800_000_000_000, world.app, 1, "event", None, event("PURCHASE", f"u{n}", revenue="999999999999"))
        store.transact(append_batch, row)
    caught_up(lambda: StoredFollower(store).step(3))
    rows = store.rows("SELECT sum(thousands), sum(micro) FROM link_day_event WHERE name = 'PURCHASE'")
    assert int(rows[0][0]) * 10**9 + int(rows[0][1]) == 40 * 999_999_999_999 * 10**6 > 2**64
    assert aside(store) == []


def test_halving_finds_the_one_at_fault() -> None:
    rows, bad, taken = list(range(100)), {17, 18, 60}, Halving(64)
    digested: list[int] = []
    left: list[int] = []
    tries = 0
    while rows:
        tries += 1
        piece = rows[: taken.size]
        if bad.isdisjoint(piece):
            digested += piece
            taken.succeeded()
        elif taken.failed(len(piece)):
            left += piece
        else:
            continue
        rows = rows[len(piece) :]
    assert (digested, left) == ([n for n in range(100) if n not in bad], sorted(bad))
    assert tries < 40


@pytest.mark.parametrize("error", [Unavailable("full"), OSError("disk"), MemoryError()])
def test_a_sick_machine_is_not_blamed_on_rows(error: Exception) -> None:
    assert not is_of_row(error)
    assert is_of_row(OverflowError("too large"))


def test_setting_aside_again_replaces_the_reason(store: Store) -> None:
    def put(reason: str) -> None:
        some: Sequence[SetAside] = [SetAside(consumer="costs", app=1, kind="cost", item=7, reason=reason)]
        store.transact(set_aside.put_batch, list(some))

    put("first")
    store.transact(set_aside.replay_batch, ("costs", 0))
    put("second \0 \ud800")
    assert [(one.reason, one.replay) for one in set_aside.listed(store)] == [("second  ?", False)]


def test_a_row_that_the_database_refuses_is_at_fault_and_a_database_that_is_gone_is_not(store: Store) -> None:
    def write(tx: Transaction, items: list[str]) -> list[Exception | None]:
        tx.insert("watermark", ("name", "journal"), [(one, 1) for one in items])
        return [None] * len(items)

    store.transact(write, "a")
    with pytest.raises(Unavailable) as refused:
        store.transact(write, "a")
    assert is_of_row(refused.value)
    with pytest.raises(Unavailable) as gone:
        raise Unavailable("The database cannot be reached; try again later.") from psycopg.OperationalError("gone")
    assert not is_of_row(gone.value)
