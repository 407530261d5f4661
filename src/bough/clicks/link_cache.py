"""Links kept in memory by each process: those that were clicked, and those that it has read in (`reading_in`).

Entries are dropped when their link changes (`bough.accounts.context`), and when the cache is full the oldest few of the
domain that has most. An entry also keeps what was decided for it, so that the next like visitor costs a dictionary
lookup: a link that is in memory takes a third of the time of one that is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from bough.accounts.context import Context
from bough.accounts.model import App
from bough.clicks.decision.link_shapes import shape_number
from bough.clicks.decision.location import referrer_pair
from bough.events.identifiers import given_on_click
from bough.links.codec import from_row
from bough.links.document import short_url
from bough.links.model import Link
from bough.machine import memory_bytes
from bough.store.transaction import Value
from bough.web.cookies import cookie_end

MEMORY_SHARE = 8
"""The workers together may fill this part of the memory with links."""

BYTES_OF_LINK = 2048
"""With two targets, four labels and one kind of visitor, its place in the dictionary included."""

BYTES_OF_DATA = 512
"""Bytes of JSON that take as much memory once they are read; a link with more of them counts as several."""

MIN_LINKS = 10_000

DROPPED_AT_ONCE = 256
"""Links that make room together: a tenth of a million would hold up all clicks for 70 ms."""


class CachedLink(Struct, gc=False):
    """A link, its app, and the plans made for its visitors (`bough.clicks.plans`).

    There may be a million of them: the garbage collector does not look through them (nothing in them points back). What
    a click needs stands in the entry itself, since every further object is one more that the processor waits for; so
    does the first plan, as most links are clicked by one class of visitors.
    """

    id: int
    """The link's, as the next one."""
    test: bool
    link: Link
    app: App
    expires_at: int | None
    scheme: str
    """`https` or `http`."""
    plain: bool
    """`bough.vocabulary.journal_rows.Click.plain`."""
    cookie_end: bytes
    referrer: bytes
    """What is appended to a web target behind the click's id. It takes a third of a first click's decision, so it is
    made when the link is read; empty for an app that appends nothing."""
    shape: int
    """`shape_number` of the link."""
    weight: int
    """As how many links it counts."""
    visitors: int = -1
    """The class of visitors that `plan` is for; negative: there is none."""
    plan: Any = None
    others: dict[int, Any] | None = None
    """Plans of other classes."""


_encode = msgspec.json.Encoder().encode


def cached_link(link: Link, app: App) -> CachedLink:
    """A link as it is kept, without plans."""
    is_secure = app.is_secure(link.domain)
    scheme = "https" if is_secure else "http"
    return CachedLink(
        link.id,
        link.test,
        link,
        app,
        link.expires_at if app.config.expiry_days else None,
        scheme,
        bool(link.id) and "~cost" not in link.data and not given_on_click(link.data),
        cookie_end(link.domain, https=is_secure),
        b"&" + referrer_pair(short_url(link, scheme)) if app.config.append_match_params else b"",
        shape_number(link),
        1 + len(_encode(link.data)) // BYTES_OF_DATA,
    )


def links_of_worker(workers: int) -> int:
    """How many links one of so many workers may keep."""
    return max(MIN_LINKS, memory_bytes() // MEMORY_SHARE // BYTES_OF_LINK // workers)


class LinkCache:
    """Entries by stored address (domain, path), at most `limit`; 0: as many as a single worker may keep."""

    def __init__(self, limit: int) -> None:
        self.limit = limit or links_of_worker(1)
        self._domains: dict[str, dict[str, CachedLink]] = {}
        """By domain and then by path: a pair for a key is one more object of each link."""
        self._weight = 0
        self.cleared = 0
        """How often everything was dropped."""

    def __len__(self) -> int:
        return sum(len(entries) for entries in self._domains.values())

    @property
    def has_room(self) -> bool:
        """Whether links may be read in that nobody has asked for: the last part is for those that are asked for."""
        return self._weight < self.limit - self.limit // 16

    def get(self, domain: str, path: str) -> CachedLink | None:
        """The entry, or None when it must be read from the store."""
        entries = self._domains.get(domain)
        return None if entries is None else entries.get(path)

    def put(self, entry: CachedLink) -> None:
        """Keep an entry that was just read."""
        domain, path = entry.link.domain, entry.link.path
        self.forget(domain, path)
        while self._weight and self._weight + entry.weight > self.limit:
            fullest = max(self._domains, key=lambda one: len(self._domains[one]))
            at_once = max(1, min(self.limit // 10, DROPPED_AT_ONCE))
            for oldest in list(islice(self._domains[fullest], at_once)):
                self.forget(fullest, oldest)
        self._domains.setdefault(domain, {})[path] = entry
        self._weight += entry.weight

    def forget(self, domain: str, path: str) -> None:
        """Drop a link that has changed."""
        gone = self._domains[domain].pop(path, None) if domain in self._domains else None
        if gone is not None:
            self._weight -= gone.weight

    def clear(self) -> None:
        """Drop everything: an app has changed."""
        self._domains.clear()
        self._weight = 0
        self.cleared += 1


async def read_links(context: Context, sql: str, params: Sequence[Value]) -> list[Link]:
    """Links as they are when it returns: what is read may be kept until it changes."""
    while True:
        seen = context.seen
        rows = await context.store.fetch(sql, params)
        context.refresh()
        if seen == context.seen:  # nothing changed while we read
            return [from_row(row) for row in rows]


def keep(context: Context, link: Link) -> CachedLink:
    """Keep a stored link in memory until it changes."""
    entry = cached_link(link, context.directory.apps[link.app])
    context.part(LinkCache).put(entry)
    return entry
