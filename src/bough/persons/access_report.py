"""Everything that is known of a person, as one JSON document: an answer to an access request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bough.attribution.documents import environment, instant
from bough.attribution.rules.persons import NOBODY
from bough.persons import queries
from bough.persons.erasing import Erasure
from bough.persons.planning import SEGMENT_FOLDER, PersonToErase, rows_of
from bough.store.database import Store


def person_document(store: Store, folder: Path, person: PersonToErase) -> dict[str, Any]:
    """Identifiers, journal rows, imported events and links that name the person."""
    own = person.plan.identifiers
    identities = [value for kind, value in own if kind == "identity"]
    links = [
        {"url": f"{domain}/{path}", "created_at": instant(created_at)}
        for identity in identities
        for domain, path, created_at in store.rows(queries.LINKS_OF_IDENTITY, (person.app, int(person.test), identity))
    ]
    return {
        "app_id": str(person.app),
        "environment": environment(person.test),
        "person_id": None if person.person == NOBODY else str(person.person),
        "identifiers": [{"kind": kind, "value": value} for kind, value in own if kind != "request"],
        "rows": [
            {"id": str(row.id), "at": instant(row.at), "kind": row.kind, "body": row.body}
            for row in rows_of(store, person)
        ],
        "imported_events": [] if person.test else _imported(store, folder, person),
        "links": links,
    }


def erasure_document(erasure: Erasure) -> dict[str, Any]:
    """How far an erasure is; without anything of the person."""
    return {
        "erasure_id": str(erasure.id),
        "app_id": str(erasure.app),
        "environment": environment(erasure.test),
        "status": "done" if erasure.step == "done" else "running",
        "rows": erasure.rows,
        "asked_at": instant(erasure.asked_at),
        "done_at": None if erasure.done_at is None else instant(erasure.done_at),
    }


def _imported(store: Store, folder: Path, person: PersonToErase) -> list[dict[str, Any]]:
    segments = store.rows(queries.ALL_SEGMENTS, (person.app,))
    if not segments:
        return []
    from bough.persons.segments import rows_of as imported_rows

    return imported_rows([folder / SEGMENT_FOLDER / name for _, name in segments], person.plan.identifiers)
