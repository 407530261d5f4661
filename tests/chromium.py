"""Debian's Chromium, driven by Playwright; pages may load from loopback alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Route, sync_playwright

PROGRAM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
NEEDED = pytest.mark.skipif(not PROGRAM.exists(), reason="MISSING: Chromium (Debian: apt-get install chromium)")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser in which nothing is open."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(PROGRAM), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def keep_on_loopback(context: BrowserContext) -> list[str]:
    """Stop every request that leaves the machine; the addresses of those that were stopped, as they come."""
    strayed: list[str] = []

    def watch(route: Route) -> None:
        if urlsplit(route.request.url).hostname == "127.0.0.1":
            route.continue_()
        else:
            strayed.append(route.request.url)
            route.abort()

    context.route("**/*", watch)
    return strayed
