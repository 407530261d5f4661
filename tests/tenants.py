"""Another organization on a running server, and direct access to a server's store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from bough.accounts import queries
from bough.accounts.found import NewApp, as_document, found_app
from bough.accounts.keys import fingerprint, new_access_token
from bough.ids import new_id, now_ms
from bough.store import Store, Transaction, open_store
from bough.store.changes import Change, record
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


def colleague(running: Running, *permissions: str) -> str:
    """The access token of a new user of the demo's organization with these permissions."""
    token = new_access_token()
    user = new_id()
    organization = int(running.card["organization_id"])

    def insert(tx: Transaction, _: list[None]) -> list[Exception | None]:
        given = msgspec.json.encode(permissions).decode()
        tx.run(queries.INSERT_USER, (user, organization, f"{user}@example.com", given, now_ms()))
        tx.run(queries.INSERT_TOKEN, (new_id(), user, "test", fingerprint(token), now_ms()))
        record(tx, [Change(subject="account", app=0)])
        return [None]

    with store_of(running) as store:
        store.transact(insert, None)
    return token
