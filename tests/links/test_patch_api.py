"""GET and PATCH /api/links/{id}, PUT /api/links/by-alias."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apps import new_app, other_organization
from tests.conftest import Api, error
from tests.links.test_listing_api import name


def details(api: Api, url: str) -> dict[str, Any]:
    """GET /api/links/{id} that must succeed."""
    response = api.manage("GET", f"/api/links/{api.link_id(url)}")
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def patch(api: Api, url: str, **body: Any) -> Any:
    """PATCH /api/links/{id}; the answer's body."""
    return api.manage("PATCH", f"/api/links/{api.link_id(url)}", json=body).json()


def test_single_fields_change_and_the_rest_stays(api: Api) -> None:
    url = api.created(channel="a", campaign="c", tags=["t"], data={"$ios_url": "https://a.example/", "k": 1, "old": 2})
    changed = patch(api, url, channel="b", data={"$ios_url": "https://b.example/", "old": None, "new": {"x": [True]}})
    assert changed["channel"] == "b"
    assert changed["campaign"] == "c"
    assert changed["tags"] == ["t"]
    assert {k: v for k, v in changed["data"].items() if k in ("$ios_url", "k", "old", "new")} == {
        "$ios_url": "https://b.example/",
        "k": 1,
        "new": {"x": [True]},
    }
    read = api.read(url).json()
    assert read["channel"] == "b"
    assert read["data"]["~channel"] == "b"
    assert read["data"]["$ios_url"] == "https://b.example/"
    assert "old" not in read["data"]


def test_null_takes_labels_away(api: Api) -> None:
    url = api.created(channel="a", campaign="c", tags=["t"], duration=60)
    changed = patch(api, url, channel=None, tags=None, duration=None)
    assert (changed["channel"], changed["campaign"], changed["tags"], changed["duration"]) == (None, "c", [], 7200)


def test_labels_inside_data_are_labels(api: Api) -> None:
    url = api.created(channel="a")
    changed = patch(api, url, data={"~channel": "b", "~tags": ["x"]})
    assert (changed["channel"], changed["tags"]) == ("b", ["x"])


def test_duration_and_match_duration_are_one_value(api: Api) -> None:
    url = api.created(data={"$match_duration": 300})
    changed = patch(api, url, duration=60)
    assert (changed["duration"], changed["data"]["$match_duration"]) == (60, 60)
    changed = patch(api, url, data={"$match_duration": 90})
    assert (changed["duration"], changed["data"]["$match_duration"]) == (90, 90)
    changed = patch(api, url, data={"$match_duration": None})
    assert (changed["duration"], "$match_duration" in changed["data"]) == (7200, False)


def test_one_time_use_is_switched_off_by_false(api: Api) -> None:
    url = api.created(data={"$one_time_use": True})
    assert patch(api, url, data={"$one_time_use": False})["data"]["$one_time_use"] is False
    assert api.read(url).json()["data"]["$one_time_use"] is False


def test_a_target_that_stays_is_not_checked_again(api: Api) -> None:
    """So that a line of an export can be sent back after the app's schemes or its allowlist have changed."""
    app = new_app(api, uri_schemes=("books",))
    url = app.created(data={"$ios_url": "books://1"})
    app.configure(uri_schemes=[])
    changed = patch(app, url, channel="new", data={"$ios_url": "books://1"})
    assert (changed["channel"], changed["data"]["$ios_url"]) == ("new", "books://1")
    assert patch(app, url, data={"$ios_url": "books://2"})["error"]["code"] == 400


def test_the_history_says_what_changed_newest_first(api: Api) -> None:
    url = api.created(channel="a", data={"n": 1, "gone": "x"})
    patch(api, url, channel="b")
    patch(api, url, data={"n": True, "gone": None})
    assert api.update(url, data={"other": 1}).status_code == 200
    history = details(api, url)["history"]
    assert [entry["changed"] for entry in history] == [
        {"data.n": {"from": True, "to": None}, "data.other": {"from": None, "to": 1}},
        {"data.n": {"from": 1, "to": True}, "data.gone": {"from": "x", "to": None}},
        {"channel": {"from": "a", "to": "b"}},
    ]
    assert history[0]["at"] >= history[1]["at"] >= history[2]["at"]


def test_a_change_of_nothing_leaves_no_trace(api: Api) -> None:
    url = api.created(channel="a", data={"n": 1, "nothing": None})
    before = details(api, url)
    after = patch(api, url, channel="a", data={"n": 1, "never": None, "nothing": None})
    assert after == before
    assert after["history"] == []


def test_a_redirect_follows_at_once(api: Api) -> None:
    url = api.created(data={"$fallback_url": "https://a.example/", "$desktop_url": "https://a.example/"})
    curl = {"User-Agent": "curl/8.0"}
    assert "a.example" in api.http.get(url, headers=curl).headers["location"]
    patch(api, url, data={"$fallback_url": "https://b.example/", "$desktop_url": "https://b.example/"})
    for _ in range(10):  # both workers
        with type(api.http)(base_url=api.running.base_url) as fresh:
            assert "b.example" in fresh.get(url, headers=curl).headers["location"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"channel": 5}, "channel: must be a string."),
        ({"tags": {"a": 1}}, "tags: must be an array of strings."),
        ({"tags": [1]}, "tags: must be a string."),
        ({"duration": "soon"}, "duration: must be a whole number of seconds from 1 to 2592000."),
        ({"data": [1]}, "data: must be an object or a JSON string of one."),
        ({"data": None}, "data: must be an object or a JSON string of one."),
        ({"data": {"$ios_url": 5}}, "$ios_url must be a string."),
        ({"data": {"$ios_url": "javascript:alert(1)"}}, None),
        ({"data": {"~id": "1"}}, "data.~id: is made by the server and cannot be changed."),
        ({"alias": "other"}, "alias: cannot be changed by an update."),
        ({"type": 1}, "type: cannot be changed by an update."),
        (
            {"chanel": "x"},
            "chanel: is not a field that can be changed; those are channel, feature, campaign, stage, tags,"
            " duration, qr_code_settings,"
            " data.",
        ),
    ],
)
def test_what_cannot_be_is_named_and_changes_nothing(api: Api, body: dict[str, Any], message: str | None) -> None:
    url = api.created(channel="a")
    before = details(api, url)
    answer = patch(api, url, **body)
    assert answer["error"]["code"] == 400
    if message is not None:
        assert answer == error(400, message)
    assert details(api, url) == before


def test_data_cannot_grow_beyond_its_limit_bit_by_bit(api: Api) -> None:
    url = api.created(data={"a": "x" * 60_000})
    assert patch(api, url, data={"b": "x" * 60_000}) == error(400, "data: must have at most 100 KB of JSON.")


def test_another_organizations_link_is_unknown(api: Api) -> None:
    url = api.created(channel="a")
    stranger = other_organization(api)
    path = f"/api/links/{api.link_id(url)}"
    unknown = error(404, "The resource you were looking for could not be found.")
    assert stranger.manage("PATCH", path, json={"channel": "x"}).json() == unknown
    assert stranger.manage("GET", path).json() == unknown
    assert stranger.manage("PATCH", "/api/links/1", json={"channel": "x"}).json() == unknown
    assert details(api, url)["channel"] == "a"


def upsert(api: Api, **body: Any) -> Any:
    """PUT /api/links/by-alias; the answer's body."""
    return api.manage("PUT", "/api/links/by-alias", json={"app_id": api.card["app_id"], **body}).json()


def test_upsert_creates_then_replaces_all_but_the_alias(api: Api) -> None:
    alias = name()
    made = upsert(api, alias=alias, channel="a", tags=["t"], data={"k": 1}, identity="me")
    assert made["outcome"] == "created"
    assert made["link"]["url"] == f"{api.running.base_url}/{alias}"
    changed = upsert(api, alias=alias, campaign="c", type=2, data={"n": 2})
    assert changed["outcome"] == "changed"
    link = changed["link"]
    assert (link["id"], link["created_at"]) == (made["link"]["id"], made["link"]["created_at"])
    assert (link["channel"], link["campaign"], link["tags"], link["type"], link["identity"]) == (None, "c", [], 2, None)
    read = api.read(link["url"]).json()
    assert read["data"]["n"] == 2
    assert "k" not in read["data"]
    assert "$identity_id" not in read["data"]
    assert upsert(api, alias=alias, campaign="c", type=2, data={"n": 2})["outcome"] == "unchanged"
    history = details(api, link["url"])["history"]
    assert len(history) == 1
    assert history[0]["changed"]["campaign"] == {"from": None, "to": "c"}


def test_upsert_in_the_test_environment(api: Api) -> None:
    alias = name()
    made = upsert(api, alias=alias, test=True)
    assert made["link"]["test"] is True
    assert api.read(f"{api.running.base_url}/{alias}").status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({}, 400, "alias: is missing; it names the link to create or change."),
        ({"alias": "a//b"}, 400, None),
        ({"alias": "okay", "app_id": 5}, 400, "app_id: is missing; it must be an app's id, as a string."),
        ({"alias": "okay", "app_id": "123"}, 404, "The resource you were looking for could not be found."),
        ({"alias": "okay", "test": "yes"}, 400, "test: must be true or false."),
        ({"alias": "okay", "channel": []}, 400, "channel: must be a string."),
        ({"alias": "okay", "domain": "elsewhere.example"}, 400, None),
    ],
)
def test_upsert_names_what_is_wrong(api: Api, body: dict[str, Any], status: int, message: str | None) -> None:
    answer = upsert(api, **body)
    assert answer["error"]["code"] == status
    if message is not None:
        assert answer == error(status, message)


def test_upsert_for_another_organizations_app_is_unknown(api: Api) -> None:
    stranger = other_organization(api)
    body = {"app_id": api.card["app_id"], "alias": name()}
    assert stranger.manage("PUT", "/api/links/by-alias", json=body).status_code == 404
