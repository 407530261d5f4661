"""What only pages ask for: GET /_r, the shim that brings it here, and deepviews (docs/sdk.md)."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, urlsafe_b64encode
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import Response

from bough.accounts.call import Call
from bough.accounts.directory import Credential
from bough.clicks import long_links
from bough.errors import BadRequest, TooLarge
from bough.events import body as bodies
from bough.events.body import encode
from bough.links.codec import from_row
from bough.links.document import link_url
from bough.links.model import LABELS, Link
from bough.links.queries import BY_ID, BY_PATH
from bough.sdk import jsonp
from bough.sdk.edge import new_token, owner_of, read_body
from bough.store.journal import BY_ID as ROW_BY_ID
from bough.store.journal import to_row
from bough.vocabulary.values import text
from bough.web.cookies import browser_of, cookie_value
from bough.web.errors import CORS_HEADERS
from bough.web.responses import json_response

SHIM = files("bough.sdk").joinpath("static/branch-shim.js").read_text()

MAX_LONG_LINK = 12 * 1024
"""Bytes of a long link: what the edge takes as an address, less what a click may append."""

_BROWSER = re.compile(r"\d{18,19}\Z", re.ASCII)


async def browser_id(call: Call) -> Response:
    """GET /_r: the id of this browser on the link domain, by cookie, else as the page knows it (`_t`), else new."""
    name = jsonp.callback(call.query("callback"))
    known = browser_of(call.header("cookie"))
    said = call.query("_t") or ""
    browser = known or (said if _BROWSER.match(said) else "") or new_token()
    headers = {} if known else {"Set-Cookie": _cookie(call, browser)}
    return jsonp.script(name, jsonp.literal(browser), headers)


async def shim(_call: Call) -> Response:
    """GET /sdk/branch-shim.js."""
    headers = {**CORS_HEADERS, "X-Content-Type-Options": "nosniff", "Cache-Control": "public, max-age=3600"}
    return Response(SHIM, 200, headers, "application/javascript")


async def deepview_script(call: Call) -> Response:
    """GET /v1/deepview: a function that leads to the link, so that the tap on it is a recorded click."""
    name = jsonp.callback(call.query("callback"))
    body = _posted(call.query("post_data") or call.query("data") or "")
    url = await _deepview_link(call, body)
    return jsonp.script(name, f"function(){{window.top.location.href={jsonp.literal(url)};}}")


async def deepview(call: Call) -> Response:
    """POST /v1/deepview: the address that the deepview's button leads to."""
    return json_response({"url": await _deepview_link(call, await read_body(call))})


def _posted(encoded: str) -> dict[str, Any]:
    """The JSON object in `post_data`: base64, of which a form reader may have turned `+` into spaces."""
    try:
        raw = b64decode(encoded.strip().replace(" ", "+"), validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest("post_data: must be base64 of a JSON object.") from None
    value = bodies.decode(raw, "post_data")
    if not isinstance(value, dict):
        raise BadRequest("post_data: must be base64 of a JSON object.")
    return value


async def _deepview_link(call: Call, body: dict[str, Any]) -> str:
    owner = owner_of(call, body)
    known = await _referring_link(call, owner, text(body.get("link_click_id"), 1024))
    return known or long_link(call, owner, body)


async def _referring_link(call: Call, owner: Credential, named: str) -> str:
    """The stored link that led to the page, named by click id or by the end of its address; empty when unknown."""
    path = named.partition("?")[0]
    if not path.isprintable() or not path:
        return ""
    link: Link | None = None
    if path.isdigit() and len(path) in (18, 19):
        rows = await call.context.store.fetch(ROW_BY_ID, (int(path),))
        row = to_row(rows[0]) if rows else None
        if row is not None and row.link is not None:
            found = await call.context.store.fetch(BY_ID, (row.link,))
            link = from_row(found[0]) if found else None
    else:
        domain = owner.app.domain(owner.test)
        prefix = f"{domain.prefix}/" if domain and domain.prefix else ""
        found = await call.context.store.fetch(BY_PATH, (domain.host, prefix + path)) if domain else []
        link = from_row(found[0]) if found else None
    if link is None or link.app != owner.app.id or link.test != owner.test:
        return ""
    return link_url(link, owner.app)


def long_link(call: Call, owner: Credential, body: dict[str, Any]) -> str:
    """A link that is written out in its own query (docs/clicks.md) and so needs no row.

    Raises:
        BadRequest: the labels or `data` break a limit of links.
        TooLarge: `data` makes an address that browsers and servers do not take.
    """
    data = {key: value for key, value in bodies.nested_object(body.get("data"), "data").items() if value is not None}
    pairs = [(name, text(body.get(name))) for name in (*LABELS, "alias", "type", "duration", "source")]
    tags = body.get("tags")
    pairs += [("tags", text(tag)) for tag in (tags if isinstance(tags, list) else [tags])]
    packed = urlsafe_b64encode(encode(data)).decode().rstrip("=")
    query = [pair for pair in [*pairs, ("data", packed)] if pair[1]]
    domain = owner.app.domain(owner.test)
    base = f"{domain.scheme}://{domain.host}" if domain else call.context.settings.base_url
    key = call.context.directory.branch_key(owner.app.id, owner.test)
    long_links.build(owner.app, domain.host if domain else "", tuple(query), test=owner.test)
    url = f"{base}/a/{key}?{urlencode(query, quote_via=quote)}"
    if len(url) > MAX_LONG_LINK:
        raise TooLarge(f"data: makes a link of more than {MAX_LONG_LINK} bytes; create it with POST /v1/url.")
    return url


def _cookie(call: Call, browser: str) -> str:
    """Whether browsers reach this host over https says its domain, else the server's public address."""
    host = (call.header("host") or "").lower()
    domain = call.context.directory.domain(host)
    https = domain.scheme == "https" if domain else call.context.settings.base_url.startswith("https://")
    return cookie_value(browser, host, https=https)
