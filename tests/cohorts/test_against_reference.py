"""The warehouse and the slow reference give the same bytes, whatever came in and in whatever order."""

from __future__ import annotations

import os
import shutil
import threading
from datetime import date, timedelta
from pathlib import Path
from random import Random

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bough.attribution.attributed_event import AttributedEvent
from bough.cohorts.arrays import activity_rows as rows
from bough.cohorts.files import file_bytes
from bough.cohorts.measures import Form, Number
from bough.cohorts.plan import AppScope
from bough.cohorts.request import CohortRequest, parse
from bough.cohorts.result import answer
from bough.vocabulary.filters import Filter
from bough.warehouse import copies
from bough.warehouse.build import Warehouse
from bough.warehouse.schema import COHORTS
from tests.cohorts import reference, worlds

WORLDS = int(os.environ.get("BOUGH_COHORT_WORLDS", "24"))
REQUESTS = 84
"""24 worlds x 84 requests are 2,016 cases. Each is compared twice: one half in order and shuffled, the other half in
order and compacted, and shuffled and compacted."""
SIZES = (1, 8, 40, 60, 60, 80, 90)
"""Events of a world."""
EPOCH = date(1970, 1, 1)


def empty(world: reference.World) -> Warehouse:
    warehouse = Warehouse.open(":memory:")
    for name, app in world.apps.items():
        warehouse.configure_app(name, app.zone, app.inactivity_ms, app.revenue_events)
    return warehouse


def add_costs(warehouse: Warehouse, world: reference.World) -> None:
    for name in world.apps:
        rows = [row for row in world.costs if row.app == name]
        warehouse.replace_costs(name, "file", "2024-01-01", "2024-12-31", rows)


def in_order(world: reference.World) -> Warehouse:
    warehouse = empty(world)
    warehouse.apply(sorted(world.events, key=lambda e: e.at))
    for app, old, into in world.merges:
        warehouse.merge_persons(app, [(old, into)])
    warehouse.refresh()
    add_costs(warehouse, world)
    return warehouse


def piecemeal(world: reference.World, random: Random) -> Warehouse:
    """Shuffled, in three parts with repeats, merges and compactions in between."""
    warehouse = empty(world)
    shuffled = random.sample(world.events, len(world.events))
    add_costs(warehouse, world)
    third = len(shuffled) // 3 + 1
    for place in range(3):
        part = shuffled[place * third : (place + 1) * third]
        repeats = [AttributedEvent(**{f: getattr(e, f) for f in e.__struct_fields__}) for e in shuffled[:2]]
        warehouse.apply([*part, *(repeats if place else [])])
        if place == 0:
            for app, old, into in world.merges:
                warehouse.merge_persons(app, [(old, into)])
        if random.random() < 0.4:
            warehouse.compact()
    return warehouse


def assert_same(
    warehouse: Warehouse,
    world: reference.World,
    cases: list[tuple[CohortRequest, reference.Expected]],
    as_of: dict[str, date],
    mandatory: tuple[Filter, ...],
) -> None:
    scopes = [AppScope(app, (day - EPOCH).days) for app, day in as_of.items()]
    for request, expected in cases:
        found = answer(warehouse.connection, request, scopes, mandatory)
        assert file_bytes(found) == expected.body, request
        assert (found.rows, found.rows_total) == (expected.rows, expected.rows_total), request


@settings(max_examples=WORLDS, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(st.integers(0, 2**40), st.sampled_from(SIZES))
def test_same_bytes_in_any_order_and_after_compaction(seed: int, size: int) -> None:
    random = Random(seed)
    world = worlds.world(random, size)
    last = random.choice((date(2024, 5, 3), date(2024, 5, 20), date(2024, 4, 1)))
    as_of = {"100": last, "200": last - timedelta(days=random.randint(0, 1))}
    if random.random() < 0.5:
        del as_of["200"]
    mandatory: tuple[Filter, ...] = ()
    if random.random() < 0.2:
        mandatory = (Filter(random.choice(("app_id", "user_data_os")), ("100", "IOS"), ()),)
    requests = [worlds.request(random) for _ in range(REQUESTS)]
    cases = [(request, reference.answer(world, request, as_of, mandatory)) for request in requests]
    ordered = in_order(world)
    assert_same(ordered, world, cases[::2], as_of, mandatory)
    ordered.compact()
    assert_same(ordered, world, cases[1::2], as_of, mandatory)
    shuffled = piecemeal(world, random)
    assert_same(shuffled, world, cases[::2], as_of, mandatory)
    shuffled.compact()
    assert_same(shuffled, world, cases[1::2], as_of, mandatory)


def test_same_bytes_from_files_beside_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "WORTH_FILES", 1)
    monkeypatch.setattr(rows, "_ROWS", 2)  # many ranges of members, in threads
    for seed in range(3):
        random = Random(seed)
        world = worlds.world(random, 80)
        as_of = dict.fromkeys(world.apps, date(2024, 5, 20))
        cases = [(r, reference.answer(world, r, as_of)) for r in (worlds.request(random) for _ in range(REQUESTS))]
        warehouse = Warehouse.open(tmp_path / f"{seed}.duckdb")
        files = tmp_path / f"{seed}.duckdb.columns"
        for name, app in world.apps.items():
            warehouse.configure_app(name, app.zone, app.inactivity_ms, app.revenue_events)
        most = len(world.events) - 3
        warehouse.apply(world.events[:most])
        assert any(files.iterdir())  # everybody was new, so main was written
        warehouse.apply(world.events[most:])
        for name, old, into in world.merges:
            warehouse.merge_persons(name, [(old, into)])
        warehouse.refresh()
        add_costs(warehouse, world)
        for cohort in COHORTS:  # some people's rows are no longer those of the copy
            assert warehouse.connection.execute(f"SELECT count(*) > 0 FROM {cohort}_members_delta").fetchone() == (
                True,
            )
        assert_same(warehouse, world, cases, as_of, ())  # files and delta
        warehouse.compact()
        assert len(list(files.iterdir())) <= 4  # the present ones and those before, of both cohorts
        assert_same(warehouse, world, cases, as_of, ())
        shutil.rmtree(files)
        assert_same(warehouse, world, cases[::4], as_of, ())  # without them the tables answer
        warehouse.connection.close()


def test_what_ends_a_computation_ends_its_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_ROWS", 1)
    warehouse = Warehouse.open(tmp_path / "w.duckdb")
    warehouse.connection.execute("SET threads = 2")
    people = range(20)
    warehouse.apply(AttributedEvent(id=f"i{n}", app="1", person=n, name="INSTALL", at=1) for n in people)
    warehouse.apply(AttributedEvent(id=f"o{n}", app="1", person=n, name="OPEN", at=2) for n in people)
    warehouse.compact()
    workers: set[str] = set()

    def check() -> None:
        workers.add(threading.current_thread().name)
        raise duckdb.InterruptException("The job was cancelled.")

    body = {
        "start_date": "1970-01-01",
        "end_date": "1970-01-01",
        "data_source": "install_cohort",
        "measures": ["OPEN"],
        "granularity_band_count": 1,
    }
    request = parse(body, {"app_id": "1"}, today=date(1970, 2, 1))
    with pytest.raises(duckdb.InterruptException, match="cancelled"):
        answer(warehouse.connection, request, [AppScope("1", 3)], check=check)
    assert workers
    assert all(name.startswith("bough-cohort") for name in workers)
    assert not any(thread.name.startswith("bough-cohort") for thread in threading.enumerate())
    found = answer(warehouse.connection, request, [AppScope("1", 3)])
    assert [shown.cells[0] for shown in found.objects()] == [Number(Form.COUNT, 20)]


def test_most_generated_requests_find_somebody() -> None:
    found = 0
    for seed in range(20):
        random = Random(seed)
        world = worlds.world(random, 70)
        as_of = dict.fromkeys(world.apps, date(2024, 5, 20))
        found += sum(reference.answer(world, worlds.request(random), as_of).rows > 0 for _ in range(REQUESTS))
    assert found > 20 * REQUESTS / 2
