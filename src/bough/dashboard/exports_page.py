"""Export jobs: what was asked, how far it is, the file, cancel and ask again."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from bough.cohorts.request import CohortRequest
from bough.dashboard import cohort_form, curl
from bough.dashboard.cohort_form import CohortQuestion, FilterLine, short_name
from bough.dashboard.page_context import Here, page
from bough.dashboard.tables import Column, PageTable
from bough.errors import NotFound
from bough.exports.handlers import cancelled_job, job_file, jobs_document, shown_request, start_job, status_of_job
from bough.exports.job import Job, Status
from bough.exports.visibility import visible_job

MOVING = (Status.QUEUED, Status.RUNNING)


@page("exports")
async def exports(here: Here) -> Response:
    """GET /dashboard/exports."""
    document = await jobs_document(here.call)
    for job in document["jobs"]:
        job["href"] = here.url(f"exports/{job['job_id']}")
        job["question"] = described(msgspec.convert(job["request"], CohortRequest))
        job["file"] = job["request"]["format"]
    shown = {"jobs": [{k: v for k, v in job.items() if k not in ("href", "question", "file")}
                      for job in document["jobs"]], "next": document["next"]}  # fmt: skip
    table = PageTable(
        name="jobs",
        caption="Jobs",
        columns=(
            Column(name="question", label="Question", href="href", kind="long"),
            Column(name="status", label="Status"),
            Column(name="file", label="Format"),
            Column(name="rows", label="Rows", kind="number"),
            Column(name="created_at", label="Asked", kind="time"),
            Column(name="finished_at", label="Finished", kind="time"),
            Column(name="job_id", label="Job", kind="code"),
        ),
        rows=document["jobs"],
        empty="No question was asked yet. Ask one under Cohorts; its job and file then stand here for seven days.",
        document=shown,
    )
    moving = any(job["status"] in MOVING for job in document["jobs"])
    return here.answer("export_rows.html" if here.partial else "exports.html", [table], jobs=document["jobs"],
                       next=document["next"], moving=moving,
                       curl=curl.get_line(here, "/api/jobs"))  # fmt: skip


@page("exports")
async def job(here: Here) -> Response:
    """GET /dashboard/exports/{job_id}."""
    found = await visible_job(here.call, here.call.path["job_id"])
    document = status_of_job(here.call, found)
    table = PageTable(
        name="status", caption="Status", columns=(), rows=[], empty="", document={"job_id": found.job_id, **document}
    )
    return here.answer(
        "export_part.html" if here.partial else "export.html",
        [table],
        job=found,
        document=document,
        moving=document["status"] in MOVING,
        question=described(found.request),
        body=shown_request(here.user, found),
        cohorts_url=_cohorts_url(here, found),
        curl=curl.get_line(here, f"/v2/analytics/{found.job_id}"),
    )


@page("exports")
async def download(here: Here) -> Response:
    """GET /dashboard/exports/{job_id}/file: the file, without a signed address."""
    found = await visible_job(here.call, here.call.path["job_id"])
    if "response_url" not in status_of_job(here.call, found) or found.file_name is None:
        raise NotFound("This job has no file, or its file is no longer kept. Ask again for a new one.")
    return await job_file(here.call, found, found.file_name, {})


@page("exports")
async def cancel(here: Here) -> Response:
    """POST /dashboard/exports/{job_id}/cancel."""
    found = await cancelled_job(here.call)
    return Response(b"", 303, {"Location": here.url(f"exports/{found.job_id}")})


@page("exports")
async def repeat(here: Here) -> Response:
    """POST /dashboard/exports/{job_id}/repeat: the same question of the data of now."""
    found = await visible_job(here.call, here.call.path["job_id"])
    request = msgspec.structs.replace(found.request, fresh=True, callback_url=None)
    apps = [app for app in here.apps if app.id in found.apps]
    again = await start_job(here.call, request, apps)
    return Response(b"", 303, {"Location": here.url(f"exports/{again.job_id}")})


def described(request: CohortRequest) -> str:
    """A request in one line."""
    what = "Installs" if request.data_source == "install_cohort" else "Re-engagements"
    by = ", ".join(cohort_form.label_of(short_name(name)) for name in request.dimensions)
    text = f"{what} {request.start_date} to {request.end_date}: {', '.join(request.measures)}"
    return f"{text}, {request.band_count} {request.granularity}s" + (f", by {by}" if by else "")


def question_of(request: CohortRequest) -> CohortQuestion:
    """A job's request as the form of the cohorts page."""
    filters = [
        FilterLine(dimension=short_name(one.dimension), operator=operator, values="|".join(v or "" for v in values))
        for one in request.filters
        for operator, values in (("is", one.values), ("not", one.excluded))
        if values
    ]
    return CohortQuestion(
        source=request.data_source,
        days="",
        start=request.start_date.isoformat(),
        end=request.end_date.isoformat(),
        measures=request.measures,
        granularity=request.granularity,
        bands=str(request.band_count),
        dimensions=tuple(short_name(name) for name in request.dimensions),
        filters=tuple(filters),
        cumulative=request.cumulative,
        per_user=request.per_user,
        unique=request.unique,
        recalculate=request.recalculate_installs,
        ordered_by=short_name(request.ordered_by or ""),
        ordered="ascending" if request.ascending else "",
    )


def _cohorts_url(here: Here, found: Job) -> str:
    base: Any = here.url("cohorts")
    return f"{base}{'&' if '?' in base else '?'}{urlencode(cohort_form.pairs_of(question_of(found.request)))}"
