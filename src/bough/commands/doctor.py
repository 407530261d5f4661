"""`bough doctor`: what is wrong with settings, data folder, the running server, domains and certificates."""

from __future__ import annotations

import argparse

from bough.commands.options import Commands, add_data, settings_of
from bough.errors import BoughError
from bough.health.examination import examine


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("doctor", help="say what is wrong with settings, data folder, domains, certificates")
    add_data(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print every finding; status 1 when there is one."""
    try:
        findings = list(examine(settings_of(arguments)))
    except BoughError as error:
        findings = [error.message]
    for finding in findings:
        print(f"- {finding}")
    if not findings:
        print("Nothing is wrong.")
    return 1 if findings else 0
