"""The `bough` command: one module of `bough.commands` per subcommand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bough import __version__
from bough.commands import apps, attribution, demo, doctor, exports, imports, journal, links, sdk, serve, warehouse
from bough.errors import BoughError

COMMANDS = (
    serve,
    demo,
    apps,
    links,
    imports,
    exports,
    warehouse,
    journal,
    attribution,
    sdk,
    doctor,
)
"""In the order in which `bough --help` shows them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; errors are one sentence on standard error and status 1."""
    chosen = parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen) or 0)
    except BoughError as error:
        print(f"bough: {error.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    described = argparse.ArgumentParser(prog="bough", description="Self-hosted deep links and mobile measurement.")
    described.add_argument("--version", action="version", version=f"bough {__version__}")
    commands = described.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add_to(commands)
    return described


if __name__ == "__main__":
    sys.exit(main())
