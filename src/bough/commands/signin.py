"""`bough signin`: one-time links by which users set their passwords; sign users out."""

from __future__ import annotations

import argparse
from functools import partial

from bough.accounts.audit import AuditEntry, transact
from bough.commands.options import Commands, add_data, settings_of
from bough.errors import NotFound
from bough.signin.links import HOURS, address, named, new_link
from bough.signin.sessions import end_all_batch
from bough.store.data_folder import opened_store


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("signin", help="one-time links for passwords; sign users out")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    link = actions.add_parser("link", help="print a one-time link by which a user sets a password")
    link.add_argument(
        "--without-totp", action="store_true", help="no longer ask for the authenticator app (a lost telephone)"
    )
    out = actions.add_parser("out", help="end every session of a user")
    for action, run in ((link, run_link), (out, run_out)):
        action.add_argument("user", metavar="EMAIL", help="the user's email, name or id")
        add_data(action)
        action.set_defaults(run=run)


def run_link(arguments: argparse.Namespace) -> None:
    """`bough signin link`."""
    settings = settings_of(arguments)
    with opened_store(settings) as store:
        code, purpose = new_link(store, arguments.user, arguments.without_totp)
    print(address(settings.base_url, code))
    print(f"Works once, within {HOURS[purpose]} hours.")


def run_out(arguments: argparse.Namespace) -> None:
    """`bough signin out`."""
    with opened_store(settings_of(arguments)) as store:
        users = named(store.rows, arguments.user)
        if not users:
            raise NotFound(f"There is no user {arguments.user!r}.")
        ended = 0
        for user, organization, email in users:
            entry = AuditEntry(action="signin.out", subject=email, organization=organization)
            ended += transact(store, end_all_batch, (user, ""), partial(_told, entry))
    print(f"{ended} session{'' if ended == 1 else 's'} ended.")


def _told(entry: AuditEntry, _ended: int) -> AuditEntry:
    return entry
