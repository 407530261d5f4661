"""POST /api/decide: the same as the `?debug=1` page, as JSON."""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec import Struct
from starlette.responses import Response

from bough.accounts.call import Call
from bough.accounts.directory import Credential, Directory
from bough.agents.recognition import parse
from bough.clicks import long_links
from bough.clicks.decision.decide import ClickRequest, Decision, decide
from bough.clicks.decision.explain import PLATFORMS, Platform
from bough.clicks.query import Query, query_of, read_query
from bough.errors import BadRequest, InvalidCredentials, NotFound
from bough.links import actions
from bough.links.address import Address, parse_address
from bough.links.change import is_expired
from bough.links.document import link_url
from bough.links.model import Link
from bough.links.visibility import sees_link
from bough.vocabulary.ids import now_ms
from bough.web.responses import json_response

MAX_USER_AGENT = 1024
MAX_QUERY_FIELDS = 200


class DecideRequest(Struct, frozen=True, kw_only=True):
    """A checked body."""

    url: str
    query: Query
    platforms: tuple[Platform, ...]
    """Who is asked for."""
    country: str


class FoundLink(NamedTuple):
    """Whose address it is, and the link there."""

    owner: Credential
    link: Link | None


async def decide_link(call: Call) -> Response:
    """POST /api/decide."""
    user = call.user()
    question = parse_question(await call.object())
    address = parse_address(question.url, call.context.directory)
    found = await _find(call, address, question.query)
    if not user.sees(found.owner.app) or (user.filters and (found.link is None or not sees_link(user, found.link))):
        raise NotFound
    url = link_url(found.link, found.owner.app) if found.link is not None and found.link.id else question.url
    decisions = [
        as_document(platform, decide(_request(found, platform, question, address, url)))
        for platform in question.platforms
    ]
    link = None if found.link is None else {"id": str(found.link.id) if found.link.id else None, "url": url}
    return json_response({"link": link, "decisions": decisions})


def parse_question(body: dict[str, Any]) -> DecideRequest:
    """Check the body. Raises BadRequest naming the field."""
    for name in ("user_agent", "country", "url"):
        if body.get(name) is not None and not isinstance(body[name], str):
            raise BadRequest(f"{name}: must be a string.")
    installed = body.get("installed")
    if installed is not None and not isinstance(installed, bool):
        raise BadRequest("installed: must be true or false.")
    user_agent: str | None = body.get("user_agent")
    if user_agent is not None and len(user_agent) > MAX_USER_AGENT:
        raise BadRequest(f"user_agent: must have at most {MAX_USER_AGENT} characters.")
    country: str = body.get("country") or ""
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise BadRequest("country: must be two letters, as in DE.")
    url: str = body.get("url") or ""
    if user_agent is not None:
        platforms: tuple[Platform, ...] = (Platform("You", user_agent, installed or False),)
    else:
        platforms = tuple(platform for platform in PLATFORMS if installed in (None, platform.installed))
    return DecideRequest(
        url=url, query=(*query_of(url), *_given_query(body.get("query"))), platforms=platforms, country=country
    )


def as_document(platform: Platform, decision: Decision) -> dict[str, Any]:
    """A decision as JSON values; addresses are without what is appended to them."""
    return {
        "platform": platform.name,
        "user_agent": platform.user_agent,
        "installed": platform.installed,
        "kind": decision.kind,
        "page": decision.page or None,
        "target": decision.target,
        "app_url": decision.app_url,
        "fallback": decision.fallback,
        "parameters": dict(decision.parameters),
        "appends_match_id": decision.appends,
        "rule": decision.rule,
        "target_rule": decision.target_rule or decision.rule,
        "reason": decision.reason,
    }


def _given_query(value: Any) -> Query:
    """`query` as an object of texts, or as it stands in an address."""
    if value is None:
        return ()
    if isinstance(value, str):
        return read_query(value.removeprefix("?"))
    if not isinstance(value, dict) or len(value) > MAX_QUERY_FIELDS:
        raise BadRequest(f"query: must be an object of at most {MAX_QUERY_FIELDS} texts.")
    for key, text in value.items():
        if not isinstance(text, str):
            raise BadRequest(f"query.{key}: must be a string.")
    return tuple(value.items())


async def _find(call: Call, address: Address, query: Query) -> FoundLink:
    """The link at an address: stored, or made from its query. Raises NotFound when nobody has links there."""
    owner = _owner(call.context.directory, address)
    domain = next((d for d in owner.app.domains if d.host == address.domain and d.test == owner.test), None)
    path = address.path.rstrip("/")
    if path.startswith("a/") or (query and domain is not None and path == domain.prefix):
        link = long_links.build(owner.app, address.domain, query, test=owner.test, path=address.path)
        return FoundLink(owner, link)
    stored = await actions.find(call.context.store, address.domain, address.path)
    if stored is None:
        return FoundLink(owner, None)
    app = call.context.directory.apps[stored.app]
    return FoundLink(Credential(app, stored.test), None if is_expired(stored, app, now_ms()) else stored)


def _owner(directory: Directory, address: Address) -> Credential:
    if address.path.startswith("a/"):
        try:
            return directory.by_key(address.path[2:].rstrip("/"))
        except InvalidCredentials as error:
            raise NotFound from error
    domain = directory.domain_of_path(address.domain, address.path)
    if domain is None:
        raise NotFound
    return Credential(directory.apps[domain.app], domain.test)


def _request(found: FoundLink, platform: Platform, question: DecideRequest, address: Address, url: str) -> ClickRequest:
    return ClickRequest(
        app=found.owner.app,
        link=found.link,
        agent=parse(platform.user_agent),
        test=found.owner.test,
        query=question.query,
        web_only=address.web_only,
        country=question.country,
        installed=platform.installed,
        link_url=url,
    )
