"""A store with one app and its warehouse, without a server: what imports do to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bough.accounts.creation import NewApp, create_app
from bough.accounts.directory import Directory
from bough.cohorts.files import file_bytes
from bough.cohorts.request import parse
from bough.cohorts.result import answer
from bough.exports.runner import scopes
from bough.importers.events import Segment, import_file
from bough.store import Store, open_store
from bough.warehouse.refresh import Keeper

_Bytes = bytes

AS_OF = int(datetime(2024, 6, 1, 12, tzinfo=UTC).timestamp() * 1000)


class Imported:
    """What was imported, and questions to it; `at` is the instant that answers are as of."""

    def __init__(self, folder: Path, store: Store, zone: str) -> None:
        self.folder = folder
        self.store = store
        app = create_app(store, NewApp(name=f"Imports in {zone}", timezone=zone, base_url="http://127.0.0.1:1"))
        self.app = int(app.app_id)
        self.keeper = Keeper(folder / "data", store)

    def file(self, path: Path) -> Segment:
        """Import a file and take it in."""
        segment = import_file(self.store, self.folder / "data", path, self.app)
        self.keeper.take_in()
        return segment

    def text(self, name: str, content: str) -> Segment:
        """Import a text as a file of this name."""
        return self.bytes(name, content.encode("utf-8", "surrogateescape"))

    def bytes(self, name: str, content: _Bytes) -> Segment:
        """Import bytes as a file of this name."""
        path = self.folder / name
        path.write_bytes(content)
        return self.file(path)

    def reopen(self) -> None:
        """As after a restart."""
        self.keeper.close()
        self.keeper = Keeper(self.folder / "data", self.store)
        self.keeper.take_in()

    def ask(self, start: str, end: str, *measures: str, **fields: Any) -> str:
        """The CSV of a request without its header."""
        body = {
            "start_date": start,
            "end_date": end,
            "data_source": "install_cohort",
            "measures": list(measures),
            "granularity_band_count": 1,
            **fields,
        }
        today = datetime.fromtimestamp(AS_OF / 1000, UTC).date()
        request = parse(body, {"app_id": str(self.app), "limit": "50000"}, today=today)
        apps = scopes(Directory(self.store).apps, (self.app,), AS_OF)
        found = answer(self.keeper.cursor(), request, apps)
        return file_bytes(found).decode().split("\n", 1)[1]

    def users(self, start: str = "2024-05-01", end: str = "2024-05-31") -> int:
        """Members of the install cohort."""
        content = self.ask(start, end, "users")
        return int(content.split(",")[4]) if content else 0


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., Imported]]:
    """Makes an app in a time zone in a store of its own."""
    made: list[Imported] = []

    def make(zone: str = "UTC") -> Imported:
        folder = tmp_path / f"app{len(made)}"
        folder.mkdir()
        made.append(Imported(folder, open_store(folder / "data"), zone))
        return made[-1]

    yield make
    for imported in made:
        imported.keeper.close()
        imported.store.close()


@pytest.fixture
def imported(make_app: Callable[..., Imported]) -> Imported:
    """An app in UTC."""
    return make_app()
