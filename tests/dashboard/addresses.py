"""Every page of the dashboard, for tests and screenshots that look at all of them."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext

from bough.dashboard.operations import DASHBOARD_ROUTES
from tests.running import Running

NO_PAGES = ("/feed", "/picture", "/qr-picture", "/file", "/answer", "{rest", "/check")
"""Ends of addresses that are parts of pages, pictures, files or streams."""

LISTS = {
    "{id}": ("/dashboard/links", r"/dashboard/links/(\d+)"),
    "{person_id}": ("/dashboard/installs", r"/installs/person/(\d+)"),
    "{event_id}": ("/dashboard/installs", r"/installs/event/(\d+)"),
    "{job_id}": ("/dashboard/exports", r"/dashboard/exports/([0-9a-f-]{36})"),
}
"""Where the values of the routes' variables are found: a page, and what its links look like."""

OTHERS = ("/signin/account",)


def addresses(context: BrowserContext, server: Running) -> list[str]:
    """The addresses of all pages that can be opened with what is in the store; one of each."""
    found = []
    for route in DASHBOARD_ROUTES:
        if route.method != "GET" or any(part in route.path for part in NO_PAGES) or "/cohorts/job" in route.path:
            continue
        variable = re.search(r"\{\w+\}", route.path)
        if variable is None:
            found.append(route.path)
        elif "/click/" not in route.path and (value := _value(context, server, variable[0])):
            found.append(route.path.replace(variable[0], value))
    return [path for path in (*found, *OTHERS) if not path.endswith("/cell")]


def _value(context: BrowserContext, server: Running, variable: str) -> str:
    page, pattern = LISTS[variable]
    values = re.findall(pattern, context.request.get(server.base_url + page).text())
    return str(values[0]) if values else ""
