"""Whether the server lives: for load balancers and supervisors."""

from __future__ import annotations

from starlette.responses import Response

from bough.accounts.call import Call
from bough.health.findings import findings
from bough.web.responses import json_response
from bough.web.routing import Parameter, Route


async def healthz(_call: Call) -> Response:
    """GET /healthz: the process answers."""
    return json_response({"status": "ok"})


async def readyz(call: Call) -> Response:
    """GET /readyz: the store answers too, and what of the server is not well.

    Anybody may ask, so it says which part and what kind of trouble, and nothing of apps or reasons.
    """
    store = call.context.store
    await store.fetch("SELECT 1")
    found = await store.beside(findings, store, call.context.settings.folder)
    if not found:
        return json_response({"status": "ready"})
    problems = sorted({(one.part, one.state) for one in found})
    return json_response(
        {"status": "degraded", "problems": [{"part": part, "state": state} for part, state in problems]}
    )


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
        summary="Whether the store answers too, and all parts are well",
        answers=(
            Parameter(
                name="status",
                meaning="`ready`, or `degraded`: links and the API answer, but something behind them is not well. A"
                " store that does not answer: 503.",
                required=True,
            ),
            Parameter(
                name="problems",
                meaning="With `degraded`: each part that is not well, as `part` and `state` (`failing`, `silent`,"
                " `lags`, `set aside`). `bough doctor` and the Health page say more.",
            ),
        ),
        errors=(503,),
    ),
)
