"""One table of names: what cohorts compute and what the events API takes for an event's name agree."""

from __future__ import annotations

from bough.cohorts.measures import MEASURES, canonical, event_of, is_event
from bough.vocabulary.event_names import COMPUTED_MEASURES


def test_the_measures_that_are_no_events_are_the_names_that_an_event_shares_with_a_measure() -> None:
    assert {name for name in MEASURES if not is_event(name)} == set(COMPUTED_MEASURES)


def test_a_name_with_the_prefix_is_an_events_whatever_else_is_called_so() -> None:
    asked = ("event:revenue", "event:Revenue", "event:purchase", "event:level_up", "event:event:x", "event:")
    assert [canonical(name) for name in asked] == [
        "event:revenue", "event:Revenue", "event:PURCHASE", "event:level_up", "event:event:x", "event:"
    ]  # fmt: skip
    assert [event_of(canonical(name)) for name in asked] == [
        "revenue", "Revenue", "PURCHASE", "level_up", "event:x", "event:"
    ]  # fmt: skip
    assert all(is_event(canonical(name)) for name in asked)
    assert canonical("REVENUE") == "revenue"
    assert not is_event("revenue")
