"""`bough export`: a cohort request from the shell to a file. `bough exports`: jobs and the webhooks' key."""

from __future__ import annotations

import argparse
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bough.accounts.audit import transact
from bough.accounts.directory import Directory
from bough.accounts.model import App
from bough.cohorts.request import CohortRequest, parse, parse_json
from bough.commands.apps import find_app
from bough.commands.options import Commands, add_data, settings_of
from bough.commands.owner import attribute, until
from bough.errors import BadRequest, NotFound, Unavailable
from bough.exports import records
from bough.exports.downloads import open_files
from bough.exports.files import ExportFiles
from bough.exports.job import Job, Status, from_row, iso
from bough.exports.runner import run_job
from bough.exports.signing import open_signer
from bough.exports.visibility import asked_for, limits_of
from bough.store import Store
from bough.store.data_folder import opened_store
from bough.vocabulary.ids import now_ms
from bough.warehouse.refresh import Keeper

SHELL_USER = 0
"""The user of a job that was asked for on the command line."""

_LISTS = ("measures", "dimensions")
_TEXTS = ("start_date", "end_date", "data_source", "granularity", "ordered", "ordered_by")
_FLAGS = ("cumulative", "per_user", "unique", "enable_install_recalculation", "observable_users", "band_status")


def add_to(commands: Commands) -> None:
    """Describe the commands."""
    _add_export(commands.add_parser("export", help="run a cohort request and write its file"))
    parser = commands.add_parser("exports", help="export jobs; the key that webhooks are signed with")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the newest jobs of an app's organization")
    listing.add_argument("--app", required=True, metavar="APP", help="app id or name")
    listing.add_argument("--limit", type=int, default=20, metavar="N", help="at most (20)")
    key = actions.add_parser("webhook-key", help="print the key of the signatures of webhooks, as hexadecimal digits")
    for action, run in ((listing, run_list), (key, run_key)):
        add_data(action)
        action.set_defaults(run=run)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "request", nargs="?", metavar="REQUEST", help="JSON body as for POST /v2/analytics; - for input"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    parser.add_argument("--app", metavar="APP", help="app id or name")
    parser.add_argument("--organization", metavar="ID", help="all apps of the organization, in place of --app")
    parser.add_argument("--limit", metavar="N", help="most objects in the file (the app's export_limit: 100)")
    parser.add_argument("--format", metavar="FORMAT", help="csv, json, ndjson, parquet, or csv.gz, json.gz, ndjson.gz")
    for name in _TEXTS:
        parser.add_argument(_option(name), metavar="TEXT", help=f"{name} of the request")
    parser.add_argument("--granularity-band-count", type=int, metavar="N", help="how many bands")
    for name in _LISTS:
        parser.add_argument(_option(name), metavar="NAME,NAME", help=f"{name} of the request")
    parser.add_argument("--filter", action="append", metavar="DIMENSION=VALUE", help="may be repeated")
    for name in _FLAGS:
        parser.add_argument(_option(name), action="store_true", help=f"{name} of the request")
    add_data(parser)
    parser.set_defaults(run=run_export)


def run_export(arguments: argparse.Namespace) -> None:
    """`bough export`: the same bytes as the API gives, with or without a running server."""
    settings = settings_of(arguments)
    with opened_store(settings) as store:
        directory = Directory(store)
        apps = _apps(directory, arguments)
        request = _request(arguments, apps)
        job = transact(store, records.create_batch, _job(request, apps), asked_for)
        files = open_files(settings)
        ended = _run(settings.folder, store, files, job)
        content = files.read(ended.file_name or "")
    for warning in ended.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if ended.truncated:
        print(f"{ended.row_count} of {ended.rows_total} objects; --limit gives more", file=sys.stderr)
    if arguments.output:
        Path(arguments.output).write_bytes(content)
        print(
            f"{arguments.output}: {ended.row_count} objects, data as of {iso(ended.data_as_of or 0)}", file=sys.stderr
        )
    else:
        sys.stdout.buffer.write(content)


def run_list(arguments: argparse.Namespace) -> None:
    """`bough exports list`."""
    with opened_store(settings_of(arguments)) as store:
        organization = find_app(Directory(store), arguments.app).organization
        for row in store.rows(records.BY_ORGANIZATION, (organization, 2**63 - 1, max(1, arguments.limit))):
            job = from_row(row)
            asked = f"{job.request.data_source} {job.request.start_date}..{job.request.end_date}"
            print(f"{iso(job.created_at)}  {job.job_id}  {job.status:8}  {asked}  {','.join(job.request.measures)}")


def run_key(arguments: argparse.Namespace) -> None:
    """`bough exports webhook-key`."""
    with opened_store(settings_of(arguments)) as store:
        print(open_signer(store).webhook_key)


def _apps(directory: Directory, arguments: argparse.Namespace) -> list[App]:
    if (arguments.app is None) == (arguments.organization is None):
        raise BadRequest("Give --app or --organization.")
    if arguments.app is not None:
        return [find_app(directory, arguments.app)]
    apps = [app for app in directory.apps.values() if str(app.organization) == arguments.organization]
    if not apps:
        raise NotFound(f"There is no organization {arguments.organization!r}.")
    return apps


def _request(arguments: argparse.Namespace, apps: list[App]) -> CohortRequest:
    body: dict[str, Any] = {}
    if arguments.request is not None:
        text = sys.stdin.read() if arguments.request == "-" else _text_of(Path(arguments.request))
        body.update(parse_json(text.encode()))
    for name in (*_TEXTS, "granularity_band_count"):
        if getattr(arguments, name) is not None:
            body[name] = getattr(arguments, name)
    for name in _LISTS:
        if getattr(arguments, name):
            body[name] = getattr(arguments, name).split(",")
    body.update({name: True for name in _FLAGS if getattr(arguments, name)})
    if arguments.filter:
        body["filter"] = _filters(arguments.filter)
    body.pop("callback_url", None)
    given = {"limit": arguments.limit, "format": arguments.format, "app_id": str(apps[0].id)}
    zone = apps[0].timezone if len(apps) == 1 else "UTC"
    today = datetime.now(UTC).astimezone(ZoneInfo(zone)).date()
    query = {name: value for name, value in given.items() if value is not None}
    return parse(body, query, today=today, **limits_of(apps))


def _filters(options: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for option in options:
        name, sign, value = option.partition("=")
        if not sign:
            raise BadRequest(f"--filter: {option!r} must look like DIMENSION=VALUE.")
        found.setdefault(name, []).append(value)
    return found


def _job(request: CohortRequest, apps: list[App]) -> Job:
    return Job(
        id=0,
        job_id=str(uuid.uuid4()),
        organization=apps[0].organization,
        account_user=SHELL_USER,
        request=request,
        apps=tuple(app.id for app in apps),
        filters=(),
        fingerprint="",
        status=Status.QUEUED,
        attempts=0,
        created_at=now_ms(),
    )


def _run(folder: Path, store: Store, files: ExportFiles, job: Job) -> Job:
    """Have the job run by the server, or run it here. Raises BadRequest or Unavailable when it fails."""

    def current() -> Job:
        return from_row(store.rows(records.BY_JOB_ID, (job.job_id,))[0])

    def work(keeper: Keeper) -> None:
        attribute(store)
        as_of = keeper.data_as_of()
        keeper.take_in()
        taken = records.take(store, current())
        if taken is not None:
            run_job(store, files, taken, Directory(store).apps, keeper.cursor(), as_of)

    try:
        until(folder, store, lambda: current().status in (Status.FINISHED, Status.ERROR), work)
    except KeyboardInterrupt:
        records.fail(store, job, 499, "The job was cancelled.")
        raise
    ended = current()
    if ended.status == Status.ERROR:
        kind = BadRequest if (ended.error_code or 500) < 500 else Unavailable
        raise kind(ended.error_message or "The export failed.")
    return ended


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"{path}: cannot be read: {error}.") from error


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
