"""`bough import`: bring data in from files, also while the server runs."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tqdm import tqdm

from bough.accounts.directory import Directory
from bough.commands.apps import find_app
from bough.commands.options import Commands, add_data, opened_store, settings_of
from bough.errors import BadRequest
from bough.exports import bell
from bough.importers.costs import import_costs
from bough.importers.events import Segment, import_file
from bough.settings import Settings
from bough.store import Store
from bough.warehouse.keeper import COSTS, SEGMENTS, Busy, Keeper, published, rates_from

WAIT_SECONDS = 0.05


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("import", help="bring in events, costs and exchange rates")
    actions = parser.add_subparsers(dest="action", required=True, metavar="WHAT")
    events = actions.add_parser("events", help="Branch's raw event exports: CSV, JSON lines or Parquet, also .gz")
    events.add_argument("files", nargs="+", type=Path, metavar="FILE")
    costs = actions.add_parser("costs", help="what campaigns cost: CSV with date, cost, currency and any dimensions")
    costs.add_argument("files", nargs="+", type=Path, metavar="FILE")
    for action, run in ((events, run_events), (costs, run_costs)):
        action.add_argument("--app", required=True, metavar="APP", help="app id or name")
        add_data(action)
        action.set_defaults(run=run)


def run_events(arguments: argparse.Namespace) -> int:
    """`bough import events`: returns when the events can be queried; status 1 when a line was left out."""
    settings = settings_of(arguments)
    for path in arguments.files:
        if not path.is_file():
            raise BadRequest(f"{path}: there is no such file.")
    faults = 0
    with opened_store(settings) as store:
        app = find_app(Directory(store), arguments.app).id
        newest = 0
        for path in tqdm(arguments.files, unit="file", disable=None):
            segment = import_file(store, settings.folder, path, app)
            newest = max(newest, segment.row)
            faults += segment.error_count
            _report(path, segment)
        _until_published(settings, store, SEGMENTS, newest)
    return 1 if faults else 0


def run_costs(arguments: argparse.Namespace) -> int:
    """`bough import costs`: status 1 when a line was left out."""
    settings = settings_of(arguments)
    faults = 0
    with opened_store(settings) as store:
        app = find_app(Directory(store), arguments.app).id
        newest = 0
        for path in arguments.files:
            report = import_costs(store, app, path)
            newest = max(newest, report.updated_at)
            faults += len(report.errors)
            for line, error in report.errors:
                print(f"{path.name} line {line}: {error}", file=sys.stderr)
            print(f"{path.name}: {report.rows} costs")
        _until_published(settings, store, COSTS, newest)
    return 1 if faults else 0


def _report(path: Path, segment: Segment) -> None:
    for error in segment.errors:
        print(f"{path.name} line {error.line}: {error.error}", file=sys.stderr)
    if segment.error_count > len(segment.errors):
        print(f"{path.name}: and {segment.error_count - len(segment.errors)} more", file=sys.stderr)
    if segment.repeated:
        print(f"{path.name}: was imported before")
    else:
        print(f"{path.name}: {segment.rows} events, {segment.error_count} lines left out")


def _until_published(settings: Settings, store: Store, name: str, value: int) -> None:
    """Wait until the warehouse has taken in what was imported; do it here when no server runs."""
    bell.ring(settings.folder)
    while published(store, name) < value:
        try:
            keeper = Keeper(settings.folder, store, rates_from(store))
        except Busy:
            time.sleep(WAIT_SECONDS)
            continue
        try:
            keeper.take_in()
        finally:
            keeper.close()
