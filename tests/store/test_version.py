"""The version word: every process knows of a change before the change is answered."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bough.store import Store, Transaction
from bough.store.changes import AFTER, NEWEST, Change, record
from bough.store.version import SharedVersion
from tests.store.conftest import Place

CHANGE = Change(subject="link", app=1, link=2, domain="d", path="p")
RAISE = """
import sys
from pathlib import Path
from bough.store.version import SharedVersion
version = SharedVersion(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), 3000, 3):
    version.raise_to(number)
"""


def change_batch(tx: Transaction, changes: list[Change]) -> list[int | Exception]:
    """Record changes."""
    record(tx, changes)
    return [tx.rows(NEWEST)[0][0]] * len(changes)


def test_the_word_never_goes_back(tmp_path: Path) -> None:
    one, other = SharedVersion(tmp_path), SharedVersion(tmp_path)
    assert one.read() == 0
    one.raise_to(7)
    assert other.read() == 7
    other.raise_to(5)
    assert one.read() == other.read() == 7
    one.close()
    other.close()
    again = SharedVersion(tmp_path)
    assert again.read() == 7
    again.close()


def test_processes_that_raise_the_word_at_once_end_at_the_largest(tmp_path: Path) -> None:
    raising = [subprocess.Popen([sys.executable, "-c", RAISE, str(tmp_path), str(n)]) for n in range(3)]
    assert [process.wait() for process in raising] == [0, 0, 0]
    version = SharedVersion(tmp_path)
    assert version.read() == 2999
    version.close()


def test_a_change_is_announced_when_it_is_answered(place: Place, store: Store) -> None:
    other = place.open()
    for _ in range(10):
        number = store.transact(change_batch, CHANGE)
        assert other.version.read() == number
        assert other.rows(AFTER, (number - 1,)) == [(number, "link", "d", "p")]
    other.close()


def test_a_change_that_was_rolled_back_is_not_announced(store: Store) -> None:
    def failing(tx: Transaction, changes: list[Change]) -> list[int | Exception]:
        record(tx, changes)
        raise ValueError("after all")

    before = store.version.read()
    with pytest.raises(Exception, match="could not complete"):
        store.transact(failing, CHANGE)
    assert store.version.read() == before
    assert store.rows(NEWEST) == [(None,)]


def test_changes_of_one_commit_are_numbered_in_order(store: Store) -> None:
    def two(tx: Transaction, _items: list[None]) -> list[Exception | None]:
        record(tx, [CHANGE, Change(subject="account", app=3)])
        record(tx, [])
        return [None]

    store.transact(two, None)
    rows = store.rows(AFTER, (0,))
    assert [row[1:] for row in rows] == [("link", "d", "p"), ("account", None, None)]
    assert rows[0][0] < rows[1][0]
    assert store.version.read() == rows[1][0]
