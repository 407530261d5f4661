"""GET /api/persons, GET /api/persons/{person_id}, GET /api/persons/{person_id}/export,
POST /api/persons/{person_id}/erase, GET /api/erasures/{erasure_id}.

In place of `{person_id}` stands `by` with exactly one identifier in the query (or body, for the erasure).
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from bough.accounts.audit import Audited, AuditEntry, audited
from bough.accounts.call import Call
from bough.attribution.stored.history import SEARCHED
from bough.errors import BadRequest, NotFound
from bough.events.body import encode
from bough.persons import reading
from bough.persons.access_report import erasure_document, person_document
from bough.persons.erasing import ErasureRequest, ask_batch, read
from bough.persons.planning import PersonToErase, find_persons
from bough.vocabulary.values import text
from bough.web.errors import CORS_HEADERS
from bough.web.responses import json_response

BY = "by"
"""In place of a person's id: the person is named by an identifier."""


async def search(call: Call) -> Response:
    """GET /api/persons?identity=…: the persons with an identifier."""
    asked = [(name, value) for name in SEARCHED if (value := call.query(name))]
    if len(asked) != 1:
        raise BadRequest(f"Give exactly one of {', '.join(SEARCHED)}.")
    return _encoded(await reading.find_persons(call, *asked[0]))


async def read_person(call: Call) -> Response:
    """GET /api/persons/{person_id}."""
    return _encoded(await reading.read_person(call, call.path["person_id"]))


def _encoded(document: dict[str, Any]) -> Response:
    # Decimals of link data stay numbers, digit by digit.
    return Response(encode(document), 200, dict(CORS_HEADERS), "application/json")


async def export(call: Call) -> Response:
    """GET /api/persons/{person_id}/export."""
    persons = await _persons(call, dict(call.request.query_params))
    context = call.context
    folder = context.settings.folder
    found = [await asyncio.to_thread(person_document, context.store, folder, person) for person in persons]
    for person in persons:
        await call.note(AuditEntry(action="person.export", app=person.app, subject=str(person.person)))
    return _encoded({"persons": found})


async def erase(call: Call) -> Response:
    """POST /api/persons/{person_id}/erase: the server's background process does it."""
    body = await call.object()
    persons = await _persons(call, {**dict(call.request.query_params), **body})
    context = call.context
    started = []
    for person in persons:
        organization = context.directory.apps[person.app].organization
        number = await context.store.write(
            audited(ask_batch), Audited(ErasureRequest(person, call.actor(), organization), call.actor(), _tell(person))
        )
        erasure = await asyncio.to_thread(read, context.store, number)
        assert erasure is not None
        started.append(erasure_document(erasure))
    return json_response({"erasures": started})


async def read_erasure(call: Call) -> Response:
    """GET /api/erasures/{erasure_id}."""
    written = call.path["erasure_id"]
    usable = written.isascii() and written.isdigit() and len(written) <= 19 and int(written) < 2**63
    erasure = await asyncio.to_thread(read, call.context.store, int(written)) if usable else None
    app = None if erasure is None else call.context.directory.app_of(call.user(), erasure.app)
    if erasure is None or app is None:
        raise NotFound
    return json_response(erasure_document(erasure))


def _tell(person: PersonToErase) -> Any:
    return lambda number: AuditEntry(action="person.erase", app=person.app, subject=str(number))


async def _persons(call: Call, given: dict[str, Any]) -> list[PersonToErase]:
    """Who is meant, among the apps that the user sees. Raises NotFound, as for somebody else's persons."""
    context = call.context
    apps = context.directory.apps_of(call.user())
    if given.get("app_id"):
        app = context.directory.app_of(call.user(), given["app_id"])
        apps = {app.id: app} if app is not None else {}
    worlds = [(app, test) for app in apps for test in (False, True)]
    name, value = "person", call.path["person_id"]
    if value == BY:
        asked = [(one, text(given[one])) for one in SEARCHED if given.get(one)]
        if len(asked) != 1:
            raise BadRequest(f"Give exactly one of {', '.join(SEARCHED)}.")
        name, value = asked[0]
    elif not (value.isascii() and value.isdigit() and len(value) <= 19 and int(value) < 2**63):
        raise NotFound
    return await asyncio.to_thread(
        find_persons, context.store, context.settings.folder, context.directory, worlds, name, value
    )
