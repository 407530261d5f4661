"""`bough audit`: who did what."""

from __future__ import annotations

import argparse
import json

from bough.accounts import audit
from bough.commands.options import Commands, add_data, settings_of
from bough.store.data_folder import opened_store
from bough.web.query_values import parse_number, parse_time


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("audit", help="who changed and exported what")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the log, newest first")
    listing.add_argument("--do", default="", metavar="ACTION", help="only this action; `link.` is all of links")
    listing.add_argument("--actor", default="", metavar="WHO", help="only by this actor")
    listing.add_argument("--subject", default="", metavar="WHAT", help="only about this")
    listing.add_argument("--since", metavar="TIME", help="from this time on: ISO 8601 or epoch ms")
    listing.add_argument("--until", metavar="TIME", help="before this time")
    listing.add_argument("--before", metavar="ID", help="older than the entry with this id")
    listing.add_argument("--limit", default="100", metavar="N", help="how many (100)")
    listing.add_argument("--json", action="store_true", help="print JSON")
    add_data(listing)
    listing.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """`bough audit list`: of all organizations."""
    asked = audit.AuditQuery(
        action=arguments.do,
        actor=arguments.actor,
        subject=arguments.subject,
        since=parse_time("--since", arguments.since) if arguments.since else None,
        until=parse_time("--until", arguments.until) if arguments.until else None,
        before=parse_number("--before", arguments.before, 1, 2**63 - 1) if arguments.before else None,
        limit=parse_number("--limit", arguments.limit, 1, 1_000_000),
    )
    with opened_store(settings_of(arguments)) as store:
        found = audit.read(store.rows, asked)
    if arguments.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for entry in found:
        details = json.dumps(entry["details"], ensure_ascii=False) if entry["details"] else ""
        where = entry["ip"] or "-"
        line = f"{entry['at']}  {entry['actor']}  {where}  {entry['action']}  {entry['subject']}  {details}"
        # What others chose must not steer the terminal.
        print("".join(c if c.isprintable() else "?" for c in line).rstrip())
