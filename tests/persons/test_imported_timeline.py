"""People who are known from imported files have a timeline like any other: found, told, and erased."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bough.persons.imported_story import followed
from tests.conftest import STORES, Api, fresh_database
from tests.exports.client import Exports, bough, write_csv
from tests.running import Running

COLUMNS = (
    *("id", "name", "timestamp", "user_data_developer_identity", "user_data_idfa", "user_data_idfv", "user_data_os"),
    *("last_attributed_touch_type", "last_attributed_touch_data_tilde_campaign", "event_data_revenue"),
    *("custom_data", "first_event_for_user"),
)
IDFV = "9A1F0A52-2C5E-4F0B-9A38-3D2A7C6C8A77"
DAY = 86_400_000


@pytest.fixture(params=STORES)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    environment = {"BOUGH_RATE_LIMITS": "off"}
    if request.param == "postgres":
        environment["BOUGH_STORE"] = fresh_database(request.getfixturevalue("postgres"))
    running = Running(tmp_path / "data", "--empty", environment=environment)
    yield running
    running.stop()


def test_a_person_of_a_file_is_found_told_and_erased(server: Running, tmp_path: Path) -> None:
    exports, api = Exports(server), Api(server)
    day = exports.at(20)
    exports.import_events(
        write_csv(
            tmp_path / "old.csv",
            COLUMNS,
            [
                ("i", "INSTALL", day, "", "I-1", IDFV, "IOS", "CLICK", "007", "", "", ""),
                ("p", "PURCHASE", day + 5000, "dora@example.org", "I-1", "", "IOS", "", "", "1e1", '{"a": 1.50}', ""),
                ("o", "OPEN", day + 9 * DAY, "dora@example.org", "", "", "IOS", "", "", "", "", "true"),
                ("q", "OPEN", day, "somebody else", "", "", "IOS", "", "", "", "", ""),
            ],
        )
    )
    (found,) = api.manage("GET", "/api/persons?identity=dora@example.org").json()["persons"]
    assert found["source"] == "import"
    (same,) = api.manage("GET", f"/api/persons?idfv={IDFV}").json()["persons"]
    assert same == found
    document = api.manage("GET", f"/api/persons/{found['person_id']}").json()
    assert document["identifiers"] == [
        {"kind": "idfa", "value": "i-1"},
        {"kind": "identity", "value": "dora@example.org"},
    ]
    timeline = document["timeline"]
    told = ("event_id", "name", "had_app", "first_event_for_user", "reengagement", "seconds_from_install_to_event")
    assert [tuple(one[name] for name in told) for one in timeline] == [
        ("i", "INSTALL", False, True, False, 0),
        ("p", "PURCHASE", True, True, False, 5),
        ("o", "OPEN", True, True, True, 9 * 86_400),
    ]
    assert timeline[0]["last_attributed_touch_data"] == {"~campaign": "007"}
    assert timeline[0]["columns"]["user_data_idfv"] == IDFV
    assert timeline[1]["columns"]["custom_data"] == '{"a": 1.50}'
    assert (timeline[1]["revenue"], timeline[1]["currency"]) == ("1e1", "USD")
    report = api.manage("GET", "/api/persons/by/export?identity=dora@example.org").json()["persons"][0]
    assert [row["id"] for row in report["imported_events"]] == ["i", "p", "o"]
    assert report["imported_events"][1] == timeline[1]["columns"]
    bough(server, "persons", "erase", "--identity", "dora@example.org")
    assert api.manage("GET", "/api/persons?identity=dora@example.org").json()["persons"] == []
    assert api.manage("GET", f"/api/persons/{found['person_id']}").status_code == 404
    left = b"".join(path.read_bytes() for path in (server.folder / "segments").iterdir())
    assert IDFV.encode() not in left
    assert b"dora@" not in left
    api.http.close()
    exports.http.close()


def row(name: str, at: int, **columns: Any) -> dict[str, Any]:
    return {"id": f"{name} {at}", "name": name, "ms": at, "attributed": False, "said_attributed": None, **columns}


def test_what_follows_from_history_and_what_a_file_says_itself() -> None:
    rows = [
        row("WEB_SESSION_START", 0),
        row("OPEN", 1, platform="IOS_WEB"),
        row("REINSTALL", 2),
        row("OPEN", 2),
        row("OPEN", 3, has_app="false"),
        row("PURCHASE", 3, first_event_for_user="false", existing_user="false"),
        row("PURCHASE", 3 + 8 * DAY),
        row("OPEN", 3 + 15 * DAY),
    ]
    found = followed(rows, 7 * DAY)
    assert [one.had_app for one in found] == [False, False, True, False, False, True, True, True]
    assert [one.first for one in found] == [True, True, True, False, False, False, False, False]
    assert [one.known for one in found] == [False, False, True, False, True, False, True, True]
    assert [one.reengagement for one in found] == [False] * 7 + [True]
    assert {one.install for one in found} == {None}
