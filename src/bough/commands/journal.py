"""`bough journal tail`: read back what happened."""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime

from bough.commands.options import Commands, add_data, opened_store, settings_of
from bough.journal import Row
from bough.store import journal

NEWEST = "SELECT id FROM journal ORDER BY id DESC LIMIT 1 OFFSET ?"
FOLLOW_SECONDS = 0.3


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("journal", help="read the journal")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    tail = actions.add_parser("tail", help="the newest rows, one JSON object per line, oldest first")
    tail.add_argument("-n", "--lines", type=int, default=10, metavar="N", help="how many rows (default: 10)")
    tail.add_argument("-f", "--follow", action="store_true", help="go on with rows as they arrive")
    tail.add_argument("--kind", help="only rows of this kind (click, open, event, …)")
    add_data(tail)
    tail.set_defaults(run=run_tail)


def run_tail(arguments: argparse.Namespace) -> None:
    """`bough journal tail`."""
    with opened_store(settings_of(arguments)) as store:
        before = store.rows(NEWEST, (arguments.lines,)) if arguments.lines > 0 else store.rows(NEWEST, (0,))
        after: int = before[0][0] if before else 0
        while True:
            found = False
            for row in journal.read_after(store, after):
                found = True
                after = row.id
                if arguments.kind in (None, row.kind):
                    print(_line(row), flush=True)
            if not found:
                if not arguments.follow:
                    return
                time.sleep(FOLLOW_SECONDS)


def _line(row: Row) -> str:
    when = datetime.fromtimestamp(row.at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    document = {
        "id": str(row.id),
        "at": when,
        "kind": row.kind,
        "app_id": str(row.app),
        "test": row.test,
        "link_id": None if row.link is None else str(row.link),
        **row.body,
    }
    return json.dumps(document, ensure_ascii=False)
