"""Promise 1 for events: kill -9 of everything at random moments loses or doubles no event that was answered."""

from __future__ import annotations

import random
import threading
from collections import Counter
from pathlib import Path

import httpx

from bough.store import open_store
from bough.store.journal import read_after
from tests.running import Running

KILLS = 20
CLIENTS = 4


class Client(threading.Thread):
    """Sends events one after the other until the server is gone; notes which were answered."""

    def __init__(self, running: Running, name: str, answered: list[str]) -> None:
        super().__init__(daemon=True)
        self._base, self._key = running.base_url, running.card["branch_key"]
        self._prefix = name
        self._answered = answered

    def run(self) -> None:
        with httpx.Client(base_url=self._base, timeout=10) as http:
            for number in range(100_000):
                one = f"{self._prefix}-{number}"
                body = {
                    "branch_key": self._key,
                    "name": "PURCHASE",
                    "user_data": {"developer_identity": self._prefix},
                    "event_data": {"transaction_id": one, "revenue": 1},
                }
                try:
                    answer = http.post("/v2/event/standard", json=body)
                except httpx.HTTPError:
                    return
                if answer.status_code == 200:
                    self._answered.append(one)


def test_no_answered_event_is_lost_or_doubled(tmp_path: Path) -> None:
    moments = random.Random(11)
    answered: list[str] = []
    running = Running(tmp_path / "data", "--empty", environment={"BOUGH_RATE_LIMITS": "off"})
    try:
        for kill in range(KILLS):
            enough = len(answered) + moments.randrange(1, 200)
            clients = [Client(running, f"{kill}-{number}", answered) for number in range(CLIENTS)]
            for client in clients:
                client.start()
            while len(answered) < enough and any(client.is_alive() for client in clients):
                clients[0].join(0.001)
            running.kill()
            for client in clients:
                client.join(20)
            assert len(answered) >= enough
            running.start()
    finally:
        running.stop()
    store = open_store(running.folder)
    try:
        stored: Counter[str] = Counter()
        after = 0
        while rows := list(read_after(store, after)):
            after = rows[-1].id
            stored.update(row.body["event_data"]["transaction_id"] for row in rows if row.kind == "event")
    finally:
        store.close()
    assert len(answered) > KILLS
    assert [one for one in answered if stored[one] != 1] == []
    assert max(stored.values()) == 1
