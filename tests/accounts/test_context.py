"""What a process knows of apps and links follows the store, also through a moment when the store cannot be read."""

from __future__ import annotations

from pathlib import Path

import apsw
import msgspec
import pytest

from bough.accounts.creation import NewApp, create_app
from bough.attribution.live.opens import Opens
from bough.attribution.stored.links import StoredLinks
from bough.server.assembly import assemble
from bough.settings import Settings
from bough.store import open_store
from bough.store.changes import Change, record
from bough.store.journal import NewRow, append_batch
from bough.store.sqlite import FILE_NAME
from bough.store.transaction import Transaction
from bough.vocabulary.ids import now_ms


def test_a_change_that_could_not_be_read_is_read_later(tmp_path: Path) -> None:
    """The list of changes is read, and then the apps cannot be: the changes must not be taken as seen."""
    settings = Settings(data=str(tmp_path))
    context = assemble(settings, open_store(settings.folder))
    other = open_store(settings.folder)
    broken = apsw.Connection(str(tmp_path / FILE_NAME))
    try:
        founded = create_app(other, NewApp(name="New", base_url="http://127.0.0.1:8000"))
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


def test_clicks_in_memory_are_forgotten_when_a_person_is_erased(tmp_path: Path) -> None:
    """What a worker keeps of a click holds its address; an erasure tells of itself by a change of the app."""
    settings = Settings(data=str(tmp_path))
    context = assemble(settings, open_store(settings.folder))
    try:
        app = int(create_app(context.store, NewApp(name="New", base_url="http://127.0.0.1:8000")).app_id)
        body = msgspec.json.encode({"url": "http://127.0.0.1:8000/x", "ip": "203.0.113.9"}).decode()
        row = context.store.transact(append_batch, NewRow(now_ms(), app, 0, "click", None, body))
        reader, index = context.store, context.part(Opens).index
        touch = index.touch(reader, row, StoredLinks(reader.rows, context.directory))
        assert touch is not None
        assert index.cached(row) is touch
        context.refresh()
        context.store.transact(_account_change, app)
        context.refresh()
        assert index.cached(row) is None
    finally:
        context.close()


def _account_change(tx: Transaction, items: list[int]) -> list[Exception | None]:
    record(tx, [Change(subject="account", app=app) for app in items])
    return [None] * len(items)
