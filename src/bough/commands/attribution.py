"""`bough attribution`: read the journal again from its start; how far attribution has come."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime

from tqdm import tqdm

from bough.attribution.stored import tables
from bough.attribution.stored.consumer import StoredFollower, start_rebuild
from bough.commands.options import Commands, add_data, settings_of
from bough.store.data_folder import opened_store
from bough.store.database import Store

ROWS_AT_ONCE = 2000
WAIT_SECONDS = 0.2

ROWS_UP_TO = "SELECT count(*) FROM journal WHERE id <= ?"
ALL_ROWS = "SELECT count(*), max(id) FROM journal"


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("attribution", help="rebuild attribution from the journal")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    rebuild = actions.add_parser("rebuild", help="drop all results and read the whole journal again")
    status = actions.add_parser("status", help="how far attribution has come")
    for action, run in ((rebuild, run_rebuild), (status, run_status)):
        add_data(action)
        action.set_defaults(run=run)


def run_rebuild(arguments: argparse.Namespace) -> None:
    """`bough attribution rebuild`: also while the server runs; returns when everything is attributed again."""
    with opened_store(settings_of(arguments)) as store:
        store.transact(start_rebuild, None)
        rebuild(store)


def rebuild(store: Store, *, quiet: bool = False) -> None:
    """Empty the tables and consume the journal to its end, together with a server's background process, if any."""
    total, newest = store.rows(ALL_ROWS)[0]
    follower = StoredFollower(store)
    with tqdm(total=total, unit=" rows", disable=quiet, desc="attribution") as progress:
        while True:
            worked = follower.step(ROWS_AT_ONCE)
            reached = tables.position(store)
            if reached >= (newest or 0) and reached != tables.REBUILDING:
                progress.update(total - progress.n)
                return
            if reached > 0 and not quiet:
                progress.update(min(total, store.rows(ROWS_UP_TO, (reached,))[0][0]) - progress.n)
            if not worked:
                time.sleep(WAIT_SECONDS)  # another process took the step


def run_status(arguments: argparse.Namespace) -> None:
    """`bough attribution status`."""
    with opened_store(settings_of(arguments)) as store:
        if tables.position(store) == tables.REBUILDING:
            print("A rebuild has begun; nothing is attributed yet.")
            return
        as_of = datetime.fromtimestamp(tables.data_as_of(store) / 1000, UTC).isoformat(timespec="milliseconds")
        print(f"Everything that arrived until {as_of.replace('+00:00', 'Z')} is attributed.")
