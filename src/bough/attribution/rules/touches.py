"""Touches: a click or impression as matching and credit see it, and the link data it carries.

A touch is made from a journal row and its link once; matching then only compares fields, which keeps the synchronous
path of an open cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from msgspec import Struct, convert
from msgspec.json import Decoder

from bough.agents.agent import Agent
from bough.clicks import long_links
from bough.clicks.decision.merge import accepted, merge
from bough.clicks.query import query_of
from bough.events.identifiers import Identifier, given_on_click
from bough.links.document import full_data
from bough.links.model import DEFAULT_DURATION, Link
from bough.vocabulary.journal_rows import Click, JournalRow, needs_link
from bough.vocabulary.values import flag, whole

TouchKind = Literal["click", "impression", "prefetch", "robot"]
ParseAgent = Callable[[str], Agent]

MAX_DURATION = 2_592_000
"""Seconds; the longest deep-link duration a link may ask for (docs/links.md)."""

NOT_A_TOUCH = ("$deeplink_no_attribution", "$do_not_process")
"""Link keys by which an owner takes a link out of attribution; its data still flows."""


class Links(Protocol):
    """Where links come from. For a rebuild to equal the live reading it must answer as of the touch's time."""

    def by_id(self, link: int, at: int) -> Link | None:
        """The link as it was at `at` (epoch ms)."""

    def by_url(self, url: str, at: int) -> Link | None:
        """The link of an address on one of the app's link domains, long (dynamic) links included; else None."""

    def of_rows(self, links: Iterable[int]) -> AbstractContextManager[None]:
        """For a batch of rows that have been read: their links are read together."""


class LinkTable:
    """`Links` over a fixed set, for tests, simulation and small tools. Addresses match by host and path."""

    def __init__(self, links: Iterable[Link]) -> None:
        self._by_id: dict[int, Link] = {}
        self._by_address: dict[tuple[str, str], Link] = {}
        for link in links:
            self._by_id[link.id] = link
            self._by_address[link.domain, link.path] = link

    def by_id(self, link: int, at: int) -> Link | None:
        """The link of that id; time is ignored."""
        return self._by_id.get(link)

    def by_url(self, url: str, at: int) -> Link | None:
        """The link at that host and path; time is ignored."""
        parts = split(url)
        return None if parts is None else self._by_address.get((parts[0], parts[1]))

    def of_rows(self, links: Iterable[int]) -> AbstractContextManager[None]:
        """They are in memory."""
        return nullcontext()


class Traces(Struct, frozen=True, kw_only=True):
    """What a click or impression can be found by. Most belong to no known person: nothing more is asked of them."""

    id: int
    app: int
    test: bool
    kind: TouchKind
    ip: str
    cookie: str
    """As `Touch.cookie`."""
    given: tuple[Identifier, ...]
    """As `Touch.given`."""


class Touch(Struct, frozen=True, kw_only=True):
    """One click or impression."""

    id: int
    """`link_click_id`; for an address that opened the app without a redirect, the opening row's id."""
    app: int
    test: bool
    kind: TouchKind
    ip: str = ""
    browser: str = ""
    """The link domain's id of the browser. One that came without a cookie is given the click's own id as its cookie
    (`bough.clicks.slow_path`), and is known by it from then on."""
    given: tuple[Identifier, ...] = ()
    """Device ids given on the click."""
    at: int
    data: dict[str, Any]
    """Link data with labels, the query of this very click merged over it."""
    url: str = ""
    link: int = 0
    """Link id, 0 for long links and unknown ones."""
    duration: int = DEFAULT_DURATION * 1000
    """Milliseconds in which it can be matched to an opening."""
    once: str = ""
    """For one-time links: what may be matched only once (the link); empty for others."""
    agent: Agent = Agent(kind="browser")
    user_agent: str = ""
    referrer: str = ""
    screen: tuple[int, int] | None = None
    credit: bool = True
    """False when its owner took the link out of attribution."""
    direct: bool = False
    """The address opened the app itself: no redirect, hence no click row."""

    @property
    def cookie(self) -> str:
        """The browser's id when it came with the click: two different ones are two browsers, a missing one says
        nothing."""
        return "" if self.is_first else self.browser

    @property
    def is_first(self) -> bool:
        """Whether its browser is known by the id of this very touch."""
        return self.browser == str(self.id)

    @property
    def order(self) -> tuple[int, int]:
        """Position in the one order of all rows."""
        return (self.at, self.id)


_decode_click = Decoder(Click).decode


def traces_of(values: tuple[Any, ...], links: Links) -> Traces:
    """What the touch of a journal row's values can be found by, in a ninth of the time that `touch_of` takes."""
    identifier, at, app, test, kind, link, body = values
    click = _decode_click(body)
    stored = links.by_id(link, at) if link and needs_link(body) else None
    data = click.data if stored is None else stored.data  # the server's own keys give no ids
    if stored is not None and "?" in click.url:
        data = merged(stored, click.url)
    cookie = click.browser
    return Traces(
        id=identifier,
        app=app,
        test=bool(test),
        kind=kind,
        ip=click.ip,
        cookie="" if cookie and cookie == str(identifier) else cookie,
        given=given_on_click(data),
    )


def begins_browser(values: tuple[Any, ...], parse: ParseAgent) -> bool:
    """Whether the id of a touch's journal row became the id of its browser."""
    return _browser(_decode_click(values[6]), values[0], parse) == str(values[0])


def touch_of(row: JournalRow, links: Links, parse: ParseAgent) -> Touch:
    """The touch of a `click`, `impression`, `prefetch` or `robot` row."""
    click = convert(row.body, Click)
    stored = links.by_id(row.link, row.at) if row.link else None
    data = merged(stored, click.url) if stored is not None else dict(click.data)
    kind: TouchKind = "click"
    if row.kind in ("impression", "prefetch", "robot"):
        kind = row.kind
    return Touch(
        id=row.id,
        at=row.at,
        app=row.app,
        test=row.test,
        kind=kind,
        data=data,
        url=click.url,
        link=row.link or 0,
        duration=duration_of(stored, data, click.url),
        once=_once(row.link or 0, data, click.url),
        ip=click.ip,
        agent=parse(click.user_agent),
        user_agent=click.user_agent,
        browser=_browser(click, row.id, parse),
        referrer=click.referrer,
        given=given_on_click(data),
        credit=_credit(data),
    )


def direct_touch(row: JournalRow, url: str, link: Link, ip: str) -> Touch:
    """The touch of an app link, universal link or pasteboard address: a click that had no redirect, made now."""
    data = merged(link, url)
    return Touch(
        id=row.id,
        at=row.at,
        app=link.app,
        test=link.test,
        kind="click",
        data=data,
        url=url,
        link=link.id,
        duration=duration_of(link, data, url),
        once=_once(link.id, data, url),
        ip=ip,
        given=given_on_click(data),
        credit=_credit(data),
        direct=True,
    )


def merged(link: Link, url: str) -> dict[str, Any]:
    """The link's whole data with the query of this click over it (docs/links.md, docs/clicks.md)."""
    return full_data(merge(link, accepted(query_of(url))), url)


def duration_of(link: Link | None, data: Mapping[str, Any], url: str) -> int:
    """Deep-link duration in milliseconds: `$match_duration`, else the link's own, at most 30 days.

    A long link is not stored: its `duration` stands in its query.
    """
    said = whole(data.get("$match_duration"))
    if said is None or said <= 0:
        said = link.duration if link is not None else long_links.duration_of(query_of(url))
    return min(max(said, 1), MAX_DURATION) * 1000


def split(url: str) -> tuple[str, str] | None:
    """Host (lower case, with port) and path of an http(s) address, or None."""
    try:
        parts = urlsplit(url)
    except ValueError:  # e.g. an unclosed IPv6 bracket
        return None
    if parts.scheme.casefold() not in ("http", "https") or not parts.netloc:
        return None
    return parts.netloc.rpartition("@")[2].casefold(), parts.path.removeprefix("/")


def _browser(click: Click, identifier: int, parse: ParseAgent) -> str:
    return click.browser or (str(identifier) if parse(click.user_agent).kind == "browser" else "")


def _once(link: int, data: Mapping[str, Any], url: str) -> str:
    if not flag(data.get("$one_time_use")):
        return ""
    return str(link) if link else url


def _credit(data: Mapping[str, Any]) -> bool:
    return not any(name in data and flag(data[name]) for name in NOT_A_TOUCH)
