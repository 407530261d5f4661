"""Every API operation of the server, in one table (see `bough.web.routing`)."""

from __future__ import annotations

from starlette.responses import Response

from bough.accounts import routes as accounts
from bough.links import routes as links
from bough.sdk.routes import SDK_ROUTES
from bough.web.call import Call, json_response
from bough.web.routing import Parameter, Route, Table

API_SEGMENTS = frozenset({"v1", "v2", "api", "healthz", "readyz", "openapi.json", "_r", "sdk", "i"})
"""First path segments that are answered from the table and never as clicks."""


async def healthz(_call: Call) -> Response:
    """GET /healthz: the process answers."""
    return json_response({"status": "ok"})


async def readyz(call: Call) -> Response:
    """GET /readyz: the store answers too."""
    await call.context.store.fetch("SELECT 1")
    return json_response({"status": "ready"})


BRANCH_KEY = Parameter(name="branch_key", meaning="The app's key for the environment.", required=True)
BRANCH_SECRET = Parameter(name="branch_secret", meaning="The secret of that key.", required=True)
KEY_IN_PATH = Parameter(name="branch_key", meaning="The app's key.", required=True, place="path")
URL_IN_QUERY = Parameter(name="url", meaning="The link's address.", required=True, place="query")

LINK_PARAMETERS = (
    Parameter(
        name="data",
        meaning="Link control ($…), analytics (~…) and your own keys; object or JSON string.",
        kind="object",
    ),
    Parameter(name="alias", meaning="The path instead of a random code; unique, at most 128 characters."),
    Parameter(name="type", meaning="0 standard, 1 one-time use, 2 marketing.", kind="integer"),
    Parameter(
        name="duration", meaning="Seconds in which a click may be matched to an app open (7200).", kind="integer"
    ),
    Parameter(name="channel", meaning="Label: where the link is shown."),
    Parameter(name="feature", meaning="Label: what the link is for."),
    Parameter(name="campaign", meaning="Label: which campaign."),
    Parameter(name="stage", meaning="Label: which step of the journey."),
    Parameter(name="tags", meaning="Labels: any number of short texts.", kind="array"),
    Parameter(name="identity", meaning="Your own id of the person who shares the link."),
    Parameter(name="domain", meaning="One of the app's link domains, instead of its default."),
)

ROUTES = (
    Route(
        method="POST",
        path="/v1/url",
        handler=links.create,
        access="branch_key",
        summary="Create a link",
        parameters=(BRANCH_KEY, *LINK_PARAMETERS),
        answer="The link's url.",
        limit="create",
    ),
    Route(
        method="GET",
        path="/v1/url",
        handler=links.read,
        access="branch_key",
        summary="Read a link",
        parameters=(URL_IN_QUERY, Parameter(name="branch_key", meaning="The app's key.", required=True, place="query")),
        answer="Labels, data, type and alias.",
        limit="read",
    ),
    Route(
        method="PUT",
        path="/v1/url",
        handler=links.update,
        access="branch_secret",
        summary="Update a link",
        parameters=(URL_IN_QUERY, BRANCH_KEY, BRANCH_SECRET, *LINK_PARAMETERS),
        answer="The whole link.",
        limit="update",
    ),
    Route(
        method="DELETE",
        path="/v1/url",
        handler=links.delete,
        access="token",
        summary="Delete a link",
        parameters=(
            URL_IN_QUERY,
            Parameter(name="app_id", meaning="The app.", place="query"),
            Parameter(name="Access-Token", meaning="A user's token.", required=True, place="header"),
        ),
        answer="url and deleted.",
        limit="delete",
    ),
    Route(
        method="POST",
        path="/v1/url/bulk/{branch_key}",
        handler=links.create_bulk,
        access="branch_key",
        summary="Create many links",
        parameters=(KEY_IN_PATH,),
        answer="An array in request order: url or error of each.",
        limit="create",
    ),
    Route(
        method="GET",
        path="/v1/app/{branch_key}",
        handler=accounts.read_app,
        access="branch_secret",
        summary="Read an app's configuration",
        parameters=(KEY_IN_PATH, Parameter(name="branch_secret", meaning="Its secret.", required=True, place="query")),
        answer="The app.",
    ),
    Route(
        method="PUT",
        path="/v1/app/{branch_key}",
        handler=accounts.update_app,
        access="branch_secret",
        summary="Change an app's configuration",
        parameters=(KEY_IN_PATH, BRANCH_SECRET),
        answer="The app.",
    ),
    Route(
        method="POST",
        path="/v1/app",
        handler=accounts.create_app,
        access="token",
        summary="Create an app",
        parameters=(
            Parameter(name="user_id", meaning="A user's token.", required=True),
            Parameter(name="app_name", meaning="Its name.", required=True),
            Parameter(name="dev_name", meaning="Who is responsible.", required=True),
            Parameter(name="dev_email", meaning="Their address.", required=True),
        ),
        answer="The app with its secret, which is not shown again.",
    ),
    Route(method="GET", path="/healthz", handler=healthz, access="public", summary="Whether the process answers"),
    Route(method="GET", path="/readyz", handler=readyz, access="public", summary="Whether the store answers too"),
    *SDK_ROUTES,
)

TABLE = Table(ROUTES)
