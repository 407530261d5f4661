"""The list of links: search and filters in the address, pages by cursor, and actions on the marked ones."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from bough.dashboard.curl import get_line
from bough.dashboard.page_context import Here, page
from bough.dashboard.tables import Column, PageTable
from bough.errors import BadRequest
from bough.links.address import written_path
from bough.links.listing_parameters import FILTERS
from bough.links.management_handlers import listing_document, own_link_by_id, run_bulk, summary
from bough.links.model import LABELS
from bough.web.bodies import parse_form
from bough.web.responses import json_response

PAGE = 50
MAX_MARKED = 500
ACTIONS = ("tag", "untag", "set", "delete")

COLUMNS = (
    Column(name="id", label="Id", kind="code"),
    Column(name="url", label="Link"),
    Column(name="title", label="Title"),
    Column(name="channel", label="Channel"),
    Column(name="campaign", label="Campaign"),
    Column(name="feature", label="Feature"),
    Column(name="stage", label="Stage"),
    Column(name="tags", label="Tags", kind="tags"),
    Column(name="clicks", label="Clicks", kind="number"),
    Column(name="last_click_at", label="Last click", kind="time"),
    Column(name="created_at", label="Made", kind="time"),
)


@page("links")
async def links(here: Here) -> Response:
    """GET /dashboard/links."""
    asked = {name: value for name in (*FILTERS, "cursor") if (value := here.call.query(name))}
    query = {"limit": str(PAGE), "app_id": str(here.app.id), "test": "true" if here.test else "false", **asked}
    if here.call.query("limit"):
        query["limit"] = here.call.query("limit") or ""
    document = await listing_document(here.call, query)
    table = PageTable(
        name="links", caption="Links", columns=COLUMNS, rows=document["links"], document=document,
        empty="No link fits. Take a filter away, or make a link.",
    )  # fmt: skip
    filtered = any(name in asked for name in FILTERS)
    template = "link_rows.html" if here.partial else "links.html"
    return here.answer(
        template,
        [table],
        links=document["links"],
        next_cursor=document["next_cursor"],
        asked=asked,
        filtered=filtered,
        more_filters=[name for name in FILTERS if name in asked and name != "search"],
        labels=LABELS,
        curl=get_line(here, "/api/links", **query),
    )


@page("links")
async def act(here: Here) -> Response:
    """POST /dashboard/links/act: tag, untag, set a field, or delete the marked links."""
    here.need("links")
    fields = parse_form(await here.call.bytes())
    action = fields.get("action")
    if action not in ACTIONS:
        raise BadRequest(f"action: must be one of {', '.join(ACTIONS)}.")
    marked = fields.get("link", [])
    ids = [marked] if isinstance(marked, str) else marked
    if not 1 <= len(ids) <= MAX_MARKED:
        raise BadRequest(f"Mark 1 to {MAX_MARKED} links first.")
    if action == "delete":
        here.need("sensitive_data")
    lines = [await _line(here, one, action, fields) for one in ids]
    reports = await run_bulk(
        here.call, {here.app.id: here.app}, "\n".join(lines), delete=action == "delete", dry_run=False
    )
    if here.form == "json":
        return json_response({**summary(reports), "lines": reports})
    back = str(fields.get("back") or "")
    return here.answer(
        "links_done.html",
        action=action,
        summary=summary(reports),
        failures=[report for report in reports if not report.ok],
        back=back if back.startswith("/dashboard/links") else here.url("links"),
    )


async def _line(here: Here, identifier: str, action: str, fields: dict[str, Any]) -> str:
    """What a bulk request says about one link."""
    listed = await own_link_by_id(here.call, here.user, identifier)
    scheme = "https" if here.app.is_secure(listed.link.domain) else "http"
    url = f"{scheme}://{listed.link.domain}/{written_path(listed.link.path)}"
    line: dict[str, Any] = {"url": url}
    text = str(fields.get("value") or "").strip()
    if action in ("tag", "untag"):
        tags = [one.strip() for one in text.split(",") if one.strip()]
        if not tags:
            raise BadRequest("value: write one or more tags, with commas between them.")
        kept = [tag for tag in listed.link.tags if tag not in tags]
        line["tags"] = kept + tags if action == "tag" else kept
    elif action == "set":
        field = fields.get("field")
        if field not in LABELS:
            raise BadRequest(f"field: must be one of {', '.join(LABELS)}.")
        line[str(field)] = text or None
    return msgspec.json.encode(line).decode()
