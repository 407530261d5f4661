"""The operations of Branch's Deep Linking and QR code APIs (docs/links.md)."""

from __future__ import annotations

from bough.links import handlers as routes
from bough.links import qr_handlers
from bough.links.alias import MAX_LENGTH
from bough.links.model import DEFAULT_DURATION
from bough.links.parameters import MAX_DURATION, MAX_IDENTITY, MAX_LABEL, MAX_TAGS
from bough.links.qr.code import CONTENT_TYPES
from bough.links.qr.look import COLORS, DEFAULT, IMAGES, MAX_IMAGE_URL, WHOLE_NUMBERS
from bough.web.parameters import BRANCH_KEY, BRANCH_SECRET, KEY_IN_PATH, KEY_IN_QUERY, URL_IN_QUERY
from bough.web.routing import Parameter, Route

GROUP = "Links"
QR_GROUP = "QR codes"

CHANNEL = Parameter(name="channel", meaning="Label: where the link is shown.", maximum=MAX_LABEL)
FEATURE = Parameter(name="feature", meaning="Label: what the link is for.", maximum=MAX_LABEL)
CAMPAIGN = Parameter(name="campaign", meaning="Label: which campaign.", maximum=MAX_LABEL)
STAGE = Parameter(name="stage", meaning="Label: which step of the journey.", maximum=MAX_LABEL)
TAGS = Parameter(
    name="tags",
    meaning="Labels: short texts of at most 64 characters.",
    kind="array",
    entries="string",
    maximum=MAX_TAGS,
)
LABELS = (CHANNEL, FEATURE, CAMPAIGN, STAGE, TAGS)

DATA = Parameter(
    name="data",
    meaning="Link control ($…), analytics (~…) and your own keys: an object, or the JSON text of one; at most 100 KB.",
    kind="object",
)
TYPE = Parameter(
    name="type", meaning="0 standard, 1 one-time use, 2 marketing.", kind="integer", choices=(0, 1, 2), default=0
)
ALIAS = Parameter(name="alias", meaning="The path, instead of a random code; unique on its domain.", maximum=MAX_LENGTH)
DURATION = Parameter(
    name="duration",
    meaning="Seconds in which a click may be matched to an app open.",
    kind="integer",
    default=DEFAULT_DURATION,
    minimum=1,
    maximum=MAX_DURATION,
)
IDENTITY = Parameter(name="identity", meaning="Your own id of the person who shares the link.", maximum=MAX_IDENTITY)
DOMAIN = Parameter(name="domain", meaning="One of the app's link domains, instead of its default.")

QR_FIELDS = (
    Parameter(name="image_format", choices=("png", "jpeg", "jpg", "svg"), default=DEFAULT.image_format),
    *(
        Parameter(name=name, kind="integer", minimum=low, maximum=high, meaning=meaning)
        for (name, (low, high)), meaning in zip(
            WHOLE_NUMBERS.items(),
            (
                "Pixels of each side.",
                "Pixels left free on each side; default 3 % of the width.",
                "1 standard, 2 squares, 3 circles, 4 triangles, 5 diamonds, 6 hexagons, 7 octagons.",
                "1 square, 2 rounded square, 3 circle.",
            ),
            strict=True,
        )
    ),
    *(Parameter(name=name, meaning="A hex colour such as #1a7f4b.") for name in COLORS),
    *(Parameter(name=name, meaning="An http(s) or data: URL of a picture.", maximum=MAX_IMAGE_URL) for name in IMAGES),
)

QR_SETTINGS = Parameter(
    name="qr_code_settings",
    meaning="How the QR code looks: an object, or the JSON text of one; values may all be texts.",
    kind="object",
    fields=QR_FIELDS,
)

LINK_PARAMETERS = (DATA, ALIAS, TYPE, DURATION, *LABELS, IDENTITY, DOMAIN, QR_SETTINGS)

URL = Parameter(name="url", meaning="The link's address.", required=True)
READ_DATA = Parameter(name="data", meaning="Your keys and those that the server makes.", kind="object", required=True)
READ_ALIAS = Parameter(name="alias", meaning="Null when the path is a random code.", nullable=True)
READ_LABELS = tuple(Parameter(name=label.name, kind=label.kind, meaning="Only when set.") for label in LABELS)
READ_TYPE = Parameter(name="type", kind="integer", choices=(0, 1, 2), required=True)
LINK = (*READ_LABELS, READ_DATA, READ_TYPE, READ_ALIAS)

URL_ROUTES = (
    Route(
        method="POST",
        path="/v1/url",
        handler=routes.create,
        access="branch_key",
        name="createLink",
        group=GROUP,
        summary="Create a link",
        notes="Asked again with the same alias and parameters it gives the same link; with others, a conflict.",
        parameters=(BRANCH_KEY, *LINK_PARAMETERS),
        answer="The link's address.",
        answers=(URL,),
        errors=(403, 409),
        limit="create",
    ),
    Route(
        method="GET",
        path="/v1/url",
        handler=routes.read,
        access="branch_key",
        name="readLink",
        group=GROUP,
        summary="Read a link",
        parameters=(URL_IN_QUERY, KEY_IN_QUERY),
        answer="Labels, data, type and alias.",
        answers=LINK,
        errors=(404,),
        limit="read",
    ),
    Route(
        method="PUT",
        path="/v1/url",
        handler=routes.update,
        access="branch_secret",
        name="updateLink",
        group=GROUP,
        summary="Update a link",
        notes="`data` replaces all your keys; labels that are not sent stay, null or empty ones go. The answer of a"
        " read may be sent back as it is. `PATCH /api/links/{id}` changes single keys.",
        parameters=(URL_IN_QUERY, BRANCH_KEY, BRANCH_SECRET, DATA, *LABELS, DURATION, QR_SETTINGS),
        answer="The whole link.",
        answers=LINK,
        errors=(404,),
        limit="update",
    ),
    Route(
        method="DELETE",
        path="/v1/url",
        handler=routes.delete,
        access="token",
        needs=("links", "sensitive_data"),
        body_token=("access_token", "access_key"),
        or_secret=True,
        name="deleteLink",
        group=GROUP,
        summary="Delete a link",
        notes="An app's key and secret do as well, as older clients send them. Its alias may be used again afterwards.",
        parameters=(URL_IN_QUERY, Parameter(name="app_id", meaning="The app.", place="query")),
        answer="The address and whether it was deleted.",
        answers=(URL, Parameter(name="deleted", kind="boolean", required=True)),
        errors=(403, 404),
        limit="delete",
    ),
    Route(
        method="POST",
        path="/v1/url/bulk/{branch_key}",
        handler=routes.create_bulk,
        access="branch_key",
        name="createLinks",
        group=GROUP,
        summary="Create many links",
        notes="200 when at least one was created, 400 with the same array when none was.",
        parameters=(KEY_IN_PATH, *LINK_PARAMETERS),
        consumes=("application/json",),
        body_array=True,
        body_limit=routes.MAX_BULK_BYTES,
        answer="In request order, the address or the error of each.",
        answers=(Parameter(name="url"), Parameter(name="error", meaning="One sentence.")),
        answer_array=True,
        limit="create",
    ),
)


def _qr_route(version: str, name: str) -> Route:
    return Route(
        method="POST",
        path=f"/{version}/qr-code",
        handler=qr_handlers.create_qr_code,
        access="branch_key",
        name=name,
        group=QR_GROUP,
        summary="Create a link and its QR code",
        notes="Nothing is stored when the settings cannot be used.",
        parameters=(BRANCH_KEY, *LINK_PARAMETERS),
        body_limit=qr_handlers.MAX_BODY,
        produces=tuple(CONTENT_TYPES.values()),
        answer="The picture.",
        errors=(403, 409),
        limit="qr",
    )


ROUTES = (*URL_ROUTES, _qr_route("v1", "createQrCode"), _qr_route("v2", "createQrCodeV2"))
