"""GET /api/attribution/{event_id}, POST /api/simulate, POST /api/rates; and what is known of live people."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from bough.accounts.audit import AuditEntry
from bough.accounts.call import Call
from bough.accounts.model import App, User
from bough.agents.recognition import parse
from bough.attribution import documents, rates
from bough.attribution.live.opens import Opens
from bough.attribution.rates import RateBatch, rate_of
from bough.attribution.replay.explain import explain
from bough.attribution.replay.simulate import Scene, simulate
from bough.attribution.stored.history import Head, Stories, with_candidates
from bough.attribution.stored.links import StoredLinks
from bough.attribution.stored.tables import data_as_of
from bough.attribution.stored.touch_index import TouchIndex, is_row_id
from bough.attribution.visibility import may_explain, sees_event, sees_person, sees_touch, without_story
from bough.errors import BadRequest, NotFound
from bough.events.body import decode, encode, nested_object
from bough.events.server_fields import ServerFields
from bough.links.address import written_path
from bough.links.codec import from_row
from bough.links.model import Link
from bough.links.queries import BY_ID
from bough.links.visibility import sees_link
from bough.vocabulary.ids import now_ms
from bough.vocabulary.journal_rows import Click, JournalRow
from bough.vocabulary.values import text, whole
from bough.vocabulary.windows import windows_from_days
from bough.web.errors import CORS_HEADERS

ANY = ("bundle", "browser", "device", "identity")
"""Of SEARCHED, those that together stand for every kind of identifier."""

MAX_TIMELINE = 1000
MAX_RATES = 20_000
MAX_RATES_BYTES = 4 * 1024 * 1024
MAX_DELAY_SECONDS = 400 * 86_400


async def event(call: Call) -> Response:
    """GET /api/attribution/{event_id}."""
    return _json(await event_document(call, call.path["event_id"]))


async def event_document(call: Call, event_id: str) -> dict[str, Any]:
    """The answer of GET /api/attribution/{event_id}."""
    user = call.user()
    identifier = _id(event_id)
    stories = Stories(call.context.store, call.context.directory)
    return await asyncio.to_thread(_event, call, stories, user, identifier)


def _event(call: Call, stories: Stories, user: User, identifier: int) -> dict[str, Any]:
    head = _own(call, user, stories.head(identifier))
    told = stories.tell(head)
    result = told.results[identifier]
    if not sees_event(user, result, told.kept.get(identifier)):
        raise NotFound
    row = told.rows[identifier]
    if row.kind in ("open", "install"):
        result = with_candidates(result, Opens(call.context.directory).reconsider(call.context.store, row))
    claim = told.entries[identifier].claim
    explanation = explain(result, claim.identifiers if claim is not None else (), told.shared)
    document = documents.story_document(result, told.kept.get(identifier), explanation)
    if not may_explain(user, result):
        document = without_story(document)
    return document | {"data_as_of": documents.instant(data_as_of(call.context.store))}


async def person_document(call: Call, person_id: str) -> dict[str, Any]:
    """The live part of the answer of GET /api/persons/{person_id}. Raises NotFound."""
    user = call.user()
    limit = timeline_limit(call)
    worlds = [(app.id, test) for app in seen_apps(call, user) for test in (False, True)]
    stories = Stories(call.context.store, call.context.directory)
    return await asyncio.to_thread(_person, call, stories, user, person_id, worlds, limit)


def _person(
    call: Call, stories: Stories, user: User, asked: str, worlds: list[tuple[int, bool]], limit: int
) -> dict[str, Any]:
    head = _whose(call, user, stories, asked, worlds)
    if not head.person:
        raise NotFound
    told = stories.tell(head)
    if not sees_person(user, told, head.person):
        raise NotFound
    document = documents.person_document(told, head, stories.merged(head), limit, user)
    return document | {"data_as_of": documents.instant(data_as_of(call.context.store))}


async def persons_document(call: Call, name: str, value: str) -> dict[str, Any]:
    """The live part of the answer of GET /api/persons for one of SEARCHED."""
    user = call.user()
    worlds = [(app.id, test) for app in seen_apps(call, user) for test in (False, True)]
    stories = Stories(call.context.store, call.context.directory)
    heads = await asyncio.to_thread(_search, stories, user, name, value, worlds)
    found = [
        {"person_id": str(one.person), "app_id": str(one.app), "environment": documents.environment(one.test)}
        for one in heads
    ]
    return {"persons": found, "data_as_of": documents.instant(data_as_of(call.context.store))}


def _search(stories: Stories, user: User, name: str, value: str, worlds: list[tuple[int, bool]]) -> list[Head]:
    heads = stories.search(name, value, worlds)
    return [one for one in heads if not user.filters or sees_person(user, stories.tell(one), one.person)]


async def seen_persons(call: Call, persons: list[int]) -> list[int]:
    """Those of the persons whom the user sees (`bough.attribution.visibility`)."""
    user = call.user()
    if not user.filters:
        return persons
    return await asyncio.to_thread(_seen, Stories(call.context.store, call.context.directory), user, persons)


def _seen(stories: Stories, user: User, persons: list[int]) -> list[int]:
    heads = [(one, stories.head(one)) for one in persons]
    return [one for one, head in heads if sees_person(user, stories.tell(head), head.person)]


async def is_seen_touch(call: Call, row: JournalRow) -> bool:
    """Whether the user's data filters let a click or impression through, by its link's data and its own."""
    user, store = call.user(), call.context.store
    if not user.filters:
        return True
    links = StoredLinks(store.rows, call.context.directory)
    touch = await asyncio.to_thread(TouchIndex().touch, store, row.id, links)
    return touch is not None and sees_touch(user, touch)


async def play(call: Call) -> Response:
    """POST /api/simulate: what one click and one open would lead to; writes nothing."""
    body = decode(await call.bytes())
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.")
    return _json(await simulated_document(call, body))


async def simulated_document(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """The answer of POST /api/simulate."""
    user = call.user()
    link, url = await _link(call, user, body)
    app = call.context.directory.apps[link.app]
    delay = whole(body.get("delay", 0))
    if delay is None or not 0 <= delay <= MAX_DELAY_SECONDS:
        raise BadRequest(f"delay: must be whole seconds from 0 to {MAX_DELAY_SECONDS}.")
    context = nested_object(body.get("click"), "click")
    opened = nested_object(body.get("open"), "open")
    scene = Scene(
        link=link,
        delay=delay * 1000,
        touch=_choice(body, "touch", ("click", "impression", "prefetch", "robot")),
        click=Click(
            url=url,
            user_agent=text(context.get("user_agent"), 1024),
            ip=text(context.get("ip"), 64),
            country=text(context.get("country"), 2),
            browser=text(context.get("browser"), 20),
            referrer=text(context.get("referrer")),
        ),
        opening=_choice(body, "opening", ("install", "open")),
        body=nested_object(opened.get("body"), "open.body"),
        facts=ServerFields(ip=text(opened.get("ip"), 64), user_agent=text(opened.get("user_agent"), 1024)),
    )
    outcome = simulate(scene, windows_from_days(app.config.attribution_windows), parse)
    return documents.story_document(outcome.result, None, outcome.explanation)


def _choice(body: dict[str, Any], name: str, choices: tuple[str, ...]) -> Any:
    value = body.get(name, choices[0])
    if value not in choices:
        raise BadRequest(f"{name}: must be one of {', '.join(choices)}.")
    return value


async def _link(call: Call, user: User, body: dict[str, Any]) -> tuple[Link, str]:
    """The link that is clicked, by address or id. Raises NotFound for another organization's, too."""
    url = body.get("url") or ""
    if not isinstance(url, str):
        raise BadRequest("url: must be text.")
    store = call.context.store
    found: Link | None = None
    if url:
        found = await asyncio.to_thread(StoredLinks(store.rows, call.context.directory).by_url, url, now_ms())
    elif body.get("link_id"):
        rows = await store.fetch(BY_ID, (_id(text(body.get("link_id"))),))
        found = from_row(rows[0]) if rows else None
    else:
        raise BadRequest("url: is missing; the address of the link that is clicked, or link_id.")
    if found is None or not user.sees(call.context.directory.apps[found.app]) or not sees_link(user, found):
        raise NotFound
    return found, url or f"https://{found.domain}/{written_path(found.path)}"


async def add_rates(call: Call) -> Response:
    """POST /api/rates: dollars for one unit of a currency, by day."""
    body = decode(await call.bytes(MAX_RATES_BYTES), most=MAX_RATES_BYTES)
    if isinstance(body, list):
        body = {"rates": body}
    if not isinstance(body, dict) or not isinstance(body.get("rates"), list):
        raise BadRequest("rates: must be an array of objects.")
    if len(body["rates"]) > MAX_RATES:
        raise BadRequest(f"rates: must have at most {MAX_RATES} entries.")
    found = []
    for place, item in enumerate(body["rates"]):
        if not isinstance(item, dict):
            raise BadRequest(f"rates[{place}]: must be an object.")
        found.append(rate_of(item, f"rates[{place}]"))
    batch = RateBatch(tuple(found), replace=body.get("replace") is True)
    report = await call.change(
        rates.store_rates,
        batch,
        lambda done: AuditEntry(action="rates.add", details={"added": done.added, "replaced": done.replaced}),
    )
    return _json(
        {
            "added": report.added,
            "unchanged": report.unchanged,
            "replaced": report.replaced,
            "refused": report.refused[:100],
        }
    )


def seen_apps(call: Call, user: User) -> list[App]:
    """The apps that a question is about: those the user sees, or the one that is named. Raises NotFound."""
    own = list(call.context.directory.apps_of(user).values())
    asked = call.query("app_id")
    if asked is None:
        return own
    chosen = [app for app in own if str(app.id) == asked]
    if not chosen:
        raise NotFound
    return chosen


def _whose(call: Call, user: User, stories: Stories, asked: str, worlds: list[tuple[int, bool]]) -> Head:
    """The person of an event's id; else the only one that an SDK's token, a device id or a user id belongs to.

    Raises NotFound.
    """
    try:
        return _own(call, user, stories.whose(_id(asked)))
    except NotFound:
        found = {(one.app, one.test, one.person): one for kind in ANY for one in stories.search(kind, asked, worlds)}
        if len(found) != 1:
            raise
    return next(iter(found.values()))


def _own(call: Call, user: User, head: Head) -> Head:
    """Raises NotFound for what is not the user's, as for what does not exist."""
    app = call.context.directory.apps.get(head.app)
    if app is None or not user.sees(app):
        raise NotFound
    return head


def _id(written: str) -> int:
    if not is_row_id(written):
        raise NotFound
    return int(written)


def timeline_limit(call: Call) -> int:
    """How many entries of a timeline are asked for. Raises BadRequest."""
    limit = whole(call.query("limit") or "200")
    if limit is None or not 1 <= limit <= MAX_TIMELINE:
        raise BadRequest(f"limit: must be from 1 to {MAX_TIMELINE}.")
    return limit


def _json(document: dict[str, Any]) -> Response:
    # Decimals of link data stay numbers, digit by digit.
    return Response(encode(document), 200, dict(CORS_HEADERS), "application/json")
