"""The pages of the dashboard as routes."""

from __future__ import annotations

from bough.dashboard import feed, here, link_editor, link_list, link_page, overview, qr_page, static, theme
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
    get("/dashboard/links", link_list.links, "Links"),
    post("/dashboard/links/act", link_list.act, "Change the marked links"),
    get("/dashboard/links/new", link_editor.new, "Make a link"),
    post("/dashboard/links/new", link_editor.create, "Make a link"),
    post("/dashboard/links/preview", link_editor.preview, "Preview of a form"),
    get("/dashboard/picture", link_editor.picture, "A preview's picture"),
    get("/dashboard/links/{id}", link_page.link, "A link"),
    get("/dashboard/links/{id}/edit", link_editor.edit, "Change a link"),
    post("/dashboard/links/{id}/edit", link_editor.save, "Change a link"),
    get("/dashboard/links/{id}/qr", qr_page.designer, "Design a QR code"),
    get("/dashboard/links/{id}/qr-picture", qr_page.picture, "A QR code"),
    Route(
        method="GET",
        path="/static/{version}/{name:path}",
        handler=static.serve,
        access="public",
        summary="Style and scripts of the pages",
    ),
    get("/dashboard/{rest:path}", here.missing, "No page"),
)
