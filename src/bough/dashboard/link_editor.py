"""Making and changing a link: a form of every parameter, with a preview that follows what is typed."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.responses import Response

from bough.accounts.audit import AuditEntry
from bough.accounts.directory import Credential
from bough.dashboard import link_form
from bough.dashboard.curl import create_link_line, patch_link_line
from bough.dashboard.link_preview import show
from bough.dashboard.page_context import Here, page
from bough.dashboard.rendering import HEADERS, html, render
from bough.errors import BadRequest, BoughError, Forbidden, NotFound
from bough.links.bulk import OUTSIDE
from bough.links.control_parameters import GROUPS, MODES
from bough.links.document import link_url
from bough.links.handlers import create_one, draft
from bough.links.listing import Listed
from bough.links.management_handlers import change_link, own_link_by_id
from bough.links.model import DEFAULT_DURATION, Link
from bough.links.patch import parse_patch, patched_link
from bough.links.qr_handlers import fetcher
from bough.links.visibility import sees_link
from bough.vocabulary.ids import now_ms
from bough.web.bodies import parse_form

EMPTY = {"type": "0", "duration": str(DEFAULT_DURATION)}

PICTURES = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}
"""First bytes to content type."""


@page("links")
async def new(here: Here) -> Response:
    """GET /dashboard/links/new; `?from=ID` starts with another link's parameters."""
    here.need("links")
    fields: dict[str, Any] = dict(EMPTY)
    if source := here.call.query("from"):
        fields = {**link_form.fields_of((await own_link_by_id(here.call, here.user, source)).link), "alias": ""}
    return _form(here, fields, None)


@page("links")
async def create(here: Here) -> Response:
    """POST /dashboard/links/new."""
    here.need("links")
    fields = parse_form(await here.call.bytes())
    try:
        body = link_form.new_body(fields)
        if not sees_link(here.user, draft(here.call, _owner(here), body).link):
            raise Forbidden(OUTSIDE)
        link = await create_one(here.call, _owner(here), body)
        details = {"id": str(link.id), "outcome": "created"}
        url = link_url(link, here.app)
        await here.call.note(AuditEntry(action="link.place", subject=url, app=here.app.id, details=details))
    except BoughError as error:
        return _form(here, fields, None, error)
    return Response(b"", 303, {"Location": here.url(f"links/{link.id}", made="1")})


@page("links")
async def edit(here: Here) -> Response:
    """GET /dashboard/links/{id}/edit."""
    here.need("links")
    listed = await own_link_by_id(here.call, here.user, here.call.path["id"])
    return _form(here, link_form.fields_of(listed.link), listed)


@page("links")
async def save(here: Here) -> Response:
    """POST /dashboard/links/{id}/edit."""
    here.need("links")
    fields = parse_form(await here.call.bytes())
    listed = await own_link_by_id(here.call, here.user, here.call.path["id"])
    try:
        await change_link(here.call, listed, link_form.patch_body(fields, listed.link))
    except BoughError as error:
        return _form(here, fields, listed, error)
    return Response(b"", 303, {"Location": here.url(f"links/{listed.link.id}", saved="1")})


@page("links")
async def preview(here: Here) -> Response:
    """POST /dashboard/links/preview: the part of the page that shows what the form would make."""
    fields = parse_form(await here.call.bytes())
    identifier = str(fields.get("id") or "")
    listed = await own_link_by_id(here.call, here.user, identifier) if identifier else None
    return html(render("link_preview.html", here=here, **_previewed(here, fields, listed)))


@page("links")
async def picture(here: Here) -> Response:
    """GET /dashboard/picture?url=…: a card's picture through the server, so that pages load nothing from elsewhere."""
    fetch = fetcher(here.call.context.settings)
    body = await asyncio.to_thread(fetch, here.call.query("url") or "")
    kind = next((kind for start, kind in PICTURES.items() if body.startswith(start)), None)
    if kind is None:
        raise NotFound("There is no picture at this address.")
    headers = {**HEADERS, "Content-Security-Policy": "default-src 'none'", "Cache-Control": "private, max-age=300"}
    return Response(body, 200, {**headers, "Content-Type": kind})


def drafted(here: Here, fields: link_form.Fields, listed: Listed | None) -> Link:
    """The link that a form describes. Raises BoughError naming the field."""
    if listed is not None:
        patch = parse_patch(link_form.patch_body(fields, listed.link))
        return patched_link(listed.link, patch, here.call.context.directory.apps[listed.link.app], now_ms())
    wanted = draft(here.call, _owner(here), link_form.new_body(fields))
    if wanted.link.path:
        return wanted.link
    return msgspec.structs.replace(wanted.link, path=f"{wanted.prefix}/…".lstrip("/"))


def _previewed(here: Here, fields: link_form.Fields, listed: Listed | None) -> dict[str, Any]:
    try:
        link = drafted(here, fields, listed)
        line = (
            create_link_line(here, link_form.new_body(fields))
            if listed is None
            else patch_link_line(here, listed.link.id, link_form.patch_body(fields, listed.link))
        )
        return {"shown": show(link, here.call.context.directory.apps[link.app]), "curl": line, "problem": ""}
    except BoughError as error:
        return {"shown": None, "curl": "", "problem": error.message}


def _form(here: Here, fields: dict[str, Any], listed: Listed | None, error: BoughError | None = None) -> Response:
    if here.form != "html":
        raise error or BadRequest("format: this page has no table.")
    domains = [domain.host for domain in here.app.domains if domain.test == here.test and domain.kind != "alternate"]
    return here.answer(
        "link_editor.html",
        status=400 if error is not None else 200,
        fields=fields,
        listed=listed,
        error=error.message if error is not None else "",
        groups=GROUPS,
        modes=MODES,
        domains=domains,
        is_open=link_form.is_open,
        **_previewed(here, fields, listed),
    )


def _owner(here: Here) -> Credential:
    return Credential(here.app, here.test)
