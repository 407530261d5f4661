"""The SQL of links. Values that differ are parameters; only column lists of this module are put into the texts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from bough.links.codec import COLUMNS, SELECTED

BY_PATH = f"SELECT {SELECTED} FROM link WHERE domain = ? AND path = ?"  # noqa: S608 - columns of our own
BY_ID = (
    f"SELECT {SELECTED}, c.clicks, c.last_click_at"  # noqa: S608
    " FROM link LEFT JOIN link_count c ON c.link = link.id WHERE id = ?"
)
BY_IDS = f"SELECT {SELECTED} FROM link WHERE id IN ({{}})"  # noqa: S608
NEWEST_ID = "SELECT max(id) FROM link"
UPDATE = f"UPDATE link SET {', '.join(f'{c} = ?' for c in COLUMNS[1:])} WHERE id = ?"  # noqa: S608
DELETE = "DELETE FROM link WHERE id = ?"
DELETE_COUNT = "DELETE FROM link_count WHERE link = ?"
EXTEND = "UPDATE link SET expires_at = ? WHERE id = ?"
IDENTITY_ID = "SELECT id FROM identity WHERE app = ? AND test = ? AND identity = ?"
INSERT_IDENTITY = "INSERT INTO identity (id, app, test, identity) VALUES (?, ?, ?, ?)"
NEWEST_IDENTITY = "SELECT max(id) FROM identity"
HISTORY = "SELECT id, at, before FROM change WHERE link = ? ORDER BY id DESC LIMIT ?"

CONDITIONS = {
    "channel": "channel = ?",
    "feature": "feature = ?",
    "campaign": "campaign = ?",
    "stage": "stage = ?",
    "type": "type = ?",
    "created_after": "created_at >= ?",
    "created_before": "created_at < ?",
    "tag": "tags LIKE ? ESCAPE '!'",
    "search": "(lower(path) LIKE ? ESCAPE '!' OR lower(campaign) LIKE ? ESCAPE '!' OR lower(data) LIKE ? ESCAPE '!')",
}
"""What each filter of a listing asks of a row; `tag` and `search` let more through than they mean (`links.listing`)."""


@lru_cache(maxsize=1024)
def by_paths(count: int) -> str:
    """Links of one domain by so many paths."""
    return f"SELECT {SELECTED} FROM link WHERE domain = ? AND path IN ({', '.join('?' * count)})"  # noqa: S608


@lru_cache(maxsize=256)
def page(streams: int, filters: Sequence[str]) -> str:
    """Links with their kept counts, newest first, from so many (app, environment) pairs.

    Parameters: for each pair app, test, below this id, from this id, those of the filters, and the limit; then the
    limit. Each pair is a range of an index, so the work is that of the rows that are shown, however many there are.
    """
    conditions = "".join(f" AND {CONDITIONS[name]}" for name in filters)
    one = (
        f"SELECT {SELECTED} FROM link WHERE app = ? AND test = ? AND id < ? AND id >= ?{conditions}"  # noqa: S608
        " ORDER BY id DESC LIMIT ?"
    )
    return (
        f"SELECT u.*, c.clicks, c.last_click_at FROM ({_union(one, streams)} ORDER BY id DESC LIMIT ?) AS u"  # noqa: S608
        " LEFT JOIN link_count c ON c.link = u.id ORDER BY u.id DESC"
    )


@lru_cache(maxsize=256)
def window(streams: int) -> str:
    """The oldest id and the number of the newest so many links. Parameters: for each pair app, test, below this id,
    and the limit; then the limit."""
    one = "SELECT id FROM link WHERE app = ? AND test = ? AND id < ? ORDER BY id DESC LIMIT ?"
    return f"SELECT min(id), count(*) FROM ({_union(one, streams)} ORDER BY id DESC LIMIT ?) AS w"  # noqa: S608


def _union(one: str, streams: int) -> str:
    return " UNION ALL ".join(f"SELECT * FROM ({one}) AS s{i}" for i in range(streams))  # noqa: S608
