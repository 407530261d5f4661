"""Jobs in the store."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from bough.exports.job import COLUMNS, MAX_ATTEMPTS, Job, Status, from_row, to_row
from bough.store.database import Store
from bough.store.transaction import Transaction, Value
from bough.vocabulary.ids import RANDOM_BITS, growing_ids, now_ms

_SELECTED = ", ".join(COLUMNS)
BY_JOB_ID = f"SELECT {_SELECTED} FROM export_job WHERE job_id = ?"  # noqa: S608 - columns of our own
BY_ORGANIZATION = f"SELECT {_SELECTED} FROM export_job WHERE organization = ? AND id < ? ORDER BY id DESC LIMIT ?"  # noqa: S608
WAITING = (
    f"SELECT {_SELECTED} FROM export_job WHERE status = 'QUEUED' AND (id <= ? OR created_at <= ?)"  # noqa: S608
    " ORDER BY id LIMIT 1"
)
BY_STATUS = f"SELECT {_SELECTED} FROM export_job WHERE status = ? ORDER BY id LIMIT ?"  # noqa: S608
EQUAL_JOBS = (
    f"SELECT {_SELECTED} FROM export_job WHERE organization = ? AND id > ? AND fingerprint = ? AND status <> 'ERROR'"  # noqa: S608
    " ORDER BY id DESC LIMIT 1"
)
OLD_FILES = (
    "SELECT job_id, file_name FROM export_job WHERE status = 'FINISHED' AND finished_at < ? AND file_name IS NOT NULL"
)
CALLBACKS = (
    f"SELECT {_SELECTED} FROM export_job WHERE callback_at IS NOT NULL AND callback_at <= ?"  # noqa: S608
    " ORDER BY callback_at LIMIT 10"
)
SAME_JOB_MS = 60 * 60_000
"""For how long an equal request gets the job that is there."""

NEWEST_ID = "SELECT max(id) FROM export_job"
JOB_ID = re.compile(r"[0-9a-f-]{36}\Z")
SET = "UPDATE export_job SET {} WHERE job_id = ?"


class Updated(NamedTuple):
    """A change of a job that holds only while its status is one of `while_status`."""

    job_id: str
    while_status: Sequence[Status]
    changes: dict[str, Value]


def create_batch(tx: Transaction, jobs: list[Job]) -> list[Job | Exception]:
    """Store new jobs; they get their ids."""
    ids = growing_ids(tx.rows(NEWEST_ID)[0][0] or 0)
    numbered = [msgspec.structs.replace(job, id=next(ids)) for job in jobs]
    tx.insert("export_job", COLUMNS, [to_row(job) for job in numbered])
    return list(numbered)


def share_batch(tx: Transaction, jobs: list[Job]) -> list[Job | Exception]:
    """For each the equal job that is there, else a new one; also when they come at the same moment."""
    found: list[Job | Exception] = []
    for job in jobs:
        equal = shared(tx.rows(EQUAL_JOBS, equal_to(job)))
        found += create_batch(tx, [job]) if equal is None else [equal]
    return found


def equal_to(job: Job) -> tuple[Value, ...]:
    """The values of EQUAL_JOBS: jobs of the last hour that asked the same of the same data."""
    return job.organization, (now_ms() - SAME_JOB_MS) << RANDOM_BITS, job.fingerprint


def shared(rows: Sequence[tuple[Any, ...]]) -> Job | None:
    """The job of EQUAL_JOBS' row, unless it was answered before all its data was in (in the middle of an import)."""
    job = from_row(rows[0]) if rows else None
    return None if job is None or job.is_behind else job


def update_batch(tx: Transaction, updates: list[Updated]) -> list[Job | Exception | None]:
    """Change jobs; None for one that is not in a fitting status."""
    results: list[Job | Exception | None] = []
    for update in updates:
        rows = tx.rows(BY_JOB_ID, (update.job_id,))
        job = from_row(rows[0]) if rows else None
        if job is None or job.status not in update.while_status:
            results.append(None)
            continue
        names = ", ".join(f"{name} = ?" for name in update.changes)
        tx.run(SET.format(names), (*update.changes.values(), update.job_id))
        results.append(from_row(tx.rows(BY_JOB_ID, (update.job_id,))[0]))
    return results


async def find(store: Store, organization: int, job_id: str) -> Job | None:
    """A job of an organization, or None."""
    if not JOB_ID.match(job_id):  # PostgreSQL refuses to look for a text with a NUL
        return None
    rows = await store.fetch(BY_JOB_ID, (job_id,))
    job = from_row(rows[0]) if rows else None
    return job if job is not None and job.organization == organization else None


def take_next(store: Store, newest: int, created_before: int) -> Job | None:
    """The oldest waiting job, now RUNNING; one that was begun too often ends in ERROR.

    Only a job up to the id `newest`, or created before an instant (epoch ms), is taken.
    """
    while rows := store.rows(WAITING, (newest, created_before)):
        job = from_row(rows[0])
        if job.attempts >= MAX_ATTEMPTS:
            fail(store, job, 500, "The export was interrupted too often.")
            continue
        if (taken := take(store, job)) is not None:
            return taken
    return None


def take(store: Store, job: Job) -> Job | None:
    """A waiting job, now RUNNING; None when it waits no longer."""
    changes: dict[str, Value] = {"status": Status.RUNNING, "started_at": now_ms(), "attempts": job.attempts + 1}
    return store.transact(update_batch, Updated(job.job_id, (Status.QUEUED,), changes))


def requeue_running(store: Store) -> None:
    """At start: what a killed process was running waits again."""
    for row in store.rows(BY_STATUS, (Status.RUNNING, 10_000)):
        job = from_row(row)
        store.transact(update_batch, Updated(job.job_id, (Status.RUNNING,), {"status": Status.QUEUED}))


def requeue(store: Store, job: Job) -> None:
    """A job that was being run waits again."""
    store.transact(update_batch, Updated(job.job_id, (Status.RUNNING,), {"status": Status.QUEUED}))


def finish(store: Store, job: Job, changes: dict[str, Value]) -> Job | None:
    """Mark a running job as finished; None when it was cancelled meanwhile."""
    callback = now_ms() if job.callback_url else None
    done: dict[str, Value] = {"status": Status.FINISHED, "finished_at": now_ms(), "callback_at": callback, **changes}
    return store.transact(update_batch, Updated(job.job_id, (Status.RUNNING,), done))


def forget_file(store: Store, job_id: str) -> None:
    """The file of a finished job was deleted."""
    store.transact(update_batch, Updated(job_id, (Status.FINISHED,), {"file_name": None}))


def fail(store: Store, job: Job, code: int, message: str) -> None:
    """Mark a job as failed."""
    callback = now_ms() if job.callback_url else None
    changes: dict[str, Value] = {
        "status": Status.ERROR,
        "finished_at": now_ms(),
        "error_code": code,
        "error_message": message,
        "callback_at": callback,
    }
    store.transact(update_batch, Updated(job.job_id, (Status.QUEUED, Status.RUNNING), changes))
