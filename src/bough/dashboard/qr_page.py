"""The QR designer: every look has an address, and the picture of it too; the link can be given one to keep."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from bough.dashboard.curl import line
from bough.dashboard.page_context import Here, page
from bough.dashboard.rendering import HEADERS
from bough.errors import BoughError
from bough.links.document import link_url
from bough.links.item import qr_look
from bough.links.listing import Listed
from bough.links.management_handlers import change_link, own_link_by_id
from bough.links.model import Link
from bough.links.qr.code import render
from bough.links.qr.look import FIELDS, FORMATS, WHOLE_NUMBERS, parse_settings
from bough.links.qr_handlers import fetcher
from bough.web.bodies import parse_form

PATTERNS = ("standard", "squares", "circles", "triangles", "diamonds", "hexagons", "octagons")
FINDERS = ("square", "rounded square", "circle")
CHOICES = {"code_pattern": PATTERNS, "finder_pattern": FINDERS}
COLOR_LABELS = {
    "code_color": ("Code", "#000000"),
    "background_color": ("Background", "#ffffff"),
    "finder_pattern_color": ("Corner rings", "#000000"),
    "finder_eye_color": ("Corner dots", "#000000"),
}
IMAGE_LABELS = {
    "center_logo_url": "Logo in the middle",
    "background_image_url": "Picture behind",
    "code_pattern_url": "Picture shining through the code",
}


@page("links")
async def designer(here: Here) -> Response:
    """GET /dashboard/links/{id}/qr."""
    listed = await own_link_by_id(here.call, here.user, here.call.path["id"])
    asked = _asked(here) or _kept(listed.link)
    return _designer(here, listed, asked)


@page("links")
async def keep(here: Here) -> Response:
    """POST /dashboard/links/{id}/qr: the link keeps the look of the form."""
    here.need("links")
    fields = parse_form(await here.call.bytes())
    listed = await own_link_by_id(here.call, here.user, here.call.path["id"])
    asked = {name: str(fields[name]) for name in FIELDS if fields.get(name)}
    try:
        await change_link(here.call, listed, {"qr_code_settings": asked})
    except BoughError as error:
        return _designer(here, listed, asked, error.message)
    return Response(b"", 303, {"Location": here.url(f"links/{listed.link.id}/qr", kept="1")})


def _designer(here: Here, listed: Listed, asked: dict[str, str], problem: str = "") -> Response:
    try:
        parse_settings(dict(asked))
    except BoughError as error:
        problem = error.message
    pictures = {
        kind: f"/dashboard/links/{listed.link.id}/qr-picture?{urlencode({**asked, 'image_format': kind})}"
        for kind in ("png", "svg", "jpeg")
    }
    app = here.call.context.directory.apps[listed.link.app]
    url = link_url(listed.link, app)
    key = here.call.context.directory.branch_key(app.id, listed.link.test)
    body: dict[str, Any] = {"branch_key": key, "qr_code_settings": asked, "data": {"$fallback_url": url}}
    return here.answer(
        "qr.html",
        listed=listed,
        url=url,
        asked=asked,
        problem=problem,
        said="The link keeps this look." if here.call.query("kept") else "",
        pictures=pictures,
        choices=CHOICES,
        colors=COLOR_LABELS,
        images=IMAGE_LABELS,
        numbers=WHOLE_NUMBERS,
        formats=FORMATS,
        curl=line(here, "POST", "/v2/qr-code", body, token=False) + " \\\n  --output code.png",
    )


@page("links")
async def picture(here: Here) -> Response:
    """GET /dashboard/links/{id}/qr-picture."""
    listed = await own_link_by_id(here.call, here.user, here.call.path["id"])
    settings = parse_settings(dict(_asked(here)))
    app = here.call.context.directory.apps[listed.link.app]
    fetch = fetcher(here.call.context.settings)
    body, kind = await asyncio.to_thread(render, link_url(listed.link, app), settings, fetch)
    headers = {**HEADERS, "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:"}
    if here.call.query("download"):
        headers["Content-Disposition"] = f'attachment; filename="qr-{listed.link.id}.{settings.image_format}"'
    return Response(body, 200, {**headers, "Content-Type": kind})


def _kept(link: Link) -> dict[str, str]:
    """The look that the link was given, as the form sends it."""
    return {name: str(value) for name, value in (qr_look(link) or {}).items()}


def _asked(here: Here) -> dict[str, str]:
    return {name: value for name in FIELDS if (value := here.call.query(name))}
