"""An app made in the shell gets its links at the address of the running server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.running import Running


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    server = Running(tmp_path / "data", "--empty")
    yield server
    server.stop()


def test_an_app_made_in_the_shell_works_at_once_on_the_running_server(running: Running) -> None:
    command = [sys.executable, "-m", "bough.cli", "apps", "create", "Second", "--timezone", "Asia/Seoul", "--json"]
    done = subprocess.run([*command, "--data", str(running.folder)], capture_output=True, text=True, check=True)
    app = json.loads(done.stdout)
    assert app["timezone"] == "Asia/Seoul"
    created = httpx.post(
        f"{running.base_url}/v1/url",
        json={"branch_key": app["branch_key"], "alias": "hello", "data": {"$desktop_url": "https://example.com/"}},
    )
    url = created.json()["url"]
    assert url == f"http://{app['link_domain']}/hello"
    assert url.startswith(f"{running.base_url}/")
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:125.0) Gecko/20100101 Firefox/125.0"
    assert httpx.get(url, headers={"User-Agent": agent}).headers["location"].startswith("https://example.com/")
