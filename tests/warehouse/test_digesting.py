"""The warehouse goes on behind what it cannot digest, sets it aside by app, and takes it in when it is replayed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bough.accounts.creation import NewApp, create_app
from bough.attribution.stored.consumer import StoredFollower
from bough.importers.costs import parse_cost, save_batch
from bough.store import Store, set_aside
from bough.store.journal import NewRow, append_batch
from bough.store.transaction import Transaction
from bough.warehouse import derive as deriving
from bough.warehouse.refresh import Keeper
from tests.attribution.traffic import World

DAY = 86_400_000
NAMES = "SELECT n.word, count(*) FROM events AS e JOIN words AS n ON n.code = e.name GROUP BY 1 ORDER BY 1"


@pytest.fixture
def world(store: Store) -> World:
    """An app."""
    return World(store)


@pytest.fixture
def keeper(store: Store, tmp_path: Path) -> Iterator[Keeper]:
    """The owner of a warehouse."""
    opened = Keeper(tmp_path / "warehouse", store)
    yield opened
    opened.close()


def happened(store: Store, app: int, *events: tuple[str, str]) -> list[int]:
    """(name, who) each, attributed; the rows."""
    rows = []
    for name, who in events:
        body = {"name": name, "user_data": {"developer_identity": who}, "event_data": {"revenue": 2}}
        row = NewRow(1_700_000_000_000, app, 0, "event", None, msgspec.json.encode(body).decode())
        rows.append(int(store.transact(append_batch, row)))
    follower = StoredFollower(store)
    while follower.step():
        pass
    return rows


def changed(store: Store, sql: str, *values: Any) -> None:
    """Write below the edge."""

    def write(tx: Transaction, items: list[Any]) -> list[Exception | None]:
        tx.run(sql, values)
        return [None]

    store.transact(write, None)


def aside(store: Store) -> list[tuple[str, str, int]]:
    """Consumer, kind and id of what is set aside, oldest first."""
    return [(one.consumer, one.kind, one.item) for one in reversed(set_aside.listed(store))]


def taken_in(keeper: Keeper) -> None:
    """Take in until there is nothing new."""
    while keeper.take_in():
        pass


def names(keeper: Keeper) -> dict[str, int]:
    """How many events of each name are in."""
    return dict(keeper.warehouse.connection.execute(NAMES).fetchall())


def test_an_event_that_cannot_be_read_is_set_aside(store: Store, world: World, keeper: Keeper) -> None:
    rows = happened(store, world.app, ("LOGIN", "ann"), ("SEARCH", "bob"), ("SHARE", "cid"))
    (good,) = store.rows("SELECT body FROM attributed WHERE id = ?", (rows[1],))[0]
    changed(store, "UPDATE attributed SET body = '{' WHERE id = ?", rows[1])
    taken_in(keeper)
    assert (names(keeper), aside(store)) == ({"LOGIN": 1, "SHARE": 1}, [("warehouse events", "event", rows[1])])
    happened(store, world.app, ("INVITE", "dan"))
    taken_in(keeper)
    assert names(keeper) == {"INVITE": 1, "LOGIN": 1, "SHARE": 1}
    store.transact(set_aside.replay_batch, ("", rows[1]))
    taken_in(keeper)
    assert [one.replay for one in set_aside.listed(store)] == [False]  # as broken as before
    changed(store, "UPDATE attributed SET body = ? WHERE id = ?", good, rows[1])
    store.transact(set_aside.replay_batch, ("", rows[1]))
    taken_in(keeper)
    assert (names(keeper), aside(store)) == ({"INVITE": 1, "LOGIN": 1, "SEARCH": 1, "SHARE": 1}, [])


def test_a_person_who_cannot_be_computed_is_set_aside(
    store: Store, world: World, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(store, world.app, *(("LOGIN", f"u{n}") for n in range(9)), ("ACHIEVE_LEVEL", "odd"))
    real = deriving.derive

    def derive(connection: Any, source: str) -> Any:
        odd = f"SELECT 1 FROM {source} AS e JOIN words AS n ON n.code = e.name WHERE n.word = 'ACHIEVE_LEVEL'"
        if connection.execute(odd).fetchone():
            raise OverflowError("a level beyond 64 bits")
        return real(connection, source)

    monkeypatch.setattr("bough.warehouse.build.derive", derive)
    taken_in(keeper)
    ((consumer, kind, person),) = aside(store)
    assert (consumer, kind) == ("warehouse persons", "person")
    left = "SELECT count(*) FROM touched"
    assert keeper.warehouse.connection.execute(left).fetchall() == [(0,)]
    happened(store, world.app, ("LOGIN", "new"))
    taken_in(keeper)
    assert len(aside(store)) == 1
    monkeypatch.setattr("bough.warehouse.build.derive", real)
    store.transact(set_aside.replay_batch, ("warehouse persons", 0))
    taken_in(keeper)
    assert aside(store) == []
    assert person in {row[0] for row in keeper.warehouse.connection.execute("SELECT person FROM people").fetchall()}


def test_a_cost_that_fits_nowhere_is_left_out_until_it_is_replayed(store: Store, world: World, keeper: Keeper) -> None:
    other = int(create_app(store, NewApp(name="Other", base_url="http://127.0.0.1:8001")).app_id)
    for app, amounts in ((world.app, ("1", "2", "4")), (other, ("8",))):
        for number, amount in enumerate(amounts):
            store.transact(save_batch, (app, [parse_cost({"date": f"2026-01-0{number + 1}", "cost": amount})]))
    (bad,) = store.rows("SELECT id FROM cost WHERE app = ? AND amount = '2'", (world.app,))[0]
    changed(store, "UPDATE cost SET amount = '1e99' WHERE id = ?", bad)
    taken_in(keeper)
    sums = "SELECT w.word, sum(c.micro) FROM costs AS c JOIN words AS w ON w.code = c.app GROUP BY 1 ORDER BY 2"
    found = keeper.warehouse.connection.execute(sums).fetchall()
    assert found == [(str(world.app), 5_000_000), (str(other), 8_000_000)]
    assert aside(store) == [("costs", "cost", bad)]
    changed(store, "UPDATE cost SET amount = '2' WHERE id = ?", bad)
    store.transact(set_aside.replay_batch, ("costs", 0))
    taken_in(keeper)
    assert keeper.warehouse.connection.execute(sums).fetchall()[0] == (str(world.app), 7_000_000)
    assert aside(store) == []


def test_a_file_of_imported_events_that_is_gone_stops_nobody(store: Store, world: World, keeper: Keeper) -> None:
    row = int(store.transact(append_batch, NewRow(0, world.app, 0, "segment", None, "{}")))
    insert = "INSERT INTO segment (id, app, file_name, sha256) VALUES (?, ?, 'gone.parquet', 'x')"
    changed(store, insert, row, world.app)
    happened(store, world.app, ("LOGIN", "ann"))
    taken_in(keeper)
    assert (names(keeper), aside(store)) == ({"LOGIN": 1}, [("warehouse files", "segment", row)])
    store.transact(set_aside.replay_batch, ("", 0))
    taken_in(keeper)
    assert aside(store) == [("warehouse files", "segment", row)]


def test_what_is_not_the_rows_fault_is_raised(
    store: Store, world: World, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError("No space left on device")

    happened(store, world.app, ("LOGIN", "ann"))
    with monkeypatch.context() as patch:
        patch.setattr(keeper.warehouse, "append", full)
        with pytest.raises(OSError, match="No space"):
            keeper.take_in()
    taken_in(keeper)
    assert (names(keeper), aside(store)) == ({"LOGIN": 1}, [])
