"""bough's own link API under /api/links: list, search, single fields, upsert, bulk (beyond docs/links.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from io import StringIO
from typing import Any

from starlette.responses import Response

from bough.accounts.audit import AuditEntry
from bough.accounts.call import Call
from bough.accounts.directory import Credential
from bough.accounts.model import App, User
from bough.errors import BadRequest, BoughError, Forbidden, NotFound, TooLarge, Unavailable
from bough.links import actions, bulk, placing
from bough.links.document import link_url
from bough.links.entries import bulk_entry, changed_entry
from bough.links.handlers import draft
from bough.links.history import history
from bough.links.item import details, item
from bough.links.listing import MAX_STREAMS, Listed, Listing, find_by_id, list_links
from bough.links.listing_parameters import FILTERS, parse_filters
from bough.links.model import Link
from bough.links.patch import parse_patch, patched_link
from bough.links.row_files import guess_format, read_rows
from bough.links.visibility import sees_link
from bough.store.database import Rows
from bough.vocabulary.ids import now_ms
from bough.web.query_values import parse_number, parse_switch
from bough.web.responses import json_response

MAX_PAGE = 500
DEFAULT_PAGE = 100
MAX_BULK_BYTES = 10 * 1024 * 1024
MAX_BULK_LINES = 50_000
"""Larger files are for `bough links update|delete`."""

LIST_PARAMETERS = frozenset({"app_id", "test", "limit", "cursor", *FILTERS})


async def list_all(call: Call) -> Response:
    """GET /api/links."""
    query = call.request.query_params
    for name in query:
        if name not in LIST_PARAMETERS:
            raise BadRequest(
                f"{name}: is not a parameter of this listing; those are {', '.join(sorted(LIST_PARAMETERS))}."
            )
    return json_response(await listing_document(call, query))


async def listing_document(call: Call, query: Mapping[str, str]) -> dict[str, Any]:
    """The answer of GET /api/links for the parameters LIST_PARAMETERS."""
    user = call.user()
    apps = _apps(call, user, query.get("app_id"))
    tests = (parse_switch("test", query["test"]),) if query.get("test") else (False, True)
    streams = tuple((app, test) for app in apps for test in tests)
    if len(streams) > MAX_STREAMS:
        raise BadRequest("app_id: is missing; your organization has too many apps to list all their links at once.")
    listing = Listing(
        streams=streams,
        filters=parse_filters(query),
        limit=parse_number("limit", query.get("limit") or str(DEFAULT_PAGE), 1, MAX_PAGE),
        cursor=parse_number("cursor", query["cursor"], 1, 2**63 - 1) if query.get("cursor") else None,
        admits=_admits(user),
    )
    page = await call.context.store.beside(list_links, call.context.store.rows, listing)
    cursor = None if page.next_cursor is None else str(page.next_cursor)
    return {"links": [item(listed, apps[listed.link.app]) for listed in page.links], "next_cursor": cursor}


async def read_one(call: Call) -> Response:
    """GET /api/links/{id}."""
    return json_response(await link_document(call, await own_link(call, call.user())))


async def patch_one(call: Call) -> Response:
    """PATCH /api/links/{id}."""
    body = await call.object()
    listed = await own_link(call, call.user())
    return json_response(await link_document(call, await change_link(call, listed, body)))


async def change_link(call: Call, listed: Listed, body: Mapping[str, Any]) -> Listed:
    """Carry out a PATCH of a link; durable when it returns."""
    user = call.user()
    patch = parse_patch(body)
    app = call.context.directory.apps[listed.link.app]
    now = now_ms()

    def change(link: Link) -> Link:
        if link.id != listed.link.id or not sees_link(user, link):
            raise NotFound
        after = patched_link(link, patch, app, now)
        if not sees_link(user, after):
            raise Forbidden(bulk.OUTSIDE)
        return after

    wanted = actions.LinkChange(domain=listed.link.domain, path=listed.link.path, app=app.id, test=None, change=change)
    link = await call.change(actions.change_batch, wanted, lambda link: changed_entry(link, app, sorted(body)))
    return listed._replace(link=link)


async def upsert(call: Call) -> Response:
    """PUT /api/links/by-alias."""
    user = call.user()
    body = await call.object()
    app = _app(call, user, body.get("app_id"))
    if not isinstance(body.get("test", False), bool):
        raise BadRequest("test: must be true or false.")
    if not body.get("alias"):
        raise BadRequest("alias: is missing; it names the link to create or change.")
    wanted = draft(call, Credential(app, body.get("test", False)), body)
    if not sees_link(user, wanted.link):
        raise Forbidden(bulk.OUTSIDE)
    placement = placing.Placement(
        link=wanted.link, replace=True, conflict_status=wanted.conflict_status, admits=_admits(user)
    )
    placed = (await call.change(placing.place_batch, [placement], lambda done: _placed_entry(done[0], app)))[0]
    if isinstance(placed, BoughError):
        raise placed
    found = await call.context.store.beside(find_by_id, call.context.store.rows, placed.link.id)
    listed = found or Listed(placed.link, 0, None)
    return json_response({"outcome": placed.outcome, "link": details(listed._replace(link=placed.link), app)})


async def bulk_update(call: Call) -> Response:
    """POST /api/links/bulk-update."""
    return await _bulk(call, call.user(), delete=False)


async def bulk_delete(call: Call) -> Response:
    """POST /api/links/bulk-delete."""
    return await _bulk(call, call.user(), delete=True)


async def _bulk(call: Call, user: User, *, delete: bool) -> Response:
    apps = _apps(call, user, call.query("app_id"))
    dry_run = parse_switch("dry_run", call.query("dry_run") or "false")
    body = await call.bytes(MAX_BULK_BYTES)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise BadRequest(f"The body is not valid UTF-8 (line {line}).") from error
    if max(body.count(b"\n"), body.count(b"\r")) > MAX_BULK_LINES:
        raise TooLarge(f"The body must have at most {MAX_BULK_LINES} lines; `bough links` takes files of any size.")
    reports = await run_bulk(call, apps, text, delete=delete, dry_run=dry_run)
    return json_response({"dry_run": dry_run, **summary(reports), "lines": reports})


async def run_bulk(
    call: Call, apps: Mapping[int, App], text: str, *, delete: bool, dry_run: bool
) -> list[bulk.BulkReport]:
    """Change or delete the links of a CSV or NDJSON text, as far as they are those of `apps` and the caller's."""
    user = call.user()
    file = read_rows(StringIO(text, newline=""), guess_format(text[:100]))
    store = call.context.store
    reports: list[bulk.BulkReport] = []
    action = "links.delete" if delete else "links.change"
    for chunk in bulk.chunks(file, call.context.directory, apps, delete=delete, now=now_ms(), admits=_admits(user)):
        if dry_run:
            reports += await store.beside(bulk.preview, store.rows, chunk)
            continue
        try:
            written = await call.change(bulk.apply_batch, chunk, lambda done: bulk_entry(action, done))
            reports += written
        except Unavailable as error:
            reports += bulk.failed(chunk, error)
    return reports


def summary(reports: list[bulk.BulkReport]) -> dict[str, int]:
    """How many lines did what."""
    failed = sum(not report.ok for report in reports)
    done = sum(bool(report.changed) or report.deleted for report in reports)
    return {"done": done, "unchanged": len(reports) - failed - done, "failed": failed}


async def link_document(call: Call, listed: Listed) -> dict[str, Any]:
    """The answer of GET /api/links/{id}."""
    app = call.context.directory.apps[listed.link.app]

    def read(rows: Rows) -> list[dict[str, Any]]:
        return history(rows, listed.link)

    changes = await call.context.store.beside(read, call.context.store.rows)
    return {**details(listed, app), "history": changes}


async def own_link(call: Call, user: User) -> Listed:
    """The link of the path's id. Raises NotFound for another organization's as for an unknown one."""
    return await own_link_by_id(call, user, call.path["id"])


async def own_link_by_id(call: Call, user: User, text: str) -> Listed:
    """The link with an id. Raises NotFound for another organization's as for an unknown one."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise NotFound
    store = call.context.store
    listed = await store.beside(find_by_id, store.rows, int(text)) if int(text) < 2**63 else None
    if listed is None or listed.link.app not in _apps(call, user, None) or not sees_link(user, listed.link):
        raise NotFound
    return listed


def _admits(user: User) -> Callable[[Link], bool] | None:
    return partial(sees_link, user) if user.filters else None


def _placed_entry(placed: placing.Placed | BoughError, app: App) -> AuditEntry | None:
    if isinstance(placed, BoughError) or placed.outcome == "unchanged":
        return None
    return AuditEntry(
        action="link.place",
        subject=link_url(placed.link, app),
        app=app.id,
        details={"id": str(placed.link.id), "outcome": placed.outcome},
    )


def _apps(call: Call, user: User, app_id: str | None) -> Mapping[int, App]:
    """The user's apps, or the one of them that is asked for. Raises NotFound for any other."""
    if app_id:
        app = _app(call, user, app_id)
        return {app.id: app}
    return call.context.directory.apps_of(user)


def _app(call: Call, user: User, app_id: object) -> App:
    if not isinstance(app_id, str) or not app_id:
        raise BadRequest("app_id: is missing; it must be an app's id, as a string.")
    app = call.context.directory.app_of(user, app_id)
    if app is None:
        raise NotFound
    return app
