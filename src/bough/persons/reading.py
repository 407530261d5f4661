"""People found and told, whether they are known from live traffic or from imported files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from bough.accounts.call import Call
from bough.accounts.model import App, User
from bough.attribution import documents
from bough.attribution import handlers as live
from bough.attribution.stored.history import SEARCHED
from bough.attribution.stored.tables import data_as_of
from bough.errors import NotFound
from bough.events.identifiers import Identifier, clean
from bough.persons import queries
from bough.persons.planning import SEGMENT_FOLDER
from bough.store.database import Store
from bough.vocabulary.windows import windows_from_days


async def read_person(call: Call, person_id: str) -> dict[str, Any]:
    """The answer of GET /api/persons/{person_id}. Raises NotFound."""
    try:
        return await live.person_document(call, person_id)
    except NotFound:
        if not (person_id.isascii() and person_id.isdigit() and len(person_id) < 20):
            raise
    user, limit = call.user(), live.timeline_limit(call)
    for app in live.seen_apps(call, user):
        document = await asyncio.to_thread(_imported, call, app, int(person_id), limit, user)
        if document is not None:
            return document | {"data_as_of": documents.instant(data_as_of(call.context.store))}
    raise NotFound


async def find_persons(call: Call, name: str, value: str) -> dict[str, Any]:
    """The answer of GET /api/persons for one of SEARCHED."""
    document = await live.persons_document(call, name, value)
    user = call.user()
    given = [(kind, one) for kind in SEARCHED[name] if (one := clean(kind, value))]
    for app in live.seen_apps(call, user):
        document["persons"] += await asyncio.to_thread(_imported_heads, call, app, given, user)
    return document


def _imported(call: Call, app: App, number: int, limit: int, user: User) -> dict[str, Any] | None:
    paths = _segments(call.context.store, call.context.settings.folder, app.id)
    if not paths:
        return None
    from bough.persons.imported_people import rows_of_number
    from bough.persons.imported_story import story

    inactivity = windows_from_days(app.config.attribution_windows).reengagement_inactivity
    return story(app.id, number, rows_of_number(paths, number), inactivity, limit, user)


def _imported_heads(call: Call, app: App, given: list[Identifier], user: User) -> list[dict[str, Any]]:
    paths = _segments(call.context.store, call.context.settings.folder, app.id)
    if not paths:
        return []
    from bough.persons.imported_people import numbers_of

    numbers = numbers_of(paths, given)
    if user.filters:
        numbers = [one for one in numbers if _imported(call, app, one, 1, user) is not None]
    return [
        {"person_id": str(one), "app_id": str(app.id), "environment": "live", "source": "import"} for one in numbers
    ]


def _segments(store: Store, folder: Path, app: int) -> list[Path]:
    return [folder / SEGMENT_FOLDER / name for _, name in store.rows(queries.ALL_SEGMENTS, (app,))]
