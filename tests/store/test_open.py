"""Opening a store: migrations, several processes at once, places that cannot be used. On both stores."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from bough.errors import ConfigurationError, Unavailable
from bough.store import Store, Transaction, migrate, open_store, watermark
from bough.store.postgres import PostgresStore
from bough.warehouse.watermarks import REBUILD
from tests.store.batches import names, put_batch
from tests.store.conftest import Place

OPEN = """
import sys
from pathlib import Path
from bough.store import open_store
open_store(Path(sys.argv[1]), sys.argv[2]).close()
"""


def test_opening_brings_the_tables_and_doing_so_again_changes_nothing(place: Place) -> None:
    first = place.open()
    applied = first.rows("SELECT id, name, applied_at FROM migration ORDER BY id")
    first.transact(put_batch, "kept")
    first.close()
    again = place.open()
    assert again.rows("SELECT id, name, applied_at FROM migration ORDER BY id") == applied
    assert [number for number, _, _ in applied] == [number for number, _, _ in migrate.migrations()]
    assert names(again) == ["kept"]
    again.close()


def test_many_processes_may_open_an_empty_place_at_once(place: Place) -> None:
    command = [sys.executable, "-c", OPEN, str(place.folder), place.address]
    opening = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    failures = [process.communicate()[1] for process in opening]
    assert [process.returncode for process in opening] == [0] * 4, failures
    store = place.open()
    assert store.rows("SELECT count(*) FROM migration") == [(len(migrate.migrations()),)]
    store.close()


def test_data_of_a_newer_bough_is_left_alone(place: Place) -> None:
    store = place.open()
    store.transact(lambda tx, _: [tx.run("INSERT INTO migration (id, name, applied_at) VALUES (9999, 'x', 0)")], None)
    store.close()
    with pytest.raises(ConfigurationError, match=r"written by a newer bough \(it has migration 9999\)"):
        place.open()


def test_a_migration_that_fails_leaves_nothing_half_done(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.open().close()
    known = migrate.migrations()
    broken = (9000, "broken", "CREATE TABLE half (id {id});\nCREATE TABLE half (id {id});\n")
    monkeypatch.setattr(migrate, "migrations", lambda: [*known, broken])
    with pytest.raises(ConfigurationError):
        place.open()
    monkeypatch.undo()
    store = place.open()
    store.transact(lambda tx, _: [tx.run("CREATE TABLE half (id BIGINT)")], None)
    assert store.rows("SELECT count(*) FROM migration") == [(len(known),)]
    store.close()


def test_clicks_of_unknown_platforms_are_counted_as_such(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Migration 43: until then a sum of all was kept beside the known platforms."""
    known = migrate.migrations()
    monkeypatch.setattr(migrate, "migrations", lambda: [one for one in known if one[0] < 43])
    store = place.open()
    before = [
        (1, 20, "all", "", 9),
        (1, 20, "country", "DE", 4),
        (1, 20, "platform", "Android", 2),
        (1, 20, "platform", "iOS", 4),
        (1, 21, "all", "", 3),
        (1, 21, "platform", "iOS", 3),
        (2, 20, "all", "", 5),
    ]
    columns = ("link", "day", "dimension", "value", "clicks")
    store.transact(lambda tx, _: [tx.insert("link_day_count", columns, before)], None)
    store.close()
    monkeypatch.undo()
    store = place.open()
    assert store.rows("SELECT * FROM link_day_count ORDER BY link, day, dimension, value") == [
        (1, 20, "country", "DE", 4),
        (1, 20, "platform", "", 3),
        (1, 20, "platform", "Android", 2),
        (1, 20, "platform", "iOS", 4),
        (1, 21, "platform", "iOS", 3),
        (2, 20, "platform", "", 5),
    ]
    store.close()


@pytest.mark.parametrize(("asked", "has_data", "wanted"), [(None, True, 1), (6, True, 7), (None, False, 0)])
def test_a_warehouse_of_before_is_made_again(
    place: Place, monkeypatch: pytest.MonkeyPatch, asked: int | None, has_data: bool, wanted: int
) -> None:
    """Migration 44: until then the warehouse could leave out what was attributed while it read."""
    known = migrate.migrations()
    monkeypatch.setattr(migrate, "migrations", lambda: [one for one in known if one[0] < 44])
    store = place.open()
    columns = ("id", "app", "test", "grp", "person", "at", "name", "counted", "version", "body")
    rows = [(one, 1, 0, 1, 1, 0, "OPEN", 1, one, "{}") for one in (1, 2)] if has_data else []

    def fill(tx: Transaction, _: list[None]) -> list[Exception | None]:
        tx.insert("attributed", columns, rows)
        if asked is not None:
            watermark.advance(tx, REBUILD, asked)
        return [None]

    store.transact(fill, None)
    store.close()
    monkeypatch.undo()
    for _ in range(2):  # once, and not at every start
        store = place.open()
        assert watermark.reached(store, REBUILD) == wanted
        store.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigurationError, match=r"data folder .*file/data cannot be used"):
        open_store(tmp_path / "file" / "data")


def test_a_new_data_folder_is_its_owners_alone(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir(mode=0o755)
    for folder in (there, tmp_path / "new"):
        open_store(folder).close()
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (there, tmp_path / "new")] == [0o755, 0o700]


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "bough.db").write_bytes(os.urandom(8192))
    with pytest.raises(ConfigurationError, match=r"bough\.db cannot be opened"):
        open_store(tmp_path)
    assert (tmp_path / "bough.db").stat().st_size == 8192


def test_a_postgresql_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="BOUGH_STORE: PostgreSQL cannot be used"):
        open_store(tmp_path, "postgresql://127.0.0.1:1/none")


def test_what_one_store_wrote_another_reads_at_once(place: Place, store: Store) -> None:
    other = place.open()
    for number in range(20):
        store.transact(put_batch, f"{number:02}")
        assert names(other)[-1] == f"{number:02}"
    other.close()


def test_a_transaction_sees_what_others_committed_before_it(place: Place, store: Store) -> None:
    """Batches run one after another over all processes: each counts on from the last."""
    other = place.open()

    def next_batch(tx: Transaction, items: list[int]) -> list[int | Exception]:
        count: int = tx.rows("SELECT count(*) FROM watermark")[0][0]
        tx.run("INSERT INTO watermark (name, journal) VALUES (?, ?)", (str(count), count))
        return [count] * len(items)

    assert [turn.transact(next_batch, 0) for turn in (store, other) * 10] == list(range(20))
    other.close()


def test_a_lost_connection_is_said_and_made_again(database: str, tmp_path: Path) -> None:
    """PostgreSQL: writes and reads of the moment fail or are repeated, later ones use new connections."""
    store = open_store(tmp_path, database)
    assert isinstance(store, PostgresStore)
    store.transact(put_batch, "before")
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    with pytest.raises(Unavailable, match="cannot be reached"):
        store.transact(put_batch, "during")
    assert store.transact(put_batch, "after") == "after"
    assert names(store) == ["after", "before"]
    store.close()
