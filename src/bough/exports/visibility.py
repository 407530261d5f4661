"""What of the exports a user may see: apps, jobs, files; and what the audit log says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bough.accounts.audit import AuditEntry
from bough.accounts.call import Call
from bough.accounts.data_filters import filters_for, is_as_narrow
from bough.accounts.directory import Directory
from bough.accounts.model import App, User
from bough.cohorts.request import DEFAULT_LIMIT, MAX_LIMIT, CohortRequest
from bough.errors import AuthenticationFailed, NotFound
from bough.exports import records
from bough.exports.job import Job
from bough.vocabulary.filters import Filter


def mandatory_filters(user: User, request: CohortRequest) -> tuple[Filter, ...]:
    """The data filters of a user, as they hold for a request."""
    return filters_for(user.filters, request.data_source)


def may_see(user: User, job: Job, directory: Directory) -> bool:
    """Whether all that a job's file holds is the user's to see: its apps, and filters at least as narrow as the user's.

    The user's filters are those of now, so a job that was started before a filter was added is refused.
    """
    return (
        job.organization == user.organization
        and set(job.apps) <= set(directory.apps_of(user))
        and is_as_narrow(job.filters, mandatory_filters(user, job.request))
    )


async def visible_job(call: Call, job_id: str) -> Job:
    """The job of an id. Raises NotFound for one that the user may not see, as for an unknown one."""
    user = call.user()
    job = await records.find(call.context.store, user.organization, job_id)
    if job is None or not may_see(user, job, call.context.directory):
        raise NotFound("Job ID Not Found")
    return job


def covered_apps(call: Call, user: User, body: dict[str, Any], query: dict[str, str]) -> list[App]:
    """The live apps a request is about. Raises AuthenticationFailed for another organization's."""
    own = list(call.context.directory.apps_of(user).values())
    app_id = query.get("app_id") or body.get("app_id")
    organization = query.get("organization_id") or body.get("organization_id")
    if organization and str(organization) != str(user.organization):
        raise AuthenticationFailed
    if app_id:
        own = [app for app in own if str(app.id) == str(app_id)]
        if not own:
            raise AuthenticationFailed
    return own


def limits_of(apps: Sequence[App]) -> dict[str, int]:
    """`default_limit` and `max_limit` of a request, by the settings of its apps: of several, the smallest."""
    return {
        "default_limit": min((app.config.export_limit for app in apps), default=DEFAULT_LIMIT),
        "max_limit": min((app.config.export_max_limit for app in apps), default=MAX_LIMIT),
    }


def asked_for(job: Job) -> AuditEntry:
    """What the audit log says of a job that was asked for."""
    return AuditEntry(
        action="export.create",
        subject=job.job_id,
        organization=job.organization,
        details=told_of(job.request, job.apps),
    )


def told_of(request: CohortRequest, apps: tuple[int, ...]) -> dict[str, Any]:
    """What the audit log says of a request."""
    return {
        "apps": [str(app) for app in apps],
        "data_source": request.data_source,
        "start_date": request.start_date.isoformat(),
        "end_date": request.end_date.isoformat(),
        "measures": list(request.measures),
        "dimensions": list(request.dimensions),
        "filters": sorted({one.dimension for one in request.filters}),
        "format": request.format,
    }
