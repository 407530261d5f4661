"""QR codes: Branch's API, /v1/qr-code (SDKs) and /v2/qr-code (docs/links.md), and those of links."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import msgspec
from starlette.responses import Response

from bough.accounts.call import Call
from bough.errors import BadRequest, BoughError
from bough.links import actions
from bough.links.document import link_url
from bough.links.handlers import draft
from bough.links.management_handlers import own_link
from bough.links.qr.code import render
from bough.links.qr.images import FetchImage
from bough.links.qr.look import FIELDS, MAX_IMAGE_BYTES, MAX_KEPT_BYTES, QrSettings, kept_text, parse_settings
from bough.settings import Settings
from bough.vocabulary.ids import new_code
from bough.web.errors import CORS_HEADERS
from bough.web.fetch import fetch_public

MAX_BODY = 1024 * 1024
"""Bytes: a logo may come inside the body, as a data: URL."""

FETCH_SECONDS = 5.0
"""For each picture that the settings name."""

HEADERS = {**CORS_HEADERS, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

_drawing = ThreadPoolExecutor(4, thread_name_prefix="bough-qr")
"""Of its own, so that slow picture hosts keep nobody waiting who wants no QR code."""


async def create_qr_code(call: Call) -> Response:
    """POST /v1/qr-code and /v2/qr-code: a link, answered as the picture of its address.

    The picture is drawn first, for an address that the link then gets: so nothing is stored when the settings, or a
    picture that they name, cannot be used.
    """
    body = await call.object(MAX_BODY)
    owner = call.credential(body)
    call.context.limits.check_app(owner.app, "qr")
    settings = parse_settings(body.pop("qr_code_settings", None))
    wanted = _looking_so(_with_code(draft(call, owner, body)), settings)
    picture, content_type = await draw(call, link_url(wanted.link, owner.app), settings)
    created = (await call.context.store.write(actions.create_batch, [wanted]))[0]
    if isinstance(created, BoughError):
        raise created
    return Response(picture, 200, HEADERS, content_type)


async def link_qr_code(call: Call) -> Response:
    """GET /api/links/{id}/qr-code: the code of a link, in its own look with the fields of the query over it."""
    query = call.request.query_params
    for name in query:
        if name not in FIELDS:
            raise BadRequest(f"{name}: is not a part of a code's look; those are {', '.join(FIELDS)}.")
    link = (await own_link(call, call.user())).link
    app = call.context.directory.apps[link.app]
    call.context.limits.check_app(app, "qr")
    settings = parse_settings(dict(query), base=parse_settings(link.qr_code_settings))
    picture, content_type = await draw(call, link_url(link, app), settings)
    return Response(picture, 200, HEADERS, content_type)


async def draw(call: Call, url: str, settings: QrSettings) -> tuple[bytes, str]:
    """The picture and its content type, beside the event loop: the pictures in it may have to be fetched."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_drawing, render, url, settings, fetcher(call.context.settings))


def fetcher(settings: Settings) -> FetchImage:
    """How the server fetches pictures: from public addresses, or from all by setting."""
    allow = (lambda _address: True) if settings.fetch_private == "allow" else None
    return lambda url: fetch_public(url, MAX_IMAGE_BYTES, FETCH_SECONDS, allow=allow)


def _looking_so(draft: actions.Draft, settings: QrSettings) -> actions.Draft:
    """The draft whose link keeps the look, unless that is too large: a logo may come inside the body."""
    text = kept_text(settings)
    if text is None or len(text) > MAX_KEPT_BYTES:
        return draft
    return msgspec.structs.replace(draft, link=msgspec.structs.replace(draft.link, qr_code_settings=text))


def _with_code(draft: actions.Draft) -> actions.Draft:
    """The draft with its path chosen beforehand. That a code is taken already happens once in 62**10 times."""
    if draft.link.path:
        return draft
    path = f"{draft.prefix}/{new_code()}" if draft.prefix else new_code()
    return msgspec.structs.replace(draft, link=msgspec.structs.replace(draft.link, path=path))
