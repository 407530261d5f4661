"""Saved and scheduled cohort questions."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

import msgspec
from starlette.responses import Response

from bough.accounts.audit import AuditEntry
from bough.accounts.model import App, User
from bough.cohorts.request import CohortRequest
from bough.cohorts.request import parse as parse_request
from bough.dashboard import cohort_form
from bough.dashboard.page_context import Here, page
from bough.dashboard.tables import Column, PageTable
from bough.errors import BadRequest, NotFound
from bough.exports.callbacks import check_callback
from bough.exports.handlers import today_of
from bough.exports.reports import (
    BY_ORGANIZATION,
    EVERY,
    ScheduledReport,
    delete_batch,
    new_report,
    of_row,
    save_batch,
)
from bough.web.bodies import parse_form

MAX_NAME = 100
MAX_QUESTION = 8000
WORDS = {"": "when opened", "day": "every day", "week": "every week", "month": "every month"}


@page("cohorts")
async def reports(here: Here) -> Response:
    """GET /dashboard/cohorts/reports."""
    rows = await here.call.context.store.fetch(BY_ORGANIZATION, (here.user.organization,))
    own = [one for one in map(of_row, rows) if one.app == here.app.id]
    if here.limited:
        own = [one for one in own if one.account_user == here.user.id]
    users = here.call.context.directory.users
    table = PageTable(
        name="reports",
        caption="Reports",
        columns=(
            Column(name="name", label="Name", href="href"),
            Column(name="every", label="Made"),
            Column(name="due_at", label="Next", kind="time"),
            Column(name="owner", label="By"),
            Column(name="callback_url", label="Webhook"),
            Column(name="last_job", label="Last job", kind="code", href="job_href"),
            Column(name="id", label="Id", kind="code"),
        ),
        rows=[
            {
                "name": one.name,
                "every": WORDS[one.every],
                "due_at": one.due_at,
                "owner": users[one.account_user].email if one.account_user in users else "someone who left",
                "callback_url": one.callback_url if one.account_user == here.user.id else "",
                "last_job": one.last_job,
                "id": str(one.id),
                "href": _address(here, one),
                "job_href": here.url(f"exports/{one.last_job}") if one.last_job else "",
            }
            for one in own
        ],
        empty="Nothing is saved yet. Ask a question under Cohorts and choose Save or schedule below the answer.",
    )
    return here.answer("reports.html", [table], folder=f"reports/ID in {here.call.context.settings.data}")


@page("cohorts")
async def save(here: Here) -> Response:
    """POST /dashboard/cohorts/reports."""
    fields = parse_form(await here.call.bytes())
    name, every = str(fields.get("name") or "").strip(), str(fields.get("every") or "")
    question, callback = str(fields.get("question") or ""), str(fields.get("callback_url") or "").strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise BadRequest(f"name: must have 1 to {MAX_NAME} characters.")
    if every not in EVERY:
        raise BadRequest("every: must be day, week, month or empty.")
    if len(question) > MAX_QUESTION:
        raise BadRequest("question: is too long.")
    report = new_report(here.user, here.app, name, question, every, callback)
    request_of(report, here.app, here.user)  # it must be one that can be asked
    if callback:
        await asyncio.to_thread(check_callback, callback, here.call.context.settings)
    await here.call.change(
        save_batch, report, lambda done: AuditEntry(action="report.save", subject=done.name, app=done.app)
    )
    return Response(b"", 303, {"Location": here.url("cohorts/reports")})


@page("cohorts")
async def delete(here: Here) -> Response:
    """POST /dashboard/cohorts/reports/{report_id}/delete."""
    text = here.call.path["report_id"]
    identifier = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    rows = await here.call.context.store.fetch(BY_ORGANIZATION, (here.user.organization,))
    found = next((one for one in map(of_row, rows) if one.id == identifier and one.app == here.app.id), None)
    if found is None or (found.account_user != here.user.id and not here.may("team")):
        raise NotFound("There is no such report of yours.")
    await here.call.change(
        delete_batch,
        (found.id, here.user.organization),
        lambda _: AuditEntry(action="report.delete", subject=found.name),
    )
    return Response(b"", 303, {"Location": here.url("cohorts/reports")})


def request_of(report: ScheduledReport, app: App, user: User) -> CohortRequest:
    """What a report asks today. Raises BadRequest when it can no longer be asked."""
    question = cohort_form.parse(parse_qsl(report.request, keep_blank_values=True, max_num_fields=500))
    today = today_of([app])
    query = {"app_id": str(app.id), "format": "csv", "limit": "50000"}
    request = parse_request(cohort_form.body_of(question, today), query, today=today)
    return msgspec.structs.replace(request, callback_url=report.callback_url or None)


def _address(here: Here, report: ScheduledReport) -> str:
    base = here.url("cohorts")
    return f"{base}{'&' if '?' in base else '?'}{report.request}"
