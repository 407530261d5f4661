"""`bough sdk vendor`: a copy of the Branch Web SDK that talks to this server."""

from __future__ import annotations

import argparse
from pathlib import Path

from bough.commands.options import Commands
from bough.errors import ConfigurationError
from bough.sdk.vendor import LICENCE, vendor, version_of
from bough.settings import load_settings

BUILD = Path("node_modules/branch-sdk/dist/build.min.js")
"""Where npm puts the SDK."""


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("sdk", help="what apps and pages need to speak to this server")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    copy = actions.add_parser("vendor", help="copy the npm package branch-sdk with its hosts replaced by this server's")
    copy.add_argument("--from", dest="source", type=Path, default=BUILD, metavar="FILE", help=f"default: {BUILD}")
    copy.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the copy goes")
    copy.add_argument("--host", metavar="URL", help="this server's public address (default: BOUGH_BASE_URL)")
    copy.set_defaults(run=run_vendor)


def run_vendor(arguments: argparse.Namespace) -> None:
    """`bough sdk vendor`."""
    source: Path = arguments.source
    if not source.exists():
        raise ConfigurationError(f"{source} is not there; run `npm install branch-sdk`, or name the build with --from.")
    beside = source.resolve().parent.parent / "LICENSE"
    text = _read(source)
    copy = vendor(text, arguments.host or load_settings().base_url, _read(beside) if beside.exists() else LICENCE)
    try:
        arguments.out.write_text(copy, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{arguments.out} cannot be written: {error.strerror}.") from error
    print(f"branch-sdk {version_of(text)} → {arguments.out}")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read as text: {error}.") from error
