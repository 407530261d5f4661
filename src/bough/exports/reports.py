"""Saved cohort questions, and those that are asked again each day, week or month.

A report holds its question as the address's query of the cohorts page, so that "the last 28 days" moves with time. When
it is due, a job is made in its owner's name, with the owner's apps, permissions and data filters of that moment; the
finished file is copied to `reports/ID` beside the exports (`bough.exports.files`), and the report's webhook is told as
any job's is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from bough.accounts.directory import Directory
from bough.accounts.model import App, User
from bough.cohorts.request import CohortRequest
from bough.errors import BoughError, NotFound, Unavailable
from bough.exports import records
from bough.exports.files import ExportFiles
from bough.exports.job import Job, Status, from_row
from bough.store.database import Store
from bough.store.set_aside import is_of_row
from bough.store.transaction import RowValues, Transaction
from bough.vocabulary.ids import new_id, now_ms

log = logging.getLogger("bough.exports")

EVERY = ("", "day", "week", "month")
"""How often; empty: only saved."""

HOUR_MS = 3_600_000

HOUR = 6
"""Of the app's local day, when yesterday's late events have come."""

NEEDED = frozenset({"aggregate_data", "export"})
MAX_REPORTS = 500

COLUMNS = ("id", "organization", "account_user", "app", "name", "request", "every", "callback_url", "created_at",
           "due_at", "last_job", "delivered_job")  # fmt: skip
_SELECTED = ", ".join(COLUMNS)
BY_ORGANIZATION = f"SELECT {_SELECTED} FROM report WHERE organization = ? ORDER BY id DESC LIMIT {MAX_REPORTS}"  # noqa: S608
DUE = f"SELECT {_SELECTED} FROM report WHERE due_at <= ? ORDER BY due_at LIMIT 10"  # noqa: S608
UNDELIVERED = (
    f"SELECT {_SELECTED} FROM report WHERE last_job IS NOT NULL"  # noqa: S608
    " AND (delivered_job IS NULL OR delivered_job <> last_job) ORDER BY id LIMIT 100"
)
DELETE = "DELETE FROM report WHERE id = ? AND organization = ?"
ASKED = "UPDATE report SET due_at = ?, last_job = ? WHERE id = ? AND due_at = ?"
POSTPONED = "UPDATE report SET due_at = ? WHERE id = ? AND due_at = ?"
DELIVERED = "UPDATE report SET delivered_job = ? WHERE id = ?"


class ScheduledReport(Struct, frozen=True, kw_only=True):
    """One row of `report`. Times are epoch milliseconds."""

    id: int
    organization: int
    account_user: int
    app: int
    name: str
    request: str
    every: str
    callback_url: str
    created_at: int
    due_at: int | None
    """None: only saved."""
    last_job: str | None = None
    delivered_job: str | None = None


Ask = Callable[[ScheduledReport, App, User], CohortRequest]
"""The request that a report makes today. Raises BoughError when it can no longer be asked."""

NewJob = Callable[[User, CohortRequest, list[App], str], Job]


def of_row(row: RowValues) -> ScheduledReport:
    """The report of a row in the order of COLUMNS."""
    return ScheduledReport(**dict(zip(COLUMNS, row, strict=True)))


def new_report(user: User, app: App, name: str, request: str, every: str, callback_url: str) -> ScheduledReport:
    """A report that nobody has stored yet."""
    now = now_ms()
    return ScheduledReport(
        id=new_id(), organization=user.organization, account_user=user.id, app=app.id, name=name, request=request,
        every=every, callback_url=callback_url, created_at=now, due_at=next_due(every, app.timezone, now),
    )  # fmt: skip


def next_due(every: str, timezone: str, now: int) -> int | None:
    """The next HOUR o'clock, local time: of tomorrow, of the next Monday, or of the first of the next month."""
    if not every:
        return None
    here = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(timezone))
    day = here.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    if every == "day":
        day = day if day > here else day + timedelta(days=1)
    elif every == "week":
        day += timedelta(days=(7 - day.weekday()) % 7)
        day = day if day > here else day + timedelta(days=7)
    else:
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return round(day.timestamp() * 1000)


def save_batch(tx: Transaction, items: list[ScheduledReport]) -> list[ScheduledReport | Exception]:
    """Store reports."""
    tx.insert("report", COLUMNS, [tuple(getattr(one, name) for name in COLUMNS) for one in items])
    return list(items)


def delete_batch(tx: Transaction, items: list[tuple[int, int]]) -> list[int | Exception]:
    """Delete reports of (id, organization); how many there were."""
    return [tx.run(DELETE, item) for item in items]


def start_due(store: Store, ask: Ask, new_job: NewJob) -> int:
    """Make the jobs of reports whose time has come; returns how many were due."""
    rows = store.rows(DUE, (now_ms(),))
    directory = Directory(store) if rows else None
    for report in map(of_row, rows):
        if directory is not None:
            try:
                _start(store, directory, report, ask, new_job)
            except Exception as error:
                if not is_of_row(error):
                    raise
                log.exception("Report %s is tried again in an hour", report.id)
                later = (POSTPONED, (now_ms() + HOUR_MS, report.id, report.due_at))
                store.transact(_set_batch, later)
    return len(rows)


def _start(store: Store, directory: Directory, report: ScheduledReport, ask: Ask, new_job: NewJob) -> None:
    user, app = directory.users.get(report.account_user), directory.apps.get(report.app)
    if user is None or app is None or not user.sees(app) or not user.permissions >= NEEDED:
        log.warning("Report %s is no longer made: its owner may not see its data", report.id)
        store.transact(_set_batch, (POSTPONED, (None, report.id, report.due_at)))
        return
    again = next_due(report.every, app.timezone, now_ms())
    try:
        request = ask(report, app, user)
    except BoughError as error:
        log.warning("Report %s cannot be asked: %s", report.id, error.message)
        store.transact(_set_batch, (POSTPONED, (again, report.id, report.due_at)))
        return
    job = new_job(user, request, [app], f"report {report.id} {report.due_at}")
    store.transact(_job_batch, (job, (again, job.job_id, report.id, report.due_at)))


def deliver(store: Store, files: ExportFiles) -> int:
    """Copy the files of finished jobs to those of their reports; returns how many reports were settled."""
    settled, failed = 0, None
    for report in map(of_row, store.rows(UNDELIVERED)):
        rows = store.rows(records.BY_JOB_ID, (report.last_job,))
        job = from_row(rows[0]) if rows else None
        if job is not None and job.status in (Status.QUEUED, Status.RUNNING):
            continue
        if job is not None and job.status == Status.FINISHED and job.file_name is not None:
            try:
                files.keep(job.file_name, report.id)
            except NotFound:
                log.warning("Report %s: the file %s is gone", report.id, job.file_name)
            except (OSError, Unavailable) as error:  # one file that cannot be copied must not keep others waiting
                log.warning("Report %s: the file %s cannot be copied yet: %s", report.id, job.file_name, error)
                failed = error
                continue
        store.transact(_set_batch, (DELIVERED, (report.last_job, report.id)))
        settled += 1
    if failed is not None and not settled:
        raise failed
    return settled


def _job_batch(tx: Transaction, items: list[tuple[Job, tuple[Any, ...]]]) -> list[Exception | None]:
    """The job and the report's next time, together: a report is asked once, whenever the process dies."""
    for job, asked in items:
        if tx.run(ASKED, asked):
            records.create_batch(tx, [job])
    return [None] * len(items)


def _set_batch(tx: Transaction, items: list[tuple[str, tuple[Any, ...]]]) -> list[Exception | None]:
    for sql, values in items:
        tx.run(sql, values)
    return [None] * len(items)
