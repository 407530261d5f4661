"""A client that works a server hard and logs every acknowledged answer: ``python -m tests.load DEMO_JSON SEED LOG``.

Links are created, updated and deleted, and clicked, from several threads. A line of the log is written, as JSON, only
after the answer was read; a line begun before the request says what may have happened if no answer came.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import threading
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlencode

CLIENTS = 12
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile Safari/604.1"


class Client(threading.Thread):
    """One client with links of its own."""

    def __init__(self, card: dict[str, str], name: str, seed: str, log: TextIO, guard: threading.Lock) -> None:
        super().__init__(name=name)
        self.card, self.random, self.log, self.guard = card, random.Random(seed), log, guard
        self.port = int(card["base_url"].rpartition(":")[2])
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.links: dict[str, int] = {}
        """Alias to the newest version that was acknowledged."""
        self.number = 0

    def run(self) -> None:
        """Work until the server is gone."""
        try:
            while True:
                self.step()
        except (OSError, http.client.HTTPException):
            self.connection.close()

    def step(self) -> None:
        """One request at random."""
        draw = self.random.random()
        if not self.links or draw < 0.25:
            self.create()
        elif draw < 0.4:
            self.update(self.random.choice(list(self.links)))
        elif draw < 0.5:
            self.delete(self.random.choice(list(self.links)))
        else:
            self.click(self.random.choice(list(self.links)))

    def create(self) -> None:
        self.number += 1
        alias = f"{self.name}-{self.number}"
        self.note("creating", alias=alias)
        body = {"branch_key": self.card["branch_key"], "alias": alias, "data": {"$ios_url": target(alias, 0)}}
        self.request("POST", "/v1/url", body)
        self.links[alias] = 0
        self.note("created", alias=alias)

    def update(self, alias: str) -> None:
        version = self.links[alias] + 1
        self.note("updating", alias=alias, version=version)
        keys = {name: self.card[name] for name in ("branch_key", "branch_secret")}
        self.request("PUT", f"/v1/url?{self.named(alias)}", {**keys, "data": {"$ios_url": target(alias, version)}})
        self.links[alias] = version
        self.note("updated", alias=alias, version=version)

    def delete(self, alias: str) -> None:
        self.note("deleting", alias=alias)
        query = urlencode({"app_id": self.card["app_id"]})
        self.request("DELETE", f"/v1/url?{self.named(alias)}&{query}", None)
        del self.links[alias]
        self.note("deleted", alias=alias)

    def click(self, alias: str) -> None:
        answer = self.request("GET", f"/{alias}", None)
        location = answer.headers["location"]
        assert location.startswith(target(alias, self.links[alias]) + "?"), (location, self.links[alias])
        click_id = location.partition("_branch_match_id=")[2].partition("&")[0]
        self.note("clicked", alias=alias, click_id=click_id)

    def named(self, alias: str) -> str:
        """The `url` parameter."""
        return urlencode({"url": f"{self.card['base_url']}/{alias}"})

    def request(self, method: str, path: str, body: dict[str, Any] | None) -> http.client.HTTPResponse:
        """Send, and read the whole answer, which must be a success."""
        headers = {"User-Agent": PHONE, "Access-Token": self.card["access_token"], "Content-Type": "application/json"}
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status == 503:
            self.note("refused", alias="")
            raise ConnectionError(text)
        assert answer.status in (200, 307), (answer.status, text)
        return answer

    def note(self, what: str, **details: Any) -> None:
        """One line of the log; whole lines only, so that the reader need not guess."""
        with self.guard:
            self.log.write(json.dumps({"what": what, **details}) + "\n")


def target(alias: str, version: int) -> str:
    """Where a version of a link leads."""
    return f"https://example.com/{alias}/{version}"


def main(card: Path, seed: str, log: Path) -> None:
    """Run all clients until the server is gone."""
    guard = threading.Lock()
    document = json.loads(card.read_text())
    with log.open("w") as file:
        clients = [Client(document, f"load-{seed}-{n}", f"{seed}-{n}", file, guard) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
