"""A hunt for ways around access, written down as tests.

What is tested elsewhere: signed names and tampered signatures in tests/exports/test_jobs.py; webhooks to private
addresses in tests/exports/test_callbacks.py; pictures of QR codes from private addresses in tests/web/test_fetch.py;
targets of links and `$fallback_url` in tests/links/test_targets.py and tests/clicks/test_untrusted.py; titles and
campaigns in pages in tests/clicks/test_pages.py; `next=` in tests/signin; headers in tests/web/test_edge_http.py.
"""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from tests.access.people import Member, agency, member
from tests.apps import alias, new_app, other_organization, store_of
from tests.conftest import Api, error
from tests.running import wait_until

FAILED = error(400, "Authentication failed !")
JOB_UNKNOWN = error(404, "Job ID Not Found")
PROTECTED = ("aggregate_data", "export", "sensitive_data", "links")
DIMENSION = "install_activity_touch_data_tilde_agency_id"


def body(**fields: Any) -> dict[str, Any]:
    """An export of today."""
    today = time.strftime("%Y-%m-%d", time.gmtime())
    return {
        "start_date": today,
        "end_date": today,
        "data_source": "install_cohort",
        "measures": ["OPEN"],
        "granularity_band_count": 1,
        **fields,
    }


def filtered(api: Api, tag: str = "acme", **fields: Any) -> Member:
    """An agency's member who only sees what is tagged."""
    company = agency(api, tag=tag)["agency_id"]
    return member(api, agency_id=company, agency_data_only=True, permissions=list(PROTECTED), **fields)


def started(api: Api, who: Member | None = None, **fields: Any) -> str:
    """A job; of the administrator, unless `who`."""
    sent = {"params": {"app_id": api.card["app_id"]}, "json": body(fresh=True, **fields)}
    answer = api.manage("POST", "/v2/analytics", **sent) if who is None else who.http("POST", "/v2/analytics", **sent)
    assert answer.status_code == 200, answer.text
    job: str = answer.json()["job_id"]
    return job


def file_url(who: Member, job: str) -> str:
    """The signed address of a job's file, once it has ended."""
    wait_until(lambda: who.http("GET", f"/v2/analytics/{job}").json()["status"] == "FINISHED", 60)
    url: str = who.http("GET", f"/v2/analytics/{job}").json()["response_url"]
    return url


# Ids that are guessed, and ids that are mixed.


@pytest.mark.parametrize("text", ["0", "-1", "1", "9" * 19, "9" * 40, "٣", "1e3", "x", "%00", "..", "' OR 1=1 --"])
def test_guessed_ids_are_unknown_and_never_a_fault(api: Api, text: str) -> None:
    for path in ("/api/links/", "/api/users/", "/api/persons/", "/api/attribution/", "/v2/analytics/"):
        answer = api.manage("GET", f"{path}{httpx.URL(path='/' + text).raw_path[1:].decode()}")
        assert answer.status_code in (400, 404), (path, answer.text)


def test_app_and_organization_of_different_tenants(api: Api) -> None:
    stranger = other_organization(api)
    mine, theirs = api.card, stranger.card
    for query in (
        {"app_id": theirs["app_id"]},
        {"organization_id": theirs["organization_id"]},
        {"app_id": mine["app_id"], "organization_id": theirs["organization_id"]},
        {"app_id": theirs["app_id"], "organization_id": mine["organization_id"]},
        {"app_id": f"{mine['app_id']},{theirs['app_id']}"},
        {"app_id": f"0{mine['app_id']}"},
    ):
        answer = api.manage("POST", "/v2/analytics", params=query, json=body())
        assert (answer.status_code, answer.json()) == (400, FAILED), query
        again = api.manage("POST", "/v2/analytics", params={}, json={**body(), **query})
        assert (again.status_code, again.json()) == (400, FAILED), query


def test_app_level_users_see_their_apps_only(api: Api) -> None:
    other = new_app(api)
    who = member(api, apps=[api.card["app_id"]], permissions=[*PROTECTED, "settings"])
    link = other.created()
    identifier = other.link_id(link)
    wanted = {"params": {"app_id": other.card["app_id"]}}
    assert who.http("POST", "/v2/analytics", json=body(), **wanted).json() == FAILED
    assert who.http("GET", "/api/links", **wanted).status_code == 404
    assert who.http("GET", f"/api/links/{identifier}").status_code == 404
    assert who.http("DELETE", "/v1/url", params={"url": link}).status_code == 404
    assert who.http("POST", "/api/decide", json={"url": link}).status_code == 404
    assert who.http("GET", f"/api/apps/{other.card['app_id']}/keys").status_code == 404
    assert who.http("POST", "/api/costs", json={"app_id": other.card["app_id"], "costs": []}).json() == FAILED
    assert other.read(link).status_code == 200
    whole = started(other, None)
    assert who.http("GET", f"/v2/analytics/{whole}").json() == JOB_UNKNOWN


# Filters that a request would widen.


@pytest.mark.parametrize(
    "filters",
    [
        {DIMENSION: ["other"]},
        {DIMENSION: ["!acme"]},
        {DIMENSION: [None]},
        {DIMENSION: {"not_in": ["acme"]}},
        {DIMENSION: {"in": ["other", "acme"], "not_in": [None]}},
        {},
    ],
)
def test_a_request_cannot_widen_them(api: Api, filters: dict[str, Any]) -> None:
    """The job keeps the mandatory filter beside whatever the request says."""
    who = filtered(api)
    job = started(api, who, filters=filters, filter={DIMENSION: ["other"]} if filters else {})
    store = store_of(api.running)
    try:
        ((kept,),) = store.rows("SELECT filters FROM export_job WHERE job_id = ?", (job,))
    finally:
        store.close()
    assert json.loads(kept) == [{"dimension": DIMENSION, "values": ["acme"], "excluded": []}]


def test_the_other_cohort_is_filtered_as_well(api: Api) -> None:
    who = member(api, filters={DIMENSION: [alias()]}, permissions=list(PROTECTED))
    whole = started(api, data_source="reengagement_cohort")
    job = started(api, who, data_source="reengagement_cohort")
    shown = who.http("GET", "/api/jobs").json()["jobs"]
    assert [one["job_id"] for one in shown] == [job]
    assert who.http("GET", f"/v2/analytics/{whole}").json() == JOB_UNKNOWN


def test_a_value_with_an_exclamation_mark_is_a_value(api: Api) -> None:
    who = member(api, filters={"touch_data_tilde_campaign": ["!a"]}, permissions=["links"])
    campaign = alias()
    api.created(campaign=campaign)
    odd = api.created(campaign="!a", channel=campaign)
    found = who.http("GET", "/api/links", params={"channel": campaign}).json()["links"]
    assert [link["url"] for link in found] == [odd]
    assert who.http("GET", "/api/links", params={"campaign": campaign}).json()["links"] == []


def test_a_filter_that_links_do_not_have_hides_them_all(api: Api) -> None:
    who = member(api, filters={"data_country_code": ["DE", None]}, permissions=["links"])
    api.created()
    assert who.http("GET", "/api/links").json()["links"] == []


def test_searches_and_pages_of_links_tell_nothing_of_the_hidden(api: Api) -> None:
    who, campaign = filtered(api), alias()
    shown = [api.created(campaign=campaign, data={"~agency_id": "acme"}) for _ in range(2)]
    for _ in range(3):
        api.created(campaign=campaign, data={"~agency_id": "other", "$og_title": "secret plan"})
    first = who.http("GET", "/api/links", params={"campaign": campaign, "limit": "1"}).json()
    second = who.http(
        "GET", "/api/links", params={"campaign": campaign, "limit": "1", "cursor": first["next_cursor"]}
    ).json()
    assert [link["url"] for link in (*first["links"], *second["links"])] == shown[::-1]
    assert second["next_cursor"] is None
    assert who.http("GET", "/api/links", params={"search": "secret plan"}).json()["links"] == []


def test_hidden_links_cannot_be_changed_moved_or_made(api: Api) -> None:
    who = filtered(api)
    hidden = api.created(data={"~agency_id": "other"}, channel="a")
    own = api.created(data={"~agency_id": "acme"}, channel="a")
    identifier = api.link_id(own)
    unknown = error(404, "The resource you were looking for could not be found.")
    outside = error(403, "Your data filters do not let you make such a link.")
    assert who.http("PATCH", f"/api/links/{api.link_id(hidden)}", json={"channel": "b"}).json() == unknown
    assert who.http("DELETE", "/v1/url", params={"url": hidden, "app_id": api.card["app_id"]}).json() == unknown
    moved = who.http("PATCH", f"/api/links/{identifier}", json={"data": {"~agency_id": "other"}})
    assert moved.json() == outside
    lines = who.http("POST", "/api/links/bulk-update", content=f"url,channel\n{hidden},b\n").json()["lines"]
    assert [line["ok"] for line in lines] == [False]
    lines = who.http("POST", "/api/links/bulk-delete", content=f"url\n{hidden}\n").json()["lines"]
    assert [line["ok"] for line in lines] == [False]
    made = who.http("PUT", "/api/links/by-alias", json={"app_id": api.card["app_id"], "alias": alias()})
    assert made.json() == outside
    taken = alias()
    api.created(alias=taken, data={"~agency_id": "other"})
    grab = {"app_id": api.card["app_id"], "alias": taken, "data": {"~agency_id": "acme"}}
    assert who.http("PUT", "/api/links/by-alias", json=grab).status_code == 409
    assert api.read(hidden).json()["channel"] == "a"
    assert who.http("PATCH", f"/api/links/{identifier}", json={"channel": "b"}).status_code == 200


# Jobs and files.


def test_equal_requests_of_different_filters_get_different_jobs(api: Api) -> None:
    wanted = {"params": {"app_id": api.card["app_id"]}, "json": body(measures=["OPEN", "users"])}
    whole = api.manage("POST", "/v2/analytics", **wanted).json()["job_id"]
    who = filtered(api, alias())
    part = who.http("POST", "/v2/analytics", **wanted).json()["job_id"]
    assert part != whole
    assert who.http("GET", f"/v2/analytics/{whole}").json() == JOB_UNKNOWN
    assert who.http("POST", f"/api/jobs/{whole}/cancel").json() == JOB_UNKNOWN
    assert who.http("GET", "/api/cohorts/rows", params={"job_id": whole, "measure": "OPEN"}).json() == JOB_UNKNOWN
    assert [job["job_id"] for job in who.http("GET", "/api/jobs").json()["jobs"]] == [part]


def test_the_address_of_a_webhook_is_shown_only_to_who_gave_it(api: Api) -> None:
    hook = f"https://hooks.invalid/{alias()}"
    wanted = {"params": {"app_id": api.card["app_id"]}, "json": body(callback_url=hook)}
    job = api.manage("POST", "/v2/analytics", **wanted).json()["job_id"]
    who = member(api, permissions=["aggregate_data", "export"])

    def told(answer: httpx.Response) -> object:
        return next(one["request"]["callback_url"] for one in answer.json()["jobs"] if one["job_id"] == job)

    assert told(api.manage("GET", "/api/jobs")) == hook
    assert told(who.http("GET", "/api/jobs")) is None


def test_a_job_of_the_time_before_a_filter_is_refused_with_its_file(api: Api) -> None:
    who = member(api, permissions=["aggregate_data", "export"])
    job = started(api, who)
    url = file_url(who, job)
    assert api.http.get(url).status_code == 200
    who.change(filters={"touch_data_tilde_campaign": ["a", "b"]})
    assert who.http("GET", f"/v2/analytics/{job}").json() == JOB_UNKNOWN
    assert api.http.get(url).status_code == 403
    narrow = started(api, who)
    url = file_url(who, narrow)
    who.change(filters={"touch_data_tilde_campaign": ["a"]})
    assert api.http.get(url).status_code == 403
    who.change(filters={"touch_data_tilde_campaign": ["a", "b", "c"]})
    assert api.http.get(url).status_code == 200


@pytest.mark.parametrize(
    "change", [{"disabled": True}, {"permissions": ["aggregate_data"]}, {"apps": []}], ids=lambda c: next(iter(c))
)
def test_signed_addresses_end_with_their_users_access(api: Api, change: dict[str, Any]) -> None:
    who = member(api, permissions=["aggregate_data", "export"])
    url = file_url(who, started(api, who))
    assert api.http.get(url).status_code == 200
    who.change(**change)
    assert api.http.get(url).status_code == 403


def test_an_address_cannot_be_turned_into_another_users(api: Api) -> None:
    who, other = (member(api, permissions=["aggregate_data", "export"]) for _ in range(2))
    url = file_url(who, started(api, who))
    assert who.id in url
    assert api.http.get(url.replace(who.id, other.id)).status_code == 403


# What errors and their time tell.


def test_wrong_tokens_are_all_answered_alike(api: Api) -> None:
    answers = []
    for token in (
        "",
        "x",
        "api_user_" + "x" * 40,
        api.key,
        api.card["branch_secret"],
        "x" * 8000,
        "'; DROP TABLE token",
    ):
        answer = api.http.get("/api/jobs", headers={"Access-Token": token})
        answers.append((answer.status_code, answer.content))
    assert set(answers) == {(400, json.dumps(FAILED, separators=(",", ":")).encode())}


def test_secrets_of_known_and_unknown_keys_are_refused_alike(api: Api) -> None:
    known = api.http.get(f"/v1/app/{api.key}", params={"branch_secret": "secret_live_" + "x" * 32})
    unknown = api.http.get(f"/v1/app/key_live_{'x' * 32}", params={"branch_secret": api.card["branch_secret"]})
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)


def test_sql_in_every_parameter_is_text(api: Api) -> None:
    for text in ("' OR 1=1 --", "%", "_", "a'; DELETE FROM link; --", "\\"):
        for name in ("channel", "campaign", "search", "tag"):
            answer = api.manage("GET", "/api/links", params={name: f"{text}{alias()}"})
            assert (answer.status_code, answer.json()["links"]) == (200, [])
        answer = api.manage("GET", "/api/audit", params={"action": text, "actor": text, "subject": text})
        assert (answer.status_code, answer.json()["entries"]) == (200, [])


def test_a_nul_is_no_fault(api: Api) -> None:
    """PostgreSQL takes none in a text."""
    for path in ("/api/audit?actor=%00", "/api/audit?subject=a%00", "/api/jobs?before=%00", "/api/links?search=%00"):
        assert api.manage("GET", path).status_code == 400, path
    assert api.manage("POST", "/api/agencies", json={"name": "a", "tag": "\0"}).status_code == 400
    answer = api.manage("POST", "/api/users", json={"email": alias(), "filters": {"app_id": ["\0"]}})
    assert answer.status_code == 400


def test_the_host_header_does_not_reach_addresses_that_are_handed_out(api: Api) -> None:
    job = api.manage(
        "POST", "/v2/analytics", params={"app_id": api.card["app_id"]}, json=body(), headers={"Host": "evil.example"}
    )
    assert "evil.example" not in job.text
    assert job.json()["status_url"].startswith(api.running.base_url)
    status = api.manage("GET", f"/v2/analytics/{job.json()['job_id']}", headers={"X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in status.text
    link = api.http.post("/v1/url", json={"branch_key": api.key}, headers={"Host": "evil.example"})
    assert "evil.example" not in link.text


def test_line_breaks_reach_no_header_and_no_log_entry(api: Api) -> None:
    answer = api.manage("POST", "/api/agencies", json={"name": "a\r\nSet-Cookie: x=1"})
    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers
    assert api.manage("POST", "/api/users", json={"email": "a\r\nb"}).status_code == 400


def test_the_token_in_the_query_is_neither_echoed_nor_logged(api: Api) -> None:
    token = member(api).token  # the demo prints the owner's
    for path in ("/v2/analytics/x", "/api/links/x", "/api/nothing"):
        answer = api.http.get(path, params={"api_key": token})
        assert token not in answer.text + str(answer.headers)
    assert token not in api.running.log.read_text(errors="replace")
