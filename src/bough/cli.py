"""The `bough` command: one module per subcommand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from bough import __version__
from bough.commands.parsing import Parser
from bough.errors import BoughError

COMMANDS = {
    "serve": "server.commands.serve",
    "demo": "server.commands.demo",
    "apps": "commands.apps",
    "organizations": "commands.organizations",
    "users": "commands.people",
    "agencies": "commands.people",
    "tokens": "commands.people",
    "permissions": "commands.people",
    "audit": "commands.audit",
    "links": "commands.links",
    "import": "commands.imports",
    "export": "commands.exports",
    "exports": "commands.exports",
    "warehouse": "commands.warehouse",
    "journal": "commands.journal",
    "attribution": "commands.attribution",
    "sdk": "commands.sdk",
    "persons": "commands.persons",
    "signin": "commands.signin",
    "doctor": "commands.doctor",
}
"""Command → its module, in the order in which `bough --help` shows them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; errors are one sentence on standard error and status 1."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Loading every command's libraries would double the time that a server takes to start.
    chosen = parser(given[0] if given else "").parse_args(given)
    try:
        return int(chosen.run(chosen) or 0)
    except BoughError as error:
        print(f"bough: {error.message}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0
    except OSError as error:
        if error.filename is None:  # no file that the user named: a fault of ours
            raise
        print(f"bough: {error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser(command: str = "") -> argparse.ArgumentParser:
    """All commands and their options; when `command` is one of them, it alone."""
    described = Parser(prog="bough", description="Self-hosted deep links and mobile measurement.")
    described.add_argument("--version", action="version", version=f"bough {__version__}")
    commands = described.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in dict.fromkeys([COMMANDS[command]] if command in COMMANDS else COMMANDS.values()):
        import_module(f"bough.{module}").add_to(commands)
    return described


if __name__ == "__main__":
    sys.exit(main())
