"""Whether a browser is known to be on a device that has opened the app."""

from __future__ import annotations

from bough.vocabulary.lookup_keys import key

KNOWN_INSTALLED = "SELECT opening FROM device_key WHERE id = ?"


def installed_query(app: int, test: bool, browser: str) -> tuple[str, tuple[int, ...]]:
    """Finds a row when the browser of a link domain is on a device that has opened the app."""
    return KNOWN_INSTALLED, (installed_key(app, test, browser),)


def installed_key(app: int, test: bool, browser: str) -> int:
    """Under which `device_key` remembers that a link domain's browser is on a device that has opened the app."""
    return key(app, test, "installed browser", browser)
