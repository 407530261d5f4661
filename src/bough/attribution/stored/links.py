"""`Links` over the store: the link of a click as it was when it was clicked, whatever has become of it since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from bough.accounts.directory import Directory
from bough.clicks import long_links
from bough.clicks.query import Query, read_query
from bough.errors import InvalidCredentials
from bough.links.address import locate
from bough.links.codec import from_json, from_row
from bough.links.model import Link
from bough.links.queries import BY_ID, BY_IDS, BY_PATH
from bough.store.changes import NEWEST
from bough.store.database import Rows
from bough.store.select_in import select_in

LAST_CHANGES = "SELECT link, max(at) FROM change WHERE link IN ({}) GROUP BY link"
CHANGED_AFTER = "SELECT before FROM change WHERE link = ? AND at > ? ORDER BY id LIMIT 1"
LAST_AT_ADDRESS = (
    "SELECT before FROM change WHERE domain = ? AND path = ? AND at > ? AND link IS NOT NULL ORDER BY id LIMIT 1"
)
MAX_CURRENT = 10_000
"""Links kept in memory."""


class StoredLinks:
    """Reads through `rows`: a store's or a transaction's."""

    def __init__(self, rows: Rows, directory: Directory) -> None:
        self._rows = rows
        self._directory = directory
        self._newest = -1
        self._current: dict[int, tuple[int, Link | None]] = {}
        """By link: when it was changed last, and how it is now; as of the change `_newest`."""
        self._is_checked = False
        """Whether `_current` is known to be new enough."""

    @contextmanager
    def of_rows(self, links: Iterable[int]) -> Iterator[None]:
        """For a batch of rows that have been read: their links are read together, and none is looked at again."""
        self._check()
        wanted = set(links)
        if len(self._current) + len(wanted) > MAX_CURRENT:
            self._current.clear()
        self._read(wanted - self._current.keys())
        self._is_checked = True
        try:
            yield
        finally:
            self._is_checked = False

    def by_id(self, link: int, at: int) -> Link | None:
        """The link as it was at `at` (epoch ms), also when it was changed or deleted later."""
        if not self._is_checked:
            self._check()
        known = self._current.get(link)
        if known is None:
            self._read({link})
            known = self._current[link]
        return known[1] if at >= known[0] else self._earlier(link, at)

    def _check(self) -> None:
        newest = self._rows(NEWEST, ())[0][0] or 0
        if newest != self._newest or len(self._current) >= MAX_CURRENT:
            self._newest = newest
            self._current.clear()

    def _read(self, links: Set[int]) -> None:
        found = {row[0]: from_row(row) for row in select_in(self._rows, BY_IDS, links)}
        # After the links: a change between the two counts as one.
        changed: dict[int, int] = dict(select_in(self._rows, LAST_CHANGES, links))
        for link in links:
            self._current[link] = (changed.get(link, 0), found.get(link))

    def _earlier(self, link: int, at: int) -> Link | None:
        changed = self._rows(CHANGED_AFTER, (link, at))
        if changed:
            return from_json(changed[0][0])
        found = self._rows(BY_ID, (link,))
        return from_row(found[0]) if found else None

    def by_url(self, url: str, at: int) -> Link | None:
        """The link of an address on an app's link domain, long links included; None for any other address."""
        try:
            parts = urlsplit(url)
        except ValueError:  # no address at all
            return None
        host = parts.netloc.rpartition("@")[2]
        address = locate(self._directory, host, unquote(parts.path))
        if not self._directory.knows_host(address.domain):
            return None
        found = self._rows(BY_PATH, (address.domain, address.path))
        if found:
            link = from_row(found[0])
            changed = self._rows(CHANGED_AFTER, (link.id, at))
            return from_json(changed[0][0]) if changed else link
        gone = self._rows(LAST_AT_ADDRESS, (address.domain, address.path, at))
        if gone:
            return from_json(gone[0][0])
        return self._long_link(address.domain, address.path, read_query(parts.query))

    def _long_link(self, host: str, path: str, query: Query) -> Link | None:
        try:
            if path.startswith("a/"):
                owner = self._directory.by_key(path[2:].rstrip("/"))
                return long_links.build(owner.app, host, query, test=owner.test, path=path)
            domain = self._directory.domain_of_path(host, path)
            if domain is None or path.rstrip("/") != domain.prefix or not query:
                return None
            return long_links.build(self._directory.apps[domain.app], host, query, test=domain.test, path=path)
        except InvalidCredentials:
            return None
