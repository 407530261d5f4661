"""What is wrong with settings, data folder, domains and certificates, in one sentence each."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from bough.accounts.directory import Directory
from bough.accounts.model import AppConfig, Domain
from bough.accounts.setting_checks import ascii_host, canonical_fingerprint, unworkable
from bough.attribution.replay.explain import KNOWN_BY
from bough.attribution.stored.tables import SHARED
from bough.errors import BoughError
from bough.exports.downloads import open_files
from bough.health.findings import findings
from bough.settings import Settings
from bough.signin.exposure import refuse_exposed
from bough.store.data_folder import check_made, opened_store

CONNECT_SECONDS = 3.0
CERTIFICATE_DAYS = 14
FREE_BYTES = 512 * 1024 * 1024
MOST_NAMED = 5
"""Identifiers of one app that are named."""


def examine(settings: Settings) -> Iterator[str]:
    """One sentence per thing that is wrong, with what to do about it."""
    try:
        check_made(settings)
    except BoughError as error:
        yield error.message
        return
    yield from _folder(settings.folder)
    yield from _base_url(settings.base_url)
    problem = open_files(settings).problem()
    if problem is not None:
        yield problem
    try:
        with opened_store(settings) as store:
            directory = Directory(store)
            shared = store.rows(SHARED)
            running = findings(store, settings.folder, {app.id: app.name for app in directory.apps.values()})
    except BoughError as error:
        yield error.message
        return
    yield from (one.message for one in running)
    yield from _exposure(settings, directory)
    if not directory.apps:
        yield "There is no app yet: run `bough apps create NAME`."
    for app in directory.apps.values():
        for domain in {domain.host: domain for domain in app.domains}.values():
            yield from _domain(app.name, domain)
        for finding in _settings(app.config, app.domains):
            yield f"App {app.name}: {finding}"
        yield from _shared(app.name, sorted((kind, value) for owner, _, kind, value in shared if owner == app.id))


def _settings(config: AppConfig, domains: Sequence[Domain]) -> Iterator[str]:
    """What an app's stored settings make of the hosted files, and values that would be refused today."""
    if config.universal_linking_enabled and not (config.ios_team_id and config.ios_bundle_id):
        yield "universal links are on, but ios_team_id or ios_bundle_id is empty."
    if config.android_app_links_enabled:
        if not config.sha256_cert_fingerprints:
            yield "Android App Links are on, but sha256_cert_fingerprints is empty."
        elif not any(map(canonical_fingerprint, config.sha256_cert_fingerprints)):
            yield "assetlinks.json does not name the app, as none of its sha256_cert_fingerprints is a SHA-256."
        if not config.android_package_name:
            yield "Android App Links are on, but android_package_name is empty."
    for sentence in unworkable(config):
        yield f"a stored setting cannot work. {sentence}"
    for host in dict.fromkeys(domain.host for domain in domains if not ascii_host(domain.host)):
        yield f"the link domain {host!r} is no host name such as go.example.com; no phone can ask for it."


def _shared(app_name: str, identifiers: list[tuple[str, str]]) -> Iterator[str]:
    """Identifiers that no longer tell anybody apart (`bough.attribution.rules.sharing`)."""
    named = ", ".join(f"{KNOWN_BY.get(kind, 'request id')} {value!r}" for kind, value in identifiers[:MOST_NAMED])
    if identifiers:
        more = f" and {len(identifiers) - MOST_NAMED} more" if len(identifiers) > MOST_NAMED else ""
        yield (
            f"App {app_name}: the {named}{more} came with so many others that attribution passes over it:"
            " send no id for guests, and the device's own ids for devices."
        )


def _folder(folder: Path) -> Iterator[str]:
    if not os.access(folder, os.W_OK | os.X_OK):
        yield f"The data folder {folder} cannot be written to: change its owner or set BOUGH_DATA."
        return
    free = os.statvfs(folder)
    if free.f_bavail * free.f_frsize < FREE_BYTES:
        yield f"The disk of the data folder {folder} has less than 512 MB left."


def _base_url(base_url: str) -> Iterator[str]:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.rstrip("/"):
        yield f"BOUGH_BASE_URL={base_url!r} must look like https://go.example.com, without a path."
    elif parts.scheme == "http" and not _is_local(parts.hostname or ""):
        yield f"BOUGH_BASE_URL={base_url} is not https: Android and iOS refuse it, and universal links need it."


def _exposure(settings: Settings, directory: Directory) -> Iterator[str]:
    try:
        refuse_exposed(settings.folder, directory, "127.0.0.1", settings.base_url)
    except BoughError as error:
        yield error.message
    if settings.oidc_issuer and not (settings.oidc_client_id and settings.oidc_client_secret):
        yield "BOUGH_OIDC_ISSUER is set, but BOUGH_OIDC_CLIENT_ID or BOUGH_OIDC_CLIENT_SECRET is empty."


def _domain(app_name: str, domain: Domain) -> Iterator[str]:
    host, _, port = domain.host.partition(":")
    if _is_local(host):
        return
    try:
        socket.getaddrinfo(host, None)
    except socket.gaierror:
        yield f"App {app_name}: the link domain {host} has no DNS entry; point it at this server."
        return
    if domain.scheme == "https":
        yield from _certificate(app_name, host, int(port or 443))


def _certificate(app_name: str, host: str, port: int) -> Iterator[str]:
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((host, port), timeout=CONNECT_SECONDS) as connection,
            context.wrap_socket(connection, server_hostname=host) as secured,
        ):
            certificate = secured.getpeercert()
    except ssl.SSLError as error:
        yield f"App {app_name}: the certificate of {host} is not accepted ({error.reason or error})."
        return
    except OSError as error:
        yield f"App {app_name}: nothing answers at {host} port {port} ({error})."
        return
    ends = ssl.cert_time_to_seconds(str(certificate["notAfter"])) if certificate else 0
    days = (ends - datetime.now(UTC).timestamp()) / 86_400
    if days < CERTIFICATE_DAYS:
        yield f"App {app_name}: the certificate of {host} ends in {max(0, int(days))} days; renew it."


def _is_local(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")
