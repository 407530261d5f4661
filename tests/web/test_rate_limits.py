"""The documented rate limits (docs/errors.md): in a file shared by workers, and over HTTP with two of them."""

from __future__ import annotations

import fcntl
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from bough.accounts.app_document import updated_config
from bough.accounts.model import App, AppConfig
from bough.errors import BadRequest, RateLimited
from bough.server.route_table import ROUTES
from bough.web.limits import LIMITS, Limits
from tests.conftest import Api, error
from tests.exports.client import Exports
from tests.running import Running, wait_until

START = 1_700_000_000


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = float(START)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(tmp_path: Path, clock: Clock) -> Iterator[Limits]:
    kept = Limits(tmp_path, clock=clock)
    yield kept
    kept.close()


def refused_for(limits: Limits, app: int = 1, operation: str = "read") -> int:
    """Seconds to wait, or 0 when the request was let through."""
    try:
        limits.check(app, operation)
    except RateLimited as refused:
        return refused.retry_after
    return 0


def test_the_documented_numbers() -> None:
    assert {name: tuple(limit) for name, limit in LIMITS.items() if not name.startswith("analytics")} == {
        "create": (200, 12_000, 300_000),
        "read": (100, 5_500, 100_000),
        "update": (100, 1_000, 10_000),
        "delete": (100, 1_000, 10_000),
        "qr": (25, 100, 1_000),
    }
    assert {route.limit for route in ROUTES} <= {"", *LIMITS}


@pytest.mark.parametrize("operation", ["create", "read", "update", "delete", "qr"])
def test_the_last_of_a_second_passes_and_the_next_waits_for_the_next_second(
    limits: Limits, clock: Clock, operation: str
) -> None:
    most = LIMITS[operation].second
    assert [refused_for(limits, operation=operation) for _ in range(most + 1)] == [0] * most + [1]
    clock.now += 1
    assert refused_for(limits, operation=operation) == 0


def test_minutes_and_hours_have_limits_of_their_own(limits: Limits, clock: Clock) -> None:
    clock.now = START - START % 3600
    passed = Counter[int]()
    for second in range(3600):
        clock.now = START - START % 3600 + second
        while not refused_for(limits, operation="qr"):
            passed[second // 60] += 1
    assert passed == Counter(dict.fromkeys(range(10), 100))
    clock.now = START - START % 3600 + 1800
    assert refused_for(limits, operation="qr") == 1800
    clock.now += 1800
    assert refused_for(limits, operation="qr") == 0


def test_a_refused_request_does_not_count(limits: Limits, clock: Clock) -> None:
    for _ in range(500):
        refused_for(limits)
    clock.now += 1
    assert [refused_for(limits) for _ in range(100)] == [0] * 100


def test_a_new_worker_waits_for_one_that_comes_at_the_same_time(tmp_path: Path, limits: Limits) -> None:
    """Else it would write that there are fewer workers, and the other's requests would not count."""
    with (tmp_path / "bough.limits").open("r+b") as shared, ThreadPoolExecutor(1) as beside:
        fcntl.flock(shared, fcntl.LOCK_EX)
        coming = beside.submit(Limits, tmp_path)
        with pytest.raises(TimeoutError):
            coming.result(0.3)
        shared.write(struct.pack("<q", 2))
        shared.flush()
        fcntl.flock(shared, fcntl.LOCK_UN)
        coming.result(10).close()
        shared.seek(0)
        assert shared.read(8) == struct.pack("<q", 2)


def test_apps_and_operations_do_not_use_up_each_others(limits: Limits) -> None:
    while not refused_for(limits, 1, "read"):
        pass
    assert [refused_for(limits, 2, "read"), refused_for(limits, 1, "update")] == [0, 0]


def test_an_app_can_have_limits_of_its_own(limits: Limits) -> None:
    app = App(id=7, organization=1, name="own", config=AppConfig(rate_limits={"read": (2, 3, 4)}))
    limits.check_app(app, "read")
    limits.check_app(app, "read")
    with pytest.raises(RateLimited):
        limits.check_app(app, "read")
    for _ in range(LIMITS["create"].second):
        limits.check_app(app, "create")


def test_exports_count_for_the_organization_or_for_an_app_with_its_own_limit(limits: Limits) -> None:
    plain, other = (App(id=number, organization=1, name="plain") for number in (7, 8))
    own = App(id=9, organization=1, name="own", config=AppConfig(rate_limits={"analytics": (1, 1, 1)}))
    limits.check_export(1, [plain], "analytics")
    limits.check_export(1, [other], "analytics")
    with pytest.raises(RateLimited):
        limits.check_export(1, [plain], "analytics")
    limits.check_export(1, [own], "analytics")
    with pytest.raises(RateLimited):
        limits.check_export(1, [own], "analytics")
    limits.check_export(2, [], "analytics")
    limits.check_export(1, [plain], "analytics_status")


@pytest.mark.parametrize("jump", [-86_400 * 400, -3600, -61, -1, 1, 61, 3600, 86_400 * 400])
def test_a_clock_that_is_set_locks_nobody_out_and_still_limits(limits: Limits, clock: Clock, jump: int) -> None:
    while not refused_for(limits, operation="qr"):
        pass
    clock.now += jump
    passed = 0
    while not (wait := refused_for(limits, operation="qr")):
        passed += 1
    assert passed <= LIMITS["qr"].second
    assert 1 <= wait <= 60
    clock.now += 61
    assert refused_for(limits, operation="qr") == 0


@pytest.mark.parametrize("given", [{"sing": [1, 1, 1]}, {"read": [0, 1, 1]}, {"read": [1, 1]}, {"read": "many"}])
def test_limits_that_cannot_be_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="rate_limits"):
        updated_config(AppConfig(), {"rate_limits": given})


OTHER_WORKER = """
import sys
from pathlib import Path
from bough.web.limits import Limits
limits = Limits(Path(sys.argv[1]), clock=lambda: float(sys.argv[2]))
for _ in range(60):
    limits.check(1, "read")
print("counted", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("ended", [False, True])
def test_processes_share_their_counts_also_after_one_has_ended(tmp_path: Path, limits: Limits, ended: bool) -> None:
    command = [sys.executable, "-c", OTHER_WORKER, str(tmp_path), str(START)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdin is not None
        assert worker.stdout.readline() == "counted\n"
        if ended:
            worker.stdin.close()
            worker.wait(10)
        assert sum(not refused_for(limits) for _ in range(100)) == 40


def test_switched_off(tmp_path: Path) -> None:
    free = Limits(tmp_path / "none", enabled=False)
    for _ in range(1000):
        free.check(1, "read")
    free.close()
    assert not (tmp_path / "none").exists()


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that keeps the limits, with two workers."""
    environment = {"BOUGH_RATE_LIMITS": "on"}
    running = Running(tmp_path_factory.mktemp("limited") / "data", "--empty", "--workers", "2", environment=environment)
    yield running
    running.stop()


def burst(running: Running, url: str, key: str, requests: int, clients: int = 8) -> list[httpx.Response]:
    """Reads of a link over several connections at once."""

    def some(_client: int) -> list[httpx.Response]:
        with httpx.Client(base_url=running.base_url, timeout=20) as http:
            return [http.get("/v1/url", params={"url": url, "branch_key": key}) for _ in range(requests // clients)]

    with ThreadPoolExecutor(clients) as pool:
        return [response for answers in pool.map(some, range(clients)) for response in answers]


def test_two_workers_keep_one_limit_and_say_when_to_come_back(limited: Running) -> None:
    api = Api(limited)
    url = api.created()
    answers: list[httpx.Response] = []
    wait_until(lambda: 0.0 < time.time() % 1 < 0.3)
    first = int(time.time())
    while not any(answer.status_code == 429 for answer in answers):
        answers += burst(limited, url, api.key, 400)
        assert len(answers) <= 4000, "no limit was ever met"
    seconds = int(time.time()) - first + 1
    passed = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    # Both workers may look at the same time; so many more than 100 can pass in a second as there are other workers.
    assert 0 < len(passed) <= seconds * (100 + 1)
    for answer in refused:
        assert (answer.status_code, answer.json()) == (429, error(429, "Rate limit reached."))
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert answer.headers["access-control-allow-origin"] == "*"
    wait_until(lambda: api.read(url).status_code == 200, 5)
    api.http.close()


def test_reads_do_not_use_up_creates_nor_another_apps_reads(limited: Running) -> None:
    api = Api(limited)
    other = api.http.post(
        "/v1/app",
        json={"user_id": api.card["access_token"], "app_name": "Other", "dev_name": "D", "dev_email": "d@example.com"},
    ).json()
    url = api.created()
    theirs = api.http.post("/v1/url", json={"branch_key": other["branch_key"]}).json()["url"]

    def refused_while_others_pass() -> bool:
        answers = burst(limited, url, api.key, 400)
        created = api.create()
        read = api.http.get("/v1/url", params={"url": theirs, "branch_key": other["branch_key"]})
        assert (created.status_code, read.status_code) == (200, 200)
        return any(answer.status_code == 429 for answer in answers)

    wait_until(refused_while_others_pass, 20)
    api.http.close()


def test_polling_a_job_uses_up_no_exports_and_an_app_may_have_more(limited: Running) -> None:
    exports = Exports(limited)
    api = Api(limited)
    body = exports.body()
    answers = [exports.post({**body, "fresh": True}) for _ in range(3)]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    job = answers[0].json()["job_id"]
    for _ in range(20):
        assert exports.status(job).status_code == 200

    def is_minute_used_up() -> bool:
        answers.append(exports.post({**body, "fresh": True}))
        return answers[-1].status_code == 429 and int(answers[-1].headers["retry-after"]) > 1

    wait_until(is_minute_used_up, 70)
    refused = answers[-1]
    assert refused.json() == error(429, "Rate limit reached.")
    assert int(refused.headers["retry-after"]) <= 60
    assert exports.status(job).status_code == 200
    api.configure(rate_limits={"analytics": [50, 100, 1000]})
    assert [exports.post({**body, "fresh": True}).status_code for _ in range(10)] == [200] * 10
    api.configure(rate_limits=None)
    for client in (exports.http, api.http):
        client.close()
