"""A person is erased: nothing of theirs is left in any byte, and every total is what it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bough.persons.erasing import STEPS
from tests.apps import store_of
from tests.conftest import STORES, fresh_database
from tests.exports.client import bough
from tests.persons.scene import ADDRESS, ANNA, BERT, Scene
from tests.running import Running, wait_until
from tests.sdk.devices import Android


@pytest.fixture(params=STORES)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """A server of its own, whose data are looked at byte by byte."""
    environment = {"BOUGH_RATE_LIMITS": "off"}
    if request.param == "postgres":
        environment["BOUGH_STORE"] = fresh_database(request.getfixturevalue("postgres"))
    running = Running(tmp_path / "data", "--empty", "--workers", "2", environment=environment)
    found = Scene(running, tmp_path)
    yield found
    found.close()
    running.stop()


def test_nothing_is_left_and_every_total_stays(scene: Scene) -> None:
    before = scene.totals()
    assert {line.split(" in ")[0] for line in scene.left()} == set(scene.secrets)  # or the search would prove nothing
    assert ", " in scene.erase()
    assert scene.left() == []
    assert scene.totals() == before
    # The other way round: from the journal again.
    bough(scene.running, "attribution", "rebuild")
    bough(scene.running, "warehouse", "rebuild")
    assert scene.totals() == before
    assert scene.left() == []
    # Who was not meant is still there.
    for name in (f"identity={BERT}", f"identity={ANNA}", f"aaid={scene.anna.aaid}"):
        found = scene.api.manage("GET", f"/api/persons?{name}").json()["persons"]
        assert len(found) == (1 if BERT in name else 0)
    assert [action for action, _ in scene.audit()] == ["person.erase", "person.erased"]
    assert ANNA not in str(scene.audit())


def test_an_erased_person_who_comes_back_is_somebody_new(scene: Scene) -> None:
    scene.erase()
    scene.anna.kept = {}
    answer = scene.anna.start()
    assert scene.anna.data(answer)["+is_first_session"] is True
    scene.anna.kept["identity"] = ANNA
    scene.anna.event("LOGIN")
    scene.settle()
    (person,) = scene.api.manage("GET", f"/api/persons?identity={ANNA}").json()["persons"]
    timeline = scene.api.manage("GET", f"/api/persons/{person['person_id']}").json()["timeline"]
    assert [entry["name"] for entry in timeline if entry.get("name") in ("INSTALL", "PURCHASE")] == ["INSTALL"]


def test_the_api_erases_and_tells_how_far_it_is(scene: Scene) -> None:
    before = scene.totals()
    (found,) = scene.api.manage("GET", f"/api/persons?identity={ANNA}").json()["persons"]
    told = scene.api.manage("GET", f"/api/persons/{found['person_id']}/export")
    assert all(value.lower() in told.text.lower() for name, value in scene.secrets.items() if name not in ("mail",))
    assert BERT.split("@")[0] not in told.text.replace(f'"identity":"{BERT}"', "")
    (begun,) = scene.api.manage("POST", f"/api/persons/{found['person_id']}/erase").json()["erasures"]
    (again,) = scene.api.manage("POST", f"/api/persons/{found['person_id']}/erase").json()["erasures"]
    assert again["erasure_id"] == begun["erasure_id"]

    def done() -> bool:
        answer = scene.api.manage("GET", f"/api/erasures/{begun['erasure_id']}").json()
        assert ANNA not in str(answer)
        return bool(answer["status"] == "done")

    wait_until(done, 60, lambda: scene.running.log.read_text()[-3000:])
    assert scene.left() == []
    assert scene.totals() == before
    assert scene.api.manage("GET", f"/api/persons/by/export?identity={ANNA}").status_code == 404


@pytest.mark.parametrize("scene", ["sqlite"], indirect=True)
@pytest.mark.parametrize("step", STEPS[:-1])
def test_killed_at_any_step_and_repeated_it_finishes(scene: Scene, step: str) -> None:
    before = scene.totals()
    scene.running.stop()
    store = store_of(scene.running)
    command = [sys.executable, "-m", "bough.cli", "persons", "erase", "--identity", ANNA]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BOUGH_")}
    process = subprocess.Popen([*command, "--data", str(scene.running.folder)], env=environment)
    try:
        wait_until(lambda: store.rows("SELECT id FROM erasure WHERE step IN (?, 'done')", (step,)), 60)
        process.send_signal(signal.SIGKILL)
        process.wait()
    finally:
        store.close()
    scene.running.start()
    ended = store_of(scene.running)
    try:
        wait_until(lambda: not ended.rows("SELECT id FROM erasure WHERE step <> 'done'"), 60)
        assert len(ended.rows("SELECT id FROM erasure")) == 1
    finally:
        ended.close()
    scene.settle()
    assert scene.left() == []
    assert scene.totals() == before


@pytest.mark.parametrize("scene", ["sqlite"], indirect=True)
def test_who_has_only_logged_in_is_found_and_erased(scene: Scene) -> None:
    carla = "carla.example@example.org"
    phone = Android(scene.api, ADDRESS)
    phone.start()
    scene.log_in(phone, carla)
    scene.settle()
    (found,) = scene.api.manage("GET", f"/api/persons?identity={carla}").json()["persons"]
    document = scene.api.manage("GET", f"/api/persons/{found['person_id']}").json()
    assert {"kind": "identity", "value": carla} in document["identifiers"]
    scene.secrets = {"identity": carla, "bundle": phone.kept["randomized_bundle_token"]}
    scene.erase("--identity", carla)
    assert scene.left() == []
    assert scene.api.manage("GET", f"/api/persons?identity={carla}").json()["persons"] == []
