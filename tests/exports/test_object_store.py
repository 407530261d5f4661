"""Finished files in an object store: same addresses, same rules, whole or not there (docs/exports.md)."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bough.accounts.directory import Directory
from bough.errors import ConfigurationError, NotFound
from bough.exports.downloads import open_files
from bough.exports.files import FOLDER, REPORTS
from bough.exports.job import KEPT_MS
from bough.exports.object_store import ObjectFiles
from bough.exports.reports import new_report, save_batch
from bough.settings import Settings, bucket_and_prefix, load_settings
from bough.store.transaction import Transaction
from bough.vocabulary.ids import now_ms
from tests.apps import store_of
from tests.exports.client import Exports, app_in, bough
from tests.exports.objects import BUCKET, Gate, ObjectServer
from tests.running import Running, children_named, free_port, wait_until

PREFIX = "bough/files"


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    server = ObjectServer(tmp_path_factory.mktemp("objects"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def server(objects: ObjectServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    environment = {"BOUGH_RATE_LIMITS": "off", **objects.environment()}
    running = Running(tmp_path_factory.mktemp("stored") / "data", "--empty", environment=environment)
    yield running
    running.stop()


@pytest.fixture
def client(server: Running) -> Iterator[Exports]:
    made = app_in(server, "UTC")
    yield made
    made.http.close()


def _exported(objects: ObjectServer, job: str) -> list[str]:
    return [key for key in objects.listed(f"{PREFIX}/{FOLDER}/") if job in key]


def test_a_file_lies_in_the_bucket_and_is_fetched_at_our_address(client: Exports, objects: ObjectServer) -> None:
    job = client.job(client.body(fresh=True))
    document = client.ended(job)
    assert document["response_url"].startswith(f"{client.running.base_url}/v2/analytics/files/")
    answer = client.http.get(document["response_url"])
    (key,) = _exported(objects, job)
    assert answer.status_code == 200
    assert answer.content == objects.content(key) != b""
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["content-disposition"] == f'attachment; filename="{key.rpartition("/")[2]}"'
    assert not (client.running.folder / FOLDER).exists()
    assert client.http.get(document["response_url"] + "x").status_code == 403


def test_waiting_and_the_command_line_give_the_same_bytes(client: Exports) -> None:
    body = client.body(measures=["users"])
    printed = bough(
        client.running,
        *("export", "--app", client.app_id, "--start-date", body["start_date"], "--end-date", body["end_date"]),
        *("--data-source", "install_cohort", "--measures", "users", "--granularity-band-count", "5"),
    ).stdout
    assert client.waited(body).decode() == printed != ""


def test_a_scheduled_report_is_copied_into_the_bucket(client: Exports, server: Running, objects: ObjectServer) -> None:
    store = store_of(server)
    try:
        directory = Directory(store)
        app = directory.apps[int(client.app_id)]
        user = next(one for one in directory.users.values() if one.sees(app) and one.permissions >= {"export"})
        report = new_report(user, app, "Daily", "measure=LTV&days=7", "day", "")
        due = msgspec.structs.replace(report, due_at=now_ms())
        store.transact(save_batch, due)
    finally:
        store.close()
    wait_until(lambda: objects.listed(f"{PREFIX}/{REPORTS}/{report.id}/"), 30)
    (copy,) = objects.listed(f"{PREFIX}/{REPORTS}/{report.id}/")
    assert objects.content(copy) == objects.content(f"{PREFIX}/{FOLDER}/{copy.rpartition('/')[2]}")
    assert not (server.folder / REPORTS).exists()


def test_a_file_is_deleted_after_a_week_and_a_report_is_not(
    client: Exports, server: Running, objects: ObjectServer
) -> None:
    old, young = client.job(client.body(fresh=True)), client.job(client.body(fresh=True))
    address = client.ended(old)["response_url"]
    client.ended(young)
    store = store_of(server)
    try:
        expired = now_ms() - KEPT_MS - 1
        store.transact(_run, ("UPDATE export_job SET finished_at = ? WHERE job_id = ?", (expired, old)))
    finally:
        store.close()
    reports = objects.listed(f"{PREFIX}/{REPORTS}/")
    server.stop()
    server.start()  # it tidies at once, and then each minute
    wait_until(lambda: not _exported(objects, old), 30)
    assert len(_exported(objects, young)) == 1
    assert objects.listed(f"{PREFIX}/{REPORTS}/") == reports
    assert client.http.get(address).status_code == 404
    assert client.status(old).json()["code"] == 410


@pytest.mark.parametrize("after", [False, True], ids=["during the upload", "between upload and end"])
def test_kill_9_leaves_no_half_file_and_the_job_is_done_again(
    objects: ObjectServer, tmp_path: Path, after: bool
) -> None:
    gate = Gate(objects.url, after=after)
    running = Running(tmp_path / "data", "--empty", environment=objects.environment(gate.url))
    try:
        client = app_in(running, "UTC")
        job = client.job(client.body(fresh=True))
        assert gate.reached.wait(30)
        assert client.status(job).json()["status"] == "RUNNING"
        assert len(_exported(objects, job)) == int(after)
        (process,) = _warehouse(running)
        os.kill(process, signal.SIGKILL)
        gate.open.set()
        document = client.ended(job)
        assert document["status"] == "FINISHED", document
        content = client.http.get(document["response_url"]).content
        keys = _exported(objects, job)
        assert len(keys) == 1 + int(after)
        assert all(objects.content(key) == content for key in keys)
        client.http.close()
    finally:
        gate.close()
        running.stop()


def test_what_nobody_names_goes_when_it_is_old(
    client: Exports, objects: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = _files(objects, monkeypatch, f"s3://{BUCKET}/orphans")
    (key,) = _exported(objects, _finished(client))
    content, name = objects.content(key), key.rpartition("/")[2]
    for path in (f"{FOLDER}/{name}", f"{FOLDER}/notes.txt", f"{REPORTS}/7/{name}"):
        objects.http.put(f"/{BUCKET}/orphans/{path}", content=content)
    files.remove_old(now_ms() - 3_600_000)
    assert files.read(name) == content
    files.remove_old(now_ms() + 3_600_000)
    assert sorted(objects.listed("orphans/")) == [f"orphans/{FOLDER}/notes.txt", f"orphans/{REPORTS}/7/{name}"]
    files.remove(name)
    for missing in (name, "../secret", "notes.txt"):
        with pytest.raises(NotFound):
            files.read(missing)
        with pytest.raises(NotFound):
            files.keep(missing, 7)


def test_a_large_file_comes_in_pieces(objects: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> None:
    files = _files(objects, monkeypatch, f"s3://{BUCKET}/large")
    content = bytes(range(256)) * 20_000
    objects.http.put(f"/{BUCKET}/large/{FOLDER}/large.csv", content=content)

    async def pieces() -> tuple[int, list[bytes]]:
        found = await files.open("large.csv")
        return found.size, [chunk async for chunk in found.chunks]

    size, chunks = asyncio.run(pieces())
    assert (size, b"".join(chunks)) == (len(content), content)
    assert max(map(len, chunks)) < len(content) / 2


def test_without_the_store_a_job_fails_and_a_file_is_503(tmp_path: Path) -> None:
    objects = ObjectServer(tmp_path)
    running = Running(tmp_path / "data", "--empty", environment=objects.environment())
    try:
        client = app_in(running, "UTC")
        address = client.ended(client.job(client.body(fresh=True)))["response_url"]
        objects.stop()
        failed = client.ended(client.job(client.body(fresh=True)))
        assert (failed["code"], failed["status"]) == (503, "ERROR")
        assert failed["error_message"] == "The file could not be stored; please ask for it again later."
        answer = client.http.get(address)
        assert answer.status_code == 503
        assert answer.json()["error"]["message"].startswith("The store of finished files does not answer")
        assert client.http.get("/readyz").status_code == 200
        client.http.close()
    finally:
        running.stop()


def test_doctor_says_in_one_sentence_that_files_cannot_be_stored(
    server: Running, objects: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "BOUGH_EXPORT_FILES" not in bough(server, "doctor").stdout
    assert [key for key in objects.listed() if "doctor" in key] == []
    problem = _files(objects, monkeypatch, "s3://nowhere").problem()
    assert problem is not None
    said = "Finished files cannot be stored in BOUGH_EXPORT_FILES"
    assert problem.startswith(f"{said}=s3://nowhere (there is no such bucket): make the bucket, or correct ")
    silent = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setitem(server.environment, "AWS_ENDPOINT_URL", silent)
    (finding,) = [line for line in bough(server, "doctor", code=1).stdout.splitlines() if "EXPORT_FILES" in line]
    assert finding.startswith(f"- {said}=s3://{BUCKET}/{PREFIX} (")
    assert "secret" not in finding


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("", ("", "")),
        ("s3://files", ("files", "")),
        ("s3://my.files/", ("my.files", "")),
        ("s3://abc/d/e/", ("abc", "d/e")),
    ],
)
def test_addresses_of_buckets(address: str, parts: tuple[str, str]) -> None:
    assert bucket_and_prefix(address) == parts
    assert load_settings({"BOUGH_EXPORT_FILES": address}).export_files == address


@pytest.mark.parametrize(
    "address",
    ["files", "gs://files", "s3://", "s3://A", "s3://files//x", "s3://files/../x", "s3://files/x?y", "s3://u:p@files"],
)
def test_other_addresses_end_the_start_with_a_sentence(address: str) -> None:
    with pytest.raises(ConfigurationError, match="must look like s3://bucket"):
        load_settings({"BOUGH_EXPORT_FILES": address})


def _files(objects: ObjectServer, monkeypatch: pytest.MonkeyPatch, address: str) -> ObjectFiles:
    for name, value in objects.environment().items():
        monkeypatch.setenv(name, value)
    files = open_files(Settings(export_files=address))
    assert isinstance(files, ObjectFiles)
    return files


def _finished(client: Exports) -> str:
    job = client.job(client.body(fresh=True))
    assert client.ended(job)["status"] == "FINISHED"
    return job


def _warehouse(running: Running) -> list[int]:
    assert running.process is not None
    return children_named(running.process.pid, "warehouse")


def _run(tx: Transaction, items: list[tuple[str, tuple[int, str]]]) -> list[Exception | None]:
    for sql, values in items:
        tx.run(sql, values)
    return [None] * len(items)
