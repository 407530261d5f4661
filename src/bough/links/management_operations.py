"""The operations of bough's own link API, which Branch has no counterpart of."""

from __future__ import annotations

import msgspec

from bough.links import management_handlers as routes
from bough.links import qr_handlers
from bough.links.bulk import CHUNK
from bough.links.history import AT_MOST
from bough.links.listing_parameters import FILTERS
from bough.links.operations import ALIAS as OPTIONAL_ALIAS
from bough.links.operations import DATA, DOMAIN, DURATION, IDENTITY, LABELS, QR_FIELDS, QR_SETTINGS, TYPE
from bough.links.parameters import MAX_LABEL, MAX_TAG
from bough.web.routing import Parameter, Route

GROUP = "Link management"

APP = Parameter(
    name="app_id", meaning="One app's links; without it those of all your organization's apps.", place="query"
)
TEST = Parameter(
    name="test", meaning="Only the test environment, or with false only the live one.", place="query", kind="boolean"
)
DRY_RUN = Parameter(
    name="dry_run", meaning="Say what would be done and do nothing.", place="query", kind="boolean", default=False
)
ID = Parameter(name="id", meaning="The link's id.", required=True, place="path")

_LIMITS = {"tag": MAX_TAG, "type": None, "created_after": None, "created_before": None}
_FILTERS = tuple(
    Parameter(
        name=name,
        meaning=meaning,
        place="query",
        kind="integer" if name == "type" else "string",
        choices=(0, 1, 2) if name == "type" else (),
        maximum=_LIMITS.get(name, MAX_LABEL),
    )
    for name, meaning in FILTERS.items()
)

ITEM = (
    Parameter(name="id", meaning="Decimal digits.", required=True),
    Parameter(name="url", required=True),
    Parameter(name="app_id", required=True),
    Parameter(name="test", kind="boolean", required=True),
    Parameter(name="alias", nullable=True, required=True),
    Parameter(name="type", kind="integer", choices=(0, 1, 2), required=True),
    *(Parameter(name=label.name, nullable=True, required=True) for label in LABELS[:-1]),
    Parameter(name="tags", kind="array", required=True),
    Parameter(name="title", meaning="`$marketing_title`, else `$og_title`.", nullable=True, required=True),
    Parameter(name="created_at", meaning="ISO 8601, as all times here.", required=True),
    Parameter(name="updated_at", required=True),
    Parameter(
        name="clicks", meaning="Clicks of people, kept up to date within a second.", kind="integer", required=True
    ),
    Parameter(name="last_click_at", nullable=True, required=True),
)

DETAILS = (
    *ITEM,
    Parameter(name="data", meaning="Your keys and those that the server makes.", kind="object", required=True),
    Parameter(name="duration", kind="integer", required=True),
    Parameter(name="identity", nullable=True, required=True),
    Parameter(
        name="qr_code_settings",
        meaning="What its QR code has of its own; null: it looks as usual.",
        kind="object",
        fields=QR_FIELDS,
        nullable=True,
        required=True,
    ),
    Parameter(
        name="creation_source", meaning="What made the link, as `~creation_source`.", kind="integer", required=True
    ),
    Parameter(name="expires_at", meaning="Null: never.", nullable=True, required=True),
)

CHANGED = Parameter(
    name="changed",
    meaning="Field (`channel`, `data.$ios_url`) to its values before and after, as `from` and `to`.",
    kind="object",
)

HISTORY = Parameter(
    name="history",
    meaning=f"Changes, newest first, at most {AT_MOST}.",
    kind="array",
    entries="object",
    fields=(Parameter(name="at", required=True), CHANGED),
    required=True,
)

REPORT = (
    Parameter(name="dry_run", kind="boolean", required=True),
    Parameter(name="done", meaning="Lines that changed or deleted something.", kind="integer", required=True),
    Parameter(name="unchanged", meaning="Lines that found all as they want it.", kind="integer", required=True),
    Parameter(name="failed", kind="integer", required=True),
    Parameter(
        name="lines",
        kind="array",
        entries="object",
        required=True,
        fields=(
            Parameter(name="line", meaning="Number of the line in the body, from 1.", kind="integer", required=True),
            Parameter(name="url", required=True),
            Parameter(name="ok", kind="boolean", required=True),
            CHANGED,
            Parameter(name="deleted", kind="boolean"),
            Parameter(name="error", meaning="One sentence."),
        ),
    ),
)

_FILES = ("text/csv", "application/x-ndjson")
_BULK_NOTES = (
    f"At most {routes.MAX_BULK_LINES} lines; {CHUNK} are stored at a time. A line that fails changes nothing, and the"
    " others are carried out all the same. "
)

ROUTES = (
    Route(
        method="GET",
        path="/api/links",
        handler=routes.list_all,
        access="token",
        name="listLinks",
        group=GROUP,
        summary="List and search links",
        notes="Newest first. A page stays where it is while links come and go. While there are links that were not"
        " looked at, `next_cursor` is set; a search that takes long may give a short or empty page and a cursor.",
        parameters=(
            APP,
            TEST,
            *_FILTERS,
            Parameter(
                name="limit",
                meaning="Links on a page.",
                place="query",
                kind="integer",
                minimum=1,
                maximum=routes.MAX_PAGE,
                default=routes.DEFAULT_PAGE,
            ),
            Parameter(name="cursor", meaning="`next_cursor` of the page before.", place="query"),
        ),
        answer="A page of links with their kept counts.",
        answers=(
            Parameter(name="links", kind="array", entries="object", fields=ITEM, required=True),
            Parameter(name="next_cursor", meaning="Null: this is the last page.", nullable=True, required=True),
        ),
        errors=(404,),
    ),
    Route(
        method="GET",
        path="/api/links/{id}",
        handler=routes.read_one,
        access="token",
        name="readLinkById",
        group=GROUP,
        summary="Read a link with its history",
        parameters=(ID,),
        answer="The link and its changes.",
        answers=(*DETAILS, HISTORY),
        errors=(404,),
    ),
    Route(
        method="GET",
        path="/api/links/{id}/qr-code",
        handler=qr_handlers.link_qr_code,
        access="token",
        name="readLinkQrCode",
        group=GROUP,
        summary="The QR code of a link",
        notes="In the look that the link was given; what is sent here goes over it and is not kept.",
        parameters=(ID, *(msgspec.structs.replace(field, place="query") for field in QR_FIELDS)),
        answer="The picture.",
        produces=("image/png", "image/jpeg", "image/svg+xml"),
        errors=(404,),
        limit="qr",
    ),
    Route(
        method="PATCH",
        path="/api/links/{id}",
        handler=routes.patch_one,
        access="token",
        needs=("links",),
        name="patchLink",
        group=GROUP,
        summary="Change single fields of a link",
        notes="What is not sent stays. Null takes a label or a key of `data` away.",
        parameters=(ID, *LABELS, DURATION, QR_SETTINGS, DATA),
        consumes=("application/json",),
        answer="The link and its changes.",
        answers=(*DETAILS, HISTORY),
        errors=(403, 404),
    ),
    Route(
        method="PUT",
        path="/api/links/by-alias",
        handler=routes.upsert,
        access="token",
        needs=("links",),
        name="putLinkByAlias",
        group=GROUP,
        summary="Create the link with an alias, or make it what the request says",
        notes="All but alias, id and time of creation is replaced; what is not sent is unset.",
        parameters=(
            Parameter(name="app_id", meaning="The app.", required=True),
            Parameter(name="test", meaning="In the test environment.", kind="boolean", default=False),
            Parameter(name="alias", meaning=OPTIONAL_ALIAS.meaning, required=True, maximum=OPTIONAL_ALIAS.maximum),
            DATA,
            TYPE,
            DURATION,
            *LABELS,
            IDENTITY,
            DOMAIN,
            QR_SETTINGS,
        ),
        consumes=("application/json",),
        answer="The link and what was done.",
        answers=(
            Parameter(name="outcome", choices=("created", "changed", "unchanged"), required=True),
            Parameter(name="link", kind="object", fields=DETAILS, required=True),
        ),
        errors=(403, 404, 409),
    ),
    Route(
        method="POST",
        path="/api/links/bulk-update",
        handler=routes.bulk_update,
        access="token",
        needs=("links",),
        name="updateLinks",
        group=GROUP,
        summary="Change many links",
        notes=_BULK_NOTES
        + "A CSV needs the column `url` and columns to set: labels, `tags` (a JSON array, or texts with"
        " commas between them), `duration`, `qr_code_settings` (JSON),"
        " `data` (JSON) and `data.KEY` for a key. An empty cell leaves things as they"
        " are, `null` takes them away. An NDJSON line is an object of the same names.",
        parameters=(APP, DRY_RUN),
        consumes=_FILES,
        body_limit=routes.MAX_BULK_BYTES,
        answer="What became of every line.",
        answers=REPORT,
        errors=(403, 404),
    ),
    Route(
        method="POST",
        path="/api/links/bulk-delete",
        handler=routes.bulk_delete,
        access="token",
        needs=("links", "sensitive_data"),
        name="deleteLinks",
        group=GROUP,
        summary="Delete many links",
        notes=_BULK_NOTES + "Needs `url` and nothing else.",
        parameters=(APP, DRY_RUN),
        consumes=_FILES,
        body_limit=routes.MAX_BULK_BYTES,
        answer="What became of every line.",
        answers=REPORT,
        errors=(403, 404),
    ),
)
