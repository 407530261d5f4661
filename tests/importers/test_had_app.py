"""`has_app` of imported people: what a file says stands; what it does not say follows from what they did before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.importers.conftest import Imported

NOON = 1_714_564_800_000
"""2024-05-01 12:00 UTC."""
DAY = 86_400_000
DIMENSION = "reengagement_activity_data_has_app"
SESSIONS = ("OPEN", "WEB_SESSION_START", "REINSTALL")
HEADER = "id,name,timestamp,user_data_developer_identity,user_data_platform,user_data_has_app"

EVENT = st.tuples(
    st.sampled_from(["INSTALL", "PURCHASE", *SESSIONS]),
    st.integers(0, 24),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["", "IOS_APP", "IOS_WEB"]),
    st.sampled_from(["", "", "true", "False"]),
)
Event = tuple[str, int, str, str, str]


def slow_reengagements(events: list[Event]) -> Counter[str]:
    """`has_app` of every re-engagement: a session at least seven days after the latest earlier activity."""
    found: Counter[str] = Counter()
    for who in ("a", "b"):
        own = sorted((event for event in events if event[2] == who), key=lambda event: (event[1], events.index(event)))
        for before, now in pairwise(sorted({event[1] for event in own})):
            openers = [event for event in own if event[1] == now and event[0] in SESSIONS]
            if now - before >= 7 and openers:
                name, _, _, _, said = openers[0]
                had = any(e[0] in ("INSTALL", "OPEN", "REINSTALL") and e[3] != "IOS_WEB" and e[1] < now for e in own)
                found[said.lower() or str(had or name == "REINSTALL").lower()] += 1
    return found


def shown(imported: Imported) -> dict[str, int]:
    """OPENs, web sessions and reinstalls of band 0 in the cohorts by `has_app`: the re-engagements themselves."""
    text = imported.ask(
        "2024-05-01", "2024-05-31", *SESSIONS, data_source="reengagement_cohort", dimensions=[DIMENSION]
    )
    found: dict[str, int] = {}
    for line in text.splitlines():
        *_, value, count = line.split(",")
        found[value] = found.get(value, 0) + int(count)
    return {value: count for value, count in found.items() if count}


def file_of(events: list[Event]) -> str:
    lines = [
        f"{number:03},{name},{NOON + day * DAY},{who},{platform},{said}"
        for number, (name, day, who, platform, said) in enumerate(events)
    ]
    return "\n".join([HEADER, *lines, ""])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENT, min_size=3, max_size=14, unique_by=lambda event: (event[1], event[2])))
def test_any_history_gives_the_value_of_a_slow_calculation(
    make_app: Callable[..., Imported], events: list[Event]
) -> None:
    imported = make_app()
    imported.text("e.csv", file_of(events))
    assert shown(imported) == dict(slow_reengagements(events))


def test_an_earlier_opening_that_comes_late_changes_the_value(imported: Imported) -> None:
    later: list[Event] = [("WEB_SESSION_START", 2, "a", "", ""), ("OPEN", 12, "a", "", "")]
    imported.text("late.csv", file_of(later))
    assert shown(imported) == {"false": 1}
    imported.text("early.csv", f"{HEADER}\nfirst,INSTALL,{NOON},a,IOS_APP,\n")
    assert shown(imported) == {"true": 1}


@pytest.mark.parametrize(("said", "values"), [("", {"true", "false"}), ("false", {"false"})])
def test_later_events_say_it_too(imported: Imported, said: str, values: set[str]) -> None:
    imported.text("e.csv", file_of([("INSTALL", 0, "a", "", said), ("PURCHASE", 1, "a", "", said)]))
    text = imported.ask(
        "2024-05-01", "2024-05-01", "INSTALL", "PURCHASE", dimensions=["user_data_has_app"], granularity_band_count=2
    )
    assert {line.split(",")[6] for line in text.splitlines()} == values


def test_a_country_of_which_only_the_code_is_said_has_its_name(imported: Imported) -> None:
    header = "id,name,timestamp,user_data_geo_country_code,user_data_geo_country_en"
    imported.text("e.csv", f"{header}\na,INSTALL,{NOON},de,\nb,INSTALL,{NOON},CI,\nc,INSTALL,{NOON},DE,Allemagne\n")
    found: dict[str, Any] = {}
    for line in imported.ask(
        "2024-05-01", "2024-05-01", "users", dimensions=["install_activity_data_geo_country_en"]
    ).splitlines():
        found[line.split(",")[6]] = int(line.split(",")[4])
    assert found == {"Germany": 1, "Côte d'Ivoire": 1, "Allemagne": 1}
