"""The data folder: whether there is one, whether it can be written to, and the store in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from bough.errors import ConfigurationError
from bough.settings import Settings
from bough.store import Store, open_store
from bough.store.sqlite import FILE_NAME
from bough.store.version import VERSION_FILE


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
