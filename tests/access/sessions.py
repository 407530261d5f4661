"""Sessions of users who have signed in, put into the store: what a password would lead to, without its second."""

from __future__ import annotations

from typing import Any

import httpx

from bough.accounts.session import csrf_token
from bough.signin.sessions import NewSession, new_session_id, start_batch
from bough.store import Store
from tests.conftest import Api


class Visitor:
    """One user's browser."""

    def __init__(self, api: Api, store: Store, user: str) -> None:
        self._api = api
        self.id = new_session_id()
        new = NewSession(id=self.id, user=int(user), stage="full", address="", agent="")
        store.transact(start_batch, new)

    def ask(self, method: str, address: str, **options: Any) -> httpx.Response:
        """A request as a page's link or form sends it. Of an answer that never ends, the head."""
        headers = {"Cookie": f"bough_session={self.id}", "Accept": "text/html", **options.pop("headers", {})}
        if method == "POST":
            options["data"] = {"csrf": csrf_token(self.id), **options.get("data", {})}
        with self._api.http.stream(method, address, headers=headers, **options) as answer:
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                answer.read()
        return answer
