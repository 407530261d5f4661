"""Options that several commands share."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bough.errors import ConfigurationError
from bough.settings import Settings, load_settings
from bough.store import Store, open_store
from bough.store.sqlite import FILE_NAME
from bough.store.version import VERSION_FILE

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


@contextmanager
def opened_store(settings: Settings, *, makes: bool = False) -> Iterator[Store]:
    """The store, closed at the end.

    `makes`: whether a new one is made where there is none. Everything but the commands that begin an installation
    leaves it out, so that a mistyped folder is said and not made.
    """
    if not makes:
        check_made(settings)
    store = open_store(settings.folder, settings.store, makes=makes)
    try:
        yield store
    finally:
        store.close()


def check_made(settings: Settings) -> None:
    """Raises ConfigurationError when the data folder holds nothing of bough."""
    folder = settings.folder
    what_next = "name the server's folder with --data or BOUGH_DATA; `bough serve` makes a new one."
    if not folder.exists():
        raise ConfigurationError(f"There is no data folder {folder}: {what_next}")
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file and no data folder: {what_next}")
    marker = VERSION_FILE if settings.store else FILE_NAME
    if not (folder / marker).exists():
        raise ConfigurationError(f"{folder} is no data folder of bough, as it holds no {marker}: {what_next}")


def check_writable(settings: Settings) -> None:
    """Raises ConfigurationError when the data folder cannot be made or written to; makes nothing itself."""
    folder = settings.folder.absolute()
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not there.is_dir():
        raise ConfigurationError(f"The data folder {folder} cannot be made: {there} is a file; choose another --data.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigurationError(
            f"The data folder {folder} cannot be used: {there} cannot be written to; change its owner or choose "
            "another --data."
        )
