"""Finished files: a folder of the data folder, or an S3-compatible object store (`BOUGH_EXPORT_FILES`).

A file appears under its name only when all of it is stored. Its name, which has random characters, is told when its job
has ended; what a killed process leaves besides is a whole file that nobody can name, and goes with the old ones.
"""

from __future__ import annotations

import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from bough.cohorts.files import CONTENT_TYPES, extension
from bough.errors import NotFound
from bough.exports.job import Job
from bough.vocabulary.ids import new_code

FOLDER = "exports"
REPORTS = "reports"

_NAME = re.compile(r"[A-Za-z0-9_-]+\.(csv|json|ndjson|parquet)(\.gz)?\Z")
_JOB = re.compile(r"-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-[A-Za-z0-9]{16}\.")


class Stream(NamedTuple):
    """A file that comes from elsewhere."""

    size: int
    """Bytes."""
    chunks: AsyncIterator[bytes]


class ExportFiles(ABC):
    """Where finished files are. All methods raise Unavailable when the place cannot be reached."""

    @abstractmethod
    def write(self, job: Job, content: bytes) -> str:
        """Store a job's file under a new name, which is returned; durable when it returns."""

    @abstractmethod
    async def open(self, name: str) -> Path | Stream:
        """A file: where it lies on this machine, or its bytes as they come. Raises NotFound when there is none."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """All of a file. Raises NotFound when there is none."""

    @abstractmethod
    def keep(self, name: str, report: int) -> None:
        """Copy a file to those of a report, which stay. Raises NotFound when there is none."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Delete a file that is no longer kept; one that is gone is well."""

    @abstractmethod
    def remove_old(self, before: int) -> None:
        """Delete every finished file stored before an instant (epoch ms), whether a job names it or not."""

    @abstractmethod
    def remove_parts(self) -> None:
        """Delete what a killed process left half written."""

    @abstractmethod
    def problem(self) -> str | None:
        """What keeps files from being written, in one sentence; None when one was written and deleted."""


class FolderFiles(ExportFiles):
    """Files of one data folder."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER
        self._reports = data / REPORTS

    def write(self, job: Job, content: bytes) -> str:
        """Written under another name, synced, and renamed."""
        name = new_name(job)
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f".{name}.part"
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / name)
        _sync(self._folder)
        return name

    async def open(self, name: str) -> Path:
        """Its path."""
        return self._path(name)

    def read(self, name: str) -> bytes:
        """All of it."""
        return self._path(name).read_bytes()

    def keep(self, name: str, report: int) -> None:
        """A copy appears under its name only when all of it is on disk."""
        source, folder = self._path(name), self._reports / str(report)
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{name}.part"
        with source.open("rb") as reading, temporary.open("wb") as writing:
            shutil.copyfileobj(reading, writing)
            writing.flush()
            os.fsync(writing.fileno())
        temporary.replace(folder / name)
        _sync(folder)

    def remove(self, name: str) -> None:
        """Unlink it."""
        if is_name(name):
            (self._folder / name).unlink(missing_ok=True)

    def remove_old(self, before: int) -> None:
        """By the time at which they were written."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if is_name(path.name) and path.stat().st_mtime * 1000 < before:
                    path.unlink(missing_ok=True)

    def remove_parts(self) -> None:
        """Those of the folder; a report's is overwritten when it is copied again."""
        if self._folder.is_dir():
            for part in self._folder.glob(".*.part"):
                part.unlink(missing_ok=True)

    def problem(self) -> str | None:
        """The data folder is examined on its own."""
        return None

    def _path(self, name: str) -> Path:
        path = self._folder / name
        if not is_name(name) or not path.is_file():
            raise NotFound("There is no such file.")
        return path


def new_name(job: Job) -> str:
    """A name for a job's file that nobody can guess."""
    request = job.request
    return (
        f"{request.start_date}-{request.end_date}-{request.data_source}-{request.granularity}-{job.job_id}-"
        f"{new_code(16)}.{extension(request)}"
    )


def is_name(name: str) -> bool:
    """Whether a file of ours can have the name; none of these leads out of a folder."""
    return _NAME.match(name) is not None


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
