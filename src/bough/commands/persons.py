"""`bough persons`: everything that is known of a person, told or erased."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from bough.accounts.audit import AuditEntry, command_line, note_batch, transact
from bough.accounts.directory import Directory
from bough.attribution.stored.history import SEARCHED
from bough.commands.apps import find_app
from bough.commands.options import Commands, add_data, settings_of
from bough.commands.owner import attribute
from bough.errors import BadRequest, NotFound
from bough.events.body import encode
from bough.exports import wake_up
from bough.persons.access_report import person_document
from bough.persons.erasing import ErasureRequest, advance, ask_batch, read
from bough.persons.planning import PersonToErase, find_persons
from bough.settings import Settings
from bough.store import Store
from bough.store.data_folder import opened_store

WAIT_SECONDS = 0.05


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("persons", help="everything that is known of a person, told or erased")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    export = actions.add_parser("export", help="print everything that is known of a person, as JSON")
    export.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    erase = actions.add_parser("erase", help="erase a person; what they count for stays. Cannot be undone")
    for action, run in ((export, run_export), (erase, run_erase)):
        action.add_argument("--app", metavar="APP", help="app id or name; else all apps")
        action.add_argument("--person", metavar="ID", help="the person's id, or that of any event of theirs")
        for name in SEARCHED:
            action.add_argument(f"--{name.replace('_', '-')}", metavar="TEXT", help=f"the person's {name}")
        add_data(action)
        action.set_defaults(run=run)


def run_export(arguments: argparse.Namespace) -> None:
    """`bough persons export`."""
    settings = settings_of(arguments)
    with opened_store(settings) as store:
        persons = _found(store, settings, arguments)
        document = {"persons": [person_document(store, settings.folder, person) for person in persons]}
        for person in persons:
            entry = AuditEntry(
                action="person.export",
                app=person.app,
                subject=str(person.person),
                organization=Directory(store).apps[person.app].organization,
            )
            store.transact(note_batch, (command_line(), entry))
    content = encode(document) + b"\n"
    if arguments.output:
        Path(arguments.output).write_bytes(content)
    else:
        sys.stdout.buffer.write(content)


def run_erase(arguments: argparse.Namespace) -> None:
    """`bough persons erase`: returns when it is done. Killed and started again, or by the server, it goes on."""
    settings = settings_of(arguments)
    with opened_store(settings) as store:
        for person in _found(store, settings, arguments):
            number = _ask(store, person)
            finish(store, settings.folder, number)
            erasure = read(store, number)
            assert erasure is not None
            print(f"Erasure {number}: done, {erasure.rows} rows rewritten.")


def _ask(store: Store, person: PersonToErase) -> int:
    organization = Directory(store).apps[person.app].organization

    def tell(number: int) -> AuditEntry:
        return AuditEntry(action="person.erase", app=person.app, subject=str(number), organization=organization)

    return transact(store, ask_batch, ErasureRequest(person, command_line(), organization), tell)


def finish(store: Store, folder: Path, number: int) -> None:
    """Work, together with a server if one runs, until an erasure is done."""
    while (erasure := read(store, number)) is not None and erasure.step != "done":
        if advance(store, folder):
            continue
        if not wake_up.ring(folder):  # no server: nobody else makes the warehouse again
            _rebuild(store, folder)
        time.sleep(WAIT_SECONDS)


def _rebuild(store: Store, folder: Path) -> None:
    from bough.warehouse.opening import WarehouseBusy
    from bough.warehouse.refresh import Keeper

    attribute(store)
    try:
        keeper = Keeper(folder, store)
    except WarehouseBusy:  # a server that is just starting, or another command
        return
    try:
        keeper.take_in()
    finally:
        keeper.close()


def _found(store: Store, settings: Settings, arguments: argparse.Namespace) -> list[PersonToErase]:
    asked = [(name, value) for name in ("person", *SEARCHED) if (value := getattr(arguments, name))]
    if len(asked) != 1:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in ("person", *SEARCHED))
        raise BadRequest(f"Give exactly one of {options}.")
    name, value = asked[0]
    if name == "person" and not value.isdigit():
        raise NotFound
    directory = Directory(store)
    apps = [find_app(directory, arguments.app)] if arguments.app else list(directory.apps.values())
    if not wake_up.ring(settings.folder):
        attribute(store)  # what has arrived last belongs to the person too
    worlds = [(app.id, test) for app in apps for test in (False, True)]
    return find_persons(store, settings.folder, directory, worlds, name, value)
