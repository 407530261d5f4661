"""After an acknowledged PUT or DELETE no worker serves the old link: clicks hammer all workers while links change."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Api, fresh_database
from tests.running import Running
from tests.web.raw import Answer, Connection, request

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile Safari/604.1"
SECONDS = 2.5
CONNECTIONS = 12
"""Of each checking thread; the kernel spreads them over the workers."""


@pytest.fixture(params=[("sqlite", 2), ("sqlite", 4), ("postgres", 2), ("postgres", 4)], ids=lambda p: f"{p[0]}-{p[1]}")
def api(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Api]:
    """A client of a server with several workers."""
    store, workers = request.param
    environment = {"BOUGH_RATE_LIMITS": "off"}
    if store == "postgres":
        environment["BOUGH_STORE"] = fresh_database(request.getfixturevalue("postgres"))
    running = Running(tmp_path / "data", "--empty", "--workers", str(workers), environment=environment)
    client = Api(running)
    yield client
    client.http.close()
    running.stop()


class Hammer(threading.Thread):
    """Changes its own link again and again, and asks all workers for it after each acknowledgement."""

    def __init__(self, api: Api, alias: str, until: float) -> None:
        super().__init__(name=alias)
        self.api, self.alias, self.until = api, alias, until
        self.rounds = 0
        self.stale: list[str] = []

    def run(self) -> None:
        connections = [Connection(self.api.running.port) for _ in range(CONNECTIONS)]
        api = Api(self.api.running)
        try:
            while time.monotonic() < self.until or self.rounds < 3:
                self._round(api, connections)
                self.rounds += 1
        finally:
            api.http.close()
            for connection in connections:
                connection.__exit__()

    def _round(self, api: Api, connections: list[Connection]) -> None:
        version = self.rounds * 2
        url = api.created(alias=self.alias, data={"$ios_url": f"https://example.com/{version}"})
        self._expect(connections, 307, f"https://example.com/{version}")
        assert api.update(url, data={"$ios_url": f"https://example.com/{version + 1}"}).status_code == 200
        self._expect(connections, 307, f"https://example.com/{version + 1}")
        assert api.delete(url).status_code == 200
        self._expect(connections, 404, "")

    def _expect(self, connections: list[Connection], status: int, target: str) -> None:
        for answer in clicks(self.api.running.port, connections, self.alias):
            location = answer.headers.get("location", "").partition("?")[0]
            if (answer.status, location) != (status, target):
                self.stale.append(f"{self.alias}: wanted {status} {target}, got {answer.status} {location}")


class Warmer(threading.Thread):
    """Clicks all links all the time, so that workers read them again in the middle of changes."""

    def __init__(self, port: int, aliases: list[str], until: float) -> None:
        super().__init__()
        self.port, self.aliases, self.until = port, aliases, until

    def run(self) -> None:
        connections = [Connection(self.port) for _ in range(4)]
        while time.monotonic() < self.until:
            for alias in self.aliases:
                clicks(self.port, connections, alias)
        for connection in connections:
            connection.__exit__()


def clicks(port: int, connections: list[Connection], alias: str) -> list[Answer]:
    """One click on every connection, all on their way at once."""
    for connection in connections:
        connection.send(request("GET", f"/{alias}", b"", Host=f"127.0.0.1:{port}", User_Agent=PHONE))
    return [connection.answer() for connection in connections]


def test_no_worker_serves_an_old_link_after_its_change_was_acknowledged(api: Api) -> None:
    until = time.monotonic() + SECONDS
    hammers = [Hammer(api, f"hammered-{number}", until) for number in range(3)]
    warmer = Warmer(api.running.port, [hammer.alias for hammer in hammers], until)
    for thread in (*hammers, warmer):
        thread.start()
    for thread in (*hammers, warmer):
        thread.join()
    assert [stale for hammer in hammers for stale in hammer.stale] == []
    assert all(hammer.rounds >= 3 for hammer in hammers)


def test_a_changed_app_setting_holds_for_every_worker_at_once(api: Api) -> None:
    """Keys and settings travel the same way as links."""
    connections = [Connection(api.running.port) for _ in range(CONNECTIONS)]
    body = json.dumps({"branch_key": api.key, "type": 2}).encode()
    for _ in range(3):
        for allowed in (False, True):
            api.configure(allow_type2=allowed)
            for connection in connections:
                connection.send(request("POST", "/v1/url", body))
            assert {connection.answer().status for connection in connections} == {200 if allowed else 403}
    for connection in connections:
        connection.__exit__()
