"""Every operation of the server, in one table (see `bough.web.routing`); each slice describes its own."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from starlette.responses import Response

from bough.accounts import operations as accounts
from bough.accounts import team_operations as team
from bough.accounts.call import Call
from bough.attribution.operations import ATTRIBUTION_ROUTES
from bough.clicks import operations as clicks
from bough.dashboard.operations import DASHBOARD_ROUTES
from bough.exports.operations import EXPORT_ROUTES
from bough.importers import operations as imports
from bough.links import management_operations as links_api
from bough.links import operations as links
from bough.persons import operations as persons
from bough.sdk.operations import SDK_ROUTES
from bough.server import probes
from bough.signin import operations as signin
from bough.web import static
from bough.web.errors import CORS_HEADERS
from bough.web.openapi import document
from bough.web.routing import JSON, Route, RouteTable

PAGE_SEGMENTS = frozenset({"signin", "signout", "setup", "dashboard", "static"})
"""First path segments of pages for people who are signed in, or are about to be."""

API_SEGMENTS = PAGE_SEGMENTS | {"v1", "v2", "api", "healthz", "readyz", "openapi.json", "_r", "sdk", "i"}
"""First path segments that are answered from the table and never as clicks."""


async def read_openapi(call: Call) -> Response:
    """GET /openapi.json: this table as OpenAPI 3.1."""
    return Response(_openapi(call.context.settings.base_url), 200, CORS_HEADERS, JSON)


@lru_cache(maxsize=1)
def _openapi(base_url: str) -> bytes:
    return msgspec.json.encode(document(ROUTES, base_url))


OPENAPI = Route(
    method="GET",
    path="/openapi.json",
    handler=read_openapi,
    access="public",
    name="readOpenApi",
    group=probes.GROUP,
    summary="This API as an OpenAPI 3.1 document",
    answer="The document.",
)

ROUTES = (
    *links.ROUTES,
    *links_api.ROUTES,
    *clicks.ROUTES,
    *accounts.ROUTES,
    *team.ROUTES,
    *SDK_ROUTES,
    *EXPORT_ROUTES,
    *imports.ROUTES,
    *ATTRIBUTION_ROUTES,
    *persons.ROUTES,
    *probes.ROUTES,
    OPENAPI,
)

"""The API, as it is documented."""

PAGE_ROUTES = (*signin.ROUTES, *DASHBOARD_ROUTES, *static.ROUTES)
"""The pages for people, which the API's documents leave out."""

TABLE = RouteTable((*ROUTES, *PAGE_ROUTES))
