"""Cohorts: the page's numbers are the export's, its files are the export's bytes, each number leads to its rows."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import parse_qsl

import msgspec
import pytest

from bough.cohorts.request import parse
from bough.dashboard import cohort_form
from bough.dashboard.cohort_form import CohortQuestion, FilterLine
from bough.dashboard.exports_page import question_of
from bough.dashboard.heat_map import heat_maps
from bough.exports.reports import next_due
from bough.store import open_store
from bough.store.transaction import Transaction
from tests.dashboard.pages import Pages, text_of
from tests.exports.client import Exports, app_in, zone_at_noon
from tests.exports.worked_example import costs, events
from tests.running import Running, wait_until

TODAY = date(2026, 3, 10)


@pytest.fixture(scope="session")
def example(dashboard: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exports]:
    """An app with the contract's worked example in it (docs/exports.md)."""
    folder = tmp_path_factory.mktemp("example")
    client = app_in(dashboard, zone_at_noon())
    client.import_events(events(client, folder / "events.csv"))
    client.import_costs(costs(client, folder / "costs.csv"))
    yield client
    client.http.close()


def question(client: Exports, **fields: str) -> dict[str, str]:
    """The example's question as a page's query."""
    return {"app": client.app_id, "start": client.day(3), "end": client.day(2), "measure": "Retention", "bands": "5",
            "dim": "", **fields}  # fmt: skip


def test_a_question_survives_its_address() -> None:
    asked = CohortQuestion(
        source="reengagement_cohort", days="7", measures=("Retention", "OPEN"), custom="level_up", granularity="week",
        bands="3", dimensions=("data_os", "touch_data_tilde_campaign"), cumulative=True, ordered_by="data_os",
        filters=(FilterLine(dimension="data_os", values="iOS|"), FilterLine(dimension="data_brand", operator="not")),
    )  # fmt: skip
    pairs = cohort_form.pairs_of(asked)
    assert cohort_form.parse([*pairs, *[("f-val", "")]]) == asked
    assert cohort_form.parse([]) == CohortQuestion()


def test_a_question_as_a_request() -> None:
    asked = CohortQuestion(
        days="7", measures=("Retention",), custom="level_up", dimensions=("timezone_adjusted_day",), unique=True,
        filters=(FilterLine(dimension="data_os", values="iOS| "), FilterLine(dimension="data_os", operator="not",
                 values="Android")),
    )  # fmt: skip
    assert cohort_form.body_of(asked, TODAY) == {
        "start_date": "2026-03-04",
        "end_date": "2026-03-10",
        "data_source": "install_cohort",
        "measures": ["Retention", "level_up"],
        "granularity": "day",
        "granularity_band_count": 14,
        "dimensions": ["install_activity_timezone_adjusted_day"],
        "filters": {"install_activity_data_os": {"in": ["iOS", None], "not_in": ["Android"]}},
        "unique": True,
        "ordered_by": "install_activity_timezone_adjusted_day",
    }


def row(users: int, values: list[object], status: list[str]) -> dict[str, object]:
    bands = [f"day{band}" for band in range(len(values))]
    return {
        "users": users, "cost": None, "measure": "Retention", "os": "iOS",
        "data": dict(zip(bands, values, strict=True)),
        "band_status": dict(zip(bands, status, strict=True)),
        "observable_users": {band: users - place for place, band in enumerate(bands)},
        "retention_interval": {band: ["0.1", "0.9"] for band in bands},
    }  # fmt: skip


def test_a_band_that_nobody_has_reached_is_no_zero_and_not_in_the_average() -> None:
    done, partial, later = "complete", "partial", "not_started"
    objects = [row(10, ["1", "0.5", "0"], [done, done, partial]), row(30, ["1", "0.1", None], [done, partial, later])]
    (found,) = heat_maps(objects, {"dimensions": ["os"]})
    assert [[cell.text for cell in line.cells] for line in found.lines] == [
        ["100.0 %", "50.0 %", "0.0 %"],
        ["100.0 %", "10.0 %", ""],
    ]
    assert [[cell.status for cell in line.cells] for line in found.lines] == [
        [done, done, partial],
        [done, partial, later],
    ]
    assert [cell.text for cell in found.mean] == ["100.0 %", "20.0 %", "0.0 %"]
    assert [cell.status for cell in found.mean] == [done, partial, partial]
    assert found.lines[1].cells[1].title == (
        "day1: 10.0 %; 95 % interval 10.0 % to 90.0 %; not finished: 29 of 30 have got so far"
    )
    assert found.lines[0].cells[1].level > found.lines[1].cells[1].level > found.lines[0].cells[2].level


def test_unfinished_bands_are_a_dotted_part_of_their_curve() -> None:
    done, partial, later = "complete", "partial", "not_started"
    objects = [row(30, ["1", "0.5", "0"], [done, done, partial]), row(10, ["1", "1", None], [partial, partial, later])]
    (found,) = heat_maps(objects, {"dimensions": ["os"]})
    assert msgspec.json.decode(found.chart)["series"] == [
        {"label": "iOS", "values": [100.0, 50.0, None], "all": [100.0, 50.0, 0.0]},
        {"label": "", "values": [None, 50.0, 0.0], "tail": True},
        {"label": "iOS", "values": [None, None, None], "all": [100.0, 100.0, None]},
        {"label": "", "values": [100.0, 100.0, None], "tail": True},
    ]


def shown(pages: Pages, query: dict[str, str]) -> str:
    """The answer's part of the page."""
    address = html.unescape(
        re.findall(r'hx-get="(/dashboard/cohorts/answer[^"]*)"', pages.get("/cohorts", **query).text)[0]
    )
    return pages.browser.http.get(address, headers={"HX-Request": "true"}).text


def test_the_page_shows_the_worked_example(pages: Pages, example: Exports) -> None:
    part = shown(pages, question(example))
    cells = [
        text_of(cell).split(" (")[0] for cell in re.findall(r"<td class=\"(?:h\d|later)[^>]*>.*?</td>", part, re.DOTALL)
    ]
    assert [cell.replace("·", "").strip() for cell in cells] == [
        *("100.0 %", "60.0 %", "40.0 %", "20.0 %", "not yet"),
        *("100.0 %", "60.0 %", "40.0 %", "20.0 %", "not yet"),
    ]
    assert "95 % interval 23.1 % to 88.2 %" in part
    assert "not finished: 3 of 5 have got so far" in part


@pytest.mark.parametrize("kind", ["csv", "json", "ndjson"])
def test_the_files_are_the_exports_bytes(pages: Pages, example: Exports, kind: str) -> None:
    query = question(example, measure="LTV", dim="timezone_adjusted_day")
    body = {
        "start_date": example.day(3), "end_date": example.day(2), "data_source": "install_cohort", "measures": ["LTV"],
        "granularity_band_count": 5, "dimensions": ["install_activity_timezone_adjusted_day"],
        "ordered_by": "install_activity_timezone_adjusted_day",
    }  # fmt: skip
    answered = example.http.post(
        "/v2/analytics", params={"app_id": example.app_id, "format": kind, "limit": "50000"}, json=body,
        headers={"Access-Token": example.token, "Prefer": "wait=30"},
    )  # fmt: skip
    assert pages.get("/cohorts", **query, format=kind).content == answered.content
    assert answered.content


def test_a_number_leads_to_its_members_and_events(pages: Pages, example: Exports) -> None:
    part = shown(pages, question(example, measure="PURCHASE"))
    links = [html.unescape(one) for one in re.findall(r'href="(/dashboard/cohorts/cell[^"]*)"', part)]
    query = dict(parse_qsl(links[1].partition("?")[2]))
    assert query["band"] == "1"
    document = pages.browser.http.get(links[1], headers={"Accept": "text/html"})
    assert "Members: 5" in text_of(document.text)
    assert "Events: 2" in text_of(document.text)
    rows = pages.rows("/cohorts/cell", table="events", **query)
    assert sorted(row["revenue_in_usd"] for row in rows) == ["20.000000", "5.000000"]
    # These people were imported, and have a timeline like others.
    (person, *_) = re.findall(r'href="(/dashboard/installs\?[^"]*person=[^"]*)"', document.text)
    led = pages.browser.http.get(html.unescape(person), headers={"Accept": "text/html"})
    assert led.status_code == 303
    answer = pages.browser.http.get(led.headers["location"], headers={"Accept": "text/html"})
    assert "INSTALL import" in text_of(answer.text)
    assert "The imported file credits no touch." in text_of(answer.text)


def test_a_question_that_cannot_be_asked_says_why(pages: Pages, example: Exports) -> None:
    text = pages.text("/cohorts", **question(example, start="2026-01-01", end="2025-01-01"))
    assert "end_date: must not be before start_date" in text


def test_a_job_can_be_seen_fetched_and_asked_again(pages: Pages, example: Exports) -> None:
    shown(pages, question(example, measure="ARPU"))
    jobs = pages.json("/exports")["jobs"]
    assert [one["job_id"] for one in jobs] == [
        one["job_id"] for one in pages.api.manage("GET", "/api/jobs").json()["jobs"]
    ]
    job = next(one for one in jobs if one["request"]["measures"] == ["ARPU"])
    assert pages.json(f"/exports/{job['job_id']}")["status"] == "FINISHED"
    file = pages.browser.http.get(f"/dashboard/exports/{job['job_id']}/file")
    assert file.status_code == 200
    assert file.json()[0]["measure"] == "ARPU"
    again = pages.post(f"/exports/{job['job_id']}/repeat").headers["location"].rpartition("/")[2]
    assert again.partition("?")[0] != job["job_id"]
    other = again.partition("?")[0]
    wait_until(lambda: pages.json(f"/exports/{other}")["status"] == "FINISHED")
    assert pages.post(f"/exports/{other}/cancel").status_code == 303
    assert pages.json(f"/exports/{other}")["status"] == "FINISHED"


def test_a_saved_report_opens_and_can_be_deleted(pages: Pages, example: Exports) -> None:
    query = f"app={example.app_id}"
    response = pages.post(
        f"/cohorts/reports?{query}", name="<b>Weekly</b>", every="week", question="measure=LTV&days=7"
    )
    assert response.status_code == 303, text_of(response.text)
    (found,) = pages.rows("/cohorts/reports", app=example.app_id)
    assert (found["name"], found["every"]) == ("<b>Weekly</b>", "every week")
    assert found["due_at"]
    assert pages.post(f"/cohorts/reports?{query}", name="x", every="hour", question="").status_code == 400
    assert pages.post(f"/cohorts/reports/{found['id']}/delete?{query}").status_code == 303
    assert pages.rows("/cohorts/reports", app=example.app_id) == []


def test_a_report_that_is_due_is_made_once_and_delivered(pages: Pages, example: Exports) -> None:
    name = "due now"
    pages.post(
        f"/cohorts/reports?app={example.app_id}", name=name, every="day", question="measure=Retention&days=7&dim="
    )
    (found,) = pages.rows("/cohorts/reports", app=example.app_id)
    make_due(pages.api.running, int(found["id"]))
    folder = Path(pages.api.running.folder) / "reports" / found["id"]
    wait_until(lambda: folder.is_dir() and [one for one in folder.iterdir() if one.suffix == ".csv"])
    (file,) = [one for one in folder.iterdir() if one.suffix == ".csv"]
    assert file.read_text().startswith("measure,metric,per_user,cumulative,users,cost,day0,")
    (after,) = pages.rows("/cohorts/reports", app=example.app_id)
    assert after["last_job"] in file.name
    assert after["due_at"] > found["due_at"][:10]
    pages.post(f"/cohorts/reports/{found['id']}/delete?app={example.app_id}")


def make_due(running: Running, report: int) -> None:
    """Move a report's time to the past."""

    def batch(tx: Transaction, items: list[int]) -> list[Exception | None]:
        for item in items:
            tx.run("UPDATE report SET due_at = 1 WHERE id = ?", (item,))
        return [None] * len(items)

    store = open_store(Path(running.folder), running.environment.get("BOUGH_STORE", ""))
    try:
        store.transact(batch, report)
    finally:
        store.close()


def test_reports_are_due_at_six_local_time() -> None:
    friday = 1_772_791_200_000  # 2026-03-06T10:00:00Z
    hour = 3_600_000
    assert next_due("", "UTC", friday) is None
    assert next_due("day", "UTC", friday) == friday + 20 * hour
    assert next_due("day", "America/Los_Angeles", friday) == friday + 4 * hour
    assert next_due("week", "UTC", friday) == friday + (2 * 24 + 20) * hour
    assert next_due("month", "UTC", friday) == friday + (25 * 24 + 20) * hour


def test_a_jobs_request_opens_as_the_page_that_asks_it(pages: Pages, example: Exports) -> None:
    body = cohort_form.body_of(
        CohortQuestion(start="2026-03-01", end="2026-03-02", days="", dimensions=("data_os",), bands="3",
                 filters=(FilterLine(dimension="data_brand", operator="not", values="Apple|"),)), TODAY,
    )  # fmt: skip
    request = parse(body, {"app_id": "1"}, today=TODAY)
    again = parse(cohort_form.body_of(question_of(request), TODAY), {"app_id": "1"}, today=TODAY)
    assert again == request


def test_without_scripts_the_page_itself_holds_the_answer(pages: Pages, example: Exports) -> None:
    asked = question(example)
    waiting = pages.get("/cohorts", **asked).text
    (link,) = re.findall(r'<noscript><a href="([^"]*)"', waiting)
    shown = pages.browser.http.get(html.unescape(link), headers={"Accept": "text/html"}).text
    assert '<table class="heat' not in waiting
    assert re.findall(r'<table class="heat.*?</table>', shown, re.DOTALL) == re.findall(
        r'<table class="heat.*?</table>', pages.get("/cohorts/answer", **asked).text, re.DOTALL
    )
    assert '<table class="heat' in shown
    assert "hx-get" not in shown


def test_looking_again_is_not_another_export(pages: Pages, example: Exports) -> None:
    def asked() -> list[dict[str, str]]:
        answer = pages.api.manage("GET", "/api/audit", params={"action": "export.create", "limit": "500"})
        entries: list[dict[str, str]] = answer.json()["entries"]
        return entries

    wanted = question(example, measure="OPEN", bands="3")
    before = len(asked())
    pages.get("/cohorts/answer", **wanted)
    assert len(asked()) == before + 1
    pages.get("/cohorts/answer", **wanted)
    pages.get("/cohorts", wait="1", **wanted)
    assert len(asked()) == before + 1
