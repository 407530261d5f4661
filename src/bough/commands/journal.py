"""`bough journal`: read back what happened, see what could not be digested, and try that again."""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime
from typing import Any, get_args

import msgspec

from bough.accounts.directory import Directory
from bough.agents.recognition import parse
from bough.commands.apps import find_app
from bough.commands.options import Commands, add_data, settings_of
from bough.exports import wake_up
from bough.store import Store, journal, set_aside
from bough.store.data_folder import opened_store
from bough.vocabulary.journal_rows import JournalRow, RowKind

NEWEST = "SELECT id FROM journal ORDER BY id DESC LIMIT 1 OFFSET ?"
NEWEST_OF_KIND = "SELECT id FROM journal WHERE kind = ? ORDER BY id DESC LIMIT 1 OFFSET ?"
VISITS = frozenset({"click", "prefetch", "robot", "impression"})
"""Kinds of rows whose body is a `Click`."""

FOLLOW_SECONDS = 0.3


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("journal", help="read the journal; see and replay what could not be digested")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    tail = actions.add_parser("tail", help="the newest rows, one JSON object per line, oldest first")
    tail.add_argument("-n", "--lines", type=int, default=10, metavar="N", help="how many rows (default: 10)")
    tail.add_argument("-f", "--follow", action="store_true", help="go on with rows as they arrive")
    tail.add_argument(
        "--kind", choices=get_args(RowKind), metavar="KIND", help="only rows of this kind (click, open, event, …)"
    )
    add_data(tail)
    tail.set_defaults(run=run_tail)
    aside = actions.add_parser("set-aside", help="what could not be digested and why, one JSON object per line")
    aside.add_argument("--app", metavar="APP_ID", help="only what belongs to this app")
    add_data(aside)
    aside.set_defaults(run=run_set_aside)
    replay = actions.add_parser(
        "replay", help="have what was set aside tried once more, after a release mends the fault"
    )
    only = replay.add_mutually_exclusive_group()
    only.add_argument(
        "--consumer", choices=set_aside.CONSUMERS, metavar="CONSUMER", help="only what this one set aside"
    )
    only.add_argument("--id", type=int, default=0, metavar="ID", help="only the row, cost or person with this id")
    add_data(replay)
    replay.set_defaults(run=run_replay)


def run_tail(arguments: argparse.Namespace) -> None:
    """`bough journal tail`."""
    with opened_store(settings_of(arguments)) as store:
        after = _before_the_newest(store, max(arguments.lines, 0), arguments.kind)
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


def run_set_aside(arguments: argparse.Namespace) -> None:
    """`bough journal set-aside`."""
    with opened_store(settings_of(arguments)) as store:
        app = None if arguments.app is None else find_app(Directory(store), arguments.app).id
        for one in reversed(set_aside.listed(store, app)):
            document = {
                "at": _instant(one.at),
                "consumer": one.consumer,
                "app_id": str(one.app),
                "kind": one.kind,
                "id": str(one.item),
                "reason": one.reason,
                "replay": one.replay,
            }
            print(json.dumps(document, ensure_ascii=False), flush=True)


def run_replay(arguments: argparse.Namespace) -> None:
    """`bough journal replay`."""
    with opened_store(settings_of(arguments)) as store:
        count = store.transact(set_aside.replay_batch, (arguments.consumer or "", arguments.id))
        wake_up.ring(settings_of(arguments).folder)
    if not count:
        print("Nothing like that is set aside.")
        return
    things = "1 row is" if count == 1 else f"{count} rows are"
    print(f"{things} tried again by the running server; `bough journal set-aside` shows what is left.")


def _before_the_newest(store: Store, count: int, kind: str | None) -> int:
    """The id of the row after which the newest `count` rows (of a kind) come; 0 when there are no more than those."""
    of_kind = kind is not None and count > 0
    found = store.rows(NEWEST_OF_KIND, (kind, count)) if of_kind else store.rows(NEWEST, (count,))
    return found[0][0] if found else 0


def _instant(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _line(row: JournalRow) -> str:
    document = {
        "id": str(row.id),
        "at": _instant(row.at),
        "kind": row.kind,
        "app_id": str(row.app),
        "test": row.test,
        "link_id": None if row.link is None else str(row.link),
        **row.body,
        **(_seen(row.body) if row.kind in VISITS else {}),
    }
    return json.dumps(document, ensure_ascii=False)


def _seen(body: dict[str, Any]) -> dict[str, Any]:
    """What the row's address and User-Agent say: the query, and the class of visitor without what is unknown."""
    agent = msgspec.to_builtins(parse(body.get("user_agent", "")))
    return {
        "query": body.get("url", "").partition("?")[2],
        "agent": {name: value for name, value in agent.items() if value},
    }
