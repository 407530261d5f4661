"""What a process knows of apps and links follows the store, also through a moment when the store cannot be read."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from bough.accounts.found import NewApp, found_app
from bough.settings import Settings
from bough.store import open_store
from bough.store.sqlite import FILE_NAME
from bough.web.context import Context


def test_a_change_that_could_not_be_read_is_read_later(tmp_path: Path) -> None:
    """The list of changes is read, and then the apps cannot be: the changes must not be taken as seen."""
    settings = Settings(data=str(tmp_path))
    context = Context(settings, open_store(settings.folder))
    other = open_store(settings.folder)
    broken = apsw.Connection(str(tmp_path / FILE_NAME))
    try:
        founded = found_app(other, NewApp(name="New", base_url="http://127.0.0.1:8000"))
        broken.execute("ALTER TABLE app RENAME TO lost")
        with pytest.raises(apsw.SQLError):
            context.refresh()
        broken.execute("ALTER TABLE lost RENAME TO app")
        context.refresh()
        assert context.directory.by_key(founded.branch_key).app.name == "New"
    finally:
        broken.close()
        other.close()
        context.close()
