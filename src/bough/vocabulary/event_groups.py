"""What cohorts must know of event names; the names themselves stand in `bough.vocabulary.event_names`."""

from __future__ import annotations

from typing import Final

from bough.vocabulary import event_names

STANDARD_EVENTS: Final = tuple(event_names.BY_NAME)
"""Names that clients post to /v2/event/standard; any other posted name is a custom event."""

GENERATED_EVENTS: Final = event_names.AUTOMATIC
"""Names that only the server gives; neither standard nor custom events."""

TOUCH_EVENTS: Final = ("CLICK", "IMPRESSION")
"""Names of touches: no activity of the person."""

SESSION_EVENTS: Final = ("OPEN", "REINSTALL", "WEB_SESSION_START")
"""Events that open a re-engagement after the inactivity window (docs/exports.md)."""

REVENUE_EVENTS: Final = tuple(name for name in event_names.BY_NAME if name in event_names.REVENUE_EVENTS)
"""Events whose revenue counts unless an app says otherwise (setting `revenue_events`)."""
