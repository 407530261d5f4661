"""What events are called (docs/events.md, docs/exports.md).

One table, `STANDARD`, is the closed list of names that `/v2/event/standard` accepts; everything else that has to know
an event's name (revenue, cohort measures, pages, docs) reads it from here.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

from msgspec import Struct

from bough.errors import BadRequest

Group = Literal["commerce", "content", "lifecycle", "privacy"]

MAX_NAME = 255
"""Characters of an event's name (ours; docs/events.md)."""

CONTROLS = frozenset({"Cc", "Zl", "Zp"})
"""Categories of characters that no name may hold: control characters, line and paragraph separators."""


class Standard(Struct, frozen=True):
    """One standard event."""

    name: str
    group: Group
    ios_only: bool = False
    revenue: bool = False
    """Its revenue counts in cohorts, unless the app's setting `revenue_events` says otherwise (docs/exports.md)."""


STANDARD: tuple[Standard, ...] = (
    Standard("ADD_TO_CART", "commerce", revenue=True),
    Standard("ADD_TO_WISHLIST", "commerce", revenue=True),
    Standard("VIEW_CART", "commerce", revenue=True),
    Standard("INITIATE_PURCHASE", "commerce", revenue=True),
    Standard("ADD_PAYMENT_INFO", "commerce", revenue=True),
    Standard("CLICK_AD", "commerce", revenue=True),
    Standard("PURCHASE", "commerce", revenue=True),
    Standard("RESERVE", "commerce", revenue=True),
    Standard("SPEND_CREDITS", "commerce", revenue=True),
    Standard("VIEW_AD", "commerce", revenue=True),
    Standard("SEARCH", "content"),
    Standard("VIEW_ITEM", "content"),
    Standard("VIEW_ITEMS", "content"),
    Standard("RATE", "content"),
    Standard("SHARE", "content"),
    Standard("INITIATE_STREAM", "content"),
    Standard("COMPLETE_STREAM", "content"),
    Standard("COMPLETE_REGISTRATION", "lifecycle"),
    Standard("COMPLETE_TUTORIAL", "lifecycle"),
    Standard("ACHIEVE_LEVEL", "lifecycle"),
    Standard("UNLOCK_ACHIEVEMENT", "lifecycle"),
    Standard("INVITE", "lifecycle"),
    Standard("LOGIN", "lifecycle"),
    Standard("START_TRIAL", "lifecycle", revenue=True),
    Standard("SUBSCRIBE", "lifecycle", revenue=True),
    Standard("OPT_IN", "privacy", ios_only=True),
    Standard("OPT_OUT", "privacy", ios_only=True),
)

BY_NAME: dict[str, Standard] = {event.name: event for event in STANDARD}

AUTOMATIC: tuple[str, ...] = (
    "IMPRESSION",
    "CLICK",
    "BRANCH_CTA_VIEW",
    "OPEN",
    "INSTALL",
    "REINSTALL",
    "WEB_SESSION_START",
    "PAGEVIEW",
)
"""Names the server makes itself; no client may post them."""

REVENUE_EVENTS: frozenset[str] = frozenset(event.name for event in STANDARD if event.revenue)
"""Default of the app setting `revenue_events`: the ten commerce events, SUBSCRIBE and START_TRIAL."""

REFUNDABLE: frozenset[str] = frozenset({"PURCHASE"})
"""Events whose revenue may be negative, by import and server to server only (docs/exports.md)."""

COMPUTED_MEASURES: tuple[str, ...] = (
    "users",
    "Retention",
    "revenue",
    "ARPU",
    "ARPPU",
    "LTV",
    "cost",
    "GROSS_PROFIT",
    "ROAS",
    "ROI",
    "eCPA",
)
"""Cohort measures that are no event names (docs/exports.md). A custom event may be called so: it is stored and counted
like any other, and a request asks for it as `event:revenue`, while `revenue` alone means the measure."""

SENT_AS_CUSTOM: frozenset[str] = frozenset(event.name for event in STANDARD if event.ios_only)
"""Standard names that the Web and Android SDKs route to `/v2/event/custom`; accepted there (docs/events.md)."""

_RESERVED: dict[str, str] = {name.casefold(): name for name in (*AUTOMATIC, *BY_NAME) if name not in SENT_AS_CUSTOM}


BUILT_IN: dict[str, str] = {name.casefold(): name for name in (*AUTOMATIC, *BY_NAME) if name not in SENT_AS_CUSTOM}
"""Names that have a meaning of their own, by what `plain_name` makes of them."""


def plain_name(name: str) -> str:
    """What people see of a name: without blanks at its ends, characters that cannot be seen, and letter case."""
    if not name.isascii():
        name = "".join(character for character in name if unicodedata.category(character) != "Cf")
    return name.strip().casefold()


def check_standard_name(name: str) -> Standard:
    """The standard event of that exact name.

    Raises:
        BadRequest: the name is not in the closed list; says so apart for names the server makes itself.
    """
    found = BY_NAME.get(name)
    if found is not None:
        return found
    if name in AUTOMATIC:
        raise BadRequest(f"name: {name} is recorded by the server itself and cannot be posted.")
    raise BadRequest("name: not a standard event; send it to /v2/event/custom.")


def check_custom_name(name: str) -> str:
    """The name, when a custom event may bear it.

    Raises:
        BadRequest: longer than 255 characters, with control characters, or what people read as a built-in name: in
            any letter case, with blanks around it, with characters that cannot be seen.
    """
    if len(name) > MAX_NAME:
        raise BadRequest(f"name: longer than {MAX_NAME} characters.")
    if not name.isprintable() and any(unicodedata.category(character) in CONTROLS for character in name):
        raise BadRequest("name: must not hold control characters.")
    plain = plain_name(name)
    if not plain:
        raise BadRequest("name: required, and must be text.")
    built_in = _RESERVED.get(plain)
    if built_in is not None:
        raise BadRequest(f"name: a custom event cannot bear the name of the built-in {built_in}.")
    return name
