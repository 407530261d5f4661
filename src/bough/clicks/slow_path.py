"""Answer a click: find the link, decide, put the click on disk, then send the visitor on.

This is the slow path, for every request. The common click takes a shorter one (`bough.server.fast_paths.clicks`); both
decide with `bough.clicks.decision.decide`, write the same journal row, and answer only after the commit that holds it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bough.accounts.context import Context
from bough.accounts.directory import Credential
from bough.agents.agent import Agent
from bough.agents.recognition import parse, with_hints
from bough.clicks import hosted_files, long_links
from bough.clicks.decision import merge
from bough.clicks.decision.decide import decide
from bough.clicks.decision.location import prepare
from bough.clicks.decision.model import ClickRequest, Decision
from bough.clicks.faults import wants_page
from bough.clicks.installed import installed_query
from bough.clicks.link_cache import CachedLink, LinkCache, cached_link, keep, read_links
from bough.clicks.pages import response as show
from bough.clicks.query import Query, read_query, without
from bough.errors import InvalidCredentials, MethodNotAllowed
from bough.links.address import Address, known_host, locate
from bough.links.change import is_expired
from bough.links.document import full_data, link_url
from bough.links.queries import BY_PATH
from bough.store.journal import ON_ARRIVAL, NewRow, append_batch
from bough.vocabulary.ids import new_id, now_ms
from bough.vocabulary.journal_rows import Click
from bough.web.cookies import browser_of, cookie_value
from bough.web.prefetch import is_prefetch
from bough.web.visitor import Visitor

HINTS = {
    "platform": "sec-ch-ua-platform",
    "platform_version": "sec-ch-ua-platform-version",
    "model": "sec-ch-ua-model",
    "mobile": "sec-ch-ua-mobile",
    "form_factors": "sec-ch-ua-form-factors",
}
"""Arguments of `with_hints`, and the headers that hold them."""

_encode = msgspec.json.Encoder().encode


class ClickRequestParts(NamedTuple):
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
        self._links = context.part(LinkCache)
        self._visitors = context.visitors

    async def respond(self, request: Request) -> Response:
        """Answer any request that is not for the API."""
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            raise MethodNotAllowed("GET, HEAD, OPTIONS")
        if request.method == "OPTIONS":
            return Response(b"", 200, {"Allow": "GET, HEAD, OPTIONS"})
        host = known_host(self._context, request.headers.get("host", ""))
        path: str = request.scope["path"]
        if (hosted := self._hosted_file(path, host)) is not None:
            return Response(hosted, 200, media_type=hosted_files.CONTENT_TYPE)
        query = read_query(request.scope["query_string"].decode("latin-1"))
        address = locate(self._context.directory, host, path)
        owner, entry = await self._find(address, query)
        if owner is None:
            return show.not_found(page=wants_page(request.headers))
        secure = owner.app.is_secure(entry.link.domain if entry else "")
        visit = self._visit(request, _recorded(request, query, "https" if secure else "http"))
        installed = False
        if entry is not None and visit.browser:
            known = installed_query(entry.app.id, entry.test, visit.browser)
            installed = bool(await self._context.store.fetch(*known))
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
            click_id = await self._record(entry, decision, visit)
        wanted = wants_page(request.headers)
        response = show.answer(asked, decision, prepare(decision), click_id or new_id(), page=wanted)
        if click_id is not None and not visit.browser and visit.agent.kind == "browser":
            response.headers["set-cookie"] = cookie_value(click_id, host, https=secure)
        if request.method == "HEAD":
            response.body = b""
        return response

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

    async def _find(self, address: Address, query: Query) -> tuple[Credential | None, CachedLink | None]:
        """Whose link it is, and the link (stored, or made from the query of a long link)."""
        directory = self._context.directory
        if address.path.startswith("a/"):
            try:
                owner = directory.by_key(address.path[2:].rstrip("/"))
            except InvalidCredentials:
                return None, None
            if not self._has_links_on(owner, address.domain):
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

    def _has_links_on(self, owner: Credential, host: str) -> bool:
        """Whether an app's long links are answered on a host: its own ones and the server's. Otherwise one app's key
        would lead past another's allowlist from that one's domain."""
        return host == self._context.own_host or any(domain.host == host for domain in owner.app.domains)

    async def _stored(self, address: Address) -> CachedLink | None:
        entry = self._links.get(address.domain, address.path)
        if entry is None or is_expired(entry.link, entry.app, now_ms()):
            links = await read_links(self._context, BY_PATH, (address.domain, address.path))
            entry = keep(self._context, links[0]) if links else None
        return None if entry is None or is_expired(entry.link, entry.app, now_ms()) else entry

    def _dynamic(self, owner: Credential, address: Address, query: Query) -> CachedLink:
        link = long_links.build(owner.app, address.domain, query, test=owner.test, path=address.path)
        return cached_link(link, owner.app)

    def _visit(self, request: Request, url: str) -> ClickRequestParts:
        headers = request.headers
        user_agent = headers.get("user-agent", "")
        country = self._context.settings.country_header
        hints = {name: headers.get(header, "") for name, header in HINTS.items()}
        return ClickRequestParts(
            url=url,
            agent=with_hints(parse(user_agent), **hints),
            user_agent=user_agent,
            visitor=self._visitors.visitor(
                request.client.host if request.client else "",
                ",".join(headers.getlist("x-forwarded-for")).encode("latin-1"),
                headers.get(country, "").encode("latin-1") if country else b"",
            ),
            referrer=headers.get("referer", ""),
            browser=browser_of(headers.get("cookie")),
            prefetch=is_prefetch(headers.raw),
        )

    async def _record(self, entry: CachedLink, decision: Decision, visit: ClickRequestParts) -> int:
        """Put the click on disk; returns its id."""
        link = entry.link
        click = Click(
            plain=entry.plain,
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


def _recorded(request: Request, query: Query, scheme: str) -> str:
    """The address as it was asked for, without credentials: those are kept nowhere."""
    url = str(request.url.replace(scheme=scheme))
    return url if merge.REFUSED.isdisjoint(key for key, _ in query) else without(url, merge.REFUSED)


def _row_kind(agent: Agent) -> Literal["click", "robot"]:
    return "robot" if agent.kind in ("robot", "social") else "click"
