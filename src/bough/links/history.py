"""What became of a link: its changes, newest first."""

from __future__ import annotations

from typing import Any

from bough.links import queries
from bough.links.change import as_json
from bough.links.codec import from_json
from bough.links.item import qr_look
from bough.links.model import LABELS, Link
from bough.store.database import Rows
from bough.vocabulary.ids import iso_time

AT_MOST = 100
"""Changes that are shown; the newest count."""

FIELDS = ("type", "alias", *LABELS, "tags", "duration", "identity", "qr_code_settings")
"""What can differ besides the keys of `data`."""

Differences = dict[str, dict[str, Any]]
"""Field (`channel`, `data.$ios_url`) to its values before and after, as `from` and `to`; null: not there."""


def differences(before: Link, after: Link) -> Differences:
    """What changed between two states of a link."""
    found = {
        name: {"from": _value(before, name), "to": _value(after, name)}
        for name in FIELDS
        if getattr(before, name) != getattr(after, name)
    }
    for key in {**before.data, **after.data}:
        values = [state.data.get(key) for state in (before, after)]
        if as_json(values[0]) != as_json(values[1]) or (key in before.data) != (key in after.data):
            found[f"data.{key}"] = {"from": values[0], "to": values[1]}
    return found


def _value(link: Link, name: str) -> Any:
    return qr_look(link) if name == "qr_code_settings" else getattr(link, name)


def history(rows: Rows, link: Link) -> list[dict[str, Any]]:
    """The changes that led to the link's present state: when, and what."""
    after = link
    entries = []
    for _, at, text in rows(queries.HISTORY, (link.id, AT_MOST)):
        before = from_json(text)
        entries.append({"at": iso_time(at), "changed": differences(before, after)})
        after = before
    return entries
