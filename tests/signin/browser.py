"""A browser without pictures: keeps cookies, fills forms in, does not follow redirects."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import httpx

from tests.running import Running

PASSWORD = "correct horse battery"
CSRF = re.compile(r'name="csrf" value="([^"]*)"')


class Browser:
    """One browser at one server."""

    opened: ClassVar[list[Browser]] = []
    """To be closed when the test ends."""

    def __init__(self, running: Running, **headers: str) -> None:
        self.http = httpx.Client(base_url=running.base_url, timeout=20, verify=False, trust_env=False, headers=headers)
        self.opened.append(self)

    def get(self, address: str, **options: Any) -> httpx.Response:
        return self.http.get(address, **options)

    def csrf(self, address: str) -> str:
        """The token of a page's forms."""
        found = CSRF.search(self.get(address).text)
        assert found is not None, self.get(address).text
        return html.unescape(found[1])

    def send(self, page: str, action: str | None = None, **fields: str) -> httpx.Response:
        """Open a page and send its form."""
        return self.http.post(action or page, data={"csrf": self.csrf(page), **fields})

    def sign_in(self, name: str = "owner", password: str = PASSWORD, **fields: str) -> httpx.Response:
        return self.send("/signin", name=name, password=password, **fields)

    @property
    def is_signed_in(self) -> bool:
        return self.get("/signin/account").status_code == 200


def setup_link(running: Running) -> str:
    """The path of the newest one-time link that the server printed."""
    return str(re.findall(r"/setup/\w+", running.log.read_text())[-1])


def new_link(running: Running, name: str = "owner", *options: str) -> str:
    """The path of a link made by `bough signin link`."""
    printed = bough(running, "signin", "link", *options, name)
    found = re.search(r"/setup/\w+", printed)
    assert found is not None
    return found[0]


def bough(running: Running, *arguments: str) -> str:
    """What a command prints, run on the server's data."""
    store = running.environment.get("BOUGH_STORE")
    words = [*arguments, "--data", str(running.folder), *(["--store", store] if store else [])]
    ran = subprocess.run([sys.executable, "-m", "bough.cli", *words], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def sign_up(running: Running, name: str = "owner", password: str = PASSWORD) -> Browser:
    """A browser in which the user has just set a password."""
    browser = Browser(running)
    response = browser.send(new_link(running, name), password=password, again=password)
    assert response.status_code == 303, response.text
    return browser


def add_user(running: Running, email: str, permissions: str = "[]") -> int:
    """A user of the demo's organization, put into the store; the number."""
    from bough.accounts import queries
    from bough.store import Store, open_store
    from bough.store.changes import Change, record
    from bough.store.transaction import Transaction
    from bough.vocabulary.ids import new_id, now_ms

    def batch(tx: Transaction, items: list[None]) -> list[int | Exception]:
        organization = tx.rows(queries.FIRST_ORGANIZATION)[0][0]
        user = new_id()
        tx.run(queries.INSERT_USER, (user, organization, email, permissions, now_ms()))
        record(tx, [Change(subject="account", app=0)])
        return [user]

    store: Store = open_store(Path(running.folder), running.environment.get("BOUGH_STORE", ""))
    try:
        return store.transact(batch, None)
    finally:
        store.close()
