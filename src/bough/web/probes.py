"""Whether the server lives: for load balancers and supervisors."""

from __future__ import annotations

from starlette.responses import Response

from bough.web.call import Call, json_response
from bough.web.routing import Parameter, Route


async def healthz(_call: Call) -> Response:
    """GET /healthz: the process answers."""
    return json_response({"status": "ok"})


async def readyz(call: Call) -> Response:
    """GET /readyz: the store answers too."""
    await call.context.store.fetch("SELECT 1")
    return json_response({"status": "ready"})


GROUP = "Server"

ROUTES = (
    Route(
        method="GET",
        path="/healthz",
        handler=healthz,
        access="public",
        name="readHealth",
        group=GROUP,
        summary="Whether the process answers",
        answers=(Parameter(name="status", meaning="Always `ok`.", required=True),),
    ),
    Route(
        method="GET",
        path="/readyz",
        handler=readyz,
        access="public",
        name="readReadiness",
        group=GROUP,
        summary="Whether the store answers too",
        answers=(
            Parameter(name="status", meaning="Always `ready`; a store that does not answer: 503.", required=True),
        ),
        errors=(503,),
    ),
)
