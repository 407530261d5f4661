"""What a page does, as a curl line: the shell reads every value as it stands, whatever it holds."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from bough.dashboard.page_context import Here

TOKEN = "$BOUGH_TOKEN"
"""Stands for the caller's own access token, which pages never know."""


def line(here: Here, method: str, path: str, body: Mapping[str, Any] | None = None, *, token: bool = True) -> str:
    """One request of the API. The token is taken from the shell's variable BOUGH_TOKEN."""
    base = here.call.context.settings.base_url.rstrip("/")
    parts = ["curl"]
    if method != "GET":
        parts.append(f"-X {method}")
    parts.append(shlex.quote(base + path))
    if token:
        parts.append(f'-H "Access-Token: {TOKEN}"')
    if body is not None:
        parts.append("-H 'Content-Type: application/json'")
        parts.append(f"-d {shlex.quote(msgspec.json.format(msgspec.json.encode(body), indent=2).decode())}")
    return " \\\n  ".join([" ".join(parts[: 2 if method == "GET" else 3]), *parts[2 if method == "GET" else 3 :]])


def create_link_line(here: Here, body: Mapping[str, Any]) -> str:
    """POST /v1/url with this app's key."""
    key = here.call.context.directory.branch_key(here.app.id, here.test)
    return line(here, "POST", "/v1/url", {"branch_key": key, **body}, token=False)


def patch_link_line(here: Here, link: int, body: Mapping[str, Any]) -> str:
    """PATCH /api/links/{id}."""
    return line(here, "PATCH", f"/api/links/{link}", body)


def get_line(here: Here, path: str, **query: str) -> str:
    """A GET of the API."""
    return line(here, "GET", f"{path}?{urlencode(query)}" if query else path)
