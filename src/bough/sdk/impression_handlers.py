"""Impressions: GET /i/<alias>, a pixel, and POST /api/impressions for ad servers (docs/sdk.md).

An impression is a touch like a click, with windows of its own; it is found by browser or by a device id given on it and
never by guessing. Robots and prefetches see nothing.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from starlette.responses import Response

from bough.accounts.call import Call
from bough.accounts.directory import Credential
from bough.agents.recognition import parse
from bough.errors import BadRequest, NotFound
from bough.events import identifiers as ids
from bough.events.body import nested_list
from bough.links.address import Address, locate, parse_address
from bough.links.codec import from_row
from bough.links.model import Link
from bough.links.queries import BY_PATH
from bough.sdk.edge import owner_of, read_body
from bough.store.journal import NewRow, append_batch
from bough.store.transaction import RowValues, Transaction
from bough.vocabulary.ids import now_ms
from bough.vocabulary.journal_rows import Click
from bough.vocabulary.values import text
from bough.web.cookies import browser_of, cookie_value
from bough.web.prefetch import is_prefetch
from bough.web.responses import json_response

GIF = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent pixel."""

MAX_IMPRESSIONS = 1000
GIVEN = ("idfa", "idfv", "aaid", "oaid", "fire_ad_id", "android_id")

_encode = msgspec.json.Encoder().encode


async def pixel(call: Call) -> Response:
    """GET /i/<alias>: a picture in any case, so that no page shows a broken one; journalled for a link we know."""
    link, secure = await _asked_link(call)
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    user_agent = (call.header("user-agent") or "")[:1024]
    is_seen = parse(user_agent).kind == "browser" and not is_prefetch(call.request.headers.raw)
    if link is not None and call.request.method == "GET" and is_seen:
        visitor = call.visitor()
        browser = browser_of(call.header("cookie"))
        seen = Click(
            url=str(call.request.url.replace(scheme="https" if secure else "http"))[:4096],
            user_agent=user_agent,
            ip=visitor.ip,
            country=visitor.country,
            referrer=(call.header("referer") or "")[:2048],
            browser=browser,
        )
        row = NewRow(now_ms(), link.app, int(link.test), "impression", link.id, _encode(seen).decode())
        identifier = await call.context.store.write(append_batch, row)
        if not browser:
            headers["Set-Cookie"] = cookie_value(identifier, (call.header("host") or "").lower(), https=secure)
    return Response(GIF, 200, headers, "image/gif")


async def impressions(call: Call) -> Response:
    """POST /api/impressions: all of them are stored, or none; what robots saw is left out and counted."""
    body = await read_body(call)
    owner = owner_of(call, body)
    items = nested_list(body.get("impressions"), "impressions")
    if not 1 <= len(items) <= MAX_IMPRESSIONS:
        raise BadRequest(f"impressions: must be a list of 1 to {MAX_IMPRESSIONS} objects.")
    rows = [await _row(call, owner, item, f"impressions[{place}]") for place, item in enumerate(items)]
    seen = [row for row in rows if row is not None]
    stored = await call.context.store.write(append_all, seen) if seen else []
    return json_response({"ids": [str(one) for one in stored], "robots": len(rows) - len(seen)})


def append_all(tx: Transaction, requests: list[list[NewRow]]) -> list[list[int] | Exception]:
    """Append each request's rows; the results are their ids."""
    numbers = iter(append_batch(tx, [row for rows in requests for row in rows]))
    results: list[list[int] | Exception] = []
    for rows in requests:
        results.append([number for _, number in zip(rows, numbers, strict=False) if isinstance(number, int)])
    return results


async def _asked_link(call: Call) -> tuple[Link | None, bool]:
    """The link behind /i/<alias> on the request's host, and whether that host is reached over https."""
    directory = call.context.directory
    host = (call.header("host") or "").lower()
    if not directory.knows_host(host):
        host = call.context.settings.base_url.partition("://")[2].rstrip("/").lower()
    address = locate(directory, host, call.path["alias"])
    rows = await _stored(call, address)
    domain = directory.domain_of_path(address.domain, address.path)
    secure = domain.scheme == "https" if domain else call.context.settings.base_url.startswith("https://")
    return (from_row(rows[0]) if rows else None), secure


async def _stored(call: Call, address: Address) -> list[RowValues]:
    """The row of a link. No alias holds control characters, and PostgreSQL refuses to look for some of them."""
    if not address.path.isprintable() or not address.domain.isprintable():
        return []
    return await call.context.store.fetch(BY_PATH, (address.domain, address.path))


async def _row(call: Call, owner: Credential, item: Any, field: str) -> NewRow | None:
    """One impression as a journal row; None when a robot saw it. Raises BadRequest naming the field."""
    if not isinstance(item, dict):
        raise BadRequest(f"{field}: must be an object.")
    try:
        address = parse_address(item.get("url"), call.context.directory)
    except BadRequest as error:
        raise BadRequest(f"{field}.{error.message}") from None
    rows = await _stored(call, address)
    link = from_row(rows[0]) if rows else None
    if link is None or link.app != owner.app.id or link.test != owner.test:
        raise NotFound(f"{field}.url: there is no such link.")
    user_agent = text(item.get("user_agent"), 1024)
    if user_agent and parse(user_agent).kind in ("robot", "social"):
        return None
    given = [(f"${name}", one) for name in GIVEN if (one := ids.clean(_kind(name), item.get(name)))]
    browser = ids.clean("browser", item.get("browser_fingerprint_id"))
    if not given and not browser:
        raise BadRequest(f"{field}: needs browser_fingerprint_id or one of {', '.join(GIVEN)}.")
    url = str(item["url"])
    if given:
        url += ("&" if "?" in url else "?") + urlencode(given, quote_via=quote)
    seen = Click(
        url=url,
        user_agent=user_agent,
        ip=text(item.get("ip"), 64),
        country=text(item.get("country"), 2).upper(),
        browser=browser,
    )
    return NewRow(now_ms(), link.app, int(link.test), "impression", link.id, _encode(seen).decode())


def _kind(name: str) -> ids.Kind:
    return ids.GIVEN_ON_CLICK[name]
