"""POST /v2/analytics, the job's status, its file; jobs and their cancelling (docs/exports.md)."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
import uuid
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import FileResponse, Response, StreamingResponse

from bough.accounts.audit import AuditEntry
from bough.accounts.call import Call
from bough.accounts.model import App, User
from bough.cohorts.measures import canonical
from bough.cohorts.meta import meta as tables
from bough.cohorts.request import CohortRequest, parse, parse_json
from bough.errors import AuthenticationFailed, BadRequest, BoughError, Forbidden
from bough.exports import records, wake_up
from bough.exports.callbacks import check_callback
from bough.exports.downloads import Downloads
from bough.exports.files import Stream, content_type, job_of
from bough.exports.job import CANCELLED, Job, Status, from_row, iso, status_document
from bough.exports.questions import ask
from bough.exports.signing import INVALID, SIGNED_SECONDS, Signer
from bough.exports.tracing import TraceRequest
from bough.exports.visibility import (
    asked_for,
    covered_apps,
    limits_of,
    mandatory_filters,
    may_see,
    told_of,
    visible_job,
)
from bough.store.transaction import Value
from bough.vocabulary.filters import Filter
from bough.vocabulary.ids import now_ms
from bough.web.errors import CORS_HEADERS, error_body
from bough.web.responses import json_response

EXPORTING = frozenset({"aggregate_data", "export"})
"""Permissions that the holder of a signed address must still have; the route table says it of the other routes."""

MAX_WAIT_SECONDS = 60
POLL_SECONDS = 0.01
MAX_JOBS_LISTED = 500

WATERMARK = (
    "SELECT (SELECT max(id) FROM journal), (SELECT max(updated_at) FROM cost),"
    " (SELECT max(journal) FROM watermark WHERE name = 'rates')"
)

_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,9})(?:$|[,;\s])")


async def create_job(call: Call) -> Response:
    """POST /v2/analytics."""
    user = call.user()
    try:
        body = dict(parse_json(await call.bytes()))
    except BadRequest as error:
        return _refusal(error)
    query = _query(call)
    if not any(given.get(name) for given in (query, body) for name in ("app_id", "organization_id")):
        raise AuthenticationFailed  # documented for a missing app, too (docs/access.md)
    apps = covered_apps(call, user, body, query)
    call.context.limits.check_export(user.organization, apps, "analytics")
    try:
        request = parse(body, query, today=today_of(apps), **limits_of(apps))
        if request.callback_url is not None:
            await asyncio.to_thread(check_callback, request.callback_url, call.context.settings)
    except BadRequest as error:
        return _refusal(error)
    if request.dry_run:
        return json_response(await _dry_run(call, user, request, apps))
    return await _created(call, await start_job(call, request, apps))


async def start_job(call: Call, request: CohortRequest, apps: list[App]) -> Job:
    """A job that answers the request for the caller: an equal one of the last hour, else a new one.

    The audit log is told of a new one, and of one that somebody else has asked for; not each time that a page is
    looked at again.
    """
    wanted = new_job(call.user(), request, apps, await _watermark(call))
    own = request.fresh or request.callback_url is not None
    job = None if own else records.shared(await call.context.store.fetch(records.EQUAL_JOBS, records.equal_to(wanted)))
    if job is None:
        job = await call.change(records.create_batch if own else records.share_batch, wanted, asked_for)
        wake_up.ring(call.context.settings.folder)
    elif job.account_user != call.user().id:
        await call.note(asked_for(job))
    return job


async def job_status(call: Call) -> Response:
    """GET /v2/analytics/{job_id}: HTTP 200 for every known job, the job's own code in the body."""
    user = call.user()
    call.context.limits.check_export(user.organization, _named(call, user), "analytics_status")
    _check_owner(call, user)
    job = await visible_job(call, call.path["job_id"])
    return json_response(status_of_job(call, job))


def _named(call: Call, user: User) -> list[App]:
    """The app of the query's `app_id`, when the user sees it."""
    app = call.context.directory.app_of(user, call.query("app_id") or "")
    return [] if app is None else [app]


async def download(call: Call) -> Response:
    """GET /v2/analytics/files/{name}: needs no token, only the signed address."""
    name = call.path["name"]
    query = call.request.query_params
    identifier = call.context.part(Downloads).signer.check(
        name,
        query.get("Signature", ""),
        query.get("Expires", ""),
        query.get("AWSAccessKeyId", ""),
        int(time.time()),
    )
    user = call.context.directory.users.get(identifier)
    job = None if user is None else await records.find(call.context.store, user.organization, job_of(name))
    if (
        user is None
        or job is None
        or not (user.permissions >= EXPORTING and may_see(user, job, call.context.directory))
    ):
        raise Forbidden(INVALID)
    call.act_for(user)
    return await job_file(call, job, name, {})


async def list_jobs(call: Call) -> Response:
    """GET /api/jobs: the organization's jobs, newest first; `before` is the `next` of the page before."""
    return json_response(await jobs_document(call))


async def jobs_document(call: Call) -> dict[str, Any]:
    """The answer of GET /api/jobs for the call's query."""
    user = call.user()
    limit = _number(call, "limit", 50, MAX_JOBS_LISTED)
    before = _number(call, "before", 2**63 - 1, 2**63 - 1)
    rows = await call.context.store.fetch(records.BY_ORGANIZATION, (user.organization, before, limit))
    jobs = [from_row(row) for row in rows]
    shown = [_listed(call, job) for job in jobs if may_see(user, job, call.context.directory)]
    return {"jobs": shown, "next": str(jobs[-1].id) if len(jobs) == limit else None}


async def cancel_job(call: Call) -> Response:
    """POST /api/jobs/{job_id}/cancel: a job that has ended stays as it is."""
    return json_response(status_of_job(call, await cancelled_job(call)))


async def cancelled_job(call: Call) -> Job:
    """The job of the path, cancelled unless it has ended."""
    job = await visible_job(call, call.path["job_id"])
    changes: dict[str, Value] = {
        "status": Status.ERROR,
        "finished_at": now_ms(),
        "error_code": CANCELLED,
        "error_message": "The job was cancelled.",
        "callback_at": now_ms() if job.callback_url else None,
    }
    update = records.Updated(job.job_id, (Status.QUEUED, Status.RUNNING), changes)
    changed = await call.change(
        records.update_batch,
        update,
        lambda changed: None if changed is None else AuditEntry(action="export.cancel", subject=job.job_id),
    )
    return changed or job


async def meta(call: Call) -> Response:
    """GET /v2/analytics/meta: which dimensions, measures and values a request may hold."""
    return json_response(tables())


async def rows(call: Call) -> Response:
    """GET /api/cohorts/rows: the members and events behind one cell of a job's answer, or of a request's."""
    user = call.user()
    call.context.limits.check_export(user.organization, _named(call, user), "analytics_status")
    return json_response(await cell_document(call))


async def cell_document(call: Call) -> dict[str, Any]:
    """The answer of GET /api/cohorts/rows for the call's query."""
    user = call.user()
    request, apps, filters = await _asked(call, user)
    measure, band = call.query("measure") or "", call.query("band") or "0"
    if not band.isascii() or not band.isdigit() or len(band) > 4:
        raise BadRequest("band: must be the number of a band.")
    values = dict(parse_json((call.query("values") or "{}").encode()))
    if not all(value is None or isinstance(value, str) for value in values.values()):
        raise BadRequest("values: must be an object of dimension to a value or null.")
    question = TraceRequest(
        request=request,
        apps=apps,
        filters=filters,
        values=values,
        measure=canonical(measure),
        band=int(band),
    )
    found = await _ask(call, "rows", question)
    cell = {"measure": question.measure, "band": question.band, "values": values}
    await call.note(AuditEntry(action="export.rows", details={**told_of(request, apps), **cell}))
    document: dict[str, Any] = found
    return document


async def _asked(call: Call, user: User) -> tuple[CohortRequest, tuple[int, ...], tuple[Filter, ...]]:
    """The request that a cell belongs to, its apps and mandatory filters: those of `job_id`, or of `request` as JSON
    with app_id or organization_id."""
    job_id, written = call.query("job_id"), call.query("request")
    if job_id:
        job = await visible_job(call, job_id)
        return job.request, job.apps, (*job.filters, *mandatory_filters(user, job.request))
    if not written:
        raise BadRequest("job_id: job_id or request is required.")
    body = dict(parse_json(written.encode()))
    query = _query(call)
    apps = covered_apps(call, user, body, query)
    request = parse(body, query, today=today_of(apps), **limits_of(apps))
    return request, tuple(app.id for app in apps), mandatory_filters(user, request)


async def _ask(call: Call, kind: str, question: TraceRequest) -> Any:
    folder = call.context.settings.folder
    return await asyncio.to_thread(ask, folder, kind, msgspec.to_builtins(question))


def _check_owner(call: Call, user: User) -> None:
    """The status address needs no owner, but one that is named must be the caller's."""
    covered_apps(call, user, {}, _query(call))


def _query(call: Call) -> dict[str, str]:
    query = dict(call.request.query_params)
    header = call.header("app_id")
    if header and "app_id" not in query and "organization_id" not in query:
        query["app_id"] = header
    return query


def today_of(apps: list[App]) -> date:
    """The local day of one app; of several, that of UTC."""
    zone = apps[0].timezone if len(apps) == 1 else "UTC"
    return datetime.now(UTC).astimezone(ZoneInfo(zone)).date()


def _refusal(error: BoughError) -> Response:
    """A refused request: the error shape, and the two keys that the documented answer has."""
    body = msgspec.json.decode(error_body(error.status, error.message))
    return json_response({**body, "code": error.status, "error_message": error.message}, error.status)


def new_job(user: User, request: CohortRequest, apps: list[App], watermark: str) -> Job:
    """A job that nobody has stored yet."""
    filters = mandatory_filters(user, request)
    return Job(
        id=0,
        job_id=str(uuid.uuid4()),
        organization=user.organization,
        account_user=user.id,
        request=request,
        apps=tuple(app.id for app in apps),
        filters=filters,
        fingerprint=_fingerprint(request, apps, filters, watermark),
        status=Status.QUEUED,
        attempts=0,
        created_at=now_ms(),
        callback_url=request.callback_url,
    )


def _fingerprint(request: CohortRequest, apps: list[App], filters: tuple[Filter, ...], watermark: str) -> str:
    """Equal only where the answers must be: same question, apps as configured, filters, local days, and data."""
    plain = msgspec.structs.replace(request, fresh=False, callback_url=None)
    days = [today_of([app]).isoformat() for app in apps]
    return hashlib.sha256(msgspec.json.encode((plain, apps, days, filters, watermark))).hexdigest()


async def _watermark(call: Call) -> str:
    """Changes whenever there is new data (the journal, costs, exchange rates), or files go to another place."""
    rows = await call.context.store.fetch(WATERMARK)
    return ",".join([*(str(value) for value in rows[0]), call.context.settings.export_files])


async def _created(call: Call, job: Job) -> Response:
    wait = _WAIT.search(call.header("prefer") or "")
    if wait is not None:
        finished = await finished_job(call, job, min(int(wait[1]), MAX_WAIT_SECONDS))
        # The user may have lost access while the job ran.
        user = call.context.directory.users.get(call.user().id)
        if (
            finished is not None
            and finished.file_name is not None
            and user is not None
            and user.permissions >= EXPORTING
            and may_see(user, finished, call.context.directory)
        ):
            return await job_file(call, finished, finished.file_name, {"Preference-Applied": "wait", **_told(finished)})
    base = call.context.settings.base_url.rstrip("/")
    document: dict[str, Any] = {
        "code": 200,
        "job_id": job.job_id,
        "status_url": f"{base}/v2/analytics/{job.job_id}",
    }
    if job.request.warnings:
        document["warnings"] = list(job.request.warnings)
    return json_response(document)


async def job_file(call: Call, job: Job, name: str, headers: dict[str, str]) -> Response:
    """A finished job's file as an answer; noted in the audit log."""
    opened = await call.context.part(Downloads).files.open(name)
    await call.note(
        AuditEntry(action="export.download", subject=job.job_id, details={"file": name, "rows": job.row_count})
    )
    safe = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    sent = {**CORS_HEADERS, **safe, **headers}
    if isinstance(opened, Stream):
        sent["Content-Length"] = str(opened.size)
        return StreamingResponse(opened.chunks, headers=sent, media_type=content_type(name))
    return FileResponse(opened, headers=sent, media_type=content_type(name))


def _told(job: Job) -> dict[str, str]:
    """What a file's reader should know, for callers who do not ask for the status."""
    return {
        "Bough-Job-Id": job.job_id,
        "Bough-Rows": str(job.row_count),
        "Bough-Rows-Total": str(job.rows_total),
        "Bough-Truncated": "true" if job.truncated else "false",
        "Bough-Data-As-Of": iso(job.data_as_of or 0),
    }


async def finished_job(call: Call, job: Job, seconds: int) -> Job | None:
    """The finished job, or None when it has not finished in time or failed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = await records.find(call.context.store, job.organization, job.job_id)
        if found is None or found.status == Status.ERROR:
            return None
        if found.status == Status.FINISHED:
            return found
        await asyncio.sleep(POLL_SECONDS)
    return None


def status_of_job(call: Call, job: Job) -> dict[str, Any]:
    """The answer of GET /v2/analytics/{job_id}."""
    return status_document(job, response_url(call, job), now_ms())


def response_url(call: Call, job: Job) -> str | None:
    """A freshly signed address of a finished job's file."""
    return signed_url(call.context.settings.base_url, call.context.part(Downloads).signer, job, call.user().id)


def signed_url(base_url: str, signer: Signer, job: Job, user: int) -> str | None:
    """The address of a finished job's file for a user, or None when it has none."""
    if job.status != Status.FINISHED or job.file_name is None:
        return None
    query = signer.signed_query(job.file_name, int(time.time()) + SIGNED_SECONDS, user)
    return f"{base_url.rstrip('/')}/v2/analytics/files/{job.file_name}?{query}"


def shown_request(user: User, job: Job) -> dict[str, Any]:
    """A job's request; a webhook's address can hold secrets and is shown only to who gave it."""
    request: dict[str, Any] = msgspec.to_builtins(job.request)
    return request if job.account_user == user.id else {**request, "callback_url": None}


def _listed(call: Call, job: Job) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        **status_of_job(call, job),
        "request": shown_request(call.user(), job),
        "created_at": iso(job.created_at),
    }


async def _dry_run(call: Call, user: User, request: CohortRequest, apps: list[App]) -> dict[str, Any]:
    """What the request would read and write; it makes no job."""
    question = TraceRequest(
        request=request, apps=tuple(app.id for app in apps), filters=mandatory_filters(user, request)
    )
    return {
        "code": 200,
        "dry_run": True,
        "apps": [str(app.id) for app in apps],
        "days": (request.end_date - request.start_date).days + 1,
        "bands": request.band_count,
        "estimate": await _ask(call, "estimate", question),
        "warnings": list(request.warnings),
    }


def _number(call: Call, name: str, default: int, most: int) -> int:
    text = call.query(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise BadRequest(f"{name}: must be a whole number from 1 to {most}.")
    return int(text)
