"""Jobs, their status, files and addresses (docs/access.md, docs/exports.md)."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import apsw
import duckdb
import pytest

from bough.cohorts.request import parse
from bough.exports.job import KEPT_MS, Job, Status, status_document
from bough.exports.records import Updated, update_batch
from bough.exports.signing import Signer, open_signer
from bough.store.sqlite import FILE_NAME
from tests.apps import store_of, token_of
from tests.exports.client import Exports, app_in, read_csv, write_csv, zone_at_noon
from tests.running import Running, children_named, wait_until

REFUSED = {"error": {"message": "Authentication failed !", "code": 400}}
UNKNOWN = {"error": {"message": "Job ID Not Found", "code": 404}}


@pytest.fixture(scope="module")
def app(exports_server: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exports]:
    """An app with three installs in three campaigns, one of them with a hostile name."""
    client = app_in(exports_server, zone_at_noon())
    rows = [
        (f"i{n}", "INSTALL", client.at(3), f"person {n}", campaign, "true")
        for n, campaign in enumerate(("spring", 'a,"b"\nc', "=1+1"))
    ]
    columns = ("id", "name", "timestamp", "user_data_developer_identity", "last_attributed_touch_data_tilde_campaign")
    client.import_events(write_csv(tmp_path_factory.mktemp("jobs") / "e.csv", (*columns, "attributed"), rows))
    yield client
    client.http.close()


CAMPAIGN = "install_activity_touch_data_tilde_campaign"


def test_create_answers_with_exactly_the_documented_keys(app: Exports) -> None:
    answer = app.post(app.body(fresh=True))
    job = answer.json()["job_id"]
    assert answer.json() == {
        "code": 200,
        "job_id": job,
        "status_url": f"{app.running.base_url}/v2/analytics/{job}",
    }
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", job)


def test_a_finished_status_has_the_file_and_says_how_fresh_it_is(app: Exports) -> None:
    document = app.ended(app.job(app.body(fresh=True)))
    assert list(document)[:3] == ["code", "status", "response_url"]
    assert (document["code"], document["status"]) == (200, "FINISHED")
    assert "error_message" not in document
    assert (document["rows"], document["rows_total"], document["truncated"]) == (1, 1, False)
    iso = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
    for name in ("created_at", "started_at", "finished_at", "data_as_of", "expires_at"):
        assert iso.fullmatch(document[name]), name
    assert document["data_as_of"] <= document["finished_at"]


@pytest.mark.parametrize(
    ("form", "ending"), [("", "csv"), ("csv", "csv"), ("json", "json"), ("ndjson", "ndjson"), ("csv.gz", "csv.gz")]
)
def test_the_file_is_named_as_documented(app: Exports, form: str, ending: str) -> None:
    job = app.job(app.body(fresh=True), **({"format": form} if form else {}))
    url = urlsplit(app.ended(job)["response_url"])
    name = url.path.rpartition("/")[2]
    pattern = rf"{app.day(3)}-{app.day(2)}-install_cohort-day-{job}-[0-9A-Za-z]{{16}}\.{re.escape(ending)}"
    assert re.fullmatch(pattern, name)
    assert list(parse_qs(url.query)) == ["Signature", "AWSAccessKeyId", "Expires"]


def test_the_file_needs_no_token_and_names_its_type(app: Exports) -> None:
    document = app.ended(app.job(app.body(fresh=True), format="json"))
    answer = app.http.get(document["response_url"])
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()[0]["users"] == 3


def test_the_signature_holds_for_this_file_and_time_only(app: Exports) -> None:
    one, two = (app.ended(app.job(app.body(fresh=True)))["response_url"] for _ in range(2))
    first, second = urlsplit(one), urlsplit(two)
    expires = parse_qs(first.query)["Expires"][0]
    good = parse_qs(first.query)["Signature"][0]
    tampered = [
        f"{first.path}?{second.query}",
        first.path,
        f"{first.path}?{first.query.replace(expires, str(int(expires) + 1))}",
        f"{first.path}?{first.query.replace(good, good[:-1] + ('A' if good[-1] != 'A' else 'B'))}",
        f"{first.path}?Signature={good}",
        f"{first.path}?Expires={expires}",
        f"{first.path}?Signature=&Expires={expires}",
        f"{first.path}?{first.query.replace(expires, '9' * 40)}",
        f"{first.path}?{first.query.replace(expires, '%D9%A1')}",
        f"{first.path.replace('.csv', '.json')}?{first.query}",
    ]
    for address in tampered:
        answer = app.http.get(address)
        assert answer.status_code == 403, address
        assert answer.json()["error"]["code"] == 403
    assert app.http.get(one).status_code == 200


def test_an_address_ends_when_it_says(app: Exports) -> None:
    """A replay after the expiry is refused; asking for the status again gives a new address."""
    job = app.job(app.body(fresh=True))
    url = urlsplit(app.ended(job)["response_url"])
    name, owner = url.path.rpartition("/")[2], int(parse_qs(url.query)["AWSAccessKeyId"][0])
    signer = _signer(app.running)
    past, soon = int(time.time()) - 1, int(time.time()) + 60
    assert app.http.get(f"/v2/analytics/files/{name}?{signer.signed_query(name, past, owner)}").status_code == 403
    assert app.http.get(f"/v2/analytics/files/{name}?{signer.signed_query(name, soon, owner)}").status_code == 200
    assert app.http.get(app.status(job).json()["response_url"]).status_code == 200


@pytest.mark.parametrize("name", ["..%2fbough.db", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", ".x.csv.part", "x.csv%00", "x"])
def test_a_signed_name_never_leaves_the_folder(app: Exports, name: str) -> None:
    query = _signer(app.running).signed_query(unquote(name), int(time.time()) + 60, 1)
    assert app.http.get(f"/v2/analytics/files/{name}?{query}").status_code in (403, 404)


def _signer(running: Running) -> Signer:
    store = store_of(running)
    try:
        return open_signer(store)
    finally:
        store.close()


def test_a_limit_that_cuts_is_reported_and_cuts_a_tuple_in_two(app: Exports) -> None:
    body = app.body(dimensions=[CAMPAIGN], measures=["OPEN", "users"], fresh=True)
    document = app.ended(app.job(body, limit="3"))
    assert (document["rows"], document["rows_total"], document["truncated"]) == (3, 6, True)
    rows = read_csv(app.http.get(document["response_url"]).content)
    assert [row["measure"] for row in rows] == ["OPEN", "users", "OPEN"]
    answer = app.post({**body, "fresh": True}, {"Prefer": "wait=30"}, limit="3")
    assert (answer.headers["bough-rows-total"], answer.headers["bough-truncated"]) == ("6", "true")


def test_without_a_limit_there_are_100_objects(new_app: Callable[[], Exports], tmp_path: Path) -> None:
    client = new_app()
    columns = ("name", "timestamp", "attributed", "last_attributed_touch_data_tilde_campaign", "user_data_aaid")
    rows = [("INSTALL", client.at(3), "true", f"c{n:03}", f"device {n}") for n in range(120)]
    client.import_events(write_csv(tmp_path / "many.csv", columns, rows))
    document = client.ended(client.job(client.body(dimensions=[CAMPAIGN])))
    assert (document["rows"], document["rows_total"], document["truncated"]) == (100, 120, True)


def test_an_app_may_have_limits_of_its_own(exports_server: Running, tmp_path: Path) -> None:
    client = app_in(exports_server, zone_at_noon(), export_limit=2, export_max_limit=3)
    columns = ("name", "timestamp", "attributed", "last_attributed_touch_data_tilde_campaign")
    client.import_events(
        write_csv(tmp_path / "few.csv", columns, [("INSTALL", client.at(3), "true", f"c{n}") for n in range(4)])
    )
    body = client.body(dimensions=[CAMPAIGN])
    document = client.ended(client.job(body))
    assert (document["rows"], document["rows_total"]) == (2, 4)
    assert client.ended(client.job(body, limit="3"))["rows"] == 3
    answer = client.post(body, limit="4")
    assert answer.json()["error_message"] == "limit: must be between 1 and 3"
    client.http.close()


def test_hostile_values_come_back_as_they_were(app: Exports) -> None:
    body = app.body(dimensions=[CAMPAIGN], measures=["users"], granularity_band_count=1)
    content = app.waited(body)
    assert {row[CAMPAIGN] for row in read_csv(content)} == {"spring", 'a,"b"\nc', "=1+1"}
    safe = app.waited({**body, "neutralize_formulas": True})
    assert {row[CAMPAIGN] for row in read_csv(safe)} == {"spring", 'a,"b"\nc', "'=1+1"}


def test_parquet_ndjson_and_gz_hold_the_same_as_csv(app: Exports, tmp_path: Path) -> None:
    body = app.body(dimensions=[CAMPAIGN], measures=["users", "Retention"])
    plain = app.waited(body)
    assert gzip.decompress(app.waited(body, format="csv.gz")) == plain
    rows = app.waited(body, format="ndjson").decode().splitlines()
    assert "[" + ",\n".join(rows) + "]\n" == app.waited(body, format="json").decode()
    path = tmp_path / "file.parquet"
    path.write_bytes(app.waited(body, format="parquet"))
    with duckdb.connect() as connection:
        values = connection.execute(f"FROM '{path}'").fetchall()
    shown = [
        ["" if value is None else str(value).lower() if isinstance(value, bool) else str(value) for value in row]
        for row in values
    ]
    assert [list(row.values()) for row in read_csv(plain)] == shown


def test_an_unknown_job_and_another_tenants_job_look_alike(app: Exports, stranger: Exports) -> None:
    job = app.job(app.body(fresh=True))
    theirs = stranger.status(job)
    unknown = app.status("7636f4ab-34d1-47d1-a9c9-000000000000")
    assert (theirs.status_code, theirs.json()) == (unknown.status_code, unknown.json()) == (404, UNKNOWN)


def test_a_stranger_cannot_cancel_or_list_our_jobs(app: Exports, stranger: Exports) -> None:
    token = {"Access-Token": stranger.token}
    job = app.job(app.body(fresh=True))
    answer = app.http.post(f"/api/jobs/{job}/cancel", headers=token)
    assert (answer.status_code, answer.json()) == (404, UNKNOWN)
    assert app.http.get("/api/jobs", headers=token).json() == {"jobs": [], "next": None}


@pytest.mark.parametrize("token", [None, "", "api_app_unknown", "ä".encode()])
def test_a_missing_or_unknown_token_is_400(app: Exports, token: Any) -> None:
    headers = {} if token is None else {"Access-Token": token}
    for method, path in (("POST", "/v2/analytics"), ("GET", "/v2/analytics/x"), ("GET", "/api/jobs")):
        answer = app.http.request(
            method, path, params={"app_id": app.app_id}, headers=headers, json=app.body() if method == "POST" else None
        )
        assert (answer.status_code, answer.json()) == (400, REFUSED), path


@pytest.mark.parametrize("missing", ["aggregate_data", "export"])
def test_both_permissions_are_needed(app: Exports, missing: str) -> None:
    token = token_of(app.running, [name for name in ("aggregate_data", "export") if name != missing])
    answer = app.post(app.body(), {"Access-Token": token})
    assert (answer.status_code, answer.json()) == (400, REFUSED)
    granted = token_of(app.running, ["aggregate_data", "export"])
    assert app.post(app.body(), {"Access-Token": granted}).status_code == 200


def test_the_token_may_come_as_api_key_and_the_app_as_header(app: Exports) -> None:
    body = app.body()
    ways = [
        app.http.post("/v2/analytics", params={"app_id": app.app_id, "api_key": app.token}, json=body),
        app.http.post("/v2/analytics", headers={"access-token": app.token, "app_id": app.app_id}, json=body),
        app.http.post(
            "/v2/analytics",
            params={"app_id": app.app_id},
            headers={"ACCESS-TOKEN": app.token, "Content-Type": "text/plain"},
            content=json.dumps(body),
        ),
    ]
    for answer in ways:
        assert (answer.status_code, answer.json()["code"]) == (200, 200), answer.text
        assert app.ended(answer.json()["job_id"])["status"] == "FINISHED"


def test_an_organization_is_all_of_its_apps(app: Exports, new_app: Callable[[], Exports], tmp_path: Path) -> None:
    second = new_app()
    second.import_events(write_csv(tmp_path / "b.csv", ("name", "timestamp"), [("INSTALL", second.at(3))]))
    body = app.body(
        dimensions=["app_id"], measures=["users"], filters={"app_id": [app.app_id, second.app_id]}, fresh=True
    )
    whole = app.http.post(
        "/v2/analytics",
        params={"organization_id": app.organization_id},
        json=body,
        headers={"Access-Token": app.token, "Prefer": "wait=30"},
    )
    assert {row["app_id"]: row["users"] for row in read_csv(whole.content)} == {app.app_id: "3", second.app_id: "1"}
    alone = app.waited(body)
    assert {row["app_id"]: row["users"] for row in read_csv(alone)} == {app.app_id: "3"}
    both = app.waited(body, organization_id=app.organization_id)
    assert both == alone


def test_an_app_must_belong_to_the_organization_and_the_token(app: Exports, stranger: Exports) -> None:
    theirs, other = stranger.app_id, stranger.organization_id
    assert other != app.organization_id
    for query in ({"app_id": theirs}, {"app_id": app.app_id, "organization_id": other}, {"app_id": "0"}):
        answer = app.post(app.body(), **query)
        assert (answer.status_code, answer.json()) == (400, REFUSED), query
    alone = app.http.post(
        "/v2/analytics", params={"organization_id": other}, json=app.body(), headers={"Access-Token": app.token}
    )
    assert (alone.status_code, alone.json()) == (400, REFUSED)


def test_equal_requests_share_a_job_until_there_is_new_data(new_app: Callable[[], Exports], tmp_path: Path) -> None:
    client = new_app()
    body = client.body(measures=["users", "cost"])
    first = client.job(body)
    assert client.job(body) == first
    assert client.ended(first)["status"] == "FINISHED"
    assert client.job(body) == first
    assert client.job({**body, "granularity_band_count": 6}) != first
    assert client.job(body, format="json") != first
    assert client.job({**body, "fresh": True}) != first
    client.import_events(write_csv(tmp_path / "new.csv", ("name", "timestamp"), [("INSTALL", client.at(3))]))
    second = client.job(body)
    assert second != first
    client.import_costs(write_csv(tmp_path / "cost.csv", ("date", "cost"), [(client.day(3), "1")]))
    third = client.job(body)
    assert third not in (first, second)


def test_equal_requests_at_the_same_moment_share_a_job(app: Exports) -> None:
    body = app.body(measures=["users", "eCPA"])
    with ThreadPoolExecutor(8) as pool:
        jobs = set(pool.map(lambda _: app.job(body), range(8)))
    assert len(jobs) == 1


def test_a_job_that_was_answered_before_all_had_arrived_is_not_shared(app: Exports) -> None:
    body = app.body(measures=["users", "ROI"])
    first = app.job(body)
    assert app.ended(first)["status"] == "FINISHED"
    assert app.job(body) == first
    store = store_of(app.running)
    try:
        store.transact(update_batch, Updated(first, (Status.FINISHED,), {"data_as_of": 1_700_000_000_000}))
    finally:
        store.close()
    second = app.job(body)
    assert second != first
    assert app.ended(second)["status"] == "FINISHED"
    assert app.job(body) == second


def test_a_cancelled_job_stays_cancelled(app: Exports) -> None:
    with stopped_warehouse(app.running):
        job = app.job(app.body(fresh=True))
        assert app.status(job).json()["code"] == 100
        assert app.status(job).json()["status"] == "QUEUED"
        document = app.http.post(f"/api/jobs/{job}/cancel", headers={"Access-Token": app.token}).json()
        assert (document["code"], document["status"]) == (499, "ERROR")
        assert document["error_message"] == "The job was cancelled."
    later = app.job(app.body(fresh=True))
    assert app.ended(later)["status"] == "FINISHED"
    assert app.status(job).json()["status"] == "ERROR"
    again = app.http.post(f"/api/jobs/{later}/cancel", headers={"Access-Token": app.token}).json()
    assert again["status"] == "FINISHED"


def test_jobs_are_listed_newest_first_in_pages(app: Exports) -> None:
    jobs = [app.job(app.body(fresh=True)) for _ in range(3)]
    headers = {"Access-Token": app.token}
    first = app.http.get("/api/jobs", params={"limit": "2"}, headers=headers).json()
    assert [job["job_id"] for job in first["jobs"]] == [jobs[2], jobs[1]]
    second = app.http.get("/api/jobs", params={"limit": "1", "before": first["next"]}, headers=headers).json()
    assert [job["job_id"] for job in second["jobs"]] == [jobs[0]]
    assert second["jobs"][0]["request"]["measures"] == ["OPEN"]
    for query in ({"limit": "0"}, {"limit": "501"}, {"limit": "x"}, {"before": "-1"}):
        answer = app.http.get("/api/jobs", params=query, headers=headers)
        assert answer.status_code == 400
        assert next(iter(query)) in answer.json()["error"]["message"]


def test_a_dry_run_makes_no_job(app: Exports) -> None:
    headers = {"Access-Token": app.token}
    before = app.http.get("/api/jobs", headers=headers).json()["jobs"][0]["job_id"]
    answer = app.post(app.body(dry_run=True, surprise=1)).json()
    assert (answer["code"], answer["dry_run"], answer["apps"]) == (200, True, [app.app_id])
    assert answer["warnings"] == ["surprise: unknown field, ignored"]
    refused = app.post(app.body(dry_run=True, measures=[]))
    assert refused.status_code == 400
    assert app.http.get("/api/jobs", headers=headers).json()["jobs"][0]["job_id"] == before


def test_events_of_other_apps_are_unknown(app: Exports, new_app: Callable[[], Exports], tmp_path: Path) -> None:
    other = new_app()
    other.import_events(write_csv(tmp_path / "o.csv", ("name", "timestamp"), [("theirs_alone", other.at(3))]))
    document = app.ended(app.job(app.body(measures=["theirs_alone"], fresh=True)))
    assert document["warnings"] == ["measures: no event is called 'theirs_alone'"]
    assert "warnings" not in other.ended(other.job(other.body(measures=["theirs_alone"])))


def test_unknown_fields_and_events_are_warned_about(app: Exports) -> None:
    answer = app.post(app.body(measures=["no_such_event"], colour="red", fresh=True)).json()
    assert answer["warnings"] == ["colour: unknown field, ignored"]
    document = app.ended(answer["job_id"])
    assert document["warnings"] == [
        "colour: unknown field, ignored",
        "measures: no event is called 'no_such_event'",
    ]


def test_prefer_wait_gives_the_job_when_time_is_over(app: Exports) -> None:
    with stopped_warehouse(app.running):
        started = time.monotonic()
        answer = app.post(app.body(fresh=True), {"Prefer": "respond-async, wait=1"})
        assert time.monotonic() - started >= 1
        assert answer.json()["code"] == 200
        assert "preference-applied" not in answer.headers
    assert app.ended(answer.json()["job_id"])["status"] == "FINISHED"


def test_a_file_is_gone_after_seven_days() -> None:
    job = Job(
        id=1,
        job_id="x",
        organization=1,
        account_user=1,
        request=_request(),
        apps=(1,),
        filters=(),
        fingerprint="",
        status=Status.FINISHED,
        attempts=1,
        created_at=0,
        finished_at=1000,
        file_name="x.csv",
        row_count=1,
        rows_total=1,
    )
    assert status_document(job, "https://x", 1000 + KEPT_MS - 1)["status"] == "FINISHED"
    gone = status_document(job, "https://x", 1000 + KEPT_MS)
    assert (gone["code"], gone["status"]) == (410, "ERROR")
    assert "response_url" not in gone
    assert "expired" in gone["error_message"]


def _request() -> Any:
    body = {
        "start_date": "2026-01-01",
        "end_date": "2026-01-01",
        "data_source": "install_cohort",
        "measures": ["OPEN"],
        "granularity_band_count": 1,
    }
    return parse(body, {"app_id": "1"}, today=date(2026, 1, 2))


def test_the_rate_limit_is_429_with_a_time_to_come_back(tmp_path: Path) -> None:
    running = Running(tmp_path / "data", "--empty")
    try:
        client = Exports(running)
        body = client.body(measures=["users"])
        wait_until(lambda: time.time() % 60 < 50, 15)
        answers = []
        for _ in range(6):
            wait_until(lambda: time.time() % 1 < 0.5)
            answers.append(client.post(body))
            wait_until(lambda: time.time() % 1 > 0.5)
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert answers[5].json() == {"error": {"code": 429, "message": "Rate limit reached."}}
        assert 1 <= int(answers[5].headers["retry-after"]) <= 60
        assert client.status(answers[0].json()["job_id"]).status_code == 200
        client.http.close()
    finally:
        running.stop()


def test_the_api_key_is_in_no_log(app: Exports) -> None:
    app.http.post("/v2/analytics", params={"app_id": app.app_id, "api_key": app.token}, json=app.body())
    assert app.token not in app.running.log.read_text(errors="replace")


@contextmanager
def stopped_warehouse(running: Running) -> Iterator[None]:
    """The warehouse process stands still, so that jobs wait; not in the middle of a write, which would stop all."""
    process = warehouse_process(running)
    wait_until(lambda: _stands_still(running, process), 20)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def _stands_still(running: Running, process: int) -> bool:
    """Stop the process, unless it holds the store's write lock: then it goes on."""
    os.kill(process, signal.SIGSTOP)
    database = apsw.Connection(str(running.folder / FILE_NAME))
    try:
        database.execute("BEGIN IMMEDIATE")
    except apsw.BusyError:
        os.kill(process, signal.SIGCONT)
        return False
    finally:
        database.close()
    return True


def warehouse_process(running: Running) -> int:
    """The id of a server's warehouse process."""
    assert running.process is not None
    (process,) = children_named(running.process.pid, "warehouse")
    return process
