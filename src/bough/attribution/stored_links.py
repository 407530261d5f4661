"""`Links` over the store: the link of a click as it was when it was clicked, whatever has become of it since."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl, unquote, urlsplit

from bough.accounts.directory import Directory
from bough.clicks import long_links
from bough.errors import BadRequest, InvalidCredentials
from bough.links.address import locate
from bough.links.codec import from_json, from_row
from bough.links.model import Link
from bough.links.queries import BY_ID, BY_PATH
from bough.store.changes import NEWEST
from bough.store.transaction import RowValues, Value

LAST_CHANGE = "SELECT max(at) FROM change WHERE link = ?"
CHANGED_AFTER = "SELECT before FROM change WHERE link = ? AND at > ? ORDER BY id LIMIT 1"
LAST_AT_ADDRESS = (
    "SELECT before FROM change WHERE domain = ? AND path = ? AND at > ? AND link IS NOT NULL ORDER BY id LIMIT 1"
)
MAX_QUERY_FIELDS = 500
MAX_CURRENT = 10_000
"""Links kept in memory."""

Rows = Callable[[str, Sequence[Value]], list[RowValues]]


class StoredLinks:
    """Reads through `rows`: a store's or a transaction's."""

    def __init__(self, rows: Rows, directory: Directory) -> None:
        self._rows = rows
        self._directory = directory
        self._newest = -1
        self._current: dict[int, tuple[int, Link | None]] = {}
        """By link: when it was changed last, and how it is now; as of the change `_newest`."""

    def by_id(self, link: int, at: int) -> Link | None:
        """The link as it was at `at` (epoch ms), also when it was changed or deleted later."""
        newest = self._rows(NEWEST, ())[0][0] or 0
        if newest != self._newest or len(self._current) >= MAX_CURRENT:
            self._newest = newest
            self._current.clear()
        known = self._current.get(link)
        if known is None:
            found = self._rows(BY_ID, (link,))
            changes = self._rows(LAST_CHANGE, (link,))  # after the link: a change between the two counts as one
            known = self._current[link] = (changes[0][0] or 0, from_row(found[0]) if found else None)
        return known[1] if at >= known[0] else self._earlier(link, at)

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
            query = tuple(parse_qsl(parts.query, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS))
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
        return self._long_link(address.domain, address.path, query)

    def _long_link(self, host: str, path: str, query: tuple[tuple[str, str], ...]) -> Link | None:
        try:
            if path.startswith("a/"):
                owner = self._directory.by_key(path[2:].rstrip("/"))
                return long_links.build(owner.app, host, query, test=owner.test, path=path)
            domain = self._directory.domain_of_path(host, path)
            if domain is None or path.rstrip("/") != domain.prefix or not query:
                return None
            return long_links.build(self._directory.apps[domain.app], host, query, test=domain.test, path=path)
        except (BadRequest, InvalidCredentials):
            return None
