"""Finished files in an S3-compatible object store, through obstore.

`s3://bucket/prefix` holds `exports/NAME` for a week and `reports/ID/NAME` for good. Endpoint, region and credentials
come from the usual AWS_* variables of the environment. A file is one PUT and not a multipart upload: the store shows
all of it or nothing, and a killed process leaves no parts behind. The store's own addresses are told to nobody: files
are fetched at bough's, so that revoked access, data filters and the audit log hold.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from bough.errors import NotFound, Unavailable
from bough.exports.files import FOLDER, REPORTS, ExportFiles, Stream, content_type, is_name, new_name
from bough.exports.job import Job
from bough.settings import bucket_and_prefix
from bough.vocabulary.ids import new_code

if TYPE_CHECKING:  # obstore has these types for checkers only
    from obstore.store import ClientConfig, RetryConfig

log = logging.getLogger("bough.exports")

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
CHUNK = 256 * 1024
"""Bytes that a download takes from the store at a time, at least."""

CONNECT = timedelta(seconds=5)
READ = timedelta(minutes=5)
"""How long the store may be silent, which it is while a large file is sent to it."""

WHOLE = timedelta(hours=1)
"""For one request, with the time that a slow reader of a download takes."""

PATIENT: RetryConfig = {"max_retries": 5, "retry_timeout": timedelta(seconds=60)}
ONCE: RetryConfig = {"max_retries": 0, "retry_timeout": timedelta(seconds=10)}


class ObjectFiles(ExportFiles):
    """Files below one address `s3://bucket/prefix`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._store = _opened(address, PATIENT)

    def write(self, job: Job, content: bytes) -> str:
        """One PUT."""
        name = new_name(job)
        with _answering():
            obstore.put(
                self._store,
                _finished(name),
                content,
                attributes={"Content-Type": content_type(name)},
                use_multipart=False,
            )
        return name

    async def open(self, name: str) -> Stream:
        """Its bytes as they come from the store."""
        path = _known(name)
        with _answering():
            found = await obstore.get_async(self._store, path)
        return Stream(found.meta["size"], _chunks(found))

    def read(self, name: str) -> bytes:
        """All of it."""
        path = _known(name)
        with _answering():
            return bytes(obstore.get(self._store, path).bytes())

    def keep(self, name: str, report: int) -> None:
        """The store copies it itself, whole or not at all."""
        path = _known(name)
        with _answering():
            obstore.copy(self._store, path, f"{REPORTS}/{report}/{name}")

    def remove(self, name: str) -> None:
        """Delete the object."""
        if is_name(name):
            self._delete(_finished(name))

    def remove_old(self, before: int) -> None:
        """By the store's own clock; objects that are not ours stay."""
        with _answering():
            for page in obstore.list(self._store, FOLDER):
                for found in page:
                    folder, _, name = found["path"].rpartition("/")
                    if folder == FOLDER and is_name(name) and found["last_modified"].timestamp() * 1000 < before:
                        self._delete(found["path"])

    def remove_parts(self) -> None:
        """There are none: a PUT that was not ended is no object."""

    def problem(self) -> str | None:
        """Write, and delete again, an object beside the files."""
        store, path = _opened(self._address, ONCE), f".doctor-{new_code(16)}"
        try:
            obstore.put(store, path, b"", use_multipart=False)
            obstore.delete(store, path)
        except FileNotFoundError:
            why = "there is no such bucket"
        except (PermissionDeniedError, UnauthenticatedError, PermissionError):
            why = "these credentials may not write or delete there"
        except (BaseError, OSError) as error:
            why = _first_line(error)
        else:
            return None
        return (
            f"Finished files cannot be stored in BOUGH_EXPORT_FILES={self._address} ({why}): make the bucket, or"
            " correct AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )

    def _delete(self, path: str) -> None:
        try:
            with _answering():
                obstore.delete(self._store, path)
        except NotFound:
            log.debug("%s was already deleted", path)


def _opened(address: str, retry: RetryConfig) -> S3Store:
    bucket, prefix = bucket_and_prefix(address)
    options: ClientConfig = {"connect_timeout": CONNECT, "read_timeout": READ, "timeout": WHOLE}
    endpoint = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "")
    if endpoint.startswith("http://"):  # whoever writes this means it
        options["allow_http"] = True
    return S3Store(bucket, prefix=prefix or None, client_options=options, retry_config=retry)


async def _chunks(found: obstore.GetResult) -> AsyncIterator[bytes]:
    with _answering():
        async for chunk in found.stream(min_chunk_size=CHUNK):
            yield bytes(chunk)


def _finished(name: str) -> str:
    return f"{FOLDER}/{name}"


def _known(name: str) -> str:
    """The path of a file with a name of ours."""
    if not is_name(name):
        raise NotFound("There is no such file.")
    return _finished(name)


@contextmanager
def _answering() -> Iterator[None]:
    """Turn what obstore raises into our errors; details go to the log and not to whoever asked."""
    try:
        yield
    except FileNotFoundError as error:
        log.debug("The object store has no such file: %s", _first_line(error))
        raise NotFound("There is no such file.") from error
    except (BaseError, OSError) as error:
        log.warning("The object store refuses: %s", _first_line(error))
        raise Unavailable("The store of finished files does not answer; please try again later.") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
