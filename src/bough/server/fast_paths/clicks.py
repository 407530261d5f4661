"""The fast path of a click: from the request's bytes to the journal and the redirect, without an ASGI cycle.

It answers the common click, a plain GET of a stored link that ends in a redirect, and leaves everything else to
`bough.clicks.slow_path`, which decides in the same way and writes the same journal row. On PostgreSQL it knows only the
links that are in memory; SQLite is asked at once, which takes less time than handing the request over.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from email.utils import formatdate
from sys import intern

import msgspec
from msgspec import Struct

from bough.accounts.context import Context
from bough.agents.agent import Agent
from bough.clicks.faults import fault_response
from bough.clicks.installed import installed_query
from bough.clicks.link_cache import CachedLink, LinkCache, keep
from bough.clicks.plans import Known, Plans
from bough.links.address import known_host, locate
from bough.links.codec import from_row
from bough.links.queries import BY_PATH
from bough.store.journal import ON_ARRIVAL, NewRow, append_batch
from bough.store.sqlite import SqliteStore
from bough.vocabulary.ids import now_ms
from bough.vocabulary.journal_rows import Click
from bough.vocabulary.reserved_paths import RESERVED_FIRST_SEGMENTS
from bough.web.cookies import browser_of
from bough.web.errors import error_response
from bough.web.prefetch import may_be_prefetch

Headers = list[tuple[bytes, bytes]]

MAX_HOSTS = 1000

DECLINED = frozenset(
    {
        *(b"sec-ch-ua-model", b"sec-ch-ua-platform-version", b"sec-ch-ua-form-factors"),
        *(b"expect", b"content-length", b"transfer-encoding"),
    }
)
"""Headers of requests that are no plain clicks, besides those of `bough.web.prefetch`. The two hints that Chromium
sends with every request are compared with what the User-Agent says; others say nothing of the device."""

HEADERS = b"\r\ncache-control: no-store\r\ncontent-length: 0"
COOKIE = HEADERS + b"\r\nset-cookie: _s="
END = b"\r\n\r\n"

_PLAIN_PATH = re.compile(r"/[A-Za-z0-9_~-][A-Za-z0-9_.~/-]*")
_PLAIN_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?")
_encode = msgspec.json.Encoder().encode


class ClickHeaders(Struct, frozen=True, gc=False):
    """What a request's headers say of the caller."""

    host: str
    agent: Known
    referrer: str
    browser: str
    """The id in its cookie, or empty."""
    forwarded: bytes
    country: bytes
    """Values of X-Forwarded-For and of the country header, which may not be believed."""


class ClickFastPath:
    """Answers common clicks for one process; see `bough.web.protocol.FastPath`."""

    def __init__(self, context: Context, plans: Plans) -> None:
        self._context = context
        self._links = context.part(LinkCache)
        self._plans = plans
        self._country_header = context.settings.country_header.lower().encode()
        self._hosts: dict[str, str | None] = {}
        """Where the links of a Host header are stored; None: the fast path does not know."""
        self._hosts_of = context.directory.loads
        self._local = context.store if isinstance(context.store, SqliteStore) else None
        """The store, if it is asked at once."""
        self._second = 0
        self._head = b""

    def caller(self, headers: Headers) -> ClickHeaders | None:
        """Who sends these headers; None when the slow path must look at them."""
        found = dict(headers)
        if len(found) != len(headers) or not DECLINED.isdisjoint(found) or may_be_prefetch(found):
            return None  # what repeated headers mean is for the slow path to know
        agent = self._plans.known(found.get(b"user-agent", b""))
        platform = found.get(b"sec-ch-ua-platform")
        if platform is not None and (platform, found.get(b"sec-ch-ua-mobile")) != agent.hints:
            return None  # a browser in disguise
        cookie = found.get(b"cookie")
        forwarded = found.get(b"x-forwarded-for", b"")
        return ClickHeaders(
            host=found.get(b"host", b"").decode("latin-1"),
            agent=agent,
            referrer=found.get(b"referer", b"").decode("latin-1"),
            browser=browser_of(cookie.decode("latin-1")) if cookie else "",
            forwarded=forwarded,
            country=found.get(self._country_header, b""),
        )

    def __call__(self, url: bytes, headers: Headers, peer: str, send: Callable[[bytes], None]) -> bool:
        """Answer the request, when it is a common click; False when the slow path must."""
        path = url.decode("latin-1")
        caller = self.caller(headers) if _PLAIN_PATH.fullmatch(path) is not None else None
        if caller is None:
            return False
        entry = self._entry(caller.host, path[1:])
        if entry is None or (entry.expires_at is not None and entry.expires_at <= now_ms()):
            return False
        browser, agent = caller.browser, caller.agent
        if browser and self._local is None:
            return False
        app = entry.app.id
        installed = bool(browser) and bool(self._context.store.rows(*installed_query(app, entry.test, browser)))
        visitor = self._context.visitors.visitor(peer, caller.forwarded, caller.country)
        plan = self._plans.plan(entry, agent, visitor.country, False, installed)
        if not plan.redirects:
            return False
        click = Click(
            plain=entry.plain,
            url=f"{entry.scheme}://{caller.host}{path}",
            user_agent=agent.text,
            ip=visitor.ip,
            country=visitor.country,
            referrer=caller.referrer,
            browser=browser,
            rule=plan.rule,
        )
        row = NewRow(ON_ARRIVAL, app, int(entry.test), plan.kind, entry.id, _encode(click).decode())
        location = plan.location
        cookie_end = entry.cookie_end if not browser and agent.agent.kind == "browser" else None

        def answer(result: int | Exception) -> None:
            if isinstance(result, Exception):
                send(_failure(result, agent.agent))
                return
            click_id = b"%d" % result
            head = self._status_line()
            if cookie_end is None:
                send(b"".join((head, click_id.join(location), HEADERS, END)))
            else:
                send(b"".join((head, click_id.join(location), COOKIE, click_id, cookie_end, END)))

        self._context.store.submit(append_batch, row, answer, light=True)
        return True

    def _entry(self, host: str, path: str) -> CachedLink | None:
        """The link that is asked for, when it can be had without waiting."""
        context = self._context
        context.refresh()
        if self._hosts_of != context.directory.loads:
            self._hosts_of = context.directory.loads
            self._hosts.clear()
        domain = self._hosts.get(host, "")
        if domain == "":
            domain = self._learn(host)
        if domain is None:
            return None
        entry = self._links.get(domain, path)
        if entry is not None or self._local is None or path.partition("/")[0] in RESERVED_FIRST_SEGMENTS:
            return entry
        rows = self._local.find(BY_PATH, (domain, path))
        return keep(context, from_row(rows[0])) if rows else None

    def _learn(self, host: str) -> str | None:
        """Alternate and web-only hosts, and texts that are no host, take the slow path."""
        name = known_host(self._context, host)
        address = locate(self._context.directory, name, "")
        domain = self._context.directory.domain(name)
        is_alternate = domain is not None and domain.kind == "alternate"
        plain = _PLAIN_HOST.fullmatch(host) and not address.web_only and not is_alternate
        if len(self._hosts) >= MAX_HOSTS:
            self._hosts.clear()
        self._hosts[host] = intern(address.domain) if plain else None
        return self._hosts[host]

    def _status_line(self) -> bytes:
        """The beginning of every answer; the date changes once a second."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            date = formatdate(second, usegmt=True).encode()
            self._head = b"HTTP/1.1 307 Temporary Redirect\r\ndate: %b\r\nlocation: " % date
        return self._head


def _failure(error: Exception, agent: Agent) -> bytes:
    """An error as it goes over the wire: a page, or the error object for programs."""
    response = error_response(error) if agent.kind == "program" else fault_response(error)
    lines = [b"HTTP/1.1 %d Error" % response.status_code]
    lines += [name + b": " + value for name, value in response.raw_headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + bytes(response.body)
