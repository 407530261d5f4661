"""The pages about SDKs and events say what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from bough.sdk.operations import SDK_ROUTES
from bough.vocabulary.event_names import AUTOMATIC, STANDARD
from bough.web.routing import Route

DOCS = Path(__file__).parent.parent.parent / "docs"
SETTERS = {
    "web": "branch.setAPIUrl(",
    "android": "Branch.setAPIUrl(",
    "ios": "Branch.setAPIUrl(",
    "react-native": '"apiUrl"',
    "flutter": '"apiUrlAndroid"',
    "unity": '"apiUrl"',
    "capacitor": '"apiUrl"',
}


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text()


@pytest.mark.parametrize("route", SDK_ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_request_of_sdks_is_described(route: Route) -> None:
    assert f"`{route.method} {route.path}`" in page("sdk")


def test_every_event_name_is_in_the_table() -> None:
    for name in (*(event.name for event in STANDARD), *AUTOMATIC):
        assert f"`{name}`" in page("events")


@pytest.mark.parametrize("platform", SETTERS)
def test_every_platform_has_its_lines_to_change(platform: str) -> None:
    assert SETTERS[platform] in page(f"sdk-{platform}")
    assert f"sdk-{platform}.md" in page("sdk")
    assert "https://go.example.com" in page(f"sdk-{platform}")
