"""A running Branch account's links, read one by one: GET /v1/url (docs/links.md, docs/errors.md)."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from bough.errors import BadRequest, Unavailable
from bough.links.row_files import FileRow

TIMEOUT_SECONDS: Final = 30.0
ATTEMPTS: Final = 5
"""Tries of one link when the account's server does not answer well."""

MAX_WAIT_SECONDS: Final = 3600
MAX_BYTES: Final = 4 * 1024 * 1024


class BranchAccount:
    """An account's read API. `sleep` waits so many seconds."""

    def __init__(self, host: str, branch_key: str, sleep: Callable[[float], None] = time.sleep) -> None:
        """Raises BadRequest when `host` is neither a host nor an http(s) address."""
        parts = urlsplit(host if "://" in host else f"https://{host}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadRequest(f"--from-api: {host!r} must be a host or an http(s) address.")
        self._secure = parts.scheme == "https"
        self._host = parts.netloc
        self._key = branch_key
        self._sleep = sleep
        self._connection: http.client.HTTPConnection | None = None

    def rows(self, lines: Iterable[str]) -> Iterator[FileRow]:
        """A row for each address; what is not there or cannot be read is an error of its line."""
        for number, line in enumerate(lines, 1):
            url = line.strip()
            if not url or url.startswith("#"):
                continue
            try:
                yield FileRow(number, {"url": url, **self.read(url)})
            except BadRequest as error:
                yield FileRow(number, {"url": url}, error.message)

    def read(self, url: str) -> dict[str, object]:
        """A link's parameters.

        Raises:
            BadRequest: the account has no such link, or refuses the key.
            Unavailable: its server does not answer.
        """
        for attempt in range(ATTEMPTS):
            status, wait, body = self._get(url)
            if status == 200:
                try:
                    return msgspec.json.decode(body, type=dict[str, object])
                except msgspec.DecodeError as error:
                    raise BadRequest("the account's answer is not JSON.") from error
            if status == 404:
                raise BadRequest("the account has no such link.")
            if status != 429 and status < 500:
                raise BadRequest(f"the account answered with status {status}: {body[:200].decode('utf-8', 'replace')}")
            self._sleep(min(wait if wait is not None else 2.0**attempt, MAX_WAIT_SECONDS))
        raise Unavailable(f"{self._host} did not answer for {url}; the links before it are imported, try again later.")

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _get(self, url: str) -> tuple[int, float | None, bytes]:
        """Status, Retry-After in seconds, body; 599 when the connection failed."""
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            self._connection = kind(self._host, timeout=TIMEOUT_SECONDS)
        query = urlencode({"url": url, "branch_key": self._key})
        try:
            self._connection.request("GET", f"/v1/url?{query}", headers={"Accept": "application/json"})
            with self._connection.getresponse() as answer:
                after = answer.headers.get("Retry-After", "")
                return answer.status, float(after) if after.isdigit() else None, answer.read(MAX_BYTES)
        except (OSError, http.client.HTTPException):
            self.close()
            return 599, None, b""
