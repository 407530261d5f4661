"""Servers for the exports' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.exports.client import Exports, app_in, zone_at_noon
from tests.running import Running


@pytest.fixture(scope="session")
def exports_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running bough without rate limits, with webhooks to loopback allowed."""
    environment = {"BOUGH_RATE_LIMITS": "off", "BOUGH_FETCH_PRIVATE": "allow"}
    running = Running(tmp_path_factory.mktemp("exports") / "data", "--empty", environment=environment)
    yield running
    running.stop()


@pytest.fixture
def exports(exports_server: Running) -> Iterator[Exports]:
    """A client of a new app."""
    client = app_in(exports_server, zone_at_noon())
    yield client
    client.http.close()
