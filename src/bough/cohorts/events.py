"""The one table of event names (contract/sdk.md §3, contract/cohort.md §4)."""

from __future__ import annotations

from typing import Final, Literal

EventGroup = Literal["commerce", "content", "lifecycle", "system"]

STANDARD_EVENTS: Final[dict[str, EventGroup]] = {
    "ADD_TO_CART": "commerce",
    "ADD_TO_WISHLIST": "commerce",
    "VIEW_CART": "commerce",
    "INITIATE_PURCHASE": "commerce",
    "ADD_PAYMENT_INFO": "commerce",
    "CLICK_AD": "commerce",
    "PURCHASE": "commerce",
    "RESERVE": "commerce",
    "SPEND_CREDITS": "commerce",
    "VIEW_AD": "commerce",
    "SEARCH": "content",
    "VIEW_ITEM": "content",
    "VIEW_ITEMS": "content",
    "RATE": "content",
    "SHARE": "content",
    "INITIATE_STREAM": "content",
    "COMPLETE_STREAM": "content",
    "COMPLETE_REGISTRATION": "lifecycle",
    "COMPLETE_TUTORIAL": "lifecycle",
    "ACHIEVE_LEVEL": "lifecycle",
    "UNLOCK_ACHIEVEMENT": "lifecycle",
    "INVITE": "lifecycle",
    "LOGIN": "lifecycle",
    "START_TRIAL": "lifecycle",
    "SUBSCRIBE": "lifecycle",
    "OPT_IN": "system",
    "OPT_OUT": "system",
}
"""Names that clients post to /v2/event/standard; any other posted name is a custom event."""

GENERATED_EVENTS: Final = (
    "IMPRESSION",
    "CLICK",
    "BRANCH_CTA_VIEW",
    "OPEN",
    "INSTALL",
    "REINSTALL",
    "WEB_SESSION_START",
    "PAGEVIEW",
)
"""Names that only the server gives; neither standard nor custom events."""

TOUCH_EVENTS: Final = ("CLICK", "IMPRESSION")
"""Names of touches: no activity of the person."""

SESSION_EVENTS: Final = ("OPEN", "WEB_SESSION_START", "REINSTALL")
"""Events that open a re-engagement after the inactivity window (contract/cohort.md §9)."""

REVENUE_EVENTS: Final = (
    *(name for name, group in STANDARD_EVENTS.items() if group == "commerce"),
    "SUBSCRIBE",
    "START_TRIAL",
)
"""Events whose revenue counts unless an app says otherwise (setting `revenue_events`)."""
