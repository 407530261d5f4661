"""Stores of both kinds, empty and opened in the test's own process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bough.store import Store, open_store
from tests.conftest import STORES


class Place(NamedTuple):
    """Where a store is: what `open_store` takes."""

    folder: Path
    address: str

    def open(self) -> Store:
        """Open it, again or in addition."""
        return open_store(self.folder, self.address)


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty place for a store."""
    return Place(tmp_path / "data", request.getfixturevalue("database") if request.param == "postgres" else "")


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """An empty store."""
    opened = place.open()
    yield opened
    opened.close()
