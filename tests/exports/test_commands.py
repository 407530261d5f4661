"""`bough export`, `bough exports`, `bough warehouse rebuild`: the same bytes as the API, with and without a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.exports.client import Exports, app_in, bough, write_csv, zone_at_noon
from tests.exports.worked_example import costs, events
from tests.running import Running

CAMPAIGN = "install_activity_touch_data_tilde_campaign"


@pytest.fixture
def filled(exports: Exports, tmp_path: Path) -> Exports:
    """The worked example."""
    exports.import_events(events(exports, tmp_path / "events.csv"))
    exports.import_costs(costs(exports, tmp_path / "costs.csv"))
    return exports


def test_export_writes_what_the_api_answers(filled: Exports, tmp_path: Path) -> None:
    body = filled.body(measures=["OPEN", "ROAS", "eCPA"], cumulative=True)
    for form in ("csv", "json", "ndjson", "csv.gz"):
        request, output = tmp_path / "request.json", tmp_path / f"out.{form}"
        request.write_text(json.dumps(body))
        bough(filled.running, "export", str(request), "--app", filled.app_id, "--format", form, "-o", str(output))
        assert output.read_bytes() == filled.waited(body, format=form)


def test_export_takes_the_request_from_options(filled: Exports) -> None:
    printed = bough(
        filled.running,
        *("export", "--app", filled.app_id, "--start-date", filled.day(3), "--end-date", filled.day(2)),
        *("--data-source", "install_cohort", "--measures", "OPEN,users", "--dimensions", CAMPAIGN),
        *("--granularity-band-count", "2", "--filter", f"{CAMPAIGN}=!spring", "--per-user"),
    )
    body = filled.body(
        measures=["OPEN", "users"],
        dimensions=[CAMPAIGN],
        granularity_band_count=2,
        filters={CAMPAIGN: ["!spring"]},
        per_user=True,
    )
    assert printed.stdout.encode() == filled.waited(body)


def test_export_says_what_is_wrong(filled: Exports, tmp_path: Path) -> None:
    for options, says in (
        (["--app", filled.app_id], "start_date: is required"),
        ([], "Give --app or --organization."),
        (["--organization", "1"], "There is no organization '1'."),
        (["--app", filled.app_id, str(tmp_path / "none.json")], "cannot be read"),
        (["--app", filled.app_id, "--filter", "x"], "must look like DIMENSION=VALUE"),
    ):
        assert says in bough(filled.running, "export", *options, code=1).stderr


def test_jobs_can_be_listed(filled: Exports) -> None:
    job = filled.job(filled.body())
    assert job in bough(filled.running, "exports", "list", "--app", filled.app_id).stdout


def test_a_rebuild_gives_the_same_bytes(filled: Exports) -> None:
    body = filled.body(measures=["OPEN", "revenue", "ROAS", "Retention"], fresh=True)
    before = filled.waited(body)
    done = bough(filled.running, "warehouse", "rebuild")
    assert done.stdout == "The warehouse was made again.\n"
    assert filled.waited(body) == before


def test_all_of_it_works_without_a_server(tmp_path: Path) -> None:
    running = Running(tmp_path / "data", "--empty", environment={"BOUGH_RATE_LIMITS": "off"})
    client = app_in(running, zone_at_noon())
    body = client.body(measures=["OPEN", "revenue", "cost"], fresh=True)
    request = tmp_path / "request.json"
    request.write_text(json.dumps(body))
    try:
        client.import_events(events(client, tmp_path / "events.csv"))
        with_server = client.waited(body)
    finally:
        running.stop()
        client.http.close()
    export = ("export", str(request), "--app", client.app_id)
    assert bough(running, *export).stdout.encode() == with_server
    client.import_costs(costs(client, tmp_path / "costs.csv"))
    with_costs = bough(running, *export).stdout
    assert with_costs.splitlines()[1].split(",")[5] == "25.00"
    one_more = [("INSTALL", client.at(3), "F")]
    more = write_csv(tmp_path / "more.csv", ("name", "timestamp", "user_data_developer_identity"), one_more)
    client.import_events(more)
    after = bough(running, *export).stdout
    assert after.splitlines()[1].split(",")[4] == "6"
    assert bough(running, "warehouse", "rebuild").stdout == "The warehouse was made again.\n"
    assert bough(running, *export).stdout == after
