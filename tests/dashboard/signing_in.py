"""Sign in with a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, BrowserContext

from tests import chromium
from tests.running import Running
from tests.signin.browser import PASSWORD, new_link


def signed_in(server: Running, browser: Browser, name: str) -> BrowserContext:
    """A browser in which somebody has set a password, and which loads nothing from elsewhere."""
    context = browser.new_context(base_url=server.base_url, accept_downloads=True)
    strayed = chromium.keep_on_loopback(context)
    page = context.new_page()
    page.goto(new_link(server, name))
    page.get_by_label(re.compile("^Password")).fill(PASSWORD)
    page.get_by_label(re.compile("again", re.IGNORECASE)).fill(PASSWORD)
    page.get_by_role("button", name=re.compile("Set password")).click()
    page.wait_for_url("**/dashboard*")
    page.close()
    assert strayed == []
    return context
