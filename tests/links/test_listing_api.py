"""GET /api/links: listing, filters, search, paging, counts."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.apps import new_app, other_organization
from tests.conftest import Api, error
from tests.running import wait_until

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile/15E148"


def name() -> str:
    """A text that no other test uses."""
    return f"n{uuid.uuid4().hex[:12]}"


def test_an_item_has_all_its_fields(api: Api) -> None:
    campaign, alias = name(), name()
    url = api.created(
        alias=alias,
        channel="email",
        campaign=campaign,
        tags=["a", "b"],
        type=1,
        data={"$og_title": "Hello", "x": {"deep": [1, True]}},
    )
    found = api.find(campaign=campaign)
    assert found == [
        {
            "id": api.link_id(url),
            "url": url,
            "app_id": api.card["app_id"],
            "test": False,
            "alias": alias,
            "type": 1,
            "channel": "email",
            "feature": None,
            "campaign": campaign,
            "stage": None,
            "tags": ["a", "b"],
            "title": "Hello",
            "created_at": found[0]["created_at"],
            "updated_at": found[0]["created_at"],
            "clicks": 0,
            "last_click_at": None,
        }
    ]
    assert found[0]["created_at"].endswith("Z")


def test_newest_first_in_pages_that_stay_while_links_come_and_go(api: Api) -> None:
    campaign = name()
    urls = [api.created(campaign=campaign, channel=str(n)) for n in range(7)]
    first = api.manage("GET", "/api/links", params={"campaign": campaign, "limit": 3}).json()
    assert [link["channel"] for link in first["links"]] == ["6", "5", "4"]
    api.created(campaign=campaign, channel="new")
    assert api.delete(urls[5]).json()["deleted"] is True
    assert api.delete(urls[2]).json()["deleted"] is True
    query = {"campaign": campaign, "limit": 3, "cursor": first["next_cursor"]}
    second = api.manage("GET", "/api/links", params=query).json()
    assert [link["channel"] for link in second["links"]] == ["3", "1", "0"]
    assert second["next_cursor"] is None


def test_pages_without_filters_give_every_link_once(api: Api) -> None:
    for _ in range(5):
        api.created()
    cursor, ids = "", []
    while True:
        query = {"limit": "4", **({"cursor": cursor} if cursor else {})}
        page = api.manage("GET", "/api/links", params=query).json()
        ids += [int(link["id"]) for link in page["links"]]
        if page["next_cursor"] is None:
            break
        assert len(page["links"]) == 4
        cursor = page["next_cursor"]
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) >= 5


FILTERED: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"channel": "email"}, {"channel": "email"}),
    ({"feature": "share"}, {"feature": "share"}),
    ({"stage": "new user"}, {"stage": "new user"}),
    ({"tags": ["x", "sale"]}, {"tag": "sale"}),
    ({"tags": ['quo"te', "ü"]}, {"tag": 'quo"te'}),
    ({"type": 2}, {"type": "2"}),
    ({}, {"created_after": "2020-01-01"}),
    ({}, {"created_before": "2100-01-01T00:00:00Z"}),
    ({"alias": "product/Läufer".replace("ä", "ae")}, {"search": "PRODUCT/laeu"}),
    ({"data": {"$og_title": "Große Öfen"}}, {"search": "große öf"}),
    ({"data": {"$marketing_title": 'With "quotes" \\ and 100%'}}, {"search": '"quotes" \\ and 100%'}),
]


@pytest.mark.parametrize(("parameters", "wanted"), FILTERED)
def test_filters_keep_what_fits(api: Api, parameters: dict[str, Any], wanted: dict[str, str]) -> None:
    mark = name()
    parameters = dict(parameters)
    if "alias" in parameters:
        parameters["alias"] += mark
    url = api.created(campaign=mark, **parameters)
    assert [link["url"] for link in api.find(campaign=mark, **wanted)] == [url]


@pytest.mark.parametrize(
    ("parameters", "unwanted"),
    [
        ({"channel": "email"}, {"channel": "Email"}),
        ({"tags": ["a", "b"]}, {"tag": ","}),
        ({"tags": ["sale"]}, {"tag": "SALE"}),
        ({"type": 0}, {"type": "1"}),
        ({}, {"created_before": "2020-01-01"}),
        ({}, {"created_after": "4102444800000"}),
        ({"data": {"text": "only here"}}, {"search": "only here"}),
        ({"data": {"$og_title": "abc"}}, {"search": "a_c"}),
        ({"data": {"$og_title": "abc"}}, {"search": "a%c"}),
    ],
)
def test_filters_leave_out_what_does_not_fit(api: Api, parameters: dict[str, Any], unwanted: dict[str, str]) -> None:
    mark = name()
    api.created(campaign=mark, **parameters)
    assert api.find(campaign=mark, **unwanted) == []


def test_search_finds_campaigns(api: Api) -> None:
    mark = name()
    url = api.created(campaign=f"Spring {mark}")
    assert [link["url"] for link in api.find(search=mark.upper())] == [url]


def test_test_and_live_environment(api: Api) -> None:
    campaign = name()
    live = api.created(campaign=campaign)
    test = api.created(campaign=campaign, branch_key=api.card["test_branch_key"])
    assert [link["url"] for link in api.find(campaign=campaign)] == [test, live]
    assert [link["url"] for link in api.find(campaign=campaign, test="true")] == [test]
    assert [link["url"] for link in api.find(campaign=campaign, test="0")] == [live]


def test_all_apps_of_the_organization_or_one(api: Api) -> None:
    campaign = name()
    sister = new_app(api, organization=int(api.card["organization_id"]))
    first = api.created(campaign=campaign)
    second = api.created(campaign=campaign, branch_key=sister.key)
    third = api.created(campaign=campaign)
    assert [link["url"] for link in api.find(campaign=campaign)] == [third, second, first]
    assert [link["url"] for link in api.find(campaign=campaign, app_id=sister.card["app_id"])] == [second]


def test_another_organization_sees_nothing_of_it(api: Api) -> None:
    campaign = name()
    url = api.created(campaign=campaign)
    stranger = other_organization(api)
    assert stranger.manage("GET", "/api/links", params={"campaign": campaign}).json() == {
        "links": [],
        "next_cursor": None,
    }
    for path in (f"/api/links/{api.link_id(url)}", "/api/links/123", "/api/links/none"):
        response = stranger.manage("GET", path)
        assert response.json() == error(404, "The resource you were looking for could not be found.")
    response = stranger.manage("GET", "/api/links", params={"app_id": api.card["app_id"]})
    assert response.status_code == 404


def test_kept_counts_follow_the_clicks(api: Api) -> None:
    campaign = name()
    url = api.created(campaign=campaign, data={"$desktop_url": "https://example.com/"})
    for _ in range(3):
        assert api.http.get(url, headers={"User-Agent": IPHONE}).status_code in (200, 307)
    wait_until(lambda: api.find(campaign=campaign)[0]["clicks"] == 3)
    link = api.find(campaign=campaign)[0]
    assert link["last_click_at"] >= link["created_at"]
    assert api.manage("GET", f"/api/links/{link['id']}").json()["clicks"] == 3


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"limit": "0"}, "limit: must be a whole number from 1 to 500."),
        ({"limit": "501"}, "limit: must be a whole number from 1 to 500."),
        ({"limit": "many"}, "limit: must be a whole number from 1 to 500."),
        ({"cursor": "-1"}, f"cursor: must be a whole number from 1 to {2**63 - 1}."),
        ({"test": "perhaps"}, "test: must be true or false."),
        ({"type": "7"}, "type: must be 0 (standard), 1 (one-time use) or 2 (marketing)."),
        (
            {"created_after": "yesterday"},
            "created_after: must be a time such as 2026-03-01, 2026-03-01T12:00:00Z or epoch ms.",
        ),
        ({"search": "x" * 256}, "search: must have at most 255 characters."),
    ],
)
def test_wrong_parameters_are_named(api: Api, query: dict[str, str], message: str) -> None:
    response = api.manage("GET", "/api/links", params=query)
    assert response.json() == error(400, message)


def test_unknown_parameters_are_refused_so_that_a_typing_error_does_not_list_everything(api: Api) -> None:
    response = api.manage("GET", "/api/links", params={"campain": "x"})
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith("campain: is not a parameter of this listing")


def test_a_token_is_needed(api: Api) -> None:
    assert api.http.get("/api/links").json() == error(400, "Authentication failed !")
    assert api.http.get("/api/links/1", headers={"Access-Token": "x"}).json() == error(400, "Authentication failed !")
