"""Which events, touches and persons a user with data filters sees.

An event passes by its own credit and its own device: the data of its last attributed touch, and what its `user_data`
say. A touch passes by its link's data. A person is seen who has an event that passes; of the timeline only what passes.
An explanation names the touches that were weighed, so it is told only when all of them pass.
"""

from __future__ import annotations

from typing import Any

from bough.accounts.data_filters import Fact, admits
from bough.accounts.model import User
from bough.attribution.replay.read import Attributed
from bough.attribution.rules.dimensions import Dimensions
from bough.attribution.rules.touches import Touch
from bough.attribution.rules.windows import touch_data
from bough.attribution.stored.history import Told
from bough.attribution.stored.tables import Kept
from bough.links.visibility import data_facts


def sees_event(user: User, result: Attributed, kept: Kept | None) -> bool:
    """Whether an event passes the user's data filters. Its app is looked at by the caller."""
    return not user.filters or admits(user.filters, event_facts(result, kept))


def sees_touch(user: User, touch: Touch) -> bool:
    """Whether a click or impression does."""
    facts = {**data_facts(touch_data(touch)), "app": str(touch.app), "touch_type": touch.kind.upper()}
    return not user.filters or admits(user.filters, facts)


def sees_person(user: User, told: Told, person: int) -> bool:
    """Whether any event of the person does."""
    return not user.filters or any(sees_event(user, one, told.kept.get(one.id)) for one in told.of_person(person))


def may_explain(user: User, result: Attributed) -> bool:
    """Whether all touches that the explanation of an event names pass."""
    if not user.filters:
        return True
    named: list[Touch | None] = []
    if result.match is not None:
        if result.match.foreign_url or any(one.touch is None for one in result.match.considered):
            return False  # addresses that are no link cannot be told apart by filters
        named += [result.match.touch, *(one.touch for one in result.match.considered)]
    if result.credit is not None:
        named += [result.credit.touch, *(one.touch for one in result.credit.weighed)]
    return all(touch is None or sees_touch(user, touch) for touch in named)


def without_story(document: dict[str, Any]) -> dict[str, Any]:
    """The document of an event without what would tell of touches that do not pass."""
    return {name: value for name, value in document.items() if name != "deep_link"} | {"explanation": None}


def event_facts(result: Attributed, kept: Kept | None) -> dict[str, Fact]:
    """The values of an event by column of `bough.vocabulary.dimensions`; what is not there is not known of it."""
    facts: dict[str, Fact] = {
        **data_facts(result.touch_data),
        "app": str(result.app),
        "attributed": str(result.attributed).lower(),
        "event_name": result.name,
        "touch_type": result.touch_type,
    }
    if kept is not None:
        facts["customer_event_alias"] = kept.alias or None
        facts |= {name: getattr(kept.dimensions, name) or None for name in Dimensions.__struct_fields__}
        facts["has_app"] = kept.dimensions.has_app or str(result.had_app).lower()
    return facts
