"""Further apps on a running server, and clients that act for them."""

from __future__ import annotations

import copy
import itertools
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from bough.accounts import queries
from bough.accounts.creation import CreatedApp, NewApp, add_organization_batch, create_app
from bough.accounts.keys import fingerprint, new_access_token
from bough.accounts.model import AppConfig
from bough.store import Store, open_store
from bough.store.changes import Change, record
from bough.store.transaction import Transaction
from bough.vocabulary.ids import new_id, now_ms
from tests.conftest import Api
from tests.running import Running

_numbers = itertools.count(1)


def store_of(running: Running) -> Store:
    """The store of a running server, opened a second time, as the command line does."""
    return open_store(running.folder, running.environment.get("BOUGH_STORE", ""))


def founded(running: Running, *, domain: str = "", organization: int | None = None, **config: Any) -> CreatedApp:
    """A new app. With `domain` it has a host of its own (https), else a prefix on the server's host."""
    store = store_of(running)
    try:
        wanted = NewApp(
            name=f"App {next(_numbers)}",
            base_url=running.base_url,
            domain=domain,
            organization=organization,
            config=msgspec.convert(config, AppConfig),
        )
        return create_app(store, wanted)
    finally:
        store.close()


def new_app(api: Api, *, domain: str = "", organization: int | None = None, **config: Any) -> Api:
    """A client of a new app (`founded`)."""
    return with_card(api, msgspec.to_builtins(founded(api.running, domain=domain, organization=organization, **config)))


def with_card(api: Api, card: dict[str, str]) -> Api:
    """The same client with other keys."""
    client = copy.copy(api)
    client.card = {**api.card, **card}
    return client


def other_organization(api: Api) -> Api:
    """A client of another tenant: an app of another organization, with that organization's token."""
    store = store_of(api.running)
    try:
        organization = store.transact(add_organization_batch, "Another tenant")
    finally:
        store.close()
    return new_app(api, organization=organization)


def in_test_environment(api: Api) -> Api:
    """A client of the same app's test environment."""
    keys = {"branch_key": api.card["test_branch_key"], "branch_secret": api.card["test_branch_secret"]}
    return with_card(api, keys)


def token_of(running: Running, permissions: Sequence[str]) -> str:
    """A token of a new user of the server's organization with just these permissions."""
    token = new_access_token()
    store = store_of(running)
    try:
        store.transact(_add_user, (int(running.card["organization_id"]), tuple(permissions), token))
    finally:
        store.close()
    return token


def alias() -> str:
    """An alias that no other test uses."""
    return f"t-{uuid.uuid4().hex[:12]}"


def _add_user(tx: Transaction, users: list[tuple[int, tuple[str, ...], str]]) -> list[Exception | None]:
    for organization, permissions, token in users:
        user = new_id()
        allowed = msgspec.json.encode(permissions).decode()
        tx.run(queries.INSERT_USER, (user, organization, f"user-{user}", allowed, now_ms()))
        tx.run(queries.INSERT_TOKEN, (new_id(), user, "test", fingerprint(token), now_ms(), None, "named", None))
    record(tx, [Change(subject="account", app=0)])
    return [None] * len(users)
