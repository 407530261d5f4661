"""`bough organizations`: tenants of one installation, who see nothing of each other."""

from __future__ import annotations

import argparse
import json

from bough.accounts.audit import AuditEntry, transact
from bough.accounts.creation import add_organization_batch
from bough.accounts.queries import ALL_ORGANIZATIONS
from bough.commands.options import Commands, add_data, settings_of
from bough.store.data_folder import check_writable, opened_store


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("organizations", help="further organizations, who see nothing of each other")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="all organizations")
    add = actions.add_parser("add", help="add an organization; `bough apps create --organization` makes its apps")
    add.add_argument("name", metavar="NAME")
    for action, run in ((listing, run_list), (add, run_add)):
        action.add_argument("--json", action="store_true", help="print JSON")
        add_data(action)
        action.set_defaults(run=run)


def run_list(arguments: argparse.Namespace) -> None:
    """`bough organizations list`."""
    with opened_store(settings_of(arguments)) as store:
        found = [_document(identifier, name) for identifier, name in store.rows(ALL_ORGANIZATIONS)]
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    for one in found:
        print(f"{one['organization_id']}  {one['name']}")


def run_add(arguments: argparse.Namespace) -> None:
    """`bough organizations add`."""
    settings = settings_of(arguments)
    check_writable(settings)
    with opened_store(settings, makes=True) as store:
        added = transact(store, add_organization_batch, arguments.name, added_entry)
    document = _document(added, arguments.name)
    print(json.dumps(document, indent=2) if arguments.json else f"{document['organization_id']}  {document['name']}")


def added_entry(organization: int) -> AuditEntry:
    """What the audit log says of a new organization."""
    return AuditEntry(action="organization.add", subject=str(organization), organization=organization)


def _document(identifier: int, name: str) -> dict[str, str]:
    return {"organization_id": str(identifier), "name": name}
