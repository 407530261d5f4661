"""List and search links: newest first, page by page, with their kept counts.

A page is cut by id, so it stays where it is while links are made and deleted. Links of one app and environment are a
range of an index, and a listing is the merge of such ranges: the first page of a million links costs what the first
page of a hundred costs. A search has to look at rows that it does not show; it looks at some ten thousand at a time and
stops after SEARCH_SECONDS, giving what it has and the place to go on from.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from bough.links import queries
from bough.links.codec import from_row
from bough.links.document import title
from bough.links.model import LABELS, Link
from bough.store.database import Rows
from bough.store.transaction import Value

WINDOW = 20_000
"""Links that a search looks at with one query."""

SEARCH_SECONDS = 2.0
"""After so long a page is given as far as it is."""

MAX_STREAMS = 400
"""(app, environment) pairs of one listing; SQLite takes 500."""

_NEWEST = 2**63 - 1


class Filters(Struct, frozen=True, kw_only=True):
    """What the links of a listing have in common; None: anything. Times are epoch milliseconds."""

    channel: str | None = None
    feature: str | None = None
    campaign: str | None = None
    stage: str | None = None
    tag: str | None = None
    type: int | None = None
    created_after: int | None = None
    """Inclusive; `created_before` is exclusive."""
    created_before: int | None = None
    search: str | None = None
    """Text in the path (so also the alias), title or campaign, whatever the case of its letters."""


class Listing(Struct, frozen=True, kw_only=True):
    """One page that is asked for."""

    streams: tuple[tuple[int, bool], ...]
    """(app, test) pairs."""
    filters: Filters = Filters()
    limit: int = 100
    cursor: int | None = None
    """Only links with smaller ids."""
    admits: Callable[[Link], bool] | None = None
    """Which links may be shown at all; None: all."""


class Listed(NamedTuple):
    """A link with its kept counts."""

    link: Link
    clicks: int
    last_click_at: int | None
    """Epoch milliseconds."""


class ListingPage(NamedTuple):
    """Links, newest first, and the cursor of the next page: None when there is none."""

    links: list[Listed]
    next_cursor: int | None


def list_links(rows: Rows, listing: Listing) -> ListingPage:
    """The page. May hold less than `limit` links, also none, and still have a next one, when a search takes long."""
    if not listing.streams:
        return ListingPage([], None)
    filters = {name: value for name, value in msgspec.structs.asdict(listing.filters).items() if value is not None}
    if filters or listing.admits is not None:
        return _search(rows, listing, filters)
    found = _fetch(rows, listing, {}, listing.cursor or _NEWEST, 0, listing.limit + 1)
    more = len(found) > listing.limit
    return ListingPage(found[: listing.limit], found[listing.limit - 1].link.id if more else None)


def matches(link: Link, filters: Filters) -> bool:
    """Whether a link is meant by the filters."""
    wanted = filters.search.lower() if filters.search is not None else ""
    return (
        all(getattr(filters, name) in (None, getattr(link, name)) for name in (*LABELS, "type"))
        and (filters.tag is None or filters.tag in link.tags)
        and (filters.created_after is None or link.created_at >= filters.created_after)
        and (filters.created_before is None or link.created_at < filters.created_before)
        and any(wanted in (text or "").lower() for text in (link.path, title(link), link.campaign))
    )


def _is_wanted(link: Link, listing: Listing) -> bool:
    return matches(link, listing.filters) and (listing.admits is None or listing.admits(link))


def find_by_id(rows: Rows, identifier: int) -> Listed | None:
    """The stored link with an id, expired or not."""
    found = rows(queries.BY_ID, (identifier,))
    return _listed(found[0]) if found else None


def _search(rows: Rows, listing: Listing, filters: dict[str, str | int]) -> ListingPage:
    deadline = time.monotonic() + SEARCH_SECONDS
    before = listing.cursor or _NEWEST
    wanted = listing.limit + 1
    size = max(listing.limit, WINDOW // len(listing.streams))
    found: list[Listed] = []
    while True:
        oldest, count = _window(rows, listing, before, size)
        if not count:
            return ListingPage(found, None)
        missing = wanted - len(found)
        candidates = _fetch(rows, listing, filters, before, oldest, missing)
        found += [listed for listed in candidates if _is_wanted(listed.link, listing)]
        before = candidates[-1].link.id if len(candidates) == missing else oldest
        if len(found) == wanted:
            return ListingPage(found[:-1], found[-2].link.id)
        if before == oldest and count < size:
            return ListingPage(found, None)
        if time.monotonic() > deadline:
            return ListingPage(found, before)


def _window(rows: Rows, listing: Listing, before: int, size: int) -> tuple[int, int]:
    values: list[Value] = []
    for app, test in listing.streams:
        values += [app, int(test), before, size]
    oldest, count = rows(queries.window(len(listing.streams)), (*values, size))[0]
    return oldest or 0, count


def _fetch(
    rows: Rows, listing: Listing, filters: dict[str, str | int], before: int, oldest: int, limit: int
) -> list[Listed]:
    asked = [value for name, given in filters.items() for value in _values(name, given)]
    values: list[Value] = []
    for app, test in listing.streams:
        values += [app, int(test), before, oldest, *asked, limit]
    return [_listed(row) for row in rows(queries.page(len(listing.streams), tuple(filters)), (*values, limit))]


def _values(name: str, value: str | int) -> list[Value]:
    if name == "tag":
        return [f"%{_pattern(_quoted(str(value)))}%"]
    if name == "search":
        plain, quoted = (f"%{_pattern(text.lower())}%" for text in (str(value), _quoted(str(value))[1:-1]))
        return [plain, plain, quoted]
    return [value]


def _quoted(text: str) -> str:
    """As the text stands in stored JSON."""
    return msgspec.json.encode(text).decode()


def _pattern(text: str) -> str:
    """For LIKE. Databases fold the case of ASCII letters only, so any other letter stands for any character."""
    return "".join(f"!{c}" if c in "!%_" else c if c.isascii() else "_" for c in text)


def _listed(row: tuple[Any, ...]) -> Listed:
    return Listed(from_row(row), row[-2] or 0, row[-1])
