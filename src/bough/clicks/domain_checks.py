"""Whether a link domain works, step by step: DNS, certificate, and the two files that iOS and Android ask for.

Each step asks the world as a phone would and says in one sentence what it found and what to do. Steps wait for the
network: call `check_domain` from a thread.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from bough.accounts.model import App, Domain
from bough.clicks.hosted_files import ANDROID_PATH, APPLE_PATHS, apple_app_site_association, assetlinks

CONNECT_SECONDS = 3.0
CERTIFICATE_DAYS = 14
MAX_FILE = 128 * 1024


class Check(Struct, frozen=True, kw_only=True):
    """One step."""

    name: str
    ok: bool
    sentence: str


def check_domain(domain: Domain, apps: Sequence[App]) -> list[Check]:
    """All steps for a host; `apps` are those with links on it. What an earlier step makes pointless is left out."""
    return list(_steps(domain, apps))


def _steps(domain: Domain, apps: Sequence[App]) -> Iterator[Check]:
    host, _, port = domain.host.partition(":")
    number = int(port or (443 if domain.scheme == "https" else 80))
    try:
        found = sorted({str(one[4][0]) for one in socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)})
    except (OSError, UnicodeError):
        yield Check(name="DNS", ok=False, sentence=f"{host} has no DNS entry; point an A, AAAA or CNAME record here.")
        return
    yield Check(name="DNS", ok=True, sentence=f"{host} leads to {', '.join(found[:4])}.")
    context: ssl.SSLContext | None = None
    if domain.scheme == "https":
        context = ssl.create_default_context()
        check = _certificate(host, number, context)
        yield check
        if not check.ok:
            return
    else:
        yield Check(
            name="TLS", ok=False,
            sentence="This domain is served over http: phones open apps from https links only. Fine for trying out.",
        )  # fmt: skip
    expected = apple_app_site_association(apps, domain.host)
    yield _file(domain.host, number, context, APPLE_PATHS[0], "AASA", expected, _about_apple(apps, expected))
    statements = assetlinks(apps)
    yield _file(domain.host, number, context, ANDROID_PATH, "assetlinks", statements, _about_android(apps, statements))


def _certificate(host: str, port: int, context: ssl.SSLContext) -> Check:
    try:
        with (
            socket.create_connection((host, port), timeout=CONNECT_SECONDS) as connection,
            context.wrap_socket(connection, server_hostname=host) as secured,
        ):
            certificate = secured.getpeercert()
    except ssl.SSLError as error:
        return Check(name="TLS", ok=False, sentence=f"The certificate is not accepted: {error.reason or error}.")
    except OSError as error:
        return Check(name="TLS", ok=False, sentence=f"Nothing answers at port {port}: {error.strerror or error}.")
    ends = ssl.cert_time_to_seconds(str(certificate["notAfter"])) if certificate else 0
    days = int((ends - datetime.now(UTC).timestamp()) / 86_400)
    if days < CERTIFICATE_DAYS:
        return Check(name="TLS", ok=False, sentence=f"The certificate ends in {max(0, days)} days; renew it.")
    return Check(name="TLS", ok=True, sentence=f"The certificate is good for {days} days.")


def _file(
    authority: str, port: int, context: ssl.SSLContext | None, path: str, name: str, expected: bytes, about: str
) -> Check:
    host = authority.partition(":")[0]
    connection = (
        http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        if context is None
        else http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=context)
    )
    try:
        connection.request("GET", path, headers={"User-Agent": "bough", "Host": authority})
        response = connection.getresponse()
        body = response.read(MAX_FILE)
    except (OSError, http.client.HTTPException) as error:
        return Check(name=name, ok=False, sentence=f"{path} cannot be fetched: {error}.")
    finally:
        connection.close()
    if response.status != 200:
        sentence = f"{path} answers {response.status}; phones want 200 without a redirect. Does the host lead here?"
        return Check(name=name, ok=False, sentence=sentence)
    if body != expected:
        sentence = f"{path} is another file than this server's: something in front answers for it."
        return Check(name=name, ok=False, sentence=sentence)
    return Check(name=name, ok=not about.startswith("No app"), sentence=about)


def _about_apple(apps: Sequence[App], expected: bytes) -> str:
    details = msgspec.json.decode(expected)["applinks"]["details"]
    if not details:
        return "No app is named: switch universal links on, and set team id and bundle id."
    return f"iOS opens {', '.join(one['appID'] for one in details)} for this domain's links, but not for /e/…"


def _about_android(apps: Sequence[App], statements: bytes) -> str:
    found = msgspec.json.decode(statements)
    if not found:
        return "No app is named: switch App Links on, and set package name and certificate fingerprints."
    targets = [one["target"] for one in found]
    names = ", ".join(f"{one['package_name']} ({len(one['sha256_cert_fingerprints'])} certificates)" for one in targets)
    return f"Android opens {names} for this domain's links."
