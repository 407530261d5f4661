"""Clicks that cost something are found among all others, on both stores, whatever becomes of their links."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import duckdb
import msgspec
import pytest
from msgspec.structs import replace

from bough.accounts.directory import Directory
from bough.attribution.rules.touches import merged
from bough.attribution.stored.links import StoredLinks
from bough.links import codec
from bough.links.actions import change_of
from bough.links.model import Link
from bough.store import Store
from bough.store.changes import record
from bough.store.transaction import Transaction
from bough.vocabulary.journal_rows import Click
from bough.warehouse import link_costs
from bough.warehouse.link_costs import LinkCosts, Price, price_of
from tests.attribution.traffic import World

DATA: list[dict[str, Any]] = [
    {},
    {"product": "a"},
    {"~cost": 0.25, "~cost_currency": "USD"},
    {"~cost": "1.50", "~cost_model": "CPM"},
    {"~cost": 3, "~cost_model": "CPI"},
]
ADD_CHANGE_AT = "UPDATE change SET at = ? WHERE id = (SELECT max(id) FROM change)"
ADD_ROW = "INSERT INTO journal (id, at, app, test, kind, link, body) VALUES (?, ?, ?, ?, ?, ?, ?)"


def run(tx: Transaction, items: list[Any]) -> list[Exception | None]:
    """Let each thing happen."""
    for one in items:
        one(tx)
    return [None] * len(items)


class History:
    """Random links, changes of links and clicks, written at times of our own."""

    def __init__(self, store: Store, seed: int) -> None:
        self.random = random.Random(seed)
        self.world = World(store)
        self.store = store
        self.links: dict[int, Link] = {}
        self.gone: set[int] = set()
        """Deleted; they are clicked all the same, as long as a worker has not heard of it."""
        self.now = 1_750_000_000_000
        self.row = 0

    def go_on(self, steps: int) -> None:
        """Let things happen."""
        for _ in range(steps):
            self.now += self.random.choice((0, 0, 1, 1000))
            happens = self.random.choices((self._new, self._changed, self._gone, self._clicked), (2, 2, 1, 12))[0]
            self.store.transact(run, happens)

    def _data(self) -> dict[str, Any]:
        return dict(self.random.choice(DATA))

    def _new(self, tx: Transaction) -> None:
        number = 1000 + len(self.links)
        made = Link(
            id=number,
            app=self.world.app,
            test=False,
            domain="127.0.0.1:8000",
            path=f"link{number}",
            data=self._data(),
            created_at=self.now,
        )
        self.links[number] = made
        tx.insert("link", codec.COLUMNS, [codec.to_row(made)])

    def _some(self) -> Link | None:
        return self.random.choice(list(self.links.values())) if self.links else None

    def _changed(self, tx: Transaction) -> None:
        if (before := self._some()) is not None and before.id not in self.gone:
            record(tx, [change_of(before)])
            tx.run(ADD_CHANGE_AT, (self.now,))
            now = self.links[before.id] = replace(before, data=self._data())
            tx.run("UPDATE link SET data = ? WHERE id = ?", (codec.to_row(now)[12], now.id))

    def _gone(self, tx: Transaction) -> None:
        if (before := self._some()) is not None and before.id not in self.gone:
            self.gone.add(before.id)
            record(tx, [change_of(before)])
            tx.run(ADD_CHANGE_AT, (self.now,))
            tx.run("DELETE FROM link WHERE id = ?", (before.id,))

    def _clicked(self, tx: Transaction) -> None:
        link = self._some()
        self.row += self.random.randint(1, 5)
        query = self.random.choice(
            ("", "", "", "?~cost=7", "?%7Ecost=8", "?x=~cost", "?~cost_model=CPM", "?~campaign=x")
        )
        path = link.path if link else "a/key"
        said = {} if link else self._data()
        plain = link is not None and "~cost" not in link.data and self.random.random() < 0.7
        body = Click(plain=plain, url=f"http://127.0.0.1:8000/{path}{query}", user_agent="a~b", data=said)
        kind = self.random.choice(("click", "click", "click", "impression", "robot", "event"))
        test = int(self.random.random() < 0.1)
        values = (self.row, self.now, self.world.app, test, kind, link.id if link else None)
        tx.run(ADD_ROW, (*values, msgspec.json.encode(body).decode()))


def expected(store: Store, app: int) -> Counter[tuple[str, Price]]:
    """Every click and impression looked at, one after the other."""
    links = StoredLinks(store.rows, Directory(store))
    found: Counter[tuple[str, Price]] = Counter()
    for at, kind, link, body in store.rows(
        "SELECT at, kind, link, body FROM journal WHERE kind IN ('click', 'impression') AND test = 0 AND app = ?",
        (app,),
    ):
        click = msgspec.json.decode(body, type=Click)
        stored = links.by_id(link, at) if link else None
        if stored is None:
            continue  # a long link is nothing but an address
        said = {key: value for key, value in merged(stored, click.url).items() if not key.startswith("~cost")}
        said |= {key: value for key, value in stored.data.items() if key.startswith("~cost")}
        price = price_of(said)
        if price is not None and price.model == ("CPC" if kind == "click" else "CPM"):
            found[price.model, price] += 1
    return found


def counted(connection: duckdb.DuckDBPyConnection) -> Counter[tuple[str, Price]]:
    """What was counted."""
    rows = connection.execute("SELECT model, amount, currency, dimensions, n FROM link_touches").fetchall()
    found: Counter[tuple[str, Price]] = Counter()
    for *price, n in rows:
        found[price[0], Price(*price)] += n
    return found


@pytest.mark.parametrize("seed", range(4))
def test_every_click_with_a_price_is_counted_once(store: Store, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_costs, "AT_ONCE", 1 + 6 * seed)
    history = History(store, seed)
    connection = duckdb.connect()
    costs = LinkCosts(store, connection)
    reached = 0
    for _ in range(3):
        history.go_on(60)
        directory = Directory(store)
        while (now := costs.touches(reached, directory)[0]) != reached:
            reached = now
        assert reached == history.row
    found = counted(connection)
    assert found == expected(store, history.world.app)
    assert len({model for model, _ in found}) == 2
