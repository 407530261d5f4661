"""An app's link domains: add one, remove one (docs/access.md).

An app has in each environment one `default` domain, where new links go, any number of `custom` ones, which links may
name, and at most one `alternate`, which serves the default's links and is where a page's button leads, so that the
phone opens the app. With a prefix of four characters several apps and environments share a host.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec
from msgspec import Struct

from bough.accounts import queries
from bough.accounts.model import Domain
from bough.accounts.setting_checks import ascii_host
from bough.errors import BadRequest, NotFound
from bough.store.changes import Change, record
from bough.store.transaction import Transaction
from bough.vocabulary.ids import new_code, new_id
from bough.vocabulary.reserved_paths import RESERVED_FIRST_SEGMENTS

PREFIX_LENGTH = 4
RANDOM_PREFIX = "random"

_PREFIX = re.compile(rf"[A-Za-z0-9]{{{PREFIX_LENGTH}}}\Z")


class DomainName(Struct, frozen=True):
    """Which domain."""

    app: int
    host: str
    prefix: str


def add_batch(tx: Transaction, items: list[Domain]) -> list[Domain | Exception]:
    """Add link domains to their apps."""
    results: list[Domain | Exception] = []
    for wanted in items:
        try:
            results.append(_add(tx, wanted))
        except BadRequest as error:
            results.append(error)
    return results


def _add(tx: Transaction, wanted: Domain) -> Domain:
    prefix = new_code(PREFIX_LENGTH) if wanted.prefix == RANDOM_PREFIX else wanted.prefix
    check_name(msgspec.structs.replace(wanted, prefix=prefix))
    domain = msgspec.structs.replace(wanted, host=ascii_host(wanted.host), prefix=prefix)
    if tx.rows(queries.DOMAIN_OWNER, (domain.host, prefix)):
        raise BadRequest(f"domain: {_written(domain)} is in use; give it another prefix.")
    if prefix and tx.rows(queries.LINK_BEHIND, (domain.host, f"{prefix}/")):
        raise BadRequest(f"prefix: links of another app begin with {prefix}/ on {domain.host}; choose another one.")
    if domain.kind == "alternate" and tx.rows(queries.DOMAIN_OF_KIND, (domain.app, int(domain.test), "alternate")):
        raise BadRequest("domain: the app has an alternate domain in this environment; remove it first.")
    if domain.kind == "default":
        tx.run(queries.MAKE_CUSTOM, (domain.app, int(domain.test)))
    values = (domain.host, prefix, domain.scheme, domain.app, int(domain.test), domain.kind)
    tx.run(queries.INSERT_DOMAIN, (new_id(), *values))
    record(tx, [Change(subject="account", app=domain.app)])
    return domain


def check_name(domain: Domain) -> None:
    """Raises BadRequest unless the host and prefix can be a link domain's."""
    if not ascii_host(domain.host):
        raise BadRequest(f"domain: {domain.host!r} is no host name such as go.example.com.")
    if domain.prefix and (not _PREFIX.match(domain.prefix) or domain.prefix in RESERVED_FIRST_SEGMENTS):
        raise BadRequest(f"prefix: must be {PREFIX_LENGTH} letters or digits.")
    if domain.kind == "alternate" and domain.prefix:
        raise BadRequest("prefix: an alternate domain has none; it serves every path of the default domain.")


def remove_batch(tx: Transaction, items: list[DomainName]) -> list[Exception | None]:
    """Take link domains from their apps."""
    results: list[Exception | None] = []
    for name in items:
        try:
            _remove(tx, name)
            results.append(None)
        except (BadRequest, NotFound) as error:
            results.append(error)
    return results


def _remove(tx: Transaction, name: DomainName) -> None:
    written = f"{name.host}/{name.prefix}".rstrip("/")
    found = tx.rows(queries.KIND_OF_DOMAIN, (name.host, name.prefix, name.app))
    if not found:
        raise NotFound(f"The app has no domain {written}.")
    kind: Literal["default", "alternate", "custom"] = found[0][0]
    if kind == "default":
        raise BadRequest(f"domain: new links go to {written}; make another domain the default first.")
    start = f"{name.prefix}/" if name.prefix else ""
    if kind == "custom" and tx.rows(queries.LINK_OF_APP_BEHIND, (name.app, name.host, start, start)):
        raise BadRequest(f"domain: links live at {written}; delete them first.")
    tx.run(queries.DELETE_DOMAIN, (name.host, name.prefix, name.app))
    record(tx, [Change(subject="account", app=name.app)])


def _written(domain: Domain) -> str:
    return f"{domain.host}/{domain.prefix}".rstrip("/")
