"""The timeline of a person who is known from imported files: the same entries as of live people, from the files' rows.

Touches and credit are what the file says. What follows from the person's own history, as whether they had the app
before, is found from it when the file does not say it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from bough.accounts.data_filters import Fact, admits
from bough.accounts.model import User
from bough.attribution.documents import SESSIONS, instant
from bough.attribution.rules.session_kind import days_between, is_reengagement
from bough.importers.kept import as_exported
from bough.vocabulary.dimensions import TOUCH_COLUMNS, USER_COLUMNS, Kind
from bough.vocabulary.event_groups import TOUCH_EVENTS
from bough.vocabulary.export_columns import IDENTIFIERS
from bough.warehouse.had_app import OPENINGS

_MARKS = {"tilde": "~", "dollar": "$", "plus": "+"}


class Followed(Struct, frozen=True, kw_only=True):
    """What follows from a person's history at one of their events."""

    had_app: bool
    first: bool
    reengagement: bool
    known: bool
    """Whether the person did anything at an earlier instant."""
    install: int | None
    """Instant of their first INSTALL, when it is not later than the event."""


def followed(rows: Sequence[Mapping[str, Any]], inactivity: int) -> list[Followed]:
    """For each row of a person, in the order of time: what it says itself stands, the rest is found from those before.

    Args:
        rows: a segment's rows, sorted by instant.
        inactivity: milliseconds after which a session opens a re-engagement.
    """
    opened: int | None = None
    install = min((row["ms"] for row in rows if row["name"] == "INSTALL"), default=None)
    earlier: int | None = None
    latest: int | None = None
    names: set[str] = set()
    found = []
    for row in rows:
        name, at = row["name"], row["ms"]
        said = as_exported(row)
        if name not in TOUCH_EVENTS and (latest is None or at > latest):
            earlier, latest = latest, at
        before = earlier if name not in TOUCH_EVENTS else latest
        derived = name == "REINSTALL" or (opened is not None and opened < at)
        found.append(
            Followed(
                had_app=_said(said.get("user_data_has_app"), derived),
                first=_said(said.get("first_event_for_user"), name not in names),
                reengagement=is_reengagement(name, at, earlier, inactivity),
                known=_said(said.get("existing_user"), derived if name in SESSIONS else before is not None),
                install=install if install is not None and install <= at else None,
            )
        )
        names.add(name)
        if opened is None and name in OPENINGS and "WEB" not in (row.get("platform") or "").upper():
            opened = at
    return found


def _said(value: str | None, derived: bool) -> bool:
    lowered = (value or "").lower()
    return lowered in ("true", "t", "1") if lowered in ("true", "t", "1", "false", "f", "0") else derived


def story(
    app: int, person: int, rows: Sequence[Mapping[str, Any]], inactivity: int, limit: int, user: User
) -> dict[str, Any] | None:
    """The person's document as `GET /api/persons/{person_id}` gives it; None when the user sees nothing of them."""
    ordered = sorted(rows, key=lambda row: (row["ms"], row["id"]))
    pairs = list(zip(ordered, followed(ordered, inactivity), strict=True))
    seen = [(row, one) for row, one in pairs if not user.filters or admits(user.filters, _facts(app, row, one))]
    if not seen:
        return None
    known = dict.fromkeys((kind, row[kind]) for row, _ in seen for kind in IDENTIFIERS if row.get(kind) is not None)
    return {
        "person_id": str(person),
        "app_id": str(app),
        "environment": "live",
        "source": "import",
        "identifiers": [{"kind": kind, "value": value} for kind, value in known],
        "merged_from": [],
        "first_seen": instant(seen[0][0]["ms"]),
        "last_seen": instant(seen[-1][0]["ms"]),
        "events": len(seen),
        "timeline": [_entry(app, person, row, one) for row, one in seen[-limit:]],
        "truncated": len(seen) > limit,
    }


def _entry(app: int, person: int, row: Mapping[str, Any], one: Followed) -> dict[str, Any]:
    said = as_exported(row)
    touch_at = row.get("touch_at")
    summary = (
        f"The imported file credits a {row['touch_type']}."
        if row["attributed"] and row.get("touch_type")
        else ("The imported file credits no touch.")
    )
    return {
        "kind": "session" if row["name"] in SESSIONS else "event",
        "source": "import",
        "event_id": row["id"],
        "app_id": str(app),
        "environment": "live",
        "person_id": str(person),
        "name": row["name"],
        "at": instant(row["ms"]),
        "counted": True,
        "uncounted": None,
        "duplicate_of": None,
        "attributed": row["attributed"],
        "last_attributed_touch_type": row.get("touch_type"),
        "last_attributed_touch_id": said.get("last_attributed_touch_data_plus_touch_id"),
        "last_attributed_touch_timestamp": touch_at,
        "last_attributed_touch_data": _touch_data(row),
        "days_from_last_attributed_touch_to_event": None if touch_at is None else days_between(touch_at, row["ms"]),
        "first_event_for_user": one.first,
        "had_app": one.had_app,
        "existing_user": one.known,
        "reengagement": one.reengagement,
        "seconds_from_install_to_event": None if one.install is None else (row["ms"] - one.install) // 1000,
        "customer_event_alias": row.get("customer_event_alias"),
        "revenue": row.get("amount"),
        "currency": row["currency"] if row.get("amount") is not None else None,
        "user_data": {column: row[column] for column in USER_COLUMNS if row.get(column) is not None},
        "summary": summary,
        "columns": said,
    }


def _touch_data(row: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for column, kind in TOUCH_COLUMNS:
        if row.get(column) is not None:
            mark, _, rest = column.partition("_")
            found[_MARKS[mark] + rest] = row[column].split(",") if kind is Kind.SET else row[column]
    return found


def _facts(app: int, row: Mapping[str, Any], one: Followed) -> dict[str, Fact]:
    """The values of an event by column of `bough.vocabulary.dimensions`, as `bough.attribution.visibility` makes
    them."""
    credited = row["attributed"]
    facts: dict[str, Fact] = {
        "app": str(app),
        "attributed": str(credited).lower(),
        "event_name": row["name"],
        "touch_type": row.get("touch_type") if credited else None,
        "customer_event_alias": row.get("customer_event_alias"),
        **{column: row.get(column) for column in USER_COLUMNS},
        "has_app": str(one.had_app).lower(),
    }
    for column, kind in TOUCH_COLUMNS:
        value = row.get(column) if credited else None
        facts[column] = frozenset(filter(None, value.split(","))) or None if value and kind is Kind.SET else value
    return facts
