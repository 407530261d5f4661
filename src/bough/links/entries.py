"""What the audit log says of links. Their values before and after are in the link's history."""

from __future__ import annotations

from bough.accounts.audit import Entry
from bough.accounts.model import App
from bough.links.bulk import Report
from bough.links.document import link_url
from bough.links.model import Link

CREDENTIALS = frozenset({"branch_key", "branch_secret", "access_token", "access_key", "api_key", "url", "URL"})
"""Fields of a body that say who asks for what, and are no change."""

MAX_FIELDS = 50
MAX_LINKS = 300


def changed_entry(link: Link, app: App, fields: list[str]) -> Entry:
    """One link was changed; `fields` are the names that were sent."""
    named = [name[:255] for name in fields[:MAX_FIELDS]]
    return Entry(
        action="link.change", subject=link_url(link, app), app=app.id, details={"id": str(link.id), "fields": named}
    )


def bulk_entry(action: str, reports: list[Report]) -> Entry | None:
    """Several links were changed or deleted; None when nothing was."""
    done = [report.url for report in reports if report.changed or report.deleted]
    return Entry(action=action, details={"links": len(done), "urls": done[:MAX_LINKS]}) if done else None
