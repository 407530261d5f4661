"""An agency member's export is the administrator's export of only the rows that the filters admit.

The rows are taken away here, by hand, from what the slow reference of `tests.cohorts` reads (memberships with all their
events, and costs); what is left is asked for without any filter. The member's answer comes from the warehouse, with the
filters as an administrator writes them. Random data, filters and requests; every measure, users and cost.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bough.accounts.data_filters import COLUMNS, filters_for, parse_filters
from bough.cohorts.files import file_bytes
from bough.cohorts.measures import MEASURES
from bough.cohorts.plan import AppScope
from bough.cohorts.request import CohortRequest
from bough.cohorts.result import answer
from bough.vocabulary.dimensions import PREFIX
from bough.vocabulary.filters import Filter
from tests.cohorts import reference, worlds
from tests.cohorts.test_against_reference import EPOCH, in_order

WORLDS = int(os.environ.get("BOUGH_FILTER_WORLDS", "10"))
REQUESTS = 24
SIZES = (8, 40, 60, 80)
COHORT_NAMES = sorted(name for name in COLUMNS if not reference.is_conversion(name))
FAVOURITES = ("touch_data_tilde_campaign", "touch_data_tilde_tags", "touch_data_tilde_agency_id", "data_os", "app_id")


def written_filters(random: Random, names: Sequence[str]) -> dict[str, list[Any]]:
    """Data filters as somebody writes them, by any of their names; `!` at the front means nothing."""
    found: dict[str, list[Any]] = {}
    for name in random.sample(names, random.choice((1, 1, 1, 2))):
        pool = [*next((values for part, values in worlds.FITTING if part in name), worlds.TEXTS[:-1]), None]
        values = [v for v in random.sample(pool, random.randint(1, len(pool))) if not isinstance(v, bool)]
        prefix = random.choice(("", *PREFIX.values())) if name != "app_id" and not reference.is_conversion(name) else ""
        found[prefix + name] = [*(values or ["x"]), *random.sample(["!A", "nowhere"], random.choice((0, 0, 1)))]
    return found


def plain(name: str) -> str:
    return name.removeprefix("install_activity_").removeprefix("reengagement_activity_")


def admitted(value: reference.Value, values: Sequence[Any]) -> bool:
    """What a data filter means, said once more: the value, one of a set's, or the whole set is one of these."""
    own = {value} if not isinstance(value, frozenset) else {*value, ",".join(sorted(value))}
    return not own.isdisjoint(values)


def left_over(
    world: reference.World, request: CohortRequest, as_of: dict[str, date], written: dict[str, list[Any]]
) -> tuple[reference.World, list[reference.Entry]]:
    """Only the memberships and costs that the filters admit."""
    named = {
        name if name == "app_id" else PREFIX[request.data_source] + plain(name): values
        for name, values in written.items()
    }
    members = [
        entry
        for entry in reference.entries(world, request, as_of)
        if all(admitted(reference.cohort_value(entry, name), values) for name, values in named.items())
    ]
    costs = [
        row
        for row in world.costs
        if all(
            (value := reference.cost_value(row, name)) is not None and admitted(value, values)
            for name, values in named.items()
        )
    ]
    return replace(world, costs=costs), members


def by_hand(
    world: reference.World, request: CohortRequest, as_of: dict[str, date], written: dict[str, list[Any]]
) -> bytes:
    """The administrator's export of what is left."""
    less, members = left_over(world, request, as_of, written)
    with mock.patch.object(reference, "entries", return_value=members):
        return reference.answer(less, request, as_of).body


@settings(max_examples=WORLDS, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(st.integers(0, 2**40), st.sampled_from(SIZES))
def test_a_members_export_is_the_administrators_of_the_admitted_rows(seed: int, size: int) -> None:
    random = Random(seed)
    world = worlds.world(random, size)
    as_of = dict.fromkeys(world.apps, random.choice((date(2024, 5, 3), date(2024, 5, 20))))
    scopes = [AppScope(app, (day - EPOCH).days) for app, day in as_of.items()]
    warehouse = in_order(world)
    for _ in range(REQUESTS):
        request = worlds.request(random)
        written = written_filters(random, random.choice((FAVOURITES, COHORT_NAMES)))
        mandatory = filters_for(parse_filters(written), request.data_source)
        found = answer(warehouse.connection, request, scopes, mandatory)
        assert file_bytes(found) == by_hand(world, request, as_of, written), (request, written)


def test_filters_on_the_later_event_narrow_events_as_a_request_does() -> None:
    """They leave people as they are and make costs unknown (docs/exports.md)."""
    random = Random(7)
    world = worlds.world(random, 80)
    as_of = dict.fromkeys(world.apps, date(2024, 5, 20))
    scopes = [AppScope(app, (day - EPOCH).days) for app, day in as_of.items()]
    warehouse = in_order(world)
    for _ in range(40):
        request = worlds.request(random)
        written = written_filters(random, sorted(name for name in COLUMNS if reference.is_conversion(name)))
        mandatory = filters_for(parse_filters(written), request.data_source)
        conditions = tuple(Filter(name, tuple(values)) for name, values in written.items())
        expected = reference.answer(world, request, as_of, conditions).body
        assert file_bytes(answer(warehouse.connection, request, scopes, mandatory)) == expected


def test_the_generator_is_worth_it() -> None:
    """Filters let something through, keep something back, and meet every measure, users and cost."""
    some = less = priced = 0
    measures = set[str]()
    for seed in range(12):
        random = Random(seed)
        world = worlds.world(random, 80)
        as_of = dict.fromkeys(world.apps, date(2024, 5, 20))
        for _ in range(REQUESTS):
            request = worlds.request(random)
            world_left, members = left_over(world, request, as_of, written_filters(random, FAVOURITES))
            everyone = len(reference.entries(world, request, as_of))
            some += bool(members)
            less += len(members) < everyone
            priced += bool(world_left.costs)
            measures |= set(request.measures)
    assert some > 60
    assert less > 60
    assert priced > 30
    assert set(MEASURES) <= measures
