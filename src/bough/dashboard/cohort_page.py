"""Cohorts: the export's questions as a page. Every question is a job, so that it can take long, be cancelled, and be
had as a file; an equal question of the last hour is not asked again."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup
from starlette.responses import Response

from bough.accounts.call import Call
from bough.cohorts.measures import MEASURES
from bough.cohorts.request import CohortRequest
from bough.cohorts.request import parse as parse_request
from bough.dashboard import cohort_form, curl
from bough.dashboard.cohort_form import CohortQuestion
from bough.dashboard.heat_map import heat_maps
from bough.dashboard.page_context import Here, failed, page
from bough.dashboard.rendering import html, render
from bough.dashboard.tables import Column, PageTable
from bough.errors import BoughError, Unavailable
from bough.exports.downloads import Downloads
from bough.exports.handlers import (
    cancelled_job,
    cell_document,
    finished_job,
    job_file,
    start_job,
    status_of_job,
    today_of,
)
from bough.exports.job import Job, Status
from bough.exports.visibility import visible_job
from bough.vocabulary.ids import now_ms

FIRST_WAIT = 2
"""Seconds that an answer may take before progress is shown."""

SCRIPTLESS_WAIT = 20
"""The same for `?wait`, by which a browser without scripts gets the answer in the page itself."""

FILE_WAIT = 60
FIRST_MEASURES = ("Retention", "OPEN", "revenue", "LTV", "ARPU", "ROAS")
FILES = ("csv", "json", "ndjson", "parquet")


async def cohorts(call: Call) -> Response:
    """GET /dashboard/cohorts; as csv, json, ndjson or parquet the export's own bytes."""
    asked = call.query("format")
    if asked in FILES:
        return await _file(call, asked)
    return await _page(call)


@page("cohorts")
async def _page(here: Here) -> Response:
    question = cohort_form.parse(here.call.request.query_params.multi_items())
    if here.test:
        return here.answer("cohorts_test.html")
    problem, body = "", {}
    try:
        body = _body(here, question)
        _request(here, body)
    except BoughError as error:
        problem = error.message
    query = urlencode(cohort_form.pairs_of(question))
    ready = None
    if here.call.query("wait") and not problem and here.form == "html":
        asked = await _asked(here, question, SCRIPTLESS_WAIT)
        ready = Markup(await _shown(here, asked))  # escaped by its own template
    return here.answer(
        "cohorts.html",
        question=question,
        problem=problem,
        ready=ready,
        filter_lines=[*question.filters, cohort_form.FilterLine()],
        choices=cohort_form.choices(),
        label_of=cohort_form.label_of,
        measures=[*FIRST_MEASURES, *(name for name in MEASURES if name not in FIRST_MEASURES)],
        answer_url=_with_app(here, "cohorts/answer", query),
        file_urls={kind: _with_app(here, "cohorts", f"{query}&format={kind}") for kind in FILES},
        share=_with_app(here, "cohorts", query),
        query=query,
        body=body,
        curl=curl.line(here, "POST", f"/v2/analytics?app_id={here.app.id}&format=csv&limit=50000", body)
        if body
        else "",
        granularities=cohort_form.BANDS,
    )


@page("cohorts")
async def answer(here: Here) -> Response:
    """GET /dashboard/cohorts/answer: the heat maps, or the progress of the job that makes them."""
    question = cohort_form.parse(here.call.request.query_params.multi_items())
    return await _part(here, await _asked(here, question, FIRST_WAIT))


@page("cohorts")
async def progress(here: Here) -> Response:
    """GET /dashboard/cohorts/job/{job_id}: what `answer` shows, once more."""
    return await _part(here, await visible_job(here.call, here.call.path["job_id"]))


@page("cohorts")
async def cancel(here: Here) -> Response:
    """POST /dashboard/cohorts/job/{job_id}/cancel."""
    return await _part(here, await cancelled_job(here.call))


@page("cohorts")
async def cell(here: Here) -> Response:
    """GET /dashboard/cohorts/cell: the members and events behind one number."""
    job = await visible_job(here.call, here.call.query("job_id") or "")
    document = await cell_document(here.call)
    values: dict[str, Any] = msgspec.json.decode((here.call.query("values") or "{}").encode())
    for row in document["members"]:
        row["href"] = here.url("installs", person=row["person"])
    for row in document["events"]:
        row["href"] = here.url(f"installs/event/{row['id']}") if row["id"].isdigit() else ""
    members = PageTable(
        name="members",
        caption=f"Members: {document['members_total']:,}",
        columns=(
            Column(name="person", label="Person", kind="code", href="href"),
            Column(name="at", label="Joined", kind="time"),
            Column(name="app_id", label="App", kind="code"),
        ),
        rows=document["members"],
        empty="Nobody is in this row.",
    )
    events = PageTable(
        name="events",
        caption=f"Events: {document['events_total']:,}",
        columns=(
            Column(name="name", label="Event"),
            Column(name="person", label="Person", kind="code"),
            Column(name="at", label="When", kind="time"),
            Column(name="band", label="Band", kind="number"),
            Column(name="revenue_in_usd", label="Revenue in USD"),
            Column(name="id", label="Id", kind="code", href="href"),
        ),
        rows=document["events"],
        empty="No event of this measure fell into this band.",
    )
    line = curl.get_line(here, "/api/cohorts/rows", **{k: here.call.query(k) or "" for k in
                         ("job_id", "measure", "band", "values")})  # fmt: skip
    return here.answer(
        "cohort_cell.html", [members, events], document=document, values=values, job=job, curl=line,
        measure=here.call.query("measure") or "", band=here.call.query("band") or "0",
        label_of=lambda name: cohort_form.label_of(cohort_form.short_name(name)),
    )  # fmt: skip


async def _file(call: Call, kind: str) -> Response:
    here: Here | None = None
    try:
        here = Here(call, "cohorts", "json")
        question = cohort_form.parse(call.request.query_params.multi_items())
        request = _request(here, _body(here, question), kind, limit=50_000)
        job = await start_job(call, request, [here.app])
        done = await finished_job(call, job, FILE_WAIT)
        if done is None or done.file_name is None:
            raise Unavailable("The answer takes longer; find it under Exports when it has finished.")
        return await job_file(call, done, done.file_name, {})
    except Exception as error:  # noqa: BLE001 - as for every page
        return failed(call, here, error)


def _with_app(here: Here, path: str, query: str) -> str:
    base = here.url(path)
    return f"{base}{'&' if '?' in base else '?'}{query}"


def _body(here: Here, question: CohortQuestion) -> dict[str, Any]:
    return cohort_form.body_of(question, today_of([here.app]))


def _request(here: Here, body: dict[str, Any], kind: str = "json", limit: int = 100) -> CohortRequest:
    query = {"app_id": str(here.app.id), "format": kind, "limit": str(limit)}
    return parse_request(body, query, today=today_of([here.app]))


async def _asked(here: Here, question: CohortQuestion, seconds: int) -> Job:
    """The job that answers a question, as it is when it has ended or after so many seconds."""
    request = _request(here, cohort_form.for_page(_body(here, question)), limit=cohort_form.SHOWN)
    job = await start_job(here.call, request, [here.app])
    if job.status in (Status.FINISHED, Status.ERROR):
        return job
    done = await finished_job(here.call, job, seconds)
    return done or await visible_job(here.call, job.job_id)


async def _part(here: Here, job: Job) -> Response:
    return html(await _shown(here, job))


async def _shown(here: Here, job: Job) -> str:
    """A job's heat maps, or how far it is."""
    document = status_of_job(here.call, job)
    if document["status"] in (Status.QUEUED, Status.RUNNING):
        return render("cohort_progress.html", here=here, job=job, document=document, now=now_ms())
    if document["status"] == Status.ERROR or job.file_name is None:
        return render("problem.html", message=document.get("error_message") or "The answer could not be made.")
    body = msgspec.to_builtins(job.request)
    objects = msgspec.json.decode(await asyncio.to_thread(here.call.context.part(Downloads).files.read, job.file_name))
    return render(
        "cohort_answer.html",
        here=here,
        job=job,
        document=document,
        maps=heat_maps(objects, body),
        dimensions=[cohort_form.label_of(cohort_form.short_name(name)) for name in job.request.dimensions],
        band_name=job.request.granularity,
        now=now_ms(),
    )
