"""The pages of the dashboard as routes."""

from __future__ import annotations

from bough.dashboard import feed, here, overview, static, theme
from bough.web.routing import Handler, Route


def get(path: str, handler: Handler, summary: str) -> Route:
    """A page that is read."""
    return Route(method="GET", path=path, handler=handler, access="page", summary=summary)


def post(path: str, handler: Handler, summary: str) -> Route:
    """A form of a page."""
    return Route(method="POST", path=path, handler=handler, access="page", summary=summary)


DASHBOARD_ROUTES = (
    get("/dashboard", overview.overview, "Overview"),
    get("/dashboard/feed", feed.live, "The live feed"),
    post("/dashboard/theme", theme.choose, "Choose light or dark"),
    Route(
        method="GET",
        path="/static/{version}/{name:path}",
        handler=static.serve,
        access="public",
        summary="Style and scripts of the pages",
    ),
    get("/dashboard/{rest:path}", here.missing, "No page"),
)
