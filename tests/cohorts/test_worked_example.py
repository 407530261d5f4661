"""docs/exports.md, "Worked example": every line, as CSV and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from bough.attribution.attributed_event import AttributedEvent, CostRow
from bough.cohorts.files import file_bytes
from bough.cohorts.plan import AppScope
from bough.cohorts.request import parse
from bough.cohorts.result import answer
from bough.warehouse.build import Warehouse

AS_OF = (date(2024, 5, 4) - date(1970, 1, 1)).days
PEOPLE = {"A": 1, "B": 1, "C": 1, "D": 2, "E": 2}
OPENS = ["A1", "A2", "A2", "A4", "B2", "B3", "C3", "D2", "D2", "D3"]
PURCHASES = {"A1": 10, "A2": 5, "A4": 4, "B2": 20, "D4": (15, 10)}

PLAIN: dict[str, list[Any]] = {
    "OPEN": [3, 4, 2, 1],
    "users": [5, 5, 5, 5],
    "Retention": ["1", "0.6", "0.4", "0.2"],
    "PURCHASE": [1, 2, 2, 1],
    "revenue": ["10.00", "25.00", "25.00", "4.00"],
    "ARPU": ["2", "5", "5", "0.8"],
    "ARPPU": ["10", "12.5", "25", "4"],
    "LTV": ["2", "7", "12", "12.8"],
    "cost": ["25.00", "0.00", "0.00", "0.00"],
    "GROSS_PROFIT": ["-15.00", "25.00", "25.00", "4.00"],
    "ROAS": ["40", "100", "100", "16"],
    "ROI": ["-60", "100", "100", "16"],
    "eCPA": ["25", "12.5", "12.5", "25"],
    "ADD_TO_CART": [0, 0, 0, 0],
    "level_up": [0, 0, 0, 0],
}
CUMULATIVE: dict[str, list[Any]] = {
    "OPEN": [3, 7, 9, 10],
    "users": [5, 5, 5, 5],
    "Retention": ["1", "0.6", "0.4", "0.2"],
    "PURCHASE": [1, 3, 5, 6],
    "revenue": ["10.00", "35.00", "60.00", "64.00"],
    "ARPU": ["2", "7", "12", "12.8"],
    "ARPPU": ["10", "17.5", "20", "21.33333333"],
    "LTV": ["2", "7", "12", "12.8"],
    "cost": ["25.00", "25.00", "25.00", "25.00"],
    "GROSS_PROFIT": ["-15.00", "10.00", "35.00", "39.00"],
    "ROAS": ["40", "140", "240", "256"],
    "ROI": ["-60", "40", "140", "156"],
    "eCPA": ["25", "8.333333333", "5", "4.166666667"],
    "ADD_TO_CART": [0, 0, 0, 0],
    "level_up": [0, 0, 0, 0],
}
PER_USER = {
    "OPEN": ["0.6", "0.8", "0.4", "0.2"],
    "PURCHASE": ["0.2", "0.4", "0.4", "0.2"],
    "revenue": ["2", "5", "5", "0.8"],
    "GROSS_PROFIT": ["-3", "5", "5", "0.8"],
    "ARPPU": ["10", "12.5", "25", "4"],
    "LTV": ["2", "7", "12", "12.8"],
}
CUMULATIVE_PER_USER = {
    "OPEN": ["0.6", "1.4", "1.8", "2"],
    "PURCHASE": ["0.2", "0.6", "1", "1.2"],
    "revenue": ["2", "7", "12", "12.8"],
    "GROSS_PROFIT": ["-3", "2", "7", "7.8"],
}
CASES: list[tuple[dict[str, bool], dict[str, list[Any]]]] = [
    ({}, PLAIN),
    ({"cumulative": True}, CUMULATIVE),
    ({"per_user": True}, PER_USER),
    ({"cumulative": True, "per_user": True}, CUMULATIVE_PER_USER),
    ({"unique": True}, {"OPEN": [2, 3, 2, 1]}),
    ({"unique": True, "cumulative": True}, {"OPEN": [2, 3, 4, 4]}),
]


def instant(day: int, hour: int) -> int:
    return int(datetime(2024, 5, day, hour, tzinfo=UTC).timestamp()) * 1000


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    events: list[AttributedEvent] = []

    def add(who: str, name: str, day: int, hour: int, dollars: int | None = None) -> None:
        micro = None if dollars is None else dollars * 1_000_000
        number = len(events)
        events.append(
            AttributedEvent(id=str(number), app="1", person=ord(who), name=name, at=instant(day, hour), micro=micro)
        )

    for who, day in PEOPLE.items():
        add(who, "INSTALL", day, 9)
    for text in OPENS:
        add(text[0], "OPEN", int(text[1]), 12)
    for text, dollars in PURCHASES.items():
        for amount in dollars if isinstance(dollars, tuple) else (dollars,):
            add(text[0], "PURCHASE", int(text[1]), 13, amount)
    found = Warehouse.open(":memory:")
    found.apply(events)
    found.replace_costs("1", "file", "2024-05-01", "2024-05-02", [CostRow(app="1", day="2024-05-02", micro=25_000_000)])
    yield found
    found.connection.close()


def export(warehouse: Warehouse, written: str, measures: list[str], **more: Any) -> str:
    body = {
        "start_date": "2024-05-01",
        "end_date": "2024-05-02",
        "data_source": "install_cohort",
        "measures": measures,
        "granularity_band_count": 5,
        **more,
    }
    request = parse(body, {"app_id": "1", "format": written}, today=date(2024, 5, 4))
    return file_bytes(answer(warehouse.connection, request, [AppScope("1", AS_OF)])).decode()


@pytest.mark.parametrize(("switches", "expected"), CASES)
def test_every_line_as_json(warehouse: Warehouse, switches: dict[str, bool], expected: dict[str, list[Any]]) -> None:
    for measure, values in expected.items():
        (found,) = json.loads(export(warehouse, "json", [measure], **switches))
        assert found["data"] == {**{f"day{band}": value for band, value in enumerate(values)}, "day4": None}
        assert (found["users"], found["cost"], found["measure"]) == (5, "25.00", measure)


@pytest.mark.parametrize(("switches", "expected"), CASES)
def test_every_line_as_csv(warehouse: Warehouse, switches: dict[str, bool], expected: dict[str, list[Any]]) -> None:
    for measure, values in expected.items():
        header, line = export(warehouse, "csv", [measure], **switches).splitlines()
        assert header == "measure,metric,per_user,cumulative,users,cost,day0,day1,day2,day3,day4"
        fields = line.split(",")
        flags = [str(switches.get(name, False)).lower() for name in ("per_user", "cumulative")]
        assert [fields[0], *fields[2:6]] == [measure, *flags, "5", "25.00"]
        assert fields[6:] == [*map(str, values), ""]


def test_observable_users_and_interval(warehouse: Warehouse) -> None:
    text = export(
        warehouse,
        "json",
        ["Retention"],
        observable_users=True,
        band_status=True,
        retention_interval=True,
        denominator="observable",
    )
    (found,) = json.loads(text)
    assert found["observable_users"] == {"day0": 5, "day1": 5, "day2": 5, "day3": 3, "day4": 0}
    assert found["band_status"] == {
        "day0": "complete",
        "day1": "complete",
        "day2": "partial",
        "day3": "partial",
        "day4": "not_started",
    }
    assert found["data"]["day3"] == "0.3333333333"
    low, high = found["retention_interval"]["day1"]
    assert (low[:5], high[:5]) == ("0.230", "0.882")


def test_retention_on_or_after_counts_later_days(warehouse: Warehouse) -> None:
    (found,) = json.loads(export(warehouse, "json", ["Retention"], retention_type="on_or_after"))
    assert found["data"] == {"day0": "1", "day1": "0.8", "day2": "0.6", "day3": "0.2", "day4": None}


def test_incomplete_bands_as_zero_or_left_out(warehouse: Warehouse) -> None:
    (zero,) = json.loads(export(warehouse, "json", ["revenue"], incomplete_bands="zero"))
    (omitted,) = json.loads(export(warehouse, "json", ["revenue"], incomplete_bands="omit"))
    assert zero["data"]["day4"] == "0.00"
    assert "day4" not in omitted["data"]


def test_percentages_as_fractions(warehouse: Warehouse) -> None:
    (found,) = json.loads(export(warehouse, "json", ["ROAS"], percent_as_fraction=True))
    assert found["data"]["day0"] == "0.4"
