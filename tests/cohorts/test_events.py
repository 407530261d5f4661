"""One table of names: what cohorts measure and what the events API refuses as a custom name agree."""

from __future__ import annotations

from bough.cohorts.measures import MEASURES, is_event
from bough.events.ontology import COMPUTED_MEASURES


def test_the_measures_that_are_no_events_are_the_names_no_custom_event_may_bear() -> None:
    assert {name for name in MEASURES if not is_event(name)} == set(COMPUTED_MEASURES)
