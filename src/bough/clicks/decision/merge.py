"""Laying the query of a click over the link's stored data, for that click only (docs/links.md, docs/clicks.md)."""

from __future__ import annotations

from msgspec.structs import replace

from bough.clicks.query import Query
from bough.links.model import LABELS, CreationSource, Link, is_made_by_server
from bough.links.targets import target_use

DROPPED = frozenset({"data", "password", "auth"})
"""Reserved: ignored when appended to a link."""

REFUSED = frozenset({"access_token", "AccessToken", "auth_token", "AuthToken"})
"""Credentials: ignored, and neither recorded nor sent on. The person who follows the link cannot take them out."""

INTERNAL = frozenset({"has_app", "_branch_match_id", "_branch_referrer", "link_click_id"})
"""Words of the redirect machinery itself, from this hop or from the one before."""

DASHBOARD = frozenset({"debug", "stats", "edit"})
"""With the value `1` these ask for a page about the link."""

LONG_LINK = frozenset((*LABELS, "tags", "tags[]", "~tags[]", "alias", "type", "duration", "source"))
"""Parameters that describe a long link itself; on a stored link they are ordinary custom keys."""


def accepted(query: Query) -> Query:
    """The pairs that may enter a click."""
    return tuple(pair for pair in query if not _ignored(*pair))


def merge(link: Link, query: Query) -> Link:
    """The link as this click sees it: query over stored data, labels (`~channel`, …) into their fields.

    `query` is what `accepted` returned. Repeated keys: the last wins, but `~tags` collects. Values without a name are
    no data. A long link is its own query and comes back unchanged.
    """
    if not query or is_long(link):
        return link
    tags = tuple(value for key, value in query if key in ("~tags", "~tags[]"))
    values = {key: value for key, value in query if key not in ("", "~tags", "~tags[]")}
    labels = {name: values.pop(f"~{name}") for name in LABELS if f"~{name}" in values}
    merged: Link = replace(link, data={**link.data, **values}, tags=tags or link.tags, **labels)
    return merged


def forwarded(link: Link, query: Query) -> Query:
    """The pairs that travel on to a web target: all accepted ones but the `$…_url` keys, which were meant for us."""
    own = LONG_LINK if is_long(link) else frozenset[str]()
    return tuple(pair for pair in query if pair[0] not in own and target_use(pair[0]) != "redirect")


def has_app(query: Query, known: bool) -> bool | None:
    """True or False by `?has_app=`; without it True when the app is known to be installed and None when it is not."""
    said = {"true": True, "1": True, "false": False, "0": False}
    values = [said[value] for key, value in query if key == "has_app" and value in said]
    return values[-1] if values else (known or None)


def is_long(link: Link) -> bool:
    """Whether the link is a long one, made from a query and stored nowhere."""
    return link.source == CreationSource.DYNAMIC and link.id == 0


def _ignored(key: str, value: str) -> bool:
    if key in DROPPED or key in REFUSED or key in INTERNAL or is_made_by_server(key):
        return True
    return key in DASHBOARD and value == "1"
