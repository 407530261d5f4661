"""An export job and the documents that describe it (docs/access.md, docs/exports.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

from bough.cohorts.request import CohortRequest
from bough.vocabulary.filters import Filter

KEPT_MS = 7 * 86_400_000
"""How long a finished file can be fetched."""

MAX_ATTEMPTS = 3
"""How often a job is begun before it counts as failed: its process may be killed meanwhile."""

GONE = 410
CANCELLED = 499


class Status(StrEnum):
    """The words of the status answer."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    ERROR = "ERROR"


BODY_CODES = {Status.QUEUED: 100, Status.RUNNING: 102, Status.FINISHED: 200}
"""`code` in the status answer, which HTTP answers with 200; on ERROR it is the error's own."""


class Job(Struct, frozen=True, kw_only=True):
    """One row of `export_job`. Times are epoch milliseconds."""

    id: int
    job_id: str
    organization: int
    account_user: int
    request: CohortRequest
    apps: tuple[int, ...]
    filters: tuple[Filter, ...]
    """Mandatory ones, ANDed after the caller's own."""
    fingerprint: str
    """Equal for requests that must give equal files."""
    status: Status
    attempts: int
    created_at: int
    started_at: int | None = None
    finished_at: int | None = None
    row_count: int | None = None
    rows_total: int | None = None
    data_as_of: int | None = None
    warnings: tuple[str, ...] = ()
    file_name: str | None = None
    error_code: int | None = None
    error_message: str | None = None
    callback_url: str | None = None
    callback_attempts: int = 0
    callback_at: int | None = None

    @property
    def truncated(self) -> bool:
        """Whether a limit left objects out of the file."""
        return (self.row_count or 0) < (self.rows_total or 0)

    @property
    def is_behind(self) -> bool:
        """Whether it was answered without all that had arrived when it was asked for."""
        return self.data_as_of is not None and self.data_as_of < self.created_at

    def is_expired(self, now: int) -> bool:
        """Whether the file is no longer kept."""
        return self.status == Status.FINISHED and self.finished_at is not None and now >= self.finished_at + KEPT_MS


COLUMNS = tuple(Job.__struct_fields__)

_request = msgspec.json.Decoder(CohortRequest).decode
_apps = msgspec.json.Decoder(tuple[int, ...]).decode
_filters = msgspec.json.Decoder(tuple[Filter, ...]).decode
_warnings = msgspec.json.Decoder(tuple[str, ...]).decode


def from_row(row: tuple[Any, ...]) -> Job:
    """The job of a row in the order of COLUMNS."""
    values = dict(zip(COLUMNS, row, strict=True))
    values["request"] = _request(values["request"])
    values["apps"] = _apps(values["apps"])
    values["filters"] = _filters(values["filters"])
    values["warnings"] = _warnings(values["warnings"]) if values["warnings"] else ()
    values["status"] = Status(values["status"])
    return Job(**values)


def to_row(job: Job) -> tuple[Any, ...]:
    """Values in the order of COLUMNS."""
    texts = {
        name: msgspec.json.encode(getattr(job, name)).decode() for name in ("request", "apps", "filters", "warnings")
    }
    return tuple(texts.get(name, getattr(job, name)) for name in COLUMNS)


def status_document(job: Job, response_url: str | None, now: int) -> dict[str, Any]:
    """The answer of GET /v2/analytics/{job_id}: Branch's keys, then ours."""
    if job.is_expired(now):
        return {
            "code": GONE,
            "status": Status.ERROR,
            "error_message": "The file has expired; ask for the export again.",
        }
    document: dict[str, Any] = {"code": BODY_CODES.get(job.status, job.error_code or 500), "status": job.status}
    if job.status == Status.FINISHED and response_url is not None:
        document["response_url"] = response_url
    if job.status == Status.ERROR:
        document["error_message"] = job.error_message
    document["created_at"] = iso(job.created_at)
    if job.started_at is not None:
        document["started_at"] = iso(job.started_at)
    if job.finished_at is not None:
        document["finished_at"] = iso(job.finished_at)
    if job.status == Status.FINISHED and job.finished_at is not None:
        document["rows"] = job.row_count
        document["rows_total"] = job.rows_total
        document["truncated"] = job.truncated
        document["data_as_of"] = iso(job.data_as_of or 0)
        document["expires_at"] = iso(job.finished_at + KEPT_MS)
    if job.warnings:
        document["warnings"] = list(job.warnings)
    return document


def iso(at: int) -> str:
    """Epoch milliseconds as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
