"""The `change` table: what was changed, in commit order. It tells workers what to forget, and is a link's history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from bough.store.transaction import Transaction
from bough.vocabulary.ids import growing_ids, now_ms

COLUMNS = ("id", "at", "subject", "app", "link", "domain", "path", "before")
NEWEST = "SELECT max(id) FROM change"
AFTER = "SELECT id, subject, domain, path FROM change WHERE id > ? ORDER BY id"


class Change(Struct, frozen=True, kw_only=True):
    """One change. `before` is the JSON of the link as it was, for `link` changes."""

    subject: Literal["link", "account"]
    app: int
    link: int | None = None
    domain: str | None = None
    path: str | None = None
    before: str | None = None


def record(tx: Transaction, changes: Sequence[Change]) -> None:
    """Add changes to the transaction; every process hears of them when it is on disk."""
    if not changes:
        return
    ids = growing_ids(tx.rows(NEWEST)[0][0] or 0)
    at = now_ms()
    rows = [(next(ids), at, c.subject, c.app, c.link, c.domain, c.path, c.before) for c in changes]
    tx.insert("change", COLUMNS, rows)
    tx.announce(rows[-1][0])
