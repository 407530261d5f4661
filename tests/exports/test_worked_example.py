"""docs/exports.md's worked example, every line, from files on disk to the bytes of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exports.client import Exports, app_in, zone_at_noon
from tests.exports.worked_example import BANDS, METRICS, costs, events, lines
from tests.running import Running

Line = tuple[str, bool, bool, bool, list[str]]


@pytest.fixture(scope="module")
def example(exports_server: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exports]:
    """The example, imported while the server runs."""
    client = app_in(exports_server, zone_at_noon())
    folder = tmp_path_factory.mktemp("example")
    client.import_events(events(client, folder / "events.csv"))
    client.import_costs(costs(client, folder / "costs.csv"))
    yield client
    client.http.close()


def _name(line: Line) -> str:
    measure, per_user, unique, cumulative, _ = line
    return measure + " per_user" * per_user + " unique" * unique + " cumulative" * cumulative


def _request(client: Exports, line: Line) -> dict[str, object]:
    measure, per_user, unique, cumulative, _ = line
    return client.body(measures=[measure], per_user=per_user, unique=unique, cumulative=cumulative)


def _metric(line: Line) -> str:
    return METRICS.get(line[0], "unique_count" if line[2] else "total_count")


def _counts(line: Line) -> bool:
    """Whether its values are whole numbers in JSON."""
    return line[0] == "users" or (_metric(line) in ("total_count", "unique_count") and not line[1])


@pytest.mark.parametrize("line", lines(), ids=_name)
def test_csv_is_exactly_as_worked_out(example: Exports, line: Line) -> None:
    flags = f"{str(line[1]).lower()},{str(line[3]).lower()}"
    expected = (
        f"measure,metric,per_user,cumulative,users,cost,{','.join(BANDS)}\n"
        f"{line[0]},{_metric(line)},{flags},5,25.00,{','.join(line[4])},\n"
    )
    assert example.waited(_request(example, line)).decode() == expected


@pytest.mark.parametrize("line", lines(), ids=_name)
def test_json_is_exactly_as_worked_out(example: Exports, line: Line) -> None:
    whole = line[0] == "users" or (line[0] != "Retention" and _counts(line))
    shown = [value if whole else f'"{value}"' for value in line[4]] + ["null"]
    data = ",".join(f'"{band}":{value}' for band, value in zip(BANDS, shown, strict=True))
    expected = (
        f'[{{"users":5,"cost":"25.00","metric":"{_metric(line)}","measure":"{line[0]}",'
        f'"per_user":{str(line[1]).lower()},"cumulative":{str(line[3]).lower()},"data":{{{data}}}}}]\n'
    )
    assert example.waited(_request(example, line), format="json").decode() == expected


def test_five_measures_in_one_request_keep_their_order(example: Exports) -> None:
    measures = ["eCPA", "OPEN", "Retention", "revenue", "users"]
    content = example.waited(example.body(measures=measures, granularity_band_count=1)).decode()
    assert [line.split(",")[0] for line in content.splitlines()[1:]] == measures


def test_the_days_are_split_by_the_date_dimension(example: Exports) -> None:
    body = example.body(dimensions=["install_activity_timezone_adjusted_day"], measures=["revenue"])
    assert example.waited(body).decode().splitlines()[1:] == [
        f"revenue,revenue,false,false,3,15.50,{example.day(3)},10.00,25.00,0.00,4.00,",
        f"revenue,revenue,false,false,2,9.50,{example.day(2)},0.00,0.00,25.00,,",
    ]


def test_observable_users_and_the_partial_band(example: Exports) -> None:
    body = example.body(measures=["Retention"], observable_users=True, band_status=True, denominator="observable")
    (row,) = example.http.post(
        "/v2/analytics",
        params={"app_id": example.app_id, "format": "json"},
        json=body,
        headers={"Access-Token": example.token, "Prefer": "wait=60"},
    ).json()
    assert row["observable_users"] == {"day0": 5, "day1": 5, "day2": 5, "day3": 3, "day4": 0}
    assert row["band_status"] == {
        "day0": "complete",
        "day1": "complete",
        "day2": "partial",
        "day3": "partial",
        "day4": "not_started",
    }
    assert row["data"]["day3"] == "0.3333333333"


def test_wilson_interval_of_day_1(example: Exports) -> None:
    content = example.waited(example.body(measures=["Retention"], retention_interval=True), format="ndjson").decode()
    assert '"day1":["0.2307242812","0.8823793165"]' in content or '"day1":["0.23' in content


def test_what_an_agency_tool_sends_from_the_seed(example: Exports) -> None:
    """The seed's own request, spelling mistakes included, finds nobody in a campaign that does not exist."""
    content = example.waited(
        {
            "start_date": example.day(3),
            "end_date": example.day(2),
            "dimensions": ["install_activity_touch_data_tilde_campaign"],
            "data_source": "install_cohort",
            "filters": {"install_activity_touch_data_tilde_campaign": ["A4G"]},
            "ordered": "descending",
            "ordered_by": "install_activity_touch_data_tilde_campaign",
            "measures": ["OPEN"],
            "granularity_band_count": 7,
            "cumulative": False,
            "per_user": False,
            "granularity": "day",
            "enable_intall_recalculation": True,
        },
        limit="50000",
        format="json",
    )
    assert content == b"[]\n"


def test_the_example_survives_a_rebuild(example: Exports, tmp_path: Path) -> None:
    body = example.body(measures=["OPEN", "revenue"], fresh=True)
    assert example.waited(body) == example.file(body)
