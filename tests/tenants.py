"""Another organization on a running server, and direct access to a server's store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bough.accounts.found import NewApp, as_document, found_app
from bough.ids import new_id
from bough.store import Store, open_store
from tests.running import Running


@contextmanager
def store_of(running: Running) -> Iterator[Store]:
    """The store of a running server, as a command line opens it."""
    store = open_store(running.folder, running.environment.get("BOUGH_STORE", ""))
    try:
        yield store
    finally:
        store.close()


def other_tenant(running: Running) -> dict[str, Any]:
    """A new organization with an app of its own: what `bough apps create --json` prints."""
    with store_of(running) as store:
        return another_app(store, running.base_url, new_id())


def another_app(store: Store, base_url: str, organization: int) -> dict[str, Any]:
    """A further app of an organization."""
    return as_document(found_app(store, NewApp(name="Elsewhere", base_url=base_url, organization=organization)))
