"""Options that several commands share."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

from bough.settings import Settings, load_settings

ADDRESS_FILE = "bough.address"

Commands = Any
"""What argparse's add_subparsers returns; its type is private."""


def add_data(parser: argparse.ArgumentParser) -> None:
    """--data and --store, which win over BOUGH_DATA and BOUGH_STORE."""
    parser.add_argument("--data", metavar="DIR", help="data folder (default: BOUGH_DATA or ./bough-data)")
    parser.add_argument(
        "--store", metavar="URL", help="postgresql:// address of the store (default: BOUGH_STORE or SQLite)"
    )


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """The type of an option that takes a whole number within bounds."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text[:10]) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {low} to {high}")
        return int(text)

    return read


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Settings from the environment and the options that were given.

    Without BOUGH_BASE_URL the public address is the one at which the folder's server was last started.
    """
    settings = load_settings(data=arguments.data, store=arguments.store)
    remembered = settings.folder / ADDRESS_FILE
    if "BOUGH_BASE_URL" in os.environ or not remembered.is_file():
        return settings
    return load_settings(data=arguments.data, store=arguments.store, base_url=remembered.read_text().strip())


def remember_address(settings: Settings) -> None:
    """Let other commands know the public address of the folder's server."""
    (settings.folder / ADDRESS_FILE).write_text(settings.base_url + "\n")
