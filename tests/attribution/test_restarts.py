"""Attribution behind a running server: killed in the middle, rebuilt from nothing, it ends in the same rows."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bough.attribution.stored import tables
from bough.store import Store, open_store
from tests.attribution.stored.test_consumer import results
from tests.conftest import STORES, fresh_database
from tests.running import Running, children_named, wait_until

NEWEST = "SELECT max(id), count(*) FROM journal"
EVENTS = "SELECT count(*) FROM journal WHERE kind IN ('open', 'install', 'event', 'pageview')"
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/124.0.0.0 Mobile Safari/537.36",
)
REQUESTS = 150
KILLS = 6


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Running, str]]:
    address = fresh_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""
    environment = {"BOUGH_RATE_LIMITS": "off", **({"BOUGH_STORE": address} if address else {})}
    running = Running(tmp_path / "data", "--empty", "--workers", "2", environment=environment)
    yield running, address
    running.stop()


def background(running: Running) -> int | None:
    """The background process, when it runs."""
    assert running.process is not None
    return next(iter(children_named(running.process.pid, "background")), None)


def kill_background(running: Running) -> None:
    """kill -9, as soon as there is one; the supervisor starts it again."""
    found: list[int] = []

    def there() -> bool:
        found[:] = [one for one in [background(running)] if one is not None]
        return bool(found)

    wait_until(there, 30)
    os.kill(found[0], signal.SIGKILL)


class Traffic:
    """A random day of an app: people with phones and browsers click, open, log in, buy and retry."""

    def __init__(self, running: Running, seed: int) -> None:
        self.random = random.Random(seed)
        self.http = httpx.Client(base_url=running.base_url, timeout=30)
        self.key = running.card["branch_key"]
        self.links = [self._link(number) for number in range(3)]
        self.sent: list[tuple[str, dict[str, Any], str]] = []

    def _link(self, number: int) -> str:
        body = {"branch_key": self.key, "campaign": f"c{number}", "type": 1 if number == 2 else 0}
        url: str = self.http.post("/v1/url", json=body).json()["url"]
        return url

    def act(self) -> None:
        """One request."""
        what = self.random.choice(("click", "click", "app", "app", "page", "event", "event", "retry"))
        ip = f"203.0.113.{self.random.randrange(4)}"
        if what == "click":
            headers = {"User-Agent": self.random.choice(AGENTS), "X-Forwarded-For": ip}
            self.http.get(self.random.choice(self.links), headers=headers)
            if self.random.random() < 0.5:
                self.http.cookies.clear()
        elif what == "retry" and self.sent:
            self._post(*self.random.choice(self.sent))
        else:
            path, body = self._body(what)
            self._post(path, body, ip)
            self.sent.append((path, body, ip))

    def _post(self, path: str, body: dict[str, Any], ip: str) -> None:
        answer = self.http.post(path, json=body, headers={"X-Forwarded-For": ip})
        assert answer.status_code == 200, answer.text

    def _body(self, what: str) -> tuple[str, dict[str, Any]]:
        number = self.random.randrange(6)
        identity = self.random.choice(["", "", "ann", "bob", "cara"])
        body: dict[str, Any] = {"branch_key": self.key}
        if what == "page":
            body |= {"sdk": "web2.89.2", "browser_fingerprint_id": f"50000000000000000{number}", "identity": identity}
            return "/v1/open", body
        if what == "event":
            user: dict[str, Any] = {"os": "iOS", "idfv": f"11111111-AAAA-4AAA-8AAA-00000000000{number}"}
            if identity:
                user["developer_identity"] = identity
            data = {"revenue": self.random.randrange(1, 9999) / 100, "transaction_id": str(self.random.randrange(20))}
            return "/v2/event/standard", body | {"name": "PURCHASE", "user_data": user, "event_data": data}
        vendor = f"11111111-AAAA-4AAA-8AAA-00000000000{number}"
        body |= {"sdk": "ios3.14.0", "os": "iOS", "os_version": "17.4", "model": "iPhone15,2", "ios_vendor_id": vendor}
        body |= {"hardware_id": vendor, "hardware_id_type": "vendor_id", "is_hardware_id_real": True}
        body |= {"identity": identity, "branch_sdk_request_unique_id": str(self.random.getrandbits(60))}
        if self.random.random() < 0.3:
            body["universal_link_url"] = self.random.choice(self.links)
        return self.random.choice(("/v1/install", "/v1/open")), body


def caught_up(store: Store) -> bool:
    newest = store.rows(NEWEST)[0][0]
    return newest is not None and tables.position(store) >= newest


def test_killed_and_rebuilt_attribution_ends_in_the_same_rows(place: tuple[Running, str]) -> None:
    running, address = place
    traffic = Traffic(running, seed=7)
    kills = sorted(traffic.random.sample(range(REQUESTS), KILLS))
    for number in range(REQUESTS):
        traffic.act()
        if number in kills:
            kill_background(running)
    store = open_store(running.folder, address)
    try:
        wait_until(lambda: caught_up(store), 60)
        live = results(store)
        assert len(live[0]) == store.rows(EVENTS)[0][0] > REQUESTS / 2
        assert any(row[7] is not None for row in live[0]), "no event has the credit of any touch"
        command = [sys.executable, "-m", "bough.cli", "attribution", "rebuild", "--data", str(running.folder)]
        command += ["--store", address] if address else []
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        wait_until(lambda: caught_up(store), 60)
        assert results(store) == live
    finally:
        store.close()
        traffic.http.close()
