"""When the disk does not take what is written: nothing is acknowledged that is not there (SQLite)."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bough.errors import Unavailable
from bough.store import Store, open_store, sqlite
from bough.store.writer import BROKEN
from tests.store.batches import names, put_batch

WAYS = ("thread", "at-once")
"""Who commits: the writing thread or the event loop."""

FULL = "The disk is full; nothing was stored."


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB of its own, half of it taken by a file `ballast`."""
    mounted = tmp_path / "small"
    mounted.mkdir()
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(8 * 1024 * 1024)
    made = subprocess.run(["mkfs.ext4", "-q", "-F", "-m0", str(image)], capture_output=True, text=True, check=False)
    command = ["mount", "-o", "loop", str(image), str(mounted)]
    mount = made if made.returncode else subprocess.run(command, capture_output=True, text=True, check=False)
    if mount.returncode:
        command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(mounted)]
        mount = subprocess.run(command, capture_output=True, text=True, check=False)
    if mount.returncode:
        pytest.skip(f"a full disk cannot be tried here, because nothing can be mounted: {mount.stderr.strip()}")
    (mounted / "ballast").write_bytes(os.urandom(3 * 1024 * 1024))
    yield mounted
    subprocess.run(["umount", str(mounted)], check=True)


@pytest.fixture
def thin_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB with 6 MB behind it: it takes more, and fails when that must be kept."""
    backing, mounted = tmp_path / "backing", tmp_path / "thin"
    image = backing / "image"
    backing.mkdir()
    mounted.mkdir()
    try:
        for command in (
            ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(backing)],
            ["truncate", "--size", "64M", str(image)],
            ["mkfs.ext4", "-q", "-F", "-m0", "-O", "^has_journal", str(image)],
            ["mount", "-o", "loop", str(image), str(mounted)],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"a disk that fails cannot be tried here: {command[0]}: {done.stderr.strip()}")
        yield mounted
    finally:
        for folder in (mounted, backing):
            subprocess.run(["umount", str(folder)], capture_output=True, check=False)


def run(mode: str, folder: Path, way: str) -> list[str]:
    """What the writing process said, line by line."""
    command = [sys.executable, "-m", "tests.store.write_until", mode, str(folder), way]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def assert_refused_for_good(lines: list[str]) -> None:
    """Some were stored, and after the first refusal none."""
    refusal = next(number for number, line in enumerate(lines) if line.startswith("refused"))
    assert refusal > 10
    assert lines[refusal:] == [f"refused {BROKEN}"] * 10


def stored_and_acknowledged(folder: Path, lines: list[str]) -> tuple[list[str], list[str]]:
    """Numbers of the rows that are there after a new start, and of those that were acknowledged."""
    store = open_store(folder)
    there = [name[:6] for name in names(store)]
    assert store.rows("PRAGMA integrity_check") == [("ok",)]
    store.close()
    return there, [line.split()[1] for line in lines if line.startswith("stored")]


@pytest.mark.parametrize("way", WAYS)
def test_after_a_write_that_failed_nothing_more_is_acknowledged(tmp_path: Path, way: str) -> None:
    """Also when the disk would take it again: what the failed write left in the file is unknown."""
    lines = run("file-limit", tmp_path / "data", way)
    assert_refused_for_good(lines)
    there, acknowledged = stored_and_acknowledged(tmp_path / "data", lines)
    assert there[: len(acknowledged)] == acknowledged


@pytest.mark.parametrize("way", WAYS)
def test_a_full_disk_refuses_and_works_again_when_there_is_room(small_disk: Path, way: str) -> None:
    """SQLite finds a full disk before it writes over anything: what was refused is not there, the rest is."""
    lines = run("full-disk", small_disk / "data", way)
    refusals = [line for line in lines if line.startswith("refused")]
    assert refusals == [f"refused {FULL}"]
    assert len(lines) > 20
    there, acknowledged = stored_and_acknowledged(small_disk / "data", lines)
    assert there == acknowledged


@pytest.mark.parametrize("way", WAYS)
def test_a_disk_that_cannot_keep_what_it_took_is_not_believed_again(thin_disk: Path, way: str) -> None:
    """The system tells of such a failure once; the next sync succeeds."""
    lines = run("thin-disk", thin_disk / "data", way)
    assert_refused_for_good(lines)


def overfill(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write more than a thin disk can keep, without a sync."""
    with monkeypatch.context() as unsynced:
        unsynced.setattr(sqlite, "_sync", lambda _descriptor: None)
        for number in range(8):
            store.transact(put_batch, f"{number:06}{'x' * 1_000_000}")


def make_room(disk: Path) -> None:
    """From now on a thin disk keeps what it takes; what it has lost stays lost."""
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk.parent / "backing")], check=True)


def test_who_settles_does_not_take_the_failure_from_the_writer(
    thin_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(thin_disk / "data")
    try:
        overfill(store, monkeypatch)
        for _ in range(2):
            with pytest.raises(Unavailable):
                store.settle()
            make_room(thin_disk)
        with pytest.raises(Unavailable, match=BROKEN):
            store.transact(put_batch, "lost")
    finally:
        store.close()


def test_who_settles_hears_of_a_failure_that_another_process_has_heard_of(
    thin_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = open_store(thin_disk / "data"), open_store(thin_disk / "data")
    try:
        overfill(other, monkeypatch)
        with pytest.raises(Unavailable, match=BROKEN):
            other.transact(put_batch, "lost")
        make_room(thin_disk)
        with pytest.raises(Unavailable):
            store.settle()
    finally:
        other.close()
        store.close()


def test_a_log_that_cannot_be_synced_ends_all_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes writes and fails when they must be kept: that commit is not acknowledged, nor any after it."""

    def fail(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    store = open_store(tmp_path / "data")
    try:
        assert store.transact(put_batch, "kept") == "kept"
        with monkeypatch.context() as broken:
            broken.setattr(sqlite, "_sync", fail)
            with pytest.raises(Unavailable):
                store.settle()
            with pytest.raises(Unavailable, match=BROKEN):
                store.transact(put_batch, "lost")
        with pytest.raises(Unavailable, match=BROKEN):
            store.transact(put_batch, "later")
    finally:
        store.close()


def test_a_commit_is_synced_before_it_is_acknowledged_and_without_the_write_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = open_store(tmp_path / "data"), open_store(tmp_path / "data")
    real = sqlite._sync
    seen: list[str | list[str]] = []

    def sync(descriptor: int) -> None:
        assert os.path.samestat(os.fstat(descriptor), os.stat(tmp_path / "data" / sqlite.LOG_NAME))
        if not seen:  # while the disk works, another process's transaction goes through
            seen.append(names(other))
            with other.begin() as tx:
                put_batch(tx, ["meanwhile"])
        real(descriptor)
        seen.append("synced")

    try:
        monkeypatch.setattr(sqlite, "_sync", sync)
        assert store.transact(put_batch, "first") == "first"
        assert seen == [["first"], "synced", "synced"]
    finally:
        store.close()
        other.close()
