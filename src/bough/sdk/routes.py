"""The route table of the SDK protocol (contract/sdk.md §1)."""

from __future__ import annotations

from bough.sdk import event_routes, open_routes
from bough.web.routing import Parameter, Route

_KEY = Parameter(name="branch_key", meaning="The app's key for the environment.", required=True)

SDK_ROUTES = (
    Route(
        method="POST",
        path="/v1/open",
        handler=open_routes.open_session,
        access="branch_key",
        summary="An app or page was opened",
        parameters=(_KEY,),
        answer="Session, device and browser ids, and the link data that led here as a JSON string.",
    ),
    Route(
        method="POST",
        path="/v1/install",
        handler=open_routes.install,
        access="branch_key",
        summary="An app was opened for the first time after it was installed",
        parameters=(_KEY,),
        answer="As /v1/open.",
    ),
    Route(
        method="POST",
        path="/v2/event/standard",
        handler=event_routes.standard_event,
        access="branch_key",
        summary="A standard event happened",
        parameters=(_KEY, Parameter(name="name", meaning="One of the standard names.", required=True)),
        answer="branch_view_enabled.",
    ),
    Route(
        method="POST",
        path="/v2/event/custom",
        handler=event_routes.custom_event,
        access="branch_key",
        summary="A custom event happened",
        parameters=(_KEY, Parameter(name="name", meaning="Any name of your own.", required=True)),
        answer="branch_view_enabled.",
    ),
    Route(
        method="POST",
        path="/v1/pageview",
        handler=event_routes.pageview,
        access="branch_key",
        summary="A page was viewed",
        parameters=(_KEY,),
        answer="An empty object.",
    ),
    Route(
        method="POST",
        path="/v1/event",
        handler=event_routes.legacy_event,
        access="branch_key",
        summary="An event of an old SDK",
        parameters=(_KEY, Parameter(name="event", meaning="Its name.", required=True)),
        answer="An empty object.",
    ),
)
