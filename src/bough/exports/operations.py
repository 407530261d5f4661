"""The route table of exports (docs/exports.md)."""

from __future__ import annotations

from bough.exports import handlers
from bough.web.routing import Parameter, Route

_TOKEN = Parameter(name="Access-Token", meaning="A user's token.", required=True, place="header")
_OWNER = (
    Parameter(name="app_id", meaning="The app.", place="query"),
    Parameter(name="organization_id", meaning="All apps of the organization.", place="query"),
)
_JOB = Parameter(name="job_id", meaning="The job.", required=True, place="path")

EXPORT_ROUTES = (
    Route(
        method="POST",
        path="/v2/analytics",
        handler=handlers.create_job,
        access="token",
        needs=("aggregate_data", "export"),
        refusal="authentication",
        summary="Ask for a cohort export",
        parameters=(
            _TOKEN,
            *_OWNER,
            Parameter(name="limit", meaning="Most objects in the file (100).", place="query", kind="integer"),
            Parameter(name="format", meaning="csv, json, ndjson or parquet; .gz of the texts.", place="query"),
            Parameter(name="start_date", meaning="First local day of the cohort event.", required=True),
            Parameter(name="end_date", meaning="Last local day of the cohort event.", required=True),
            Parameter(name="data_source", meaning="install_cohort or reengagement_cohort.", required=True),
            Parameter(name="measures", meaning="One to five measures.", required=True, kind="array"),
            Parameter(name="granularity_band_count", meaning="How many bands.", required=True, kind="integer"),
            Parameter(name="granularity", meaning="day, week or month."),
            Parameter(name="dimensions", meaning="At most eleven.", kind="array"),
            Parameter(name="filters", meaning="Dimension to values; all must hold.", kind="object"),
            Parameter(name="ordered", meaning="descending or ascending."),
            Parameter(name="ordered_by", meaning="A dimension, users, or a measure."),
            Parameter(name="cumulative", meaning="Each band with all before it.", kind="boolean"),
            Parameter(name="per_user", meaning="Divide by the people of the row.", kind="boolean"),
            Parameter(name="unique", meaning="Count people instead of events.", kind="boolean"),
            Parameter(
                name="enable_install_recalculation", meaning="Join iOS opt-in pairs of installs.", kind="boolean"
            ),
        ),
        answer="code, job_id and status_url.",
        limit="analytics",
    ),
    Route(
        method="GET",
        path="/v2/analytics/meta",
        handler=handlers.meta,
        access="token",
        needs=("aggregate_data", "export"),
        refusal="authentication",
        summary="Dimensions and measures that a request may name",
        parameters=(_TOKEN,),
        answer="The tables that requests are checked against.",
    ),
    Route(
        method="GET",
        path="/v2/analytics/files/{name}",
        handler=handlers.download,
        access="public",
        summary="Fetch a finished file by its signed address",
        parameters=(
            Parameter(name="name", meaning="The file.", required=True, place="path"),
            Parameter(name="Signature", meaning="Our signature.", required=True, place="query"),
            Parameter(name="AWSAccessKeyId", meaning="For whom the address was made.", required=True, place="query"),
            Parameter(name="Expires", meaning="Epoch seconds.", required=True, place="query", kind="integer"),
        ),
        answer="The file.",
    ),
    Route(
        method="GET",
        path="/v2/analytics/{job_id}",
        handler=handlers.job_status,
        access="token",
        needs=("aggregate_data", "export"),
        refusal="authentication",
        summary="The status of a job",
        parameters=(_TOKEN, _JOB, *_OWNER),
        answer="code, status and, when finished, response_url.",
        limit="analytics_status",
    ),
    Route(
        method="GET",
        path="/api/jobs",
        handler=handlers.list_jobs,
        access="token",
        needs=("aggregate_data", "export"),
        refusal="authentication",
        summary="The organization's jobs",
        parameters=(
            _TOKEN,
            Parameter(name="limit", meaning="At most 500.", place="query", kind="integer"),
            Parameter(name="before", meaning="The `next` of the page before.", place="query"),
        ),
        answer="jobs and next.",
    ),
    Route(
        method="GET",
        path="/api/cohorts/rows",
        handler=handlers.rows,
        access="token",
        needs=("aggregate_data", "export", "sensitive_data"),
        refusal="authentication",
        summary="The members and events behind one cell",
        parameters=(
            _TOKEN,
            Parameter(name="job_id", meaning="The job whose answer shows the cell.", place="query"),
            Parameter(name="request", meaning="In place of job_id: the request's body as JSON.", place="query"),
            *_OWNER,
            Parameter(name="measure", meaning="The row's measure.", required=True, place="query"),
            Parameter(name="band", meaning="The number of the band (0).", place="query", kind="integer"),
            Parameter(name="values", meaning="JSON object: the row's value of each dimension.", place="query"),
        ),
        answer="At most 1,000 members and events, their totals, and data_as_of.",
        limit="analytics_status",
    ),
    Route(
        method="POST",
        path="/api/jobs/{job_id}/cancel",
        handler=handlers.cancel_job,
        access="token",
        needs=("aggregate_data", "export"),
        refusal="authentication",
        summary="Cancel a job",
        parameters=(_TOKEN, _JOB),
        answer="The job's status.",
    ),
)
