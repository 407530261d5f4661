from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running import Running
from tests.sdk.journals import Mark, close_all


@pytest.fixture(scope="session", autouse=True)
def _stores_are_closed() -> Iterator[None]:
    yield
    close_all()


@pytest.fixture
def mark(server: Running) -> Mark:
    """The end of the journal when the test begins."""
    return Mark(server)
