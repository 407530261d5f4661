"""Answer a click: find the link, decide, put the click on disk, then send the visitor on.

Two ways lead here. `Clicks.respond` handles every request. `Clicks.shortcut` handles the common one (a plain GET of a
known link that ends in a redirect) from the request's bytes, before uvicorn makes an ASGI cycle of it; whatever it
does not know at once it leaves to `respond`. Both decide with `bough.clicks.decide` and write the same journal row, and
both answer only after the commit that holds it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bough.accounts.directory import Credential
from bough.accounts.model import App
from bough.clicks import hosted_files, long_links, show
from bough.clicks.agent import Agent
from bough.clicks.agents import parse
from bough.clicks.cache import Entry
from bough.clicks.decide import decide
from bough.clicks.decision import ClickRequest, Decision
from bough.clicks.location import Prepared, prepare
from bough.errors import BadRequest, InvalidCredentials, MethodNotAllowed
from bough.ids import new_id, now_ms
from bough.journal import Click, RowKind
from bough.links.address import Address, locate
from bough.links.change import is_expired
from bough.links.codec import from_row
from bough.links.document import full_data, link_url
from bough.links.model import Link
from bough.links.queries import BY_PATH
from bough.sdk.opens import installed_key
from bough.store.journal import ON_ARRIVAL, NewRow, append_batch
from bough.store.sqlite import SqliteStore
from bough.web.context import Context
from bough.web.cookies import browser_of, cookie_value
from bough.web.errors import error_response
from bough.web.visitor import Visitor

MAX_QUERY_FIELDS = 200
MAX_ADDRESSES = 100_000
_PREFETCH = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
_encode = msgspec.json.Encoder().encode

Headers = list[tuple[bytes, bytes]]

KNOWN_INSTALLED = "SELECT opening FROM device_key WHERE id = ?"


class Plan(NamedTuple):
    """What happens to like visitors of a link: the decision and, for redirects, the address but for the click id."""

    decision: Decision
    prepared: Prepared
    kind: RowKind


class Visit(NamedTuple):
    """One request for a link."""

    url: str
    agent: Agent
    user_agent: str
    visitor: Visitor
    referrer: str
    browser: str
    """The `_s` cookie's id, or empty."""
    prefetch: bool


class Clicks:
    """Answers clicks for one process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._visitors = context.visitors
        self._addresses: dict[tuple[bytes, bytes], Address] = {}
        self._reads_at_once = isinstance(context.store, SqliteStore)
        self._second = 0
        self._date = b""

    # The short way.

    def shortcut(self, url: bytes, headers: Headers, peer: str, send: Callable[[bytes], None]) -> bool:
        """Answer a plain GET of a known link; False when `respond` must."""
        if b"?" in url or b"#" in url:
            return False
        host = user_agent = forwarded = referrer = cookie = country = b""
        for name, value in headers:
            if name == b"host":
                host = value
            elif name == b"user-agent":
                user_agent = value
            elif name == b"cookie":
                cookie = value
            elif name == b"referer":
                referrer = value
            elif name == b"x-forwarded-for":
                forwarded = forwarded + b"," + value if forwarded else value
            elif name in (b"purpose", b"sec-purpose", b"x-moz", b"expect", b"content-length", b"transfer-encoding"):
                return False
            elif self._visitors.is_country_header(name):
                country = value
        self._context.refresh()
        address = self._addresses.get((host, url))
        entry = self._entry_now(address) if address is not None else None
        if entry is None or address is None or is_expired(entry.link, entry.app, now_ms()):
            return False
        browser = browser_of(cookie.decode("latin-1")) if cookie else ""
        if browser and not self._reads_at_once:
            return False
        installed = bool(browser) and bool(self._context.store.rows(*_installed_query(entry, browser)))
        agent = parse(user_agent.decode("latin-1"))
        visitor = self._visitors.visitor(peer, forwarded, country)
        plan = self._plan(entry, agent, visitor.country, address.web_only, installed)
        if plan.decision.kind != "redirect" or not plan.decision.process:
            return False
        click = Click(
            url=_asked_address(entry.app, entry.link, host, url),
            user_agent=user_agent.decode("latin-1"),
            ip=visitor.ip,
            country=visitor.country,
            referrer=referrer.decode("latin-1"),
            browser=browser,
            rule=plan.decision.rule,
        )
        row = NewRow(
            ON_ARRIVAL, entry.link.app, int(entry.link.test), plan.kind, entry.link.id, _encode(click).decode()
        )
        mints = not browser and agent.kind == "browser"
        secure = address_is_secure(entry.app, entry.link)

        def answer(result: int | Exception) -> None:
            send(self._redirect_bytes(plan.prepared, result, mints, secure))

        self._context.store.submit(append_batch, row, answer)
        return True

    def _entry_now(self, address: Address) -> Entry | None:
        """The entry of a stored link, when it can be had without waiting."""
        entry = self._context.links.get(address.domain, address.path)
        if entry is None and self._reads_at_once:
            entry = self._keep(self._context.store.rows(BY_PATH, (address.domain, address.path)))
        return entry

    def _redirect_bytes(self, prepared: Prepared, result: int | Exception, mints: bool, secure: bool) -> bytes:
        if isinstance(result, Exception):
            return _as_bytes(error_response(result))
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._date = (
                b"HTTP/1.1 307 Temporary Redirect\r\ndate: %s\r\nlocation: " % formatdate(second, usegmt=True).encode()
            )
        cookie = f"\r\nset-cookie: {cookie_value(result, secure)}".encode() if mints else b""
        return b"".join(
            (
                self._date,
                prepared.url(result).encode("ascii"),
                b"\r\ncache-control: no-store\r\ncontent-length: 0",
                cookie,
                b"\r\n\r\n",
            )
        )

    # The whole way.

    async def respond(self, request: Request) -> Response:
        """Answer any request that is not for the API."""
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            raise MethodNotAllowed("GET, HEAD, OPTIONS")
        if request.method == "OPTIONS":
            return Response(b"", 200, {"Allow": "GET, HEAD, OPTIONS"})
        host = self.known_host(request)
        path: str = request.scope["path"]
        if (hosted := self._hosted_file(path, host)) is not None:
            return Response(hosted, 200, media_type=hosted_files.CONTENT_TYPE)
        query = _query(request.scope["query_string"])
        address = locate(self._context.directory, host, path)
        owner, entry = await self._find(address, query)
        if owner is None:
            return show.not_found(parse(request.headers.get("user-agent", "")))
        if entry is not None and entry.link.id:
            self._remember(request, address)
        secure = address_is_secure(owner.app, entry.link if entry else None)
        visit = self._visit(request, str(request.url.replace(scheme="https" if secure else "http")))
        installed = False
        if entry is not None and visit.browser:
            installed = bool(await self._context.store.fetch(*_installed_query(entry, visit.browser)))
        asked = ClickRequest(
            app=owner.app,
            link=entry.link if entry else None,
            agent=visit.agent,
            test=owner.test,
            query=query,
            web_only=address.web_only,
            country=visit.visitor.country,
            installed=installed,
            link_url=link_url(entry.link, owner.app) if entry else "",
            from_button=self._is_alternate(host),
        )
        decision = decide(asked)
        if ("debug", "1") in query and entry is not None:
            return show.debug(asked, decision, visit.user_agent)
        click_id = None
        if request.method == "GET" and entry is not None and decision.process:
            click_id = await self._record(entry.link, decision, visit)
        response = show.answer(asked, decision, prepare(decision), click_id or new_id())
        if click_id is not None and not visit.browser and visit.agent.kind == "browser":
            response.headers["set-cookie"] = cookie_value(click_id, secure)
        if request.method == "HEAD":
            response.body = b""
        return response

    def known_host(self, request: Request) -> str:
        """The Host header, or the server's own host when no app has links there."""
        host = request.headers.get("host", "").lower()
        directory = self._context.directory
        if directory.knows_host(host) or directory.knows_host(locate(directory, host, "").domain):
            return host
        return self._context.settings.base_url.partition("://")[2].rstrip("/").lower()

    def _hosted_file(self, path: str, host: str) -> bytes | None:
        directory = self._context.directory
        if path in hosted_files.APPLE_PATHS:
            main = directory.main_host(host)
            return hosted_files.apple_app_site_association(directory.on_host(main), main)
        if path == hosted_files.ANDROID_PATH:
            return hosted_files.assetlinks(directory.on_host(directory.main_host(host)))
        return None

    def _is_alternate(self, host: str) -> bool:
        domain = self._context.directory.domain(host)
        return domain is not None and domain.kind == "alternate"

    async def _find(
        self, address: Address, query: tuple[tuple[str, str], ...]
    ) -> tuple[Credential | None, Entry | None]:
        """Whose link it is, and the link (stored, or made from the query of a long link)."""
        directory = self._context.directory
        if address.path.startswith("a/"):
            try:
                owner = directory.by_key(address.path[2:].rstrip("/"))
            except InvalidCredentials:
                return None, None
            return owner, self._dynamic(owner, address, query)
        domain = directory.domain_of_path(address.domain, address.path)
        if domain is None:
            return None, None
        owner = Credential(directory.apps[domain.app], domain.test)
        if address.path.rstrip("/") == domain.prefix:
            return owner, self._dynamic(owner, address, query) if query else None
        entry = await self._stored(address)
        if entry is None:
            return owner, None
        return Credential(entry.app, entry.link.test), entry

    async def _stored(self, address: Address) -> Entry | None:
        entry = self._context.links.get(address.domain, address.path)
        if entry is None or is_expired(entry.link, entry.app, now_ms()):
            while True:
                seen = self._context.seen
                rows = await self._context.store.fetch(BY_PATH, (address.domain, address.path))
                self._context.refresh()
                if seen == self._context.seen:
                    break  # nothing changed while we read, so what was read may be kept
            entry = self._keep(rows)
        return None if entry is None or is_expired(entry.link, entry.app, now_ms()) else entry

    def _keep(self, rows: list[tuple[object, ...]]) -> Entry | None:
        if not rows:
            return None
        link = from_row(rows[0])
        entry = Entry(link, self._context.directory.apps[link.app])
        self._context.links.put(entry)
        return entry

    def _dynamic(self, owner: Credential, address: Address, query: tuple[tuple[str, str], ...]) -> Entry:
        link = long_links.build(owner.app, address.domain, query, test=owner.test, path=address.path)
        return Entry(link, owner.app)

    def _visit(self, request: Request, url: str) -> Visit:
        headers = request.headers
        user_agent = headers.get("user-agent", "")
        country = self._context.settings.country_header
        marks = " ".join(headers.get(name, "") for name in ("purpose", "sec-purpose", "x-moz"))
        return Visit(
            url=url,
            agent=parse(user_agent),
            user_agent=user_agent,
            visitor=self._visitors.visitor(
                request.client.host if request.client else "",
                ",".join(headers.getlist("x-forwarded-for")).encode("latin-1"),
                headers.get(country, "").encode("latin-1") if country else b"",
            ),
            referrer=headers.get("referer", ""),
            browser=browser_of(headers.get("cookie")),
            prefetch=_PREFETCH.search(marks) is not None,
        )

    async def _record(self, link: Link, decision: Decision, visit: Visit) -> int:
        """Put the click on disk; returns its id."""
        click = Click(
            url=visit.url,
            user_agent=visit.user_agent,
            ip=visit.visitor.ip,
            country=visit.visitor.country,
            referrer=visit.referrer,
            browser=visit.browser,
            rule=decision.rule,
            data={} if link.id else full_data(link, visit.url),
        )
        row = NewRow(
            ON_ARRIVAL,
            link.app,
            int(link.test),
            "prefetch" if visit.prefetch else _row_kind(visit.agent),
            link.id or None,
            _encode(click).decode(),
        )
        return await self._context.store.write(append_batch, row)

    def _plan(self, entry: Entry, agent: Agent, country: str, web_only: bool, installed: bool) -> Plan:
        # Versions do not matter to a decision; leaving them out keeps the plans of a link few.
        model = agent.model if agent.os == "ios" else ""
        key = (agent.kind, agent.os, agent.device, agent.brand, model, agent.browser, country, web_only, installed)
        plan: Plan | None = entry.plans.get(key)
        if plan is None:
            asked = ClickRequest(
                app=entry.app,
                link=entry.link,
                agent=agent,
                test=entry.link.test,
                web_only=web_only,
                country=country,
                installed=installed,
                link_url=link_url(entry.link, entry.app),
            )
            decision = decide(asked)
            plan = Plan(decision, prepare(decision), _row_kind(agent))
            entry.plans[key] = plan
        return plan

    def _remember(self, request: Request, address: Address) -> None:
        """Let the short way know which link these bytes name."""
        host = request.headers.get("host", "").encode("latin-1")
        if not self._context.directory.knows_host(host.decode("latin-1").lower()) or self._is_alternate(
            host.decode("latin-1").lower()
        ):
            return
        if len(self._addresses) >= MAX_ADDRESSES:
            self._addresses.clear()
        self._addresses[host, request.scope["raw_path"]] = address


def _query(text: bytes) -> tuple[tuple[str, str], ...]:
    """The decoded pairs of a query. Raises BadRequest when there are more than MAX_QUERY_FIELDS."""
    try:
        return tuple(parse_qsl(text.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS))
    except ValueError as error:
        raise BadRequest(f"The query must have at most {MAX_QUERY_FIELDS} fields.") from error


def _installed_query(entry: Entry, browser: str) -> tuple[str, tuple[int, ...]]:
    """Finds a row when the browser is on a device that has opened the app."""
    return KNOWN_INSTALLED, (installed_key(entry.link.app, entry.link.test, browser),)


def address_is_secure(app: App, link: Link | None) -> bool:
    """Whether the link's domain is served over https."""
    host = link.domain if link else ""
    return next((domain.scheme == "https" for domain in app.domains if domain.host == host), True)


def _row_kind(agent: Agent) -> Literal["click", "robot"]:
    return "robot" if agent.kind in ("robot", "social") else "click"


def _asked_address(app: App, link: Link, host: bytes, target: bytes) -> str:
    """The address as the visitor's browser showed it; a proxy in front may have taken the TLS away."""
    scheme = b"https://" if address_is_secure(app, link) else b"http://"
    return (scheme + host + target).decode("latin-1")


def _as_bytes(response: Response) -> bytes:
    """A response as it goes over the wire."""
    lines = [b"HTTP/1.1 %d Error" % response.status_code]
    lines += [name + b": " + value for name, value in response.raw_headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + bytes(response.body)
