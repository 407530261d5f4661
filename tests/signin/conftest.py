"""Browsers are closed when their test ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.signin.browser import Browser


@pytest.fixture(autouse=True)
def _close_browsers() -> Iterator[None]:
    yield
    while Browser.opened:
        Browser.opened.pop().http.close()
