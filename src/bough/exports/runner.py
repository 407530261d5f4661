"""Run export jobs against the warehouse: request in, file out (docs/exports.md)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import duckdb
import msgspec

from bough.accounts.model import App
from bough.cohorts.files import file_bytes
from bough.cohorts.plan import AppScope
from bough.cohorts.result import Answer, answer
from bough.errors import BadRequest, Unavailable
from bough.exports import records
from bough.exports.files import ExportFiles
from bough.exports.job import Job, Status
from bough.store.database import Store

log = logging.getLogger("bough.exports")

EPOCH = date(1970, 1, 1)
WATCH_SECONDS = 0.2


def scopes(apps: dict[int, App], wanted: tuple[int, ...], as_of: int) -> list[AppScope]:
    """The apps of a job with their local day of `as_of` (epoch ms)."""
    return [AppScope(str(app), local_day(apps[app].timezone, as_of)) for app in wanted if app in apps]


def local_day(timezone: str, at: int) -> int:
    """Days since 1970-01-01 of the local calendar day of an instant (epoch ms)."""
    return (datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(timezone)).date() - EPOCH).days


def run_job(
    store: Store, files: ExportFiles, job: Job, apps: dict[int, App], cursor: duckdb.DuckDBPyConnection, as_of: int
) -> None:
    """Run one job to its end: FINISHED with a file, or ERROR with a sentence. A cancelled one is interrupted,
    in the database at once and in the work on arrays before its next piece.
    """
    watching, cancelled = threading.Event(), threading.Event()

    def check() -> None:
        if cancelled.is_set():
            raise duckdb.InterruptException("The job was cancelled.")

    def interrupt() -> None:
        cancelled.set()
        cursor.interrupt()

    watcher = threading.Thread(
        target=_when_cancelled, args=(store, job, interrupt, watching), daemon=True, name="bough-watch"
    )
    watcher.start()
    try:
        found = answer(cursor, job.request, scopes(apps, job.apps, as_of), job.filters, check)
        name = files.write(job, file_bytes(found))
    except BadRequest as error:
        records.fail(store, job, error.status, error.message)
        return
    except duckdb.InterruptException:
        return
    except Unavailable:
        log.exception("The file of export job %s cannot be stored", job.job_id)
        records.fail(store, job, Unavailable.status, "The file could not be stored; please ask for it again later.")
        return
    except (OverflowError, duckdb.OutOfRangeException):
        log.warning("A sum of export job %s does not fit", job.job_id, exc_info=True)
        records.fail(store, job, 400, "A sum of this request does not fit into 128 bits; ask for fewer days or people.")
        return
    except Exception:
        log.exception("Export job %s failed", job.job_id)
        records.fail(store, job, 500, "The export failed for a fault of the server; it is logged.")
        return
    finally:
        watching.set()
        watcher.join()
        cursor.close()
    _finish(store, files, job, found, name, as_of)


def _finish(store: Store, files: ExportFiles, job: Job, found: Answer, name: str, as_of: int) -> None:
    done = records.finish(
        store,
        job,
        {
            "file_name": name,
            "row_count": found.rows,
            "rows_total": found.rows_total,
            "data_as_of": as_of,
            "warnings": msgspec.json.encode(found.warnings).decode(),
        },
    )
    if done is None:
        files.remove(name)


def _when_cancelled(store: Store, job: Job, interrupt: Callable[[], None], ended: threading.Event) -> None:
    while not ended.wait(WATCH_SECONDS):
        try:
            rows = store.rows("SELECT status FROM export_job WHERE job_id = ?", (job.job_id,))
        except Exception as error:  # noqa: BLE001 - looked for again; only cancelling waits for it
            log.warning("Whether export job %s was cancelled cannot be read: %s", job.job_id, error)
            continue
        if not rows or rows[0][0] != Status.RUNNING:
            interrupt()
            return
