"""Attribution as JSON: ids are decimal strings, instants ISO 8601 in UTC beside the export's epoch milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import to_builtins

from bough.accounts.model import User
from bough.attribution.replay.explain import Explanation, explain
from bough.attribution.replay.read import Attributed
from bough.attribution.rules.touches import Touch
from bough.attribution.rules.windows import touch_data
from bough.attribution.stored.history import Head, Told
from bough.attribution.stored.tables import Kept
from bough.attribution.visibility import may_explain, sees_event, sees_touch

SESSIONS = frozenset({"INSTALL", "REINSTALL", "OPEN", "WEB_SESSION_START"})


def instant(at: int) -> str:
    """2026-01-31T12:00:00.000Z."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def environment(test: bool) -> str:
    """`test` or `live`."""
    return "test" if test else "live"


def event_document(result: Attributed, kept: Kept | None = None) -> dict[str, Any]:
    """One event and who has the credit."""
    document: dict[str, Any] = {
        "event_id": str(result.id),
        "app_id": str(result.app),
        "environment": environment(result.test),
        "person_id": str(result.person) if result.person else None,
        "name": result.name,
        "at": instant(result.at),
        "counted": result.counted,
        "uncounted": result.uncounted or None,
        "duplicate_of": None if result.duplicate_of is None else str(result.duplicate_of),
        "attributed": result.attributed,
        "last_attributed_touch_type": result.touch_type,
        "last_attributed_touch_id": None if result.touch_id is None else str(result.touch_id),
        "last_attributed_touch_timestamp": result.touch_at,
        "last_attributed_touch_data": result.touch_data,
        "days_from_last_attributed_touch_to_event": result.days_from_touch,
        "first_event_for_user": result.first_event_for_user,
        "had_app": result.had_app,
        "reengagement": result.reengagement,
    }
    if kept is not None:
        document |= {
            "customer_event_alias": kept.alias or None,
            "revenue": kept.revenue or None,
            "currency": kept.currency or None,
            "revenue_micro_usd": kept.micro,
            "missing_rate_day": kept.missing_day or None,
            "user_data": to_builtins(kept.dimensions),
        }
    return document


def story_document(result: Attributed, kept: Kept | None, explanation: Explanation) -> dict[str, Any]:
    """An event with the whole explanation."""
    document = event_document(result, kept)
    if result.deep_link is not None:
        document["deep_link"] = result.deep_link
    document["explanation"] = to_builtins(explanation)
    return document


def touch_document(touch: Touch) -> dict[str, Any]:
    """A click or impression."""
    return {
        "touch_id": str(touch.id),
        "type": touch.kind.upper(),
        "at": instant(touch.at),
        "url": touch.url,
        "link_id": str(touch.link) if touch.link else None,
        "data": touch_data(touch),
        "direct": touch.direct,
    }


def person_document(told: Told, head: Head, merged: list[int], limit: int, user: User | None = None) -> dict[str, Any]:
    """A person's page: identifiers and the newest `limit` entries of the timeline, oldest first.

    For a user with data filters, only with the events and touches that pass them, and what these events know.
    """
    results = [
        one for one in told.of_person(head.person) if user is None or sees_event(user, one, told.kept.get(one.id))
    ]
    known = results if user is not None and user.filters else told.owned_by(head.person)
    found: list[tuple[tuple[int, int], Touch | Attributed]] = [
        (touch.order, touch)
        for person, touch in told.touches
        if person == head.person and (user is None or sees_touch(user, touch))
    ]
    found += [((result.at, result.id), result) for result in results]
    found.sort(key=lambda entry: entry[0])
    counted = [one for one in results if one.counted]
    return {
        "person_id": str(head.person),
        "app_id": str(head.app),
        "environment": environment(head.test),
        "identifiers": [{"kind": kind, "value": value} for kind, value in told.identifiers(known)],
        "merged_from": [str(one) for one in merged] if user is None or not user.filters else [],
        "first_seen": instant(results[0].at) if results else None,
        "last_seen": instant(results[-1].at) if results else None,
        "events": len(counted),
        "timeline": [_timeline_entry(one, told, user) for _, one in found[-limit:]],
        "truncated": len(found) > limit,
    }


def _timeline_entry(one: Touch | Attributed, told: Told, user: User | None) -> dict[str, Any]:
    if isinstance(one, Touch):
        return {"kind": "touch", **touch_document(one)}
    kind = "session" if one.name in SESSIONS else "event"
    summary = explain(one).summary if user is None or may_explain(user, one) else None
    return {"kind": kind, **event_document(one, told.kept.get(one.id)), "summary": summary}
