"""What a download needs: where finished files are, and the signer of their addresses."""

from __future__ import annotations

from typing import NamedTuple

from bough.exports.files import ExportFiles, FolderFiles
from bough.exports.signing import Signer, open_signer
from bough.settings import Settings
from bough.store import Store


class Downloads(NamedTuple):
    """Finished files and their signer."""

    files: ExportFiles
    signer: Signer


def open_downloads(settings: Settings, store: Store) -> Downloads:
    """The files and signer of this installation."""
    return Downloads(open_files(settings), open_signer(store))


def open_files(settings: Settings) -> ExportFiles:
    """The place that the settings name; it is not contacted yet."""
    if not settings.export_files:
        return FolderFiles(settings.folder)
    from bough.exports.object_store import ObjectFiles  # loads obstore, which only this setting needs

    return ObjectFiles(settings.export_files)
