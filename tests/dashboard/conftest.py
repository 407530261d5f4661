"""A running bough with links, clicks and people in it, and a browser in which its owner is signed in."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import STORES, Api, fresh_database
from tests.dashboard.pages import Pages
from tests.running import Running
from tests.signin.browser import Browser, sign_up

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }} ${7*7}",
    "🎉 Launch 👩‍👩‍👧 🏳️‍🌈",
    "مرحبا بالعالم ‮gnp.exe",
    "x" * 255,
)
"""Names that must be shown as they are."""


@pytest.fixture(scope="session", params=STORES)
def dashboard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The server, on both stores, with one worker."""
    environment = {"BOUGH_RATE_LIMITS": "off", "BOUGH_FETCH_PRIVATE": "allow"}
    if request.param == "postgres":
        environment["BOUGH_STORE"] = fresh_database(request.getfixturevalue("postgres"))
    running = Running(tmp_path_factory.mktemp("dashboard") / "data", "--empty", environment=environment)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def owner(dashboard: Running) -> Iterator[Browser]:
    """The owner's browser."""
    browser = sign_up(dashboard)
    Browser.opened.remove(browser)
    yield browser
    browser.http.close()


@pytest.fixture
def pages(dashboard: Running, owner: Browser) -> Iterator[Pages]:
    """The pages as the owner sees them."""
    api = Api(dashboard)
    yield Pages(owner, api)
    api.http.close()


@pytest.fixture
def nobody(dashboard: Running) -> Iterator[httpx.Client]:
    """A browser in which nobody is signed in."""
    with httpx.Client(base_url=dashboard.base_url, verify=False, trust_env=False) as client:
        yield client
