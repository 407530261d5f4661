"""Webhooks of finished jobs: signed, tried again, and never sent to a private address.

The body is the job's status document with its id. Header `Bough-Signature` is the hexadecimal HMAC-SHA256 of the body
under the installation's webhook key (`bough exports webhook-key`), so that the receiver can tell that it is ours.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from bough.errors import BadRequest
from bough.exports import records
from bough.exports.job import Job, from_row, status_document
from bough.exports.signing import Signer
from bough.settings import Settings
from bough.store.database import Store
from bough.store.transaction import Transaction
from bough.vocabulary.ids import now_ms
from bough.web.fetch import is_public

log = logging.getLogger("bough.exports")

RETRY_SECONDS = (10, 60, 600, 3600, 6 * 3600)
"""Pauses after each failed try; after the last the webhook is given up."""

TIMEOUT_SECONDS = 10.0
MAX_URL = 2000
SET_CALLBACK = "UPDATE export_job SET callback_at = ?, callback_attempts = ? WHERE job_id = ?"


def check_callback(url: str, settings: Settings) -> None:
    """Raises BadRequest when a webhook must not be sent to `url`: its form, or a private address behind its host.

    The host is looked up again, and every address checked, each time the webhook is sent. Waits for a look-up.
    """
    parts = _parts(url)
    with contextlib.suppress(OSError, UnicodeError):  # a name that is not known yet may be when the job has finished
        _allowed_address(parts.hostname or "", parts.port or 443, settings)


def send_due(
    store: Store,
    signer: Signer,
    settings: Settings,
    url_of: Callable[[Job], str | None],
    stopping: Callable[[], bool],
) -> int:
    """Send the webhooks whose time has come; returns how many there were."""
    rows = store.rows(records.CALLBACKS, (now_ms(),))
    for row in rows:
        if stopping():
            break
        job = from_row(row)
        try:
            sent = _send(job, signer, settings, url_of(job))
        except Exception:
            log.exception("The webhook of job %s failed", job.job_id)  # and must not keep others waiting
            sent = False
        attempts = job.callback_attempts + 1
        again = None
        if not sent and attempts <= len(RETRY_SECONDS):
            again = now_ms() + RETRY_SECONDS[attempts - 1] * 1000
        store.transact(_set_batch, (again, attempts, job.job_id))
    return len(rows)


def _send(job: Job, signer: Signer, settings: Settings, response_url: str | None) -> bool:
    document: dict[str, Any] = {"job_id": job.job_id, **status_document(job, response_url, now_ms())}
    payload = msgspec.json.encode(document)
    try:
        status = _post(job.callback_url or "", payload, signer.payload_signature(payload), settings)
    except (OSError, UnicodeError, http.client.HTTPException, BadRequest) as error:
        log.warning("The webhook of job %s was not delivered: %s", job.job_id, error)
        return False
    if not 200 <= status < 300:
        log.warning("The webhook of job %s was answered with status %s", job.job_id, status)
    return 200 <= status < 300


def _post(url: str, payload: bytes, signature: str, settings: Settings) -> int:
    """POST to the address that was checked, never to one that a second look-up might give; no redirects."""
    parts = _parts(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _allowed_address(host, port, settings)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    raw = socket.create_connection((address, port), timeout=TIMEOUT_SECONDS)
    if parts.scheme == "https":
        raw = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
    connection.sock = raw
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Content-Type": "application/json", "Bough-Signature": signature, "User-Agent": "bough"}
        connection.request("POST", target, payload, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _allowed_address(host: str, port: int, settings: Settings) -> str:
    """The address to connect to. Raises BadRequest when any address of the host is private, and OSError without one."""
    if settings.fetch_private == "deny" and f".{host.rstrip('.')}".endswith(".localhost"):
        raise BadRequest("callback_url: must not be a private address.")
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if settings.fetch_private == "deny" and not all(is_public(ipaddress.ip_address(one)) for one in found):
        raise BadRequest("callback_url: must not be a private address.")
    return found[0]


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadRequest("callback_url: is not an address.") from error
    if len(url) > MAX_URL or parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise BadRequest("callback_url: must be an http or https address.")
    if not url.isascii() or any(character <= " " for character in url):
        raise BadRequest("callback_url: must be percent-encoded.")
    return parts


def _set_batch(tx: Transaction, items: list[tuple[int | None, int, str]]) -> list[Exception | None]:
    tx.each(SET_CALLBACK, items)
    return [None] * len(items)
