"""PUT /v1/url (docs/links.md)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bough.links.change import NOT_UPDATABLE
from tests.apps import alias, in_test_environment, new_app
from tests.conftest import Api, error

FULL: dict[str, Any] = {
    "channel": "facebook",
    "feature": "onboarding",
    "campaign": "new product",
    "stage": "new user",
    "tags": ["one", "two"],
    "duration": 600,
    "identity": "jane",
    "data": {"$og_title": "Title", "custom": {"a": [1, True, None]}, "~ad_name": "ad"},
}


def with_changes(read: dict[str, Any], data: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    """A read as it must look after changes: None removes."""
    changed = {**read, "data": {**read["data"], **(data or {})}}
    changed.update(top)
    for level in (changed["data"], changed):
        for key in [key for key, value in level.items() if value is None and key not in ("alias", "nothing")]:
            del level[key]
    return changed


def updated(api: Api, url: str, **parameters: Any) -> dict[str, Any]:
    """PUT that must succeed; the link as read afterwards, of which the answer must be the documented form."""
    response = api.update(url, **parameters)
    assert response.status_code == 200, response.text
    read: dict[str, Any] = api.read(url).json()
    expected = {**read, "data": {**read["data"], "+url": read["data"]["url"]}}
    if read["alias"] is None:
        del expected["alias"]
    assert response.json() == expected
    return read


def test_nothing_sent_changes_nothing(api: Api) -> None:
    url = api.created(**FULL)
    before = api.read(url).json()
    assert updated(api, url) == before


def test_data_replaces_the_customers_keys_and_the_servers_stay(api: Api) -> None:
    url = api.created(**FULL)
    before = api.read(url).json()
    after = updated(api, url, data={"name": "alex", "n": 1})
    gone = {"$og_title": None, "custom": None, "~ad_name": None}
    assert after == with_changes(before, {**gone, "name": "alex", "n": 1})


def test_data_as_a_json_string(api: Api) -> None:
    url = api.created(**FULL)
    assert updated(api, url, data='{"name":"alex"}')["data"]["name"] == "alex"


def test_empty_data_removes_all_keys_of_the_customer(api: Api) -> None:
    url = api.created(data={"a": 1})
    assert set(updated(api, url, data={})["data"]) == {"$one_time_use", "~creation_source", "~id", "url"}


@pytest.mark.parametrize("data", [None, ""])
def test_no_data_keeps_the_data(api: Api, data: Any) -> None:
    url = api.created(**FULL)
    before = api.read(url).json()
    assert updated(api, url, data=data, channel="x") == with_changes(before, {"~channel": "x"}, channel="x")


@pytest.mark.parametrize("name", ["channel", "feature", "campaign", "stage"])
def test_one_label_changes_alone(api: Api, name: str) -> None:
    url = api.created(**FULL)
    before = api.read(url).json()
    assert updated(api, url, **{name: "x"}) == with_changes(before, {f"~{name}": "x"}, **{name: "x"})


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize("name", ["channel", "feature", "campaign", "stage", "tags"])
def test_an_empty_label_is_removed(api: Api, name: str, empty: Any) -> None:
    url = api.created(**FULL)
    before = api.read(url).json()
    assert updated(api, url, **{name: empty}) == with_changes(before, {f"~{name}": None}, **{name: None})


def test_empty_tags_are_removed_and_new_tags_replace(api: Api) -> None:
    url = api.created(**FULL)
    assert updated(api, url, tags=["x"])["tags"] == ["x"]
    assert "tags" not in updated(api, url, tags=[])


def test_what_was_read_can_be_written_back_whole(api: Api) -> None:
    for parameters in (
        FULL,
        {**FULL, "alias": alias()},
        {"type": 1},
        {"type": 2, "data": {"$marketing_title": "x"}},
        {"data": {"$one_time_use": True, "$match_duration": 60, "nothing": None}},
        {"duration": 90, "data": {"$match_duration": 60}},
        {"data": {"$web_only": True, "$desktop_url": "https://example.com"}},
    ):
        url = api.created(**parameters)
        before = api.read(url).json()
        answered = api.update(url, **before)
        assert answered.status_code == 200
        assert api.read(url).json() == before
        again = updated(api, url, **answered.json())
        assert again == before


READ_MODIFY_WRITE: list[tuple[str | None, str | None, str | None]] = [
    ("stored", "stored", "stored"),
    ("new", "stored", "new"),
    ("stored", "new", "new"),
    ("top", "inner", "top"),
    (None, "stored", None),
    ("stored", None, None),
    (None, "new", None),
    ("new", None, "new"),
]
"""(top level, inside data, what the label becomes) when both are sent."""


@pytest.mark.parametrize(("top", "inner", "result"), READ_MODIFY_WRITE)
@pytest.mark.parametrize("name", ["channel", "feature", "campaign", "stage"])
def test_of_two_labels_the_one_that_differs_from_the_stored_one_wins(
    api: Api, name: str, top: str | None, inner: str | None, result: str | None
) -> None:
    url = api.created(**{name: "stored"}, data={"a": 1})
    before = api.read(url).json()
    sent = {**before, name: top, "data": {**before["data"], f"~{name}": inner}}
    assert updated(api, url, **sent) == with_changes(before, {f"~{name}": result}, **{name: result})


@pytest.mark.parametrize(
    ("top", "inner", "result"),
    [
        (["a"], ["a"], ["a"]),
        (["b"], ["a"], ["b"]),
        (["a"], ["b"], ["b"]),
        (["top"], ["inner"], ["top"]),
        ([], ["a"], None),
        (["a"], [], None),
    ],
)
def test_the_same_holds_for_tags(api: Api, top: list[str], inner: list[str], result: list[str] | None) -> None:
    url = api.created(tags=["a"])
    before = api.read(url).json()
    after = updated(api, url, tags=top, data={**before["data"], "~tags": inner})
    assert after == with_changes(before, {"~tags": result}, tags=result)


def test_a_label_in_data_alone_is_set(api: Api) -> None:
    url = api.created(channel="a")
    assert updated(api, url, data={"~channel": "b"})["channel"] == "b"
    assert updated(api, url, data={"mine": 1})["channel"] == "b"


def test_analytics_alone_leave_the_data_alone(api: Api) -> None:
    url = api.created(**FULL)
    before = api.read(url).json()
    after = updated(api, url, analytics={"~channel": "new", "~ad_id": "7"})
    assert after == with_changes(before, {"~channel": "new", "~ad_id": "7"}, channel="new")


def test_duration_follows_the_data_it_stood_in(api: Api) -> None:
    url = api.created(data={"$match_duration": 60})
    assert updated(api, url, duration=90)["data"]["$match_duration"] == 90
    assert updated(api, url, data={"$match_duration": 120})["data"]["$match_duration"] == 120
    wanted = alias()
    url = api.created(alias=wanted, data={"$match_duration": 60})
    updated(api, url, data={"a": 1})
    assert api.created(alias=wanted, duration=7200, data={"a": 1}) == url


STORED: dict[str, str | int | None] = {
    "alias": "filled in by the test",
    "identity": "jane",
    "identity_id": "filled in by the test",
    "randomized_bundle_token": "filled in by the test",
    "type": 1,
    "app_id": "filled in by the test",
    "domain": "filled in by the test",
    "state": None,
    "creation_source": 0,
    "app_short_identifier": None,
}


def stored_values(api: Api, url: str) -> dict[str, Any]:
    """What the not-updatable fields of a link hold."""
    read = api.read(url).json()
    identity_id = read["data"]["$identity_id"]
    return {
        **STORED,
        "alias": read["alias"],
        "identity_id": identity_id,
        "randomized_bundle_token": identity_id,
        "app_id": api.card["app_id"],
        "domain": api.card["link_domain"],
    }


def test_the_table_of_not_updatable_fields_is_the_documented_one() -> None:
    assert set(NOT_UPDATABLE) == set(STORED)


@pytest.mark.parametrize("field", NOT_UPDATABLE)
def test_a_not_updatable_field_may_be_repeated_or_null_and_not_changed(api: Api, field: str) -> None:
    url = api.created(alias=alias(), type=1, identity="jane")
    before = api.read(url).json()
    for same in (stored_values(api, url)[field], str(stored_values(api, url)[field] or ""), None):
        assert updated(api, url, **{field: same}) == before
    different = 0 if field == "type" else "different"
    response = api.update(url, **{field: different}, channel="not stored")
    assert (response.status_code, response.json()) == (400, error(400, f"{field}: cannot be changed by an update."))
    assert api.read(url).json() == before


@pytest.mark.parametrize("field", NOT_UPDATABLE)
def test_a_setting_of_the_app_ignores_changes_quietly(api: Api, field: str) -> None:
    app = new_app(api, update_immutable="ignore")
    url = app.created(alias=alias(), type=1, identity="jane")
    before = app.read(url).json()
    different = 0 if field == "type" else "different"
    after = updated(app, url, **{field: different}, channel="stored")
    assert after == with_changes(before, {"~channel": "stored"}, channel="stored")


def test_a_link_without_alias_cannot_get_one(api: Api) -> None:
    response = api.update(api.created(), alias="new-alias")
    assert (response.status_code, response.json()) == (400, error(400, "alias: cannot be changed by an update."))


def test_a_type_that_is_none_is_named(api: Api) -> None:
    message = "type: must be 0 (standard), 1 (one-time use) or 2 (marketing)."
    assert api.update(api.created(), type=9).json() == error(400, message)


def test_branchs_mcp_server_repeats_the_type_by_name(api: Api) -> None:
    assert api.update(api.created(type=2), type="MARKETING").status_code == 200


def test_the_url_may_stand_in_the_body(api: Api) -> None:
    """The seed's table lists it there."""
    url = api.created()
    body = {"branch_key": api.key, "branch_secret": api.card["branch_secret"], "channel": "x"}
    for field in ("url", "URL"):
        response = api.http.put("/v1/url", json={**body, field: url})
        assert (response.status_code, response.json()["channel"]) == (200, "x")


@pytest.mark.parametrize(
    "credentials",
    [
        {"branch_secret": "secret_live_wrong"},
        {"branch_secret": None},
        {"branch_secret": 5},
        {"branch_secret": "é"},
        {"branch_key": "key_live_wrong"},
        {"branch_key": None},
    ],
    ids=str,
)
def test_key_and_secret_must_belong_together(api: Api, credentials: dict[str, Any]) -> None:
    url = api.created(channel="a")
    response = api.update(url, channel="b", **credentials)
    message = "Invalid or missing app id, Branch key, or secret"
    assert (response.status_code, response.json()) == (400, error(400, message))
    assert api.read(url).json()["channel"] == "a"


def test_a_test_secret_does_not_open_the_live_environment(api: Api) -> None:
    url = api.created()
    secret = in_test_environment(api).card["branch_secret"]
    assert api.update(url, branch_secret=secret).json() == error(
        400, "Invalid or missing app id, Branch key, or secret"
    )


def test_an_unknown_link(api: Api) -> None:
    response = api.update(f"{api.running.base_url}/nothing-here", channel="x")
    message = "The resource you were looking for could not be found."
    assert (response.status_code, response.json()) == (404, error(404, message))


def test_targets_are_checked_again(api: Api) -> None:
    url = api.created(data={"$desktop_url": "https://example.com"})
    response = api.update(url, data={"$desktop_url": "javascript:x"})
    message = "$desktop_url uses the scheme javascript, which the app has not registered."
    assert (response.status_code, response.json()) == (400, error(400, message))
    assert api.read(url).json()["data"]["$desktop_url"] == "https://example.com"


def test_updates_at_the_same_time_lose_nothing(api: Api) -> None:
    """Each changes another label; all stay."""
    url = api.created()
    labels = ("channel", "feature", "campaign", "stage")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda name: api.update(url, **{name: name}), labels))
    assert [answer.status_code for answer in answers] == [200] * 4
    read = api.read(url).json()
    assert [read[name] for name in labels] == list(labels)


@pytest.mark.parametrize("path", ["c/abc", "d/abc"])
def test_links_of_the_form_bnc_lt_c_and_d_cannot_be_updated(api: Api, path: str) -> None:
    response = api.update(f"https://bnc.lt/{path}", channel="x")
    message = "url: links of the form bnc.lt/c/… and bnc.lt/d/… cannot be updated."
    assert (response.status_code, response.json()) == (400, error(400, message))
