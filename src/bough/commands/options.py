"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bough.settings import Settings, load_settings
from bough.store import Store, open_store

Commands = Any
"""What argparse's add_subparsers returns; its type is private."""


def add_data(parser: argparse.ArgumentParser) -> None:
    """--data and --store, which win over BOUGH_DATA and BOUGH_STORE."""
    parser.add_argument("--data", metavar="DIR", help="data folder (default: BOUGH_DATA or ./bough-data)")
    parser.add_argument(
        "--store", metavar="URL", help="postgresql:// address of the store (default: BOUGH_STORE or SQLite)"
    )


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Settings from the environment and the options that were given."""
    return load_settings(data=arguments.data, store=arguments.store)


@contextmanager
def opened_store(settings: Settings) -> Iterator[Store]:
    """The store, closed at the end."""
    store = open_store(settings.folder, settings.store)
    try:
        yield store
    finally:
        store.close()
