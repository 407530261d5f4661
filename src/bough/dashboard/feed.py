"""The live feed: what just happened, from the journal by id, as server-sent events. Any worker can serve it.

A feed looks every LOOK_SECONDS for new rows and shows at most MAX_ROWS of them at a time, the newest; it ends after
END_SECONDS, and the browser comes back with the id that it saw last.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct
from starlette.responses import Response, StreamingResponse

from bough.agents.recognition import parse
from bough.clicks.decision.visit import called
from bough.dashboard import formats, queries
from bough.dashboard.page_context import Here, page
from bough.dashboard.rendering import HEADERS, render
from bough.errors import Forbidden, RateLimited
from bough.store.transaction import RowValues

LOOK_SECONDS = 0.5
BEAT_SECONDS = 10.0
END_SECONDS = 300.0
MAX_ROWS = 40
MAX_FEEDS = 200
"""Of one worker."""

ROWS_AT_ONCE = 500
SHOWN = ("click", "install", "open", "event", "pageview", "impression", "import")

LABELS = {
    "click": "Click",
    "install": "Install",
    "open": "Open",
    "event": "Event",
    "pageview": "Page view",
    "impression": "Impression",
    "import": "Imported",
}


class Happened(Struct, frozen=True, kw_only=True):
    """One line of the feed."""

    id: int
    at: int
    kind: str
    label: str
    what: str
    detail: str
    link: int | None


_open_feeds = 0
_body = msgspec.json.Decoder(dict[str, Any]).decode


@page("overview")
async def live(here: Here) -> Response:
    """GET /dashboard/feed: an event stream."""
    here.need("sensitive_data")
    if here.limited:
        raise Forbidden("Your access is limited to a part of the data, which the live feed does not know.")
    if _open_feeds >= MAX_FEEDS:
        raise RateLimited(30)
    given = here.call.header("last-event-id") or here.call.query("after") or ""
    store = here.call.context.store
    after = int(given) if given.isascii() and given.isdigit() and len(given) < 20 else 0
    if not 0 < after < 2**63:
        after = (await store.fetch(queries.NEWEST_ROW))[0][0] or 0
    headers = {**HEADERS, "X-Accel-Buffering": "no", "Content-Type": "text/event-stream"}
    return StreamingResponse(_stream(here, after), headers=headers)


async def recent(here: Here) -> list[Happened]:
    """The newest lines."""
    rows = await here.call.context.store.fetch(queries.NEWEST_ROWS, (ROWS_AT_ONCE,))
    return lines(rows, here.app.id, here.test, MAX_ROWS)


def lines(rows: Sequence[RowValues], app: int, test: bool, at_most: int) -> list[Happened]:
    """The first rows of one app's environment that people care about, in the order given."""
    wanted = (row for row in rows if row[2] == app and bool(row[3]) == test and row[4] in SHOWN)
    return [line_of(row) for row in islice(wanted, at_most)]


def line_of(row: RowValues) -> Happened:
    """A journal row as a line."""
    identifier, at, _, _, kind, link, text = row
    body = _body(text)
    if kind in ("click", "impression"):
        what = str(body.get("url") or "").partition("://")[2]
        agent = parse(str(body.get("user_agent") or ""))
        detail = ", ".join(part for part in (called(agent), str(body.get("country") or "")) if part)
    else:
        given = body.get("user_data")
        data = given if isinstance(given, dict) else body
        what = str(body.get("name") or body.get("event") or LABELS[kind])
        parts = (data.get("os"), data.get("brand"), data.get("model"), data.get("country"))
        detail = ", ".join(str(part) for part in parts if isinstance(part, str) and part)
    return Happened(
        id=identifier, at=at, kind=kind, label=LABELS[kind], what=formats.cut(what, 160),
        detail=formats.cut(detail, 80), link=link,
    )  # fmt: skip


async def _stream(here: Here, after: int) -> AsyncIterator[str]:
    global _open_feeds
    _open_feeds += 1
    try:
        ends = time.monotonic() + END_SECONDS
        beat = 0.0
        yield "retry: 2000\n\n"
        while time.monotonic() < ends:
            rows = await here.call.context.store.fetch(queries.ROWS_AFTER, (after, ROWS_AT_ONCE))
            if rows:
                after = rows[-1][0]
                found = lines(rows[::-1], here.app.id, here.test, MAX_ROWS)[::-1]
                if found:
                    text = render("feed_rows.html", here=here, rows=found)
                    data = "\n".join(f"data: {line}" for line in text.splitlines())
                    yield f"id: {after}\nevent: row\n{data}\n\n"
                    beat = time.monotonic()
            if time.monotonic() - beat > BEAT_SECONDS:
                yield f"id: {after}\nevent: beat\ndata:\n\n"
                beat = time.monotonic()
            if len(rows) < ROWS_AT_ONCE:
                await asyncio.sleep(LOOK_SECONDS)
    finally:
        _open_feeds -= 1
