"""Webhooks of finished jobs: signed, tried again, never to private addresses (docs/exports.md)."""

from __future__ import annotations

import hmac
import json
import socket
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from bough.errors import BadRequest
from bough.exports.callbacks import check_callback
from bough.settings import Settings
from bough.store.transaction import Transaction
from bough.vocabulary.ids import now_ms
from tests.apps import store_of
from tests.exports.client import Exports, bough
from tests.exports.receiver import receiving
from tests.exports.test_jobs import stopped_warehouse
from tests.running import Running, wait_until

DENYING, ALLOWING = Settings(), Settings(fetch_private="allow")


def test_a_webhook_brings_the_status_with_a_signature(exports: Exports) -> None:
    with receiving(200) as receiver:
        job = exports.job(exports.body(callback_url=f"{receiver.url}/done?who=me"))
        wait_until(lambda: receiver.deliveries, 30)
    (delivery,) = receiver.deliveries
    assert delivery.path == "/done?who=me"
    document = json.loads(delivery.body)
    assert (document["job_id"], document["code"], document["status"]) == (job, 200, "FINISHED")
    assert exports.http.get(document["response_url"]).status_code == 200
    key = bough(exports.running, "exports", "webhook-key").stdout.strip()
    assert delivery.signature == hmac.new(bytes.fromhex(key), delivery.body, sha256).hexdigest()


def test_a_webhook_is_sent_again_after_a_500_and_then_no_more(exports: Exports) -> None:
    with receiving(500, 200) as receiver:
        job = exports.job(exports.body(callback_url=receiver.url))
        wait_until(lambda: _callback(exports.running, job)[0] == 1, 30)
        _make_due(exports.running, job)
        wait_until(lambda: len(receiver.deliveries) == 2, 30)
        wait_until(lambda: _callback(exports.running, job) == (2, None), 30)
    assert json.loads(receiver.deliveries[0].body)["job_id"] == json.loads(receiver.deliveries[1].body)["job_id"]


def test_a_cancelled_job_has_ended_too(exports: Exports) -> None:
    with receiving(200) as receiver:
        with stopped_warehouse(exports.running):
            job = exports.job(exports.body(callback_url=receiver.url))
            exports.http.post(f"/api/jobs/{job}/cancel", headers={"Access-Token": exports.token})
        wait_until(lambda: receiver.deliveries, 30)
    document = json.loads(receiver.deliveries[0].body)
    assert (document["job_id"], document["code"], document["status"]) == (job, 499, "ERROR")


def test_a_redirect_is_not_followed(exports: Exports) -> None:
    with receiving(302) as receiver:
        job = exports.job(exports.body(callback_url=receiver.url))
        wait_until(lambda: _callback(exports.running, job)[0] == 1, 30)
        assert len(receiver.deliveries) == 1
        assert _callback(exports.running, job)[1] is not None


def test_a_receiver_that_is_gone_is_tried_again_later(exports: Exports) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        job = exports.job(exports.body(callback_url=f"http://127.0.0.1:{closed.getsockname()[1]}/"))
        wait_until(lambda: _callback(exports.running, job)[0] == 1, 30)
    _, again = _callback(exports.running, job)
    assert again is not None
    assert 5_000 < again - now_ms() <= 10_000


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "[::1]",
        "[::ffff:10.0.0.1]",
        "10.1.2.3",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "0",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "[fd00::1]",
        "[64:ff9b::7f00:1]",
        "user:secret@127.0.0.1",
        socket.gethostname(),
    ],
)
def test_private_addresses_and_names_of_them_are_refused(host: str) -> None:
    with pytest.raises(BadRequest, match=r"callback_url: must not be a private address\."):
        check_callback(f"http://{host}/hook", DENYING)
    check_callback(f"http://{host}/hook", ALLOWING)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com",
        "example.com",
        "http://",
        "http://[::1",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://exa mple.com/",
        "http://example.com/\r\nX-Header: 1",
        "http://example.com/" + "x" * 2000,
        "http://exämple.com/",
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(BadRequest, match=r"^callback_url: "):
        check_callback(url, ALLOWING)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exports]:
    """A server that may not call private addresses."""
    running = Running(tmp_path_factory.mktemp("strict") / "data", "--empty", environment={"BOUGH_RATE_LIMITS": "off"})
    client = Exports(running)
    yield client
    client.http.close()
    running.stop()


def test_a_private_webhook_is_refused_when_asked_for(strict: Exports) -> None:
    for host in ("127.0.0.1:1", "localhost", socket.gethostname()):
        answer = strict.post(strict.body(callback_url=f"http://{host}/"))
        message = "callback_url: must not be a private address."
        assert (answer.status_code, answer.json()) == (
            400,
            {"error": {"code": 400, "message": message}, "code": 400, "error_message": message},
        )


def test_a_name_that_has_become_private_is_refused_when_sent(strict: Exports, tmp_path: Path) -> None:
    """The job was accepted when the name was public (here: put into the store); its webhook is not sent."""
    with receiving(200) as receiver:
        job = strict.job(strict.body())
        strict.ended(job)
        _set(strict.running, "callback_url = ?, callback_at = 0", (receiver.url.replace("127.0.0.1", "localhost"), job))
        wait_until(lambda: _callback(strict.running, job)[0] == 1, 30)
        assert receiver.deliveries == []


def _callback(running: Running, job: str) -> tuple[int, int | None]:
    store = store_of(running)
    try:
        row = store.rows("SELECT callback_attempts, callback_at FROM export_job WHERE job_id = ?", (job,))[0]
    finally:
        store.close()
    return int(row[0]), row[1]


def _make_due(running: Running, job: str) -> None:
    _set(running, "callback_at = ?", (0, job))


def _set(running: Running, changes: str, values: tuple[str | int, ...]) -> None:
    store = store_of(running)
    try:
        store.transact(_update, (changes, values))
    finally:
        store.close()


def _update(tx: Transaction, items: list[tuple[str, tuple[str | int, ...]]]) -> list[Exception | None]:
    for changes, values in items:
        tx.run(f"UPDATE export_job SET {changes} WHERE job_id = ?", values)
    return [None] * len(items)
