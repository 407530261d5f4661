"""The route table of access requests and erasure."""

from __future__ import annotations

from bough.attribution.stored.history import SEARCHED
from bough.persons import handlers
from bough.web.routing import JSON, Parameter, Route

GROUP = "Persons"

_TOKEN = Parameter(name="Access-Token", meaning="A user's token.", required=True, place="header")
_PERSON = Parameter(
    name="person_id",
    meaning="The person, or any event of theirs; `by`: the one identifier that is given says who.",
    required=True,
    place="path",
)
_ERASURE = (
    Parameter(name="erasure_id", required=True),
    Parameter(name="app_id", required=True),
    Parameter(name="environment", meaning="`live` or `test`.", required=True),
    Parameter(name="status", meaning="`running` or `done`.", required=True),
    Parameter(name="rows", meaning="Rows that were rewritten.", kind="integer", required=True),
    Parameter(name="asked_at", required=True),
    Parameter(name="done_at", nullable=True, required=True),
)

ROUTES = (
    Route(
        method="GET",
        path="/api/persons",
        handler=handlers.search,
        name="findPersons",
        group=GROUP,
        access="token",
        needs=("sensitive_data",),
        summary="Find a person by an identifier",
        notes="Needs exactly one identifier. People who are known from imported files have `source` `import`.",
        parameters=(
            _TOKEN,
            Parameter(name="app_id", meaning="One app; else all of your organization.", place="query"),
            *(Parameter(name=name, meaning=f"A person's {name}.", place="query") for name in SEARCHED),
        ),
        errors=(404,),
        answer="The persons with that identifier, per app and environment.",
    ),
    Route(
        method="GET",
        path="/api/persons/{person_id}",
        handler=handlers.read_person,
        name="readPerson",
        group=GROUP,
        access="token",
        needs=("sensitive_data",),
        summary="A person's timeline",
        notes="The id of any event of the person finds it, too, and so does a token that an SDK was given, a device id"
        " or your own user id, when it is one person's only. The timeline of a person of imported files has the files'"
        " rows, each with all `columns` as the file says them.",
        parameters=(
            _TOKEN,
            Parameter(name="person_id", meaning="The person.", required=True, place="path"),
            Parameter(
                name="limit", meaning="Entries of the timeline, the newest (200).", place="query", kind="integer"
            ),
        ),
        errors=(404,),
        answer="Identifiers, merges, and touches, sessions and events in the order of time, each with its reason.",
    ),
    Route(
        method="GET",
        path="/api/persons/{person_id}/export",
        handler=handlers.export,
        name="exportPerson",
        group=GROUP,
        access="token",
        needs=("sensitive_data", "export"),
        level="organization",
        summary="Everything that is known of a person",
        parameters=(
            _TOKEN,
            _PERSON,
            Parameter(name="app_id", meaning="One app; else all that you see.", place="query"),
            *(Parameter(name=name, meaning=f"With `by`: the person's {name}.", place="query") for name in SEARCHED),
        ),
        answer="One object per app and environment in which the person is known.",
        answers=(Parameter(name="persons", kind="array", entries="object", required=True),),
        errors=(403, 404),
    ),
    Route(
        method="POST",
        path="/api/persons/{person_id}/erase",
        handler=handlers.erase,
        name="erasePerson",
        group=GROUP,
        access="token",
        needs=("sensitive_data", "settings"),
        level="organization",
        summary="Erase a person",
        notes="The person's rows stay counted, under stand-ins; nothing else of them is kept. This cannot be undone."
        " It is done when its status says so: attribution and warehouse are made again for it.",
        parameters=(
            _TOKEN,
            _PERSON,
            Parameter(name="app_id", meaning="One app; else all that you see."),
            *(Parameter(name=name, meaning=f"With `by`: the person's {name}.") for name in SEARCHED),
        ),
        consumes=(JSON,),
        answer="What was begun, one per app and environment in which the person is known.",
        answers=(Parameter(name="erasures", kind="array", entries="object", fields=_ERASURE, required=True),),
        errors=(403, 404),
    ),
    Route(
        method="GET",
        path="/api/erasures/{erasure_id}",
        handler=handlers.read_erasure,
        name="readErasure",
        group=GROUP,
        access="token",
        needs=("sensitive_data",),
        level="organization",
        summary="How far an erasure is",
        parameters=(_TOKEN, Parameter(name="erasure_id", required=True, place="path")),
        answer="The erasure, without anything of the person.",
        answers=_ERASURE,
        errors=(403, 404),
    ),
)
