"""`bough links`: list, export, import, update and delete links in the store, also while the server runs."""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator

from bough.accounts.directory import Directory
from bough.accounts.model import App
from bough.commands import link_files
from bough.commands.apps import find_app
from bough.commands.options import Commands, add_data, settings_of
from bough.errors import BadRequest
from bough.links.item import item
from bough.links.listing import Filters, Listed, Listing, list_links
from bough.links.listing_parameters import FILTERS, parse_filters
from bough.store import Store
from bough.store.data_folder import opened_store

DEFAULT_LINKS = 50
PAGE = 500


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("links", help="list, export, import, update and delete links")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the newest links, or those that filters leave")
    listing.add_argument("--limit", type=int, default=DEFAULT_LINKS, metavar="N", help=f"at most ({DEFAULT_LINKS})")
    listing.add_argument("--json", action="store_true", help="print JSON")
    export = actions.add_parser("export", help="all links, or those that filters leave, with their counts")
    export.add_argument("file", nargs="?", default="-", metavar="FILE", help="default: standard output")
    for action in (listing, export):
        _add_filters(action)
    importing = actions.add_parser("import", help="create the links of a file at the addresses that they have")
    importing.add_argument("--domain", default="", metavar="HOST", help="put the links under this host instead")
    importing.add_argument("--replace", action="store_true", help="replace links that are there with other content")
    update = actions.add_parser("update", help="set columns of a file on the links that it names by url")
    delete = actions.add_parser("delete", help="delete the links that a file names by url")
    for action in (importing, update, delete):
        action.add_argument("file", metavar="FILE", help="CSV with a heading, or NDJSON; - for standard input")
        action.add_argument("--dry-run", action="store_true", help="say what would be done and do nothing")
        action.add_argument("--json", action="store_true", help="print what became of every line, as NDJSON")
    for action in (export, importing, update, delete):
        action.add_argument("--format", choices=("csv", "ndjson"), help="default: by the file's name or beginning")
    for action, run in (
        (listing, run_list),
        (export, run_export),
        (importing, run_import),
        (update, run_update),
        (delete, run_delete),
    ):
        action.add_argument("--app", metavar="APP", help="only links of the app with this id or name")
        add_data(action)
        action.set_defaults(run=run)


def run_list(arguments: argparse.Namespace) -> None:
    """`bough links list`."""
    if arguments.limit < 1:
        raise BadRequest("--limit: must be at least 1.")
    with opened_store(settings_of(arguments)) as store:
        directory = Directory(store)
        found = find_links(store, _apps(directory, arguments.app), _tests(arguments), _filters(arguments))
        items = [item(listed, directory.apps[listed.link.app]) for listed in itertools.islice(found, arguments.limit)]
    if arguments.json:
        print(json.dumps(items, indent=2, ensure_ascii=False))
        return
    for entry in items:
        labels = "  ".join(str(entry[name]) for name in ("channel", "campaign", "title") if entry[name])
        print(f"{entry['created_at'][:16]}  {entry['clicks']:>8}  {entry['url']}  {labels}".rstrip())


def run_export(arguments: argparse.Namespace) -> None:
    """`bough links export`."""
    with opened_store(settings_of(arguments)) as store:
        directory = Directory(store)
        found = find_links(store, _apps(directory, arguments.app), _tests(arguments), _filters(arguments))
        link_files.export(found, directory, arguments.file, arguments.format)


def run_import(arguments: argparse.Namespace) -> int:
    """`bough links import`: status 1 when a line failed."""
    with opened_store(settings_of(arguments)) as store:
        directory = Directory(store)
        app = find_app(directory, arguments.app) if arguments.app else None
        return link_files.import_file(store, directory, app, arguments)


def run_update(arguments: argparse.Namespace) -> int:
    """`bough links update`: status 1 when a line failed."""
    return _bulk(arguments, delete=False)


def run_delete(arguments: argparse.Namespace) -> int:
    """`bough links delete`: status 1 when a line failed."""
    return _bulk(arguments, delete=True)


def find_links(store: Store, apps: dict[int, App], tests: tuple[bool, ...], filters: Filters) -> Iterator[Listed]:
    """Every link that the filters leave, newest first, read as it is needed."""
    cursor: int | None = None
    streams = tuple((app, test) for app in apps for test in tests)
    while True:
        page = list_links(store.rows, Listing(streams=streams, filters=filters, limit=PAGE, cursor=cursor))
        yield from page.links
        cursor = page.next_cursor
        if cursor is None:
            return


def _bulk(arguments: argparse.Namespace, *, delete: bool) -> int:
    with opened_store(settings_of(arguments)) as store:
        directory = Directory(store)
        return link_files.bulk_file(store, directory, _apps(directory, arguments.app), arguments, delete=delete)


def _apps(directory: Directory, wanted: str | None) -> dict[int, App]:
    if not wanted:
        return directory.apps
    app = find_app(directory, wanted)
    return {app.id: app}


def _tests(arguments: argparse.Namespace) -> tuple[bool, ...]:
    return {"test": (True,), "live": (False,), None: (False, True)}[arguments.environment]


def _add_filters(action: argparse.ArgumentParser) -> None:
    for name, meaning in FILTERS.items():
        action.add_argument(f"--{name.replace('_', '-')}", metavar="TEXT", help=meaning[0].lower() + meaning[1:-1])
    action.add_argument("--environment", choices=("live", "test"), help="only links of this environment")


def _filters(arguments: argparse.Namespace) -> Filters:
    return parse_filters({name: value for name in FILTERS if (value := getattr(arguments, name)) is not None})
