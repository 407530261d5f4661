"""The route table of what is brought in over HTTP."""

from __future__ import annotations

from bough.importers import handlers
from bough.web.parameters import ACCESS_TOKEN
from bough.web.routing import Parameter, Route

ROUTES = (
    Route(
        method="POST",
        path="/api/costs",
        handler=handlers.add_costs,
        access="token",
        needs=("settings",),
        summary="Store what campaigns cost",
        parameters=(
            ACCESS_TOKEN,
            Parameter(name="app_id", meaning="The app.", required=True),
            Parameter(
                name="costs", meaning="Objects with date, cost, currency, dimensions.", required=True, kind="array"
            ),
        ),
        answer="How many are `stored`; unless 0, how many were `added_up` with another one, and `replaced` one.",
    ),
)
