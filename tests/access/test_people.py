"""Users, agencies and tokens by the API, and what nobody can do with them."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import httpx
import pytest

from bough.vocabulary.permissions import PERMISSIONS
from tests.access.people import agency, member
from tests.apps import alias, new_app, other_organization, store_of
from tests.conftest import Api, error
from tests.exports.client import bough
from tests.running import Running, wait_until

FAILED = error(400, "Authentication failed !")
UNAUTHORIZED = error(403, "Unauthorized User")


def test_an_agencys_member_gets_the_two_boxes_of_the_dialog(api: Api) -> None:
    who = member(api, agency_id=agency(api, tag="acme")["agency_id"], agency_data_only=True)
    assert who.user["permissions"] == ["aggregate_data", "export"]
    assert (who.user["level"], who.user["apps"]) == ("app", None)
    you = who.http("GET", "/api/permissions").json()["you"]
    assert you["filters"] == {"touch_data_tilde_agency_id": ["acme"]}
    assert who.http("GET", "/v2/analytics/meta").status_code == 200


def test_an_agency_without_tag_is_known_by_its_name(api: Api) -> None:
    added = agency(api)
    who = member(api, agency_id=added["agency_id"], agency_data_only=True)
    assert who.http("GET", "/api/permissions").json()["you"]["filters"] == {"touch_data_tilde_agency": [added["name"]]}


def test_a_filter_on_either_cohort_is_one_on_both(api: Api) -> None:
    who = member(api, filters={"install_activity_touch_data_tilde_campaign": ["a"], "user_data_os": ["IOS", None]})
    assert who.user["filters"] == {"touch_data_tilde_campaign": ["a"], "user_data_os": ["IOS", None]}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"email": None}, "email: must be a text of 1 to 255 characters."),
        ({"email": "a\nb"}, "email: must be a text of 1 to 255 characters."),
        ({"level": "root"}, "level: must be one of organization, app."),
        ({"permissions": ["root"]}, f"permissions: must be an array of {', '.join(PERMISSIONS)}."),
        ({"permissions": [["links"]]}, f"permissions: must be an array of {', '.join(PERMISSIONS)}."),
        ({"apps": ["1"]}, "apps: must be apps of your organization."),
        ({"apps": [1]}, "apps: must be an array of app ids, or null for all."),
        ({"agency_id": "1"}, "agency_id: there is no such agency."),
        ({"agency_data_only": True}, "agency_data_only: is for members of an agency."),
        ({"filters": []}, "filters: must be an object of dimension to array of values."),
        ({"filters": {"nothing": ["a"]}}, "filters: unknown dimension 'nothing'."),
        ({"filters": {"app_id": []}}, "filters.app_id: give 1 to 1000 values."),
        ({"filters": {"app_id": [{}]}}, "filters.app_id: values are texts of at most 4096 characters, or null."),
        (
            {"filters": {"app_id": ["1"]}, "level": "organization"},
            "level: members of agencies and users with data filters have app-level access.",
        ),
        (
            {"filters": {"app_id": ["1"]}, "permissions": ["settings"]},
            "permissions: settings cannot be had with data filters.",
        ),
        ({"organization_id": "1"}, "organization_id: is not a field of a user; those are email,"),
    ],
)
def test_a_user_that_cannot_be_is_refused_by_name(api: Api, fields: dict[str, Any], message: str) -> None:
    answer = api.manage("POST", "/api/users", json={"email": alias(), "permissions": [], **fields})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(message)


def test_nobody_gives_what_they_do_not_have(api: Api) -> None:
    who = member(api, level="organization", permissions=["team", "links"])
    refused = error(403, "You cannot give or change permissions that you do not have.")
    assert who.http("POST", "/api/users", json={"email": alias(), "permissions": ["export"]}).json() == refused
    assert who.http("PATCH", f"/api/users/{who.id}", json={"permissions": ["team", "export"]}).json() == refused
    stronger = member(api, permissions=["export"])
    assert who.http("PATCH", f"/api/users/{stronger.id}", json={"disabled": True}).json() == refused
    answer = who.http("POST", f"/api/users/{stronger.id}/token")
    assert answer.json() == error(403, "You cannot make a token with permissions that you do not have.")
    assert who.http("POST", "/api/users", json={"email": alias(), "permissions": ["links"]}).status_code == 200


def test_the_last_who_lets_others_in_stays(api: Api) -> None:
    stranger = other_organization(api)
    (owner,) = stranger.manage("GET", "/api/users").json()["users"]
    for fields in ({"disabled": True}, {"level": "app"}, {"permissions": ["links"]}):
        answer = stranger.manage("PATCH", f"/api/users/{owner['user_id']}", json=fields)
        assert answer.status_code == 400, fields
        assert "must keep one organization-level user" in answer.json()["error"]["message"]


def test_people_of_other_organizations_are_unknown(api: Api) -> None:
    stranger, who, company = other_organization(api), member(api), agency(api)
    named = api.manage("POST", "/api/tokens", json={"name": "x", "user_id": who.id}).json()["token_id"]
    for method, path in (
        ("GET", f"/api/users/{who.id}"),
        ("PATCH", f"/api/users/{who.id}"),
        ("POST", f"/api/users/{who.id}/token"),
        ("DELETE", f"/api/agencies/{company['agency_id']}"),
        ("DELETE", f"/api/tokens/{named}"),
        ("GET", f"/api/apps/{api.card['app_id']}/keys"),
        ("POST", f"/api/apps/{api.card['app_id']}/keys/rotate"),
    ):
        answer = stranger.manage(method, path, **({"json": {}} if method in ("PATCH", "POST") else {}))
        unknown = stranger.manage(method, path.replace(path.split("/")[3], "123456789012345678"))
        assert (answer.status_code, answer.content) == (404, unknown.content), path
    assert [user["email"] for user in stranger.manage("GET", "/api/users").json()["users"]] == ["owner"]
    assert stranger.manage("GET", "/api/agencies").json() == {"agencies": []}


def test_one_permanent_token_until_it_is_reset(api: Api) -> None:
    who = member(api)
    again = api.manage("POST", f"/api/users/{who.id}/token").json()["access_token"]
    assert who.http("GET", "/api/permissions").json() == FAILED
    who.token = again
    assert who.http("GET", "/api/permissions").status_code == 200
    mine = [one for one in api.manage("GET", "/api/tokens").json()["tokens"] if one["user_id"] == who.id]
    assert [one["kind"] for one in mine] == ["permanent"]
    assert who.token not in api.manage("GET", "/api/tokens").text


def test_a_named_token_has_its_scopes_at_most_and_ends(api: Api) -> None:
    who = member(api, permissions=["links", "export", "aggregate_data"])
    made = api.manage(
        "POST", "/api/tokens", json={"name": "ci", "user_id": who.id, "scopes": ["export"], "expires_in_days": 1}
    ).json()
    scoped = {"Access-Token": made["access_token"]}
    assert api.http.get("/api/permissions", headers=scoped).json()["you"]["permissions"] == ["export"]
    assert api.http.get("/v2/analytics/meta", headers=scoped).json() == FAILED
    who.change(permissions=["links"])
    assert api.http.get("/api/permissions", headers=scoped).json()["you"]["permissions"] == []
    store = store_of(api.running)
    try:
        with store.begin() as tx:
            tx.run("UPDATE token SET expires_at = 1 WHERE id = ?", (int(made["token_id"]),))
    finally:
        store.close()
    who.change(name="x")  # every worker reads again
    assert api.http.get("/api/permissions", headers=scoped).json() == FAILED


def test_a_scope_that_its_user_lacks_is_refused(api: Api) -> None:
    who = member(api, permissions=["links"])
    answer = api.manage("POST", "/api/tokens", json={"name": "x", "user_id": who.id, "scopes": ["team"]})
    assert answer.json()["error"]["message"] == f"scopes: {who.user['email']} does not have all of them."


def test_tokens_and_users_are_kept_as_hashes_only(api: Api) -> None:
    who = member(api)
    store = store_of(api.running)
    try:
        hashes = [row[0] for row in store.rows("SELECT hash FROM token")]
    finally:
        store.close()
    assert all(len(one) == 64 and one != who.token for one in hashes)


def refused_everywhere(api: Api, token: str) -> bool:
    """Whether twenty requests on connections of their own, so on both workers, are all refused."""
    found = []
    for _ in range(20):
        answer = api.http.get("/api/permissions", headers={"Access-Token": token, "Connection": "close"})
        found.append(answer.status_code)
    return set(found) == {400}


def test_every_worker_refuses_a_revoked_token_at_once(api: Api, server: Running) -> None:
    """Two workers: the answer to the revocation comes after every worker can know."""
    assert "2" in server.options
    for end in ("revoke", "reset", "disable"):
        who = member(api)
        if end == "revoke":
            tokens = api.manage("GET", "/api/tokens").json()["tokens"]
            (one,) = [token["token_id"] for token in tokens if token["user_id"] == who.id]
            assert api.manage("DELETE", f"/api/tokens/{one}").json()["revoked"] is True
        elif end == "reset":
            api.manage("POST", f"/api/users/{who.id}/token")
        else:
            who.change(disabled=True)
        wait_until(partial(refused_everywhere, api, who.token), 1)


def test_keys_rotate_with_an_overlap(api: Api) -> None:
    app = new_app(api)
    path = f"/api/apps/{app.card['app_id']}/keys"
    first = app.manage("POST", f"{path}/rotate", json={"overlap_hours": 1}).json()
    assert first["branch_key"].startswith("key_live_")
    assert [app.http.post("/v1/url", json={"branch_key": k}).status_code for k in (app.key, first["branch_key"])] == [
        200,
        200,
    ]
    keys = app.manage("GET", path).json()["keys"]
    assert [(k["branch_key"], k["expires_at"] is None) for k in keys if k["environment"] == "live"] == [
        (app.key, False),
        (first["branch_key"], True),
    ]
    app.manage("POST", f"{path}/rotate", json={"overlap_hours": 0})
    wrong = error(400, "Invalid or missing app id, Branch key, or secret")
    assert app.http.post("/v1/url", json={"branch_key": first["branch_key"]}).json() == wrong
    assert app.http.post("/v1/url", json={"branch_key": app.key}).json() == wrong


def test_app_level_users_neither_see_tokens_nor_reset_them(api: Api) -> None:
    who = member(api, level="app", permissions=list(PERMISSIONS))
    for method, path in (("GET", "/api/tokens"), ("POST", f"/api/users/{who.id}/token"), ("GET", "/api/users")):
        assert who.http(method, path).json() == UNAUTHORIZED


def test_organizations_are_added_in_the_shell_and_have_their_own_owner(server: Running) -> None:
    added = json.loads(bough(server, "organizations", "add", "Second house", "--json").stdout)
    identifier = added["organization_id"]
    assert f"{identifier}  Second house\n" in bough(server, "organizations", "list").stdout
    app = json.loads(bough(server, "apps", "create", "Theirs", "--organization", identifier, "--json").stdout)
    assert app["organization_id"] == identifier
    headers = {"Access-Token": app["access_token"]}
    (owner,) = httpx.get(f"{server.base_url}/api/users", headers=headers).json()["users"]
    assert (owner["email"], owner["organization_id"]) == ("owner", identifier)
    logged = httpx.get(f"{server.base_url}/api/audit", headers=headers).json()["entries"]
    assert [entry["action"] for entry in logged] == ["app.create", "organization.add"]
    refused = bough(server, "apps", "create", "Nobody's", "--organization", "1", code=1)
    assert refused.stderr == "bough: There is no organization 1; `bough organizations list` shows all.\n"
    # Two are called owner now: their ids tell them apart.
    several = bough(server, "signin", "link", "owner", code=1).stderr
    assert several.startswith("bough: There is more than one user 'owner'; name one by id: ")
    assert owner["user_id"] in several
    assert "/setup/" in bough(server, "signin", "link", owner["user_id"]).stdout
