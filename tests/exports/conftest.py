"""Servers for the exports' tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.apps import other_organization
from tests.conftest import Api
from tests.exports.client import Exports, app_in, zone_at_noon
from tests.importers.conftest import make_app
from tests.running import Running

__all__ = ["make_app"]


@pytest.fixture(scope="session")
def exports_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running bough without rate limits, with webhooks to loopback allowed."""
    environment = {"BOUGH_RATE_LIMITS": "off", "BOUGH_FETCH_PRIVATE": "allow"}
    running = Running(tmp_path_factory.mktemp("exports") / "data", "--empty", environment=environment)
    yield running
    running.stop()


@pytest.fixture
def new_app(exports_server: Running) -> Iterator[Callable[[], Exports]]:
    """Makes clients of new apps of the server's organization."""
    made: list[Exports] = []

    def make() -> Exports:
        made.append(app_in(exports_server, zone_at_noon()))
        return made[-1]

    yield make
    for client in made:
        client.http.close()


@pytest.fixture
def stranger(exports_server: Running) -> Iterator[Exports]:
    """A client of another tenant."""
    api = Api(exports_server)
    card = other_organization(api).card
    api.http.close()
    client = Exports(exports_server)
    client.app_id, client.organization_id, client.token = (
        card["app_id"],
        card["organization_id"],
        card["access_token"],
    )
    yield client
    client.http.close()


@pytest.fixture
def exports(exports_server: Running) -> Iterator[Exports]:
    """A client of a new app."""
    client = app_in(exports_server, zone_at_noon())
    yield client
    client.http.close()
