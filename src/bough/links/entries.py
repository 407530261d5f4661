"""What the audit log says of links. Their values before and after are in the link's history."""

from __future__ import annotations

from bough.accounts.audit import AuditEntry
from bough.accounts.model import App
from bough.errors import BoughError
from bough.links.bulk import BulkReport
from bough.links.document import link_url
from bough.links.model import Link
from bough.links.placing import Placed

CREDENTIALS = frozenset({"branch_key", "branch_secret", "access_token", "access_key", "api_key", "url", "URL"})
"""Fields of a body that say who asks for what, and are no change."""

MAX_FIELDS = 50
MAX_LINKS = 300


def changed_entry(link: Link, app: App, fields: list[str]) -> AuditEntry:
    """One link was changed; `fields` are the names that were sent."""
    named = [name[:255] for name in fields[:MAX_FIELDS]]
    return AuditEntry(
        action="link.change", subject=link_url(link, app), app=app.id, details={"id": str(link.id), "fields": named}
    )


def bulk_entry(action: str, reports: list[BulkReport], organization: int | None = None) -> AuditEntry | None:
    """Several links were changed or deleted; None when nothing was."""
    done = [report.url for report in reports if report.changed or report.deleted]
    if not done:
        return None
    return AuditEntry(action=action, organization=organization, details={"links": len(done), "urls": done[:MAX_LINKS]})


def imported_entry(placed: list[Placed | BoughError]) -> AuditEntry | None:
    """Links were imported; None when nothing was."""
    done = [one for one in placed if not isinstance(one, BoughError) and one.outcome != "unchanged"]
    if not done:
        return None
    apps = sorted({one.link.app for one in done})
    counts = {"created": 0, "changed": 0}
    for one in done:
        counts[one.outcome] += 1
    return AuditEntry(action="links.import", app=apps[0], details={**counts, "apps": [str(app) for app in apps]})
