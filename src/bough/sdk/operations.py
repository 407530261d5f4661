"""The route table of the SDK protocol (docs/sdk.md)."""

from __future__ import annotations

from bough.sdk import (
    browser_handlers,
    event_handlers,
    impression_handlers,
    legacy_handlers,
    open_handlers,
    person_handlers,
    settings_handlers,
)
from bough.web.routing import Parameter, Route

_KEY = Parameter(name="branch_key", meaning="The app's key for the environment.", required=True)
_KEY_IN_PATH = Parameter(name="branch_key", meaning="The app's key.", required=True, place="path")
_CALLBACK = Parameter(name="callback", meaning="The function to call, an identifier.", required=True, place="query")
_BUNDLE = Parameter(name="identity_id", meaning="The bundle's id, as an open was answered.", required=True)

ACCEPTED = (
    ("/v1/close", "An app of an old SDK was closed"),
    ("/v1/dismiss", "A journey was dismissed"),
    ("/v1/content-events", "Views of content, from old SDKs"),
    ("/v1/register-view", "A view of content, from old SDKs"),
)
"""Requests from which nothing follows: the key is checked and `{}` answered."""

SDK_ROUTES = (
    Route(
        method="POST",
        path="/v1/open",
        handler=open_handlers.open_session,
        access="branch_key",
        summary="An app or page was opened",
        parameters=(_KEY,),
        answer="Session, device and browser ids, and the link data that led here as a JSON string.",
    ),
    Route(
        method="POST",
        path="/v1/install",
        handler=open_handlers.install,
        access="branch_key",
        summary="An app was opened for the first time after it was installed",
        parameters=(_KEY,),
        answer="As /v1/open.",
    ),
    Route(
        method="POST",
        path="/v2/event/standard",
        handler=event_handlers.standard_event,
        access="branch_key",
        summary="A standard event happened",
        parameters=(_KEY, Parameter(name="name", meaning="One of the standard names.", required=True)),
        answer="branch_view_enabled.",
    ),
    Route(
        method="POST",
        path="/v2/event/custom",
        handler=event_handlers.custom_event,
        access="branch_key",
        summary="A custom event happened",
        parameters=(_KEY, Parameter(name="name", meaning="Any name of your own.", required=True)),
        answer="branch_view_enabled.",
    ),
    Route(
        method="POST",
        path="/v1/pageview",
        handler=event_handlers.pageview,
        access="branch_key",
        summary="A page was viewed",
        parameters=(_KEY,),
        answer="An empty object.",
    ),
    Route(
        method="POST",
        path="/v1/event",
        handler=event_handlers.legacy_event,
        access="branch_key",
        summary="An event of an old SDK",
        parameters=(_KEY, Parameter(name="event", meaning="Its name.", required=True)),
        answer="An empty object.",
    ),
    Route(
        method="GET",
        path="/_r",
        handler=browser_handlers.browser_id,
        access="public",
        summary="The id of this browser on the link domain",
        parameters=(_CALLBACK, Parameter(name="_t", meaning="The id that the page knows.", place="query")),
        answer="JavaScript that calls `callback` with the id.",
    ),
    Route(
        method="GET",
        path="/sdk/branch-shim.js",
        handler=browser_handlers.shim,
        access="public",
        summary="The script that sends the Web SDK's /_r here",
        answer="JavaScript.",
    ),
    Route(
        method="GET",
        path="/v1/deepview",
        handler=browser_handlers.deepview_script,
        access="branch_key",
        summary="A deepview's button, for the Web SDK",
        parameters=(
            _CALLBACK,
            Parameter(
                name="post_data", meaning="base64 of a JSON object with branch_key.", required=True, place="query"
            ),
        ),
        answer="JavaScript that calls `callback` with a function that leads to the link.",
    ),
    Route(
        method="POST",
        path="/v1/deepview",
        handler=browser_handlers.deepview,
        access="branch_key",
        summary="A deepview's button",
        parameters=(_KEY,),
        answer="url, the link that the button leads to.",
    ),
    Route(
        method="POST",
        path="/v1/cpid",
        handler=person_handlers.cross_platform_ids,
        access="branch_key",
        summary="A person's id across platforms",
        parameters=(_KEY, Parameter(name="user_data", meaning="Identifiers, as of an event.", kind="object")),
        answer="user_data with cross_platform_id.",
    ),
    Route(
        method="POST",
        path="/v1/cpid/latd",
        handler=person_handlers.last_attributed_touch,
        access="branch_key",
        summary="The touch that a conversion of this person would be credited to now",
        parameters=(
            _KEY,
            Parameter(name="user_data", meaning="Identifiers, as of an event.", kind="object"),
            Parameter(name="attribution_window", meaning="Days, 1 to 90; 30 when not sent.", kind="integer"),
        ),
        answer="last_attributed_touch_data and attribution_window.",
    ),
    Route(
        method="GET",
        path="/v1/app-link-settings/{branch_key}",
        handler=settings_handlers.app_link_settings,
        access="branch_key",
        summary="Link domains and app identifiers, for the SDKs' integration validators",
        parameters=(_KEY_IN_PATH,),
        answer="The app's public settings.",
    ),
    Route(
        method="GET",
        path="/v1/has-app/{branch_key}",
        handler=person_handlers.has_app,
        access="branch_key",
        summary="Whether the person of a browser has the app (old Web SDKs)",
        parameters=(
            _KEY_IN_PATH,
            Parameter(name="browser_fingerprint_id", meaning="The browser's id.", place="query"),
        ),
        answer="true or false.",
    ),
    Route(
        method="POST",
        path="/v1/profile",
        handler=legacy_handlers.profile,
        access="branch_key",
        summary="setIdentity of an old SDK",
        parameters=(_KEY, _BUNDLE, Parameter(name="identity", meaning="Your id of the user.", required=True)),
        answer="identity_id, link and identity.",
    ),
    Route(
        method="POST",
        path="/v1/logout",
        handler=legacy_handlers.logout,
        access="branch_key",
        summary="logout of an old SDK",
        parameters=(_KEY, _BUNDLE),
        answer="session_id, identity_id and link.",
    ),
    *(
        Route(
            method="POST",
            path=path,
            handler=legacy_handlers.nothing,
            access="branch_key",
            summary=summary,
            parameters=(_KEY,),
            answer="An empty object.",
        )
        for path, summary in ACCEPTED
    ),
    Route(
        method="GET",
        path="/i/{alias:path}",
        handler=impression_handlers.pixel,
        access="public",
        summary="A pixel: somebody saw the link's ad",
        parameters=(Parameter(name="alias", meaning="The link's path.", required=True, place="path"),),
        answer="A transparent GIF.",
    ),
    Route(
        method="POST",
        path="/api/impressions",
        handler=impression_handlers.impressions,
        access="branch_key",
        summary="People saw ads of links",
        parameters=(
            _KEY,
            Parameter(
                name="impressions",
                meaning="Up to 1,000 objects: url, and browser_fingerprint_id or a device id; user_agent, ip, country.",
                required=True,
                kind="array",
                entries="object",
            ),
        ),
        answer="ids of those that were stored, and how many robots saw.",
    ),
)
