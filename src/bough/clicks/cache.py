"""Links that were clicked lately, kept in memory by each process.

Entries are dropped when their link changes (`bough.web.context`), and the oldest tenth when the cache is full. An entry
also keeps what was decided for it, so that the next like visitor costs a dictionary lookup.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from bough.accounts.model import App
from bough.links.model import Link
from bough.web.cookies import cookie_end


class Entry:
    """A link, its app, and the plans made for its visitors (`bough.clicks.plans`)."""

    __slots__ = ("app", "cookie_end", "expires_at", "link", "plans", "scheme")

    def __init__(self, link: Link, app: App) -> None:
        self.link = link
        self.app = app
        self.expires_at = link.expires_at if app.config.expiry_days else None
        is_secure = app.is_secure(link.domain)
        self.scheme = b"https://" if is_secure else b"http://"
        self.cookie_end = cookie_end(link.domain, https=is_secure)
        self.plans: dict[Any, Any] = {}


class LinkCache:
    """Entries by stored address (domain, path)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: dict[tuple[str, str], Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, domain: str, path: str) -> Entry | None:
        """The entry, or None when it must be read from the store."""
        return self._entries.get((domain, path))

    def put(self, entry: Entry) -> None:
        """Keep an entry that was just read."""
        if len(self._entries) >= self._limit:
            for key in list(islice(self._entries, max(1, self._limit // 10))):
                del self._entries[key]
        self._entries[entry.link.domain, entry.link.path] = entry

    def forget(self, domain: str, path: str) -> None:
        """Drop a link that has changed."""
        self._entries.pop((domain, path), None)

    def clear(self) -> None:
        """Drop everything: an app has changed."""
        self._entries.clear()
