"""`bough import`: bring data in from files, also while the server runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from bough.accounts.audit import AuditEntry, command_line, note_batch, transact
from bough.accounts.directory import Directory
from bough.accounts.model import App
from bough.attribution.rates import RateBatch, RateReport, read_lines, store_rates, without_contradictions
from bough.commands import link_import
from bough.commands.apps import find_app
from bough.commands.options import Commands, add_data, settings_of
from bough.commands.owner import until
from bough.errors import BadRequest
from bough.importers.costs import costs_sentence, import_costs
from bough.importers.events import Segment, import_file
from bough.settings import Settings
from bough.store import Store, watermark
from bough.store.data_folder import check_writable, opened_store
from bough.text_files import lines_of, look
from bough.vocabulary.export_columns import EXPORT_COLUMNS, ColumnType
from bough.warehouse.refresh import COSTS, SEGMENTS, Keeper

RATES_AT_ONCE = 5000
MAX_REFUSED_SHOWN = 20
MAX_LINES_SHOWN = 1000
"""Lines with a fault that are named; the others are counted."""
MAX_COLUMNS_SHOWN = 100
KINDS_OF_VALUES: dict[ColumnType, str] = {
    "iso": "ISO 8601 instant",
    "integer": "whole number",
    "decimal": "number",
    "boolean": "boolean",
    "object": "JSON object",
    "objects": "JSON array",
    "json": "JSON array",
}
"""How a value of a column of the export is called; texts are never wrong."""


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("import", help="bring in events, links, costs and exchange rates")
    actions = parser.add_subparsers(dest="action", required=True, metavar="WHAT")
    events = actions.add_parser("events", help="Branch's raw event exports: CSV, JSON lines or Parquet, also .gz")
    events.add_argument("files", nargs="+", type=Path, metavar="FILE")
    costs = actions.add_parser("costs", help="what campaigns cost: CSV with date, cost, currency and any dimensions")
    costs.add_argument("files", nargs="+", type=Path, metavar="FILE")
    rates = actions.add_parser(
        "rates", help="exchange rates: CSV with date, currency, usd_rate, or the ECB's eurofxref-hist.csv"
    )
    rates.add_argument("files", nargs="+", type=Path, metavar="FILE")
    rates.add_argument("--replace", action="store_true", help="take rates that differ from the standing ones")
    add_data(rates)
    rates.set_defaults(run=run_rates)
    link_import.add_to(actions)
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
        found = find_app(Directory(store), arguments.app)
        app = found.id
        newest = 0
        size = sum(path.stat().st_size for path in arguments.files)
        with tqdm(total=size, unit="B", unit_scale=True, disable=None) as bar:
            for path in arguments.files:
                bar.set_description(path.name)
                segment = import_file(store, settings.folder, path, app, bar.update)
                newest = max(newest, segment.row)
                faults += segment.error_count
                _report(path, segment)
                if not segment.repeated:
                    _log(store, "events.import", found, path, {"events": segment.rows})
        _until_published(settings, store, SEGMENTS, newest)
    return 1 if faults else 0


def run_costs(arguments: argparse.Namespace) -> int:
    """`bough import costs`: status 1 when a line was left out."""
    settings = settings_of(arguments)
    faults = 0
    with opened_store(settings) as store:
        found = find_app(Directory(store), arguments.app)
        newest = 0
        for path in arguments.files:
            report = import_costs(store, found.id, path)
            stored = report.stored
            newest = max(newest, stored.updated_at)
            faults += len(report.errors)
            for line, error in report.errors[:MAX_LINES_SHOWN]:
                print(f"{path.name} line {line}: {error}", file=sys.stderr)
            if len(report.errors) > MAX_LINES_SHOWN:
                print(f"{path.name}: and {len(report.errors) - MAX_LINES_SHOWN} more", file=sys.stderr)
            print(f"{path.name}: {costs_sentence(stored)}")
            if stored.rows:
                _log(store, "costs.add", found, path, {"costs": stored.rows})
        _until_published(settings, store, COSTS, newest)
    return 1 if faults else 0


def _log(store: Store, action: str, app: App, path: Path, counts: dict[str, int]) -> None:
    """One line for a file, once it is stored: its rows were written in many transactions."""
    entry = AuditEntry(
        action=action, subject=path.name, app=app.id, organization=app.organization, details=dict(counts)
    )
    store.transact(note_batch, (command_line(), entry))


def _rates_entry(path: Path, report: RateReport) -> AuditEntry | None:
    if not report.added and not report.replaced:
        return None
    return AuditEntry(
        action="rates.add", subject=path.name, details={"added": report.added, "replaced": report.replaced}
    )


def _report(path: Path, segment: Segment) -> None:
    for error in segment.errors:
        print(f"{path.name} line {error.line}: {error.error}", file=sys.stderr)
    if segment.error_count > len(segment.errors):
        print(f"{path.name}: and {segment.error_count - len(segment.errors)} more", file=sys.stderr)
    for column, count in segment.unknown[:MAX_COLUMNS_SHOWN]:
        print(
            f"{path.name}: column {column} is none of the export's, so what {count} lines say in it is not kept.",
            file=sys.stderr,
        )
    if len(segment.unknown) > MAX_COLUMNS_SHOWN:
        print(f"{path.name}: and {len(segment.unknown) - MAX_COLUMNS_SHOWN} more such columns", file=sys.stderr)
    for column, count in segment.misfits:
        kind = KINDS_OF_VALUES[EXPORT_COLUMNS[column].type]
        print(f"{path.name}: column {column} has {count} values that are no {kind}; kept as they are.", file=sys.stderr)
    known = f", {segment.known} were there already" if segment.known else ""
    counts = f"{segment.rows} events, {segment.error_count} lines left out{known}"
    print(f"{path.name}: was imported before ({counts})" if segment.repeated else f"{path.name}: {counts}")


def _until_published(settings: Settings, store: Store, name: str, value: int) -> None:
    """Wait until the warehouse has ingested what was imported; do it here when no server runs."""
    until(settings.folder, store, lambda: watermark.reached(store, name) >= value, _take_in)


def _take_in(keeper: Keeper) -> None:
    keeper.take_in()


def run_rates(arguments: argparse.Namespace) -> int:
    """`bough import rates`: status 1 when a rate was refused."""
    refused: list[str] = []
    settings = settings_of(arguments)
    check_writable(settings)
    with opened_store(settings, makes=True) as store:  # rates are the installation's own and may come before any app
        for path in arguments.files:
            report = _import_rates(store, path, replace=arguments.replace)
            refused += report.refused
            print(f"{path}: {report.added} added, {report.unchanged} unchanged, {report.replaced} replaced")
    for sentence in refused[:MAX_REFUSED_SHOWN]:
        print(sentence, file=sys.stderr)
    if len(refused) > MAX_REFUSED_SHOWN:
        print(f"… and {len(refused) - MAX_REFUSED_SHOWN} more", file=sys.stderr)
    return 1 if refused else 0


def _import_rates(store: Store, path: Path, *, replace: bool) -> RateReport:
    """All rates of a file: nothing of it is stored when a line cannot be read."""
    try:
        rates, refused = without_contradictions(read_lines(path.name, lines_of(path, look(path))))
    except BadRequest as error:
        if error.message.startswith("line "):
            raise BadRequest(f"{path.name} {error.message}") from error
        raise
    total = RateReport(refused=refused)
    for start in tqdm(range(0, len(rates), RATES_AT_ONCE), unit="batch", disable=None):
        batch = RateBatch(tuple(rates[start : start + RATES_AT_ONCE]), replace)
        report = transact(store, store_rates, batch, lambda done: _rates_entry(path, done))
        total.added += report.added
        total.unchanged += report.unchanged
        total.replaced += report.replaced
        total.refused += report.refused
    return total
