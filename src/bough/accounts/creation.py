"""Make apps: with keys, secrets, link domains, and for the first one an organization and its owner's token."""

from __future__ import annotations

import ipaddress
import zoneinfo
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from bough.accounts import queries
from bough.accounts.keys import (
    fingerprint,
    new_access_token,
    new_branch_key,
    new_branch_secret,
)
from bough.accounts.model import AppConfig
from bough.accounts.setting_checks import ascii_host
from bough.accounts.setting_history import remember
from bough.errors import BadRequest, BoughError
from bough.store.changes import Change, record
from bough.store.database import Store
from bough.store.transaction import Transaction
from bough.vocabulary.ids import growing_ids, new_code, new_id, now_ms
from bough.vocabulary.permissions import PERMISSIONS

MAX_NAME = 255
OWNER = "owner"
"""Name of the first user of an organization, who may do everything."""


class NewApp(Struct, frozen=True, kw_only=True):
    """What an app starts with."""

    name: str
    timezone: str = "UTC"
    base_url: str
    """The server's public address; apps without `domain` get their links there."""
    domain: str = ""
    """The app's own link domain."""
    organization: int | None = None
    """None: the first one, made when there is none."""
    config: AppConfig = AppConfig()


class CreatedApp(Struct, frozen=True, kw_only=True):
    """What its owner must write down: secrets and the token are not kept and are never shown again."""

    organization_id: str
    app_id: str
    name: str
    timezone: str
    branch_key: str
    branch_secret: str
    test_branch_key: str
    test_branch_secret: str
    access_token: str
    link_domain: str
    test_link_domain: str


def create_app(store: Store, wanted: NewApp) -> CreatedApp:
    """Create an app. Raises BadRequest naming the field (name, timezone, domain)."""
    return store.transact(create_batch, wanted)


MAX_OVERLAP_HOURS = 24 * 90


class Rotation(Struct, frozen=True):
    """New keys to make."""

    app: int
    test: bool
    overlap_ms: int
    """For how long the old ones still work."""


class Rotated(Struct, frozen=True):
    """The new pair; the secret is not kept."""

    branch_key: str
    branch_secret: str
    old_end_at: int
    """Epoch milliseconds."""


def rotation(app: int, test: bool, overlap_hours: int) -> Rotation:
    """The item of `rotate_batch`."""
    return Rotation(app, test, overlap_hours * 3_600_000)


def rotate_key(store: Store, app: int, test: bool, overlap_ms: int = 0) -> tuple[str, str]:
    """A new key and secret for an app's environment; the old ones end after `overlap_ms` milliseconds."""
    rotated = store.transact(rotate_batch, Rotation(app, test, overlap_ms))
    return rotated.branch_key, rotated.branch_secret


def save_app(tx: Transaction, app: int, name: str, timezone: str, config: AppConfig) -> None:
    """Store an app's name, time zone and configuration, for every process at once."""
    remember(tx, app, timezone, config)
    tx.run(queries.UPDATE_APP, (name, timezone, msgspec.json.encode(config).decode(), app))
    record(tx, [Change(subject="account", app=app)])


def check_timezone(name: str) -> None:
    """Raises BadRequest unless `name` is an IANA time zone."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, IsADirectoryError) as error:
        raise BadRequest(f"timezone: {name!r} is not an IANA time zone such as Europe/Berlin.") from error


def check_name(name: str) -> None:
    """Raises BadRequest unless `name` can be an app's name."""
    if not 1 <= len(name) <= MAX_NAME:
        raise BadRequest(f"app_name: must have 1 to {MAX_NAME} characters.")


def create_batch(tx: Transaction, items: list[NewApp]) -> list[CreatedApp | Exception]:
    """The batch behind `create_app`."""
    results: list[CreatedApp | Exception] = []
    for wanted in items:
        try:
            results.append(_found(tx, wanted))
        except BoughError as error:
            results.append(error)
    return results


def _found(tx: Transaction, wanted: NewApp) -> CreatedApp:
    check_name(wanted.name)
    check_timezone(wanted.timezone)
    domains = _choose_domains(tx, wanted)
    now = now_ms()
    organization = wanted.organization or _first_organization(tx, now)
    app = new_id()
    config = msgspec.json.encode(wanted.config).decode()
    tx.run(queries.INSERT_APP, (app, organization, wanted.name, wanted.timezone, config, now))
    keys: dict[bool, tuple[str, str]] = {test: _insert_key(tx, app, test) for test in (False, True)}
    for number, (host, prefix, scheme, test, kind) in zip(growing_ids(0), domains, strict=False):
        tx.run(queries.INSERT_DOMAIN, (number, host, prefix, scheme, app, int(test), kind))
    token = _owner_token(tx, organization, now)
    record(tx, [Change(subject="account", app=app)])
    return CreatedApp(
        organization_id=str(organization),
        app_id=str(app),
        name=wanted.name,
        timezone=wanted.timezone,
        branch_key=keys[False][0],
        branch_secret=keys[False][1],
        test_branch_key=keys[True][0],
        test_branch_secret=keys[True][1],
        access_token=token,
        link_domain=_written(domains[0]),
        test_link_domain=_written(domains[1]),
    )


def rotate_batch(tx: Transaction, items: list[Rotation]) -> list[Rotated | Exception]:
    """The batch behind `rotate_key`. Keys that end sooner anyway keep their end."""
    results: list[Rotated | Exception] = []
    for item in items:
        end = now_ms() + item.overlap_ms
        tx.run(queries.EXPIRE_KEYS, (end, item.app, int(item.test), end))
        key, secret = _insert_key(tx, item.app, item.test)
        results.append(Rotated(key, secret, end))
        record(tx, [Change(subject="account", app=item.app)])
    return results


def _insert_key(tx: Transaction, app: int, test: bool) -> tuple[str, str]:
    key, secret = new_branch_key(test), new_branch_secret(test)
    tx.run(queries.INSERT_KEY, (new_id(), app, int(test), key, fingerprint(secret), now_ms()))
    return key, secret


def add_organization_batch(tx: Transaction, names: list[str]) -> list[int | Exception]:
    """Add organizations; their ids. The first app of one makes its owner."""
    results: list[int | Exception] = []
    for name in names:
        if 1 <= len(name) <= MAX_NAME:
            results.append(_add_organization(tx, name, now_ms()))
        else:
            results.append(BadRequest(f"name: must have 1 to {MAX_NAME} characters."))
    return results


def _add_organization(tx: Transaction, name: str, now: int) -> int:
    organization = new_id()
    tx.run(queries.INSERT_ORGANIZATION, (organization, name, now))
    return organization


def _first_organization(tx: Transaction, now: int) -> int:
    found = tx.rows(queries.FIRST_ORGANIZATION)
    if found:
        return int(found[0][0])
    return _add_organization(tx, "Default", now)


def _owner_token(tx: Transaction, organization: int, now: int) -> str:
    """A new token of the organization's owner: the permanent one at first, named ones for later apps.

    Earlier ones stay valid, since none can be shown again.
    """
    found = tx.rows(queries.FIND_USER, (organization, OWNER))
    user = int(found[0][0]) if found else new_id()
    if not found:
        permissions = msgspec.json.encode(PERMISSIONS).decode()
        tx.run(queries.INSERT_USER, (user, organization, OWNER, permissions, now))
    token = new_access_token()
    kind = "named" if tx.rows(queries.PERMANENT_TOKEN, (user,)) else "permanent"
    tx.run(queries.INSERT_TOKEN, (new_id(), user, "bough apps create", fingerprint(token), now, None, kind, None))
    return token


_Chosen = tuple[str, str, str, bool, str]
"""host, prefix, scheme, test, kind"""


def _choose_domains(tx: Transaction, wanted: NewApp) -> list[_Chosen]:
    """The live and the test domain (in this order), and an alternate one where it needs no DNS.

    The first app on the server's own host has it for itself; others, and test environments, get a four-character
    prefix there (docs/links.md), so that nothing needs DNS. On a loopback address the test environment lives
    at `localhost` and the alternate domain at `alternate.localhost`.
    """
    base = urlsplit(wanted.base_url)
    if base.scheme not in ("http", "https") or not base.netloc:
        raise BadRequest("base_url: must look like https://go.example.com.")
    if wanted.domain and not ascii_host(wanted.domain):
        raise BadRequest(f"domain: {wanted.domain!r} is no host name such as go.example.com.")
    host = ascii_host(wanted.domain) if wanted.domain else base.netloc.lower()
    scheme = "https" if wanted.domain else base.scheme
    taken = bool(tx.rows(queries.DOMAIN_OWNER, (host, "")))
    if taken and wanted.domain:
        raise BadRequest(f"domain: {host} already serves another app's links.")
    live: _Chosen = (host, new_code(4) if taken else "", scheme, False, "default")
    if not taken and _is_loopback_address(base.hostname) and not wanted.domain:
        port = f":{base.port}" if base.port else ""
        test: _Chosen = ("localhost" + port, "", scheme, True, "default")
        return [live, test, ("alternate.localhost" + port, "", scheme, False, "alternate")]
    return [live, (host, new_code(4), scheme, True, "default")]


def _is_loopback_address(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _written(domain: _Chosen) -> str:
    return f"{domain[0]}/{domain[1]}" if domain[1] else domain[0]


def as_document(founded: CreatedApp) -> dict[str, Any]:
    """The founding as plain JSON values (`bough apps create --json`, demo.json)."""
    document: dict[str, Any] = msgspec.to_builtins(founded)
    return document
