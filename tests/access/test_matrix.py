"""Who may call what: every route of the table × every kind of caller → the expected status.

The expectations are written down here a second time, by hand, and not read from the routes: a route without a row
fails, and so does one whose row and behaviour differ.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import httpx
import pytest

from bough.server.route_table import TABLE
from bough.vocabulary.permissions import PERMISSIONS
from tests.access.people import Member, agency, member
from tests.apps import alias, in_test_environment, other_organization
from tests.conftest import Api

INVALID = "Invalid or missing app id, Branch key, or secret"
UNKNOWN = "1234567890123456789"
JOB = "00000000-0000-4000-8000-000000000000"


class Row(NamedTuple):
    """What a route takes. Without permission, a token is answered with `refused`; with it, by `granted`."""

    needs: tuple[str, ...] = ()
    level: str = "app"
    refused: int = 403
    granted: int = 200
    stranger: int = 404
    """Another tenant's token: of the same thing."""
    query: Mapping[str, str] = {}
    body: Any = None
    path: Mapping[str, str] = {}


TEAM = Row(("team",), "organization", stranger=200)
EXPORT = ("aggregate_data", "export")

TOKEN_ROWS: dict[tuple[str, str], Row] = {
    ("DELETE", "/v1/url"): Row(("links", "sensitive_data"), query={"url": "{link}", "app_id": "{app}"}),
    ("GET", "/api/links"): Row(query={"app_id": "{app}"}),
    ("GET", "/api/links/{id}"): Row(path={"id": "{link_id}"}),
    ("GET", "/api/links/{id}/qr-code"): Row(path={"id": "{link_id}"}),
    ("PATCH", "/api/links/{id}"): Row(("links",), path={"id": "{link_id}"}, body={"stage": "x"}),
    ("PUT", "/api/links/by-alias"): Row(
        ("links",), body={"app_id": "{app}", "alias": "{alias}", "data": {"~agency_id": "acme"}}
    ),
    ("POST", "/api/links/bulk-update"): Row(("links",), query={"app_id": "{app}"}, body="url,stage\n"),
    ("POST", "/api/links/bulk-delete"): Row(("links", "sensitive_data"), query={"app_id": "{app}"}, body="url\n"),
    ("POST", "/api/decide"): Row(body={"url": "{link}"}),
    ("POST", "/v1/app"): Row(("settings",), "organization", granted=400, stranger=400, body={}),
    ("GET", "/api/users"): TEAM,
    ("POST", "/api/users"): TEAM._replace(body={}, granted=400, stranger=400),
    ("GET", "/api/users/{user_id}"): TEAM._replace(path={"user_id": "{user}"}, stranger=404),
    ("PATCH", "/api/users/{user_id}"): TEAM._replace(path={"user_id": "{user}"}, body={"name": "x"}, stranger=404),
    ("POST", "/api/users/{user_id}/token"): TEAM._replace(path={"user_id": "{user}"}, body={}, stranger=404),
    ("GET", "/api/agencies"): TEAM,
    ("POST", "/api/agencies"): TEAM._replace(body={}, granted=400, stranger=400),
    ("DELETE", "/api/agencies/{agency_id}"): TEAM._replace(path={"agency_id": UNKNOWN}, granted=404, stranger=404),
    ("GET", "/api/tokens"): TEAM,
    ("POST", "/api/tokens"): TEAM._replace(body={}, granted=400, stranger=400),
    ("DELETE", "/api/tokens/{token_id}"): TEAM._replace(path={"token_id": UNKNOWN}, granted=404, stranger=404),
    ("GET", "/api/permissions"): Row(stranger=200),
    ("GET", "/api/apps/{app_id}/keys"): Row(("settings",), path={"app_id": "{app}"}),
    ("POST", "/api/apps/{app_id}/keys/rotate"): Row(
        ("settings",), "organization", granted=400, path={"app_id": "{app}"}, body={"environment": "none"}
    ),
    ("GET", "/api/audit"): TEAM,
    ("POST", "/v2/analytics"): Row(EXPORT, refused=400, stranger=400, query={"app_id": "{app}"}, body="{export}"),
    ("GET", "/v2/analytics/meta"): Row(EXPORT, refused=400, stranger=200),
    ("GET", "/v2/analytics/{job_id}"): Row(EXPORT, refused=400, path={"job_id": "{job}"}),
    ("GET", "/api/jobs"): Row(EXPORT, refused=400, stranger=200),
    ("POST", "/api/jobs/{job_id}/cancel"): Row(EXPORT, refused=400, path={"job_id": "{job}"}, body={}),
    ("GET", "/api/cohorts/rows"): Row(
        (*EXPORT, "sensitive_data"), refused=400, query={"job_id": "{job}", "measure": "OPEN"}
    ),
    ("POST", "/api/costs"): Row(("settings",), stranger=400, body={"app_id": "{app}", "costs": []}),
    ("GET", "/api/attribution/{event_id}"): Row(("sensitive_data",), granted=404, path={"event_id": UNKNOWN}),
    ("GET", "/api/persons"): Row(("sensitive_data",), query={"identity": "nobody", "app_id": "{app}"}),
    ("GET", "/api/persons/{person_id}"): Row(("sensitive_data",), granted=404, path={"person_id": UNKNOWN}),
    ("POST", "/api/simulate"): Row(("sensitive_data",), body={"url": "{link}"}),
    ("POST", "/api/rates"): Row(("settings",), "organization", stranger=200, body={"rates": []}),
    ("GET", "/api/persons/{person_id}/export"): Row(
        ("sensitive_data", "export"), "organization", granted=404, path={"person_id": UNKNOWN}
    ),
    ("POST", "/api/persons/{person_id}/erase"): Row(
        ("sensitive_data", "settings"), "organization", granted=404, path={"person_id": UNKNOWN}, body={}
    ),
    ("GET", "/api/erasures/{erasure_id}"): Row(
        ("sensitive_data",), "organization", granted=404, path={"erasure_id": UNKNOWN}
    ),
}
"""Routes of users, by token."""

FILTERED_OUT = {
    ("DELETE", "/v1/url"): 404,
    ("GET", "/api/links/{id}"): 404,
    ("GET", "/api/links/{id}/qr-code"): 404,
    ("PATCH", "/api/links/{id}"): 404,
    ("POST", "/api/decide"): 404,
    ("POST", "/api/simulate"): 404,
    ("GET", "/v2/analytics/{job_id}"): 404,
    ("POST", "/api/jobs/{job_id}/cancel"): 404,
    ("GET", "/api/cohorts/rows"): 404,
}
"""What a member with data filters gets of the same things when the filters do not let them through."""


class KeyRow(NamedTuple):
    """Statuses without key, with a wrong one, with the test environment's, and with the app's own."""

    none: int = 400
    wrong: int = 400
    test: int = 200
    own: int = 200
    query: Mapping[str, str] = {}
    body: Any = None
    secret: bool = False


SDK = KeyRow(body={})
INCOMPLETE = KeyRow(body={}, test=400, own=400)
"""What is missing besides the key is only looked at once the key is right."""

KEY_ROWS: dict[tuple[str, str], KeyRow] = {
    ("POST", "/v1/url"): KeyRow(body={}),
    ("GET", "/v1/url"): KeyRow(query={"url": "{link}"}, test=404),
    ("PUT", "/v1/url"): KeyRow(query={"url": "{link}"}, test=404, body={}, secret=True),
    ("POST", "/v1/url/bulk/{branch_key}"): KeyRow(body=[{}]),
    ("POST", "/v1/qr-code"): KeyRow(body={}),
    ("POST", "/v2/qr-code"): KeyRow(body={}),
    ("GET", "/v1/app/{branch_key}"): KeyRow(secret=True),
    ("PUT", "/v1/app/{branch_key}"): KeyRow(body={}, secret=True),
    ("POST", "/v1/open"): SDK,
    ("POST", "/v1/install"): SDK,
    ("POST", "/v1/pageview"): SDK,
    ("POST", "/v2/event/standard"): INCOMPLETE,
    ("POST", "/v2/event/custom"): INCOMPLETE,
    ("POST", "/v1/event"): INCOMPLETE,
    ("POST", "/v1/deepview"): SDK,
    ("POST", "/v1/cpid"): INCOMPLETE,
    ("POST", "/v1/cpid/latd"): INCOMPLETE,
    ("GET", "/v1/app-link-settings/{branch_key}"): KeyRow(),
    ("GET", "/v1/has-app/{branch_key}"): KeyRow(),
    ("POST", "/v1/profile"): KeyRow(body={"identity_id": "1", "identity": "x"}),
    ("POST", "/v1/logout"): KeyRow(body={"identity_id": "1"}),
    ("POST", "/v1/close"): SDK,
    ("POST", "/v1/dismiss"): SDK,
    ("POST", "/v1/content-events"): SDK,
    ("POST", "/v1/register-view"): SDK,
    ("POST", "/api/impressions"): INCOMPLETE,
    ("GET", "/v1/deepview"): KeyRow(query={"callback": "cb"}),
}
"""Routes of apps, by key; with `secret`, by key and secret."""

PUBLIC_ROWS: dict[tuple[str, str], int] = {
    ("GET", "/_r"): 200,
    ("GET", "/sdk/branch-shim.js"): 200,
    ("GET", "/i/{alias:path}"): 200,
    ("GET", "/v2/analytics/files/{name}"): 403,
    ("GET", "/healthz"): 200,
    ("GET", "/readyz"): 200,
    ("GET", "/openapi.json"): 200,
    ("GET", "/signin"): 200,
    ("POST", "/signin"): 400,
    ("GET", "/signin/code"): 303,
    ("POST", "/signin/code"): 400,
    ("GET", "/signin/oidc"): 404,
    ("GET", "/signin/oidc/callback"): 404,
    ("POST", "/signout"): 400,
    ("GET", "/setup/{code}"): 404,
    ("POST", "/setup/{code}"): 400,
    ("GET", "/static/{name}"): 404,
}
"""Routes of everybody: status for whoever comes with nothing, or with any token."""

PAGE_STATUSES = (303, 400, 403)
"""A page for people who have signed in sends everybody else away, tokens or not."""


class World(NamedTuple):
    """The callers and the things they reach for."""

    api: Api
    callers: dict[str, Member]
    stranger: Api
    things: dict[str, str]


@pytest.fixture(scope="module")
def world(server: Any) -> Iterator[World]:
    """All kinds of users of one organization, another tenant, a link and a job."""
    api = Api(server)
    company = agency(api, tag="acme")["agency_id"]
    callers = {
        f"without {name}": member(api, level="organization", permissions=[one for one in PERMISSIONS if one != name])
        for name in PERMISSIONS
    }
    callers["app level"] = member(api, level="app", permissions=list(PERMISSIONS))
    callers["agency member"] = member(api, agency_id=company)
    most = [name for name in PERMISSIONS if name not in ("settings", "team")]
    callers["agency member with filters"] = member(api, agency_id=company, agency_data_only=True, permissions=most)
    url = api.created(data={"~agency_id": "other"})
    today = time.strftime("%Y-%m-%d", time.gmtime())
    export = {
        "start_date": today,
        "end_date": today,
        "data_source": "install_cohort",
        "measures": ["OPEN"],
        "granularity_band_count": 1,
    }
    job = api.manage("POST", "/v2/analytics", params={"app_id": api.card["app_id"]}, json=export).json()["job_id"]
    things = {
        "link": url,
        "link_id": api.link_id(url),
        "app": api.card["app_id"],
        "user": member(api).id,
        "job": job,
    }
    yield World(api, callers, other_organization(api), things)
    api.http.close()


def filled(world: World, value: Any) -> Any:
    """With the world's things in place of `{name}`."""
    if value == "{export}":
        today = time.strftime("%Y-%m-%d", time.gmtime())
        return {
            "start_date": today,
            "end_date": today,
            "data_source": "install_cohort",
            "measures": ["OPEN"],
            "granularity_band_count": 1,
        }
    if isinstance(value, str):
        return value.format(**{**world.things, "alias": alias()})
    if isinstance(value, dict):
        return {key: filled(world, one) for key, one in value.items()}
    return value


def ask(world: World, method: str, path: str, row: Row, token: str | None) -> httpx.Response:
    """The route's request with a token."""
    for name, value in row.path.items():
        path = path.replace(f"{{{name}}}", filled(world, value))
    body = filled(world, row.body)
    sent: dict[str, Any] = {} if body is None else {"content": body} if isinstance(body, str) else {"json": body}
    headers = {} if token is None else {"Access-Token": token}
    if isinstance(body, str):
        headers["Content-Type"] = "text/csv"
    return world.api.http.request(method, path, params=filled(world, dict(row.query)), headers=headers, **sent)


def renew_link(world: World) -> None:
    """A link in place of one that was deleted; it is another agency's."""
    world.things["link"] = world.api.created(data={"~agency_id": "other"})
    world.things["link_id"] = world.api.link_id(world.things["link"])


def routes_of(access: str) -> list[tuple[str, str]]:
    return [(route.method, route.path) for route in TABLE.routes if route.access == access]


def test_every_route_has_a_row() -> None:
    assert set(routes_of("token")) == set(TOKEN_ROWS)
    assert {*routes_of("branch_key"), *routes_of("branch_secret")} == set(KEY_ROWS)
    assert {*routes_of("public"), *routes_of("open_page")} == set(PUBLIC_ROWS)
    assert {route.access for route in TABLE.routes} <= {
        *("token", "branch_key", "branch_secret", "public", "open_page", "page")
    }


@pytest.mark.parametrize("key", TOKEN_ROWS, ids=" ".join)
def test_users(world: World, key: tuple[str, str]) -> None:
    method, path = key
    row = TOKEN_ROWS[key]
    found: dict[str, int] = {}
    expected: dict[str, int] = {}
    for name, token in (("anonymous", None), ("wrong token", "api_user_" + "x" * 40), ("a key", world.api.key)):
        found[name], expected[name] = ask(world, method, path, row, token).status_code, 400
    found["another tenant"] = ask(world, method, path, row, world.stranger.card["access_token"]).status_code
    expected["another tenant"] = row.stranger
    for name, who in world.callers.items():
        allowed = set(row.needs) <= set(who.user["permissions"])
        allowed &= row.level == "app" or who.user["level"] == "organization"
        seen = row.granted
        if name == "agency member with filters":
            seen = FILTERED_OUT.get(key, seen)
        expected[name] = seen if allowed else row.refused
        if key == ("DELETE", "/v1/url"):
            renew_link(world)
        found[name] = ask(world, method, path, row, who.token).status_code
    if key == ("DELETE", "/v1/url"):
        renew_link(world)
    if key != ("POST", "/api/users/{user_id}/token"):
        found["administrator"] = ask(world, method, path, row, world.api.card["access_token"]).status_code
        expected["administrator"] = row.granted
    if key == ("DELETE", "/v1/url"):
        renew_link(world)
    assert found == expected


@pytest.mark.parametrize("key", KEY_ROWS, ids=" ".join)
def test_apps(world: World, key: tuple[str, str]) -> None:
    method, path = key
    row = KEY_ROWS[key]
    api, test = world.api, in_test_environment(world.api)
    wrong = "key_live_" + "x" * 32

    def status(branch_key: str | None, secret: str) -> tuple[int, bool]:
        body, query = filled(world, row.body), filled(world, dict(row.query))
        credentials = {} if branch_key is None else {"branch_key": branch_key}
        if row.secret and branch_key is not None:
            credentials["branch_secret"] = secret
        if "{branch_key}" not in path and isinstance(body, dict):
            body = {**body, **credentials}
        else:
            query |= credentials
        if isinstance(body, dict) and row.secret:
            body = {**body, **credentials}
        if path == "/v1/deepview" and method == "GET":
            query = {"callback": "cb", "post_data": base64.b64encode(json.dumps(credentials).encode()).decode()}
        address = path.replace("{branch_key}", branch_key or "none")
        sent: dict[str, Any] = {} if body is None else {"json": body}
        answer = api.http.request(method, address, params=query, **sent)
        return answer.status_code, INVALID in answer.text

    found = (
        status(None, ""),
        status(wrong, "secret_live_" + "x" * 32),
        status(test.key, test.card["branch_secret"]),
        status(api.key, api.card["branch_secret"]),
    )
    assert found == ((row.none, True), (row.wrong, True), (row.test, False), (row.own, False))
    if row.secret:
        assert status(api.key, test.card["branch_secret"]) == (400, True)


@pytest.mark.parametrize("key", PUBLIC_ROWS, ids=" ".join)
def test_everybody(world: World, key: tuple[str, str]) -> None:
    method, path = key
    address = path.replace("{alias:path}", "nothing").replace("{name}", "x.csv").replace("{code}", "x")
    query = {"callback": "cb"} if path == "/_r" else {}
    sent: dict[str, Any] = {"data": {}} if method == "POST" else {}
    for token in (None, world.api.card["access_token"]):
        headers = {} if token is None else {"Access-Token": token}
        answer = world.api.http.request(method, address, params=query, headers=headers, **sent)
        assert answer.status_code == PUBLIC_ROWS[key], answer.text[:300]


@pytest.mark.parametrize("key", routes_of("page"), ids=" ".join)
def test_pages_are_for_those_who_have_signed_in(world: World, key: tuple[str, str]) -> None:
    method, path = key
    for token in (None, world.api.card["access_token"]):
        headers = {"Accept": "text/html"} if token is None else {"Access-Token": token}
        answer = world.api.http.request(method, path.replace("{", "").replace("}", ""), headers=headers)
        assert answer.status_code in PAGE_STATUSES


def test_visible_rows(world: World) -> None:
    """What lists hold for each: all of it, what the filters admit, only one's own apps, nothing of others."""
    campaign = alias()
    mine = world.api.created(campaign=campaign, data={"~agency_id": "acme"})
    other = world.api.created(campaign=campaign, data={"~agency_id": "other"})

    def links(token: str) -> set[str]:
        answer = world.api.http.get("/api/links", params={"campaign": campaign}, headers={"Access-Token": token})
        return {link["url"] for link in answer.json()["links"]}

    def jobs(token: str) -> set[str]:
        answer = world.api.http.get("/api/jobs", headers={"Access-Token": token})
        return {job["job_id"] for job in answer.json()["jobs"]}

    assert links(world.api.card["access_token"]) == {mine, other}
    assert links(world.callers["agency member"].token) == {mine, other}
    assert links(world.callers["agency member with filters"].token) == {mine}
    assert links(world.stranger.card["access_token"]) == set()
    elsewhere = member(world.api, apps=[], permissions=["links", "aggregate_data", "export"])
    assert links(elsewhere.token) == set()
    assert world.things["job"] in jobs(world.callers["agency member"].token)
    assert world.things["job"] not in jobs(world.callers["agency member with filters"].token)
    assert world.things["job"] not in jobs(elsewhere.token)
    assert world.things["job"] not in jobs(world.stranger.card["access_token"])
