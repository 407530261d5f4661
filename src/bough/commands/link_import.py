"""`bough import links`: links from elsewhere, at the addresses that they have (docs/links.md).

From Branch's link export (CSV or JSON lines), from a running Branch account by its read API, or from Firebase Dynamic
Links. Hosts that the server does not know become link domains of the app. Safe to repeat.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

from bough.accounts.audit import transact
from bough.accounts.directory import Directory
from bough.accounts.domains import add_batch, check_name
from bough.accounts.model import App, Domain
from bough.commands.apps import domain_entry, find_app
from bough.commands.link_files import import_rows, opened_lines, opened_rows
from bough.commands.options import add_data, settings_of
from bough.errors import BadRequest
from bough.importers import firebase
from bough.importers.branch_api import BranchAccount
from bough.links.row_files import FileRow, RowFile
from bough.store import Store
from bough.store.data_folder import opened_store


def add_to(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe `bough import links`."""
    parser = actions.add_parser("links", help="Branch's links, by export or read API, and Firebase Dynamic Links")
    parser.add_argument(
        "file", metavar="FILE", help="CSV or JSON lines; with --from-api one address per line; - is input"
    )
    parser.add_argument("--app", required=True, metavar="APP", help="app id or name")
    parser.add_argument("--from-api", default="", metavar="HOST", help="read each link from this account's API")
    parser.add_argument("--branch-key", default="", metavar="KEY", help="the account's branch key, for --from-api")
    parser.add_argument("--domain", default="", metavar="HOST", help="put the links under this host instead")
    parser.add_argument("--replace", action="store_true", help="replace links that are there with other content")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done and do nothing")
    parser.add_argument("--json", action="store_true", help="print what became of every line, as NDJSON")
    parser.add_argument("--format", choices=("csv", "ndjson"), help="default: by the file's name or beginning")
    add_data(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Status 1 when a line failed."""
    if bool(arguments.from_api) != bool(arguments.branch_key):
        raise BadRequest("--from-api and --branch-key are given together.")
    with opened_store(settings_of(arguments)) as store:
        directory = Directory(store)
        app = find_app(directory, arguments.app)
        if arguments.from_api:
            account = BranchAccount(arguments.from_api, arguments.branch_key)
            try:
                with opened_lines(arguments.file) as lines:
                    return _import(store, directory, app, RowFile("ndjson", (), account.rows(lines)), arguments)
            finally:
                account.close()
        with opened_rows(arguments.file, arguments.format) as file:
            if firebase.is_export(file.columns):
                file = file._replace(rows=map(firebase.converted, file.rows))
            return _import(store, directory, app, file, arguments)


def _import(store: Store, directory: Directory, app: App, file: RowFile, arguments: argparse.Namespace) -> int:
    rows = file.rows
    if not arguments.domain:
        rows = _with_domains(store, directory, app, rows, dry_run=arguments.dry_run)
    return import_rows(store, directory, app, file._replace(rows=rows), arguments)


def _with_domains(
    store: Store, directory: Directory, app: App, rows: Iterator[FileRow], *, dry_run: bool
) -> Iterator[FileRow]:
    """The same rows; a host that nobody has becomes a domain of the app before its first link is placed."""
    for row in rows:
        url = row.values.get("url")
        host = _host(url) if isinstance(url, str) and not row.error else ""
        if host and not directory.knows_host(host):
            scheme: Literal["http", "https"] = "http" if str(url).startswith("http:") else "https"
            try:
                _take_host(store, directory, app, Domain(host=host, scheme=scheme, app=app.id, kind="custom"), dry_run)
            except BadRequest as error:
                yield FileRow(row.line, row.values, error.message)
                continue
        yield row


def _take_host(store: Store, directory: Directory, app: App, domain: Domain, dry_run: bool) -> None:
    if dry_run:
        check_name(domain)
        directory.assume(domain)
        return
    transact(store, add_batch, domain, domain_entry("domain.add", app))
    directory.load()


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.netloc.lower() if parts.scheme in ("http", "https") and "@" not in parts.netloc else ""
