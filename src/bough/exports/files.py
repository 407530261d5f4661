"""The folder of finished files. A file appears under its name only when all of it is on disk."""

from __future__ import annotations

import os
import re
from pathlib import Path

from bough.cohorts.files import CONTENT_TYPES, extension
from bough.errors import NotFound
from bough.exports.job import Job
from bough.ids import new_code

FOLDER = "exports"

_NAME = re.compile(r"[A-Za-z0-9_-]+\.(csv|json|ndjson|parquet)(\.gz)?\Z")
_JOB = re.compile(r"-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-[A-Za-z0-9]{16}\.")


class ExportFiles:
    """Files of one data folder."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER

    def write(self, job: Job, content: bytes) -> str:
        """Store a job's file under a new name, which is returned; durable when it returns."""
        request = job.request
        name = (
            f"{request.start_date}-{request.end_date}-{request.data_source}-{request.granularity}-{job.job_id}-"
            f"{new_code(16)}.{extension(request)}"
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f".{name}.part"
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / name)
        _sync(self._folder)
        return name

    def path(self, name: str) -> Path:
        """Where a file lies. Raises NotFound when there is none."""
        path = self._folder / name
        if not _NAME.match(name) or not path.is_file():
            raise NotFound("There is no such file.")
        return path

    def remove(self, name: str) -> None:
        """Delete a file that is no longer kept."""
        if _NAME.match(name):
            (self._folder / name).unlink(missing_ok=True)

    def remove_parts(self) -> None:
        """Delete what a killed process left half written."""
        if self._folder.is_dir():
            for part in self._folder.glob(".*.part"):
                part.unlink(missing_ok=True)


def job_of(name: str) -> str:
    """The id of the job that wrote a file, as its name says; empty for a name that is none of ours."""
    found = _JOB.search(name)
    return found[1] if found else ""


def content_type(name: str) -> str:
    """The Content-Type of a file."""
    if name.endswith(".gz"):
        return "application/gzip"
    return CONTENT_TYPES[name.rpartition(".")[2]]


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
