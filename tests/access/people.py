"""Users for tests, made by the API as an administrator makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from tests.apps import alias
from tests.conftest import Api


class Member:
    """A user and the token."""

    def __init__(self, api: Api, user: dict[str, Any], token: str) -> None:
        self.api = api
        self.user = user
        self.token = token

    @property
    def id(self) -> str:
        identifier: str = self.user["user_id"]
        return identifier

    def http(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request with the user's token."""
        headers = {"Access-Token": self.token, **options.pop("headers", {})}
        return self.api.http.request(method, path, headers=headers, **options)

    def change(self, **fields: Any) -> None:
        """PATCH by the administrator, which must succeed."""
        answer = self.api.manage("PATCH", f"/api/users/{self.id}", json=fields)
        assert answer.status_code == 200, answer.text


def member(api: Api, *, permissions: Sequence[str] | None = None, **fields: Any) -> Member:
    """A new user with a permanent token."""
    given = {} if permissions is None else {"permissions": list(permissions)}
    added = api.manage("POST", "/api/users", json={"email": f"{alias()}@example.com", **given, **fields})
    assert added.status_code == 200, added.text
    made = api.manage("POST", f"/api/users/{added.json()['user_id']}/token")
    assert made.status_code == 200, made.text
    return Member(api, added.json(), made.json()["access_token"])


def agency(api: Api, tag: str = "") -> dict[str, Any]:
    """A new agency."""
    added = api.manage("POST", "/api/agencies", json={"name": alias(), "tag": tag})
    assert added.status_code == 200, added.text
    document: dict[str, Any] = added.json()
    return document
