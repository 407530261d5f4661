"""POST /api/decide."""

from __future__ import annotations

from typing import Any

import pytest

from bough.clicks.decision.explain import PLATFORMS
from bough.clicks.decision.rules import RULES
from tests.apps import other_organization
from tests.conftest import Api, error
from tests.running import wait_until

IPHONE = PLATFORMS[0].user_agent


def ask(api: Api, **body: Any) -> Any:
    """The answer's body."""
    return api.manage("POST", "/api/decide", json=body).json()


def test_every_platform_with_its_reason(api: Api) -> None:
    url = api.created(data={"$ios_url": "https://ios.example/", "$fallback_url": "https://web.example/"})
    answer = ask(api, url=url)
    assert answer["link"] == {"id": api.link_id(url), "url": url}
    assert [d["platform"] for d in answer["decisions"]] == [platform.name for platform in PLATFORMS]
    found = {d["platform"]: d for d in answer["decisions"]}
    assert found["iPhone, Safari"]["target"] == "https://ios.example/"
    assert "$ios_url" in found["iPhone, Safari"]["reason"]
    assert found["curl"]["target"] == "https://web.example/"
    assert {d["rule"] for d in answer["decisions"]} <= set(RULES)


def test_one_visitor(api: Api) -> None:
    url = api.created(data={"$ios_url": "https://ios.example/", "$ios_url_de": "https://ios.example/de"})
    (decision,) = ask(api, url=url, user_agent=IPHONE, country="DE", query={"ref": "x"})["decisions"]
    assert decision["platform"] == "You"
    assert decision["kind"] == "redirect"
    assert decision["target"] == "https://ios.example/de"
    assert decision["parameters"]["ref"] == "x"
    assert decision["appends_match_id"] is True
    location = api.http.get(url, headers={"User-Agent": IPHONE}).headers["location"]
    assert location.startswith("https://ios.example/?")


def test_parameters_in_the_address_count_as_a_click_would_take_them(api: Api) -> None:
    url = api.created(data={"$ios_url": "https://ios.example/"})
    other = "https://other.example/"
    for body in (
        {"url": f"{url}?$ios_url={other}"},
        {"url": url, "query": {"$ios_url": other}},
        {"url": url, "query": f"?$ios_url={other}"},
    ):
        assert ask(api, user_agent=IPHONE, **body)["decisions"][0]["target"] == other


def test_installed_or_not(api: Api) -> None:
    url = api.created(data={"$ios_url": "https://ios.example/", "$ios_has_app_url": "https://app.example/"})
    assert ask(api, url=url, user_agent=IPHONE, installed=True)["decisions"][0]["target"] == "https://app.example/"
    assert ask(api, url=url, user_agent=IPHONE, installed=False)["decisions"][0]["target"] == "https://ios.example/"
    names = [d["platform"] for d in ask(api, url=url, installed=True)["decisions"]]
    assert names == [platform.name for platform in PLATFORMS if platform.installed]


def test_unknown_link_of_ones_own(api: Api) -> None:
    answer = ask(api, url=f"{api.running.base_url}/nothing-here", user_agent="curl/8.0")
    assert answer["link"] is None
    assert answer["decisions"][0]["rule"].startswith("unknown_link")


def test_long_links(api: Api) -> None:
    url = f"{api.running.base_url}/a/{api.key}?$ios_url=https://long.example/"
    answer = ask(api, url=url, user_agent=IPHONE)
    assert answer["link"] == {"id": None, "url": url}
    assert answer["decisions"][0]["target"] == "https://long.example/"


def test_asking_is_no_click(api: Api) -> None:
    url = api.created(data={"$ios_url": "https://ios.example/"})
    path = f"/api/links/{api.link_id(url)}"
    for _ in range(3):
        ask(api, url=url, user_agent=IPHONE)
    assert api.http.get(url, headers={"User-Agent": IPHONE}).status_code == 307
    wait_until(lambda: api.manage("GET", path).json()["clicks"] > 0)
    assert api.manage("GET", path).json()["clicks"] == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "url: is missing; it must be the link's address."),
        ({"url": 5}, "url: must be a string."),
        ({"url": "ftp://x/"}, "url: must be an http or https address."),
        ({"user_agent": 5}, "user_agent: must be a string."),
        ({"user_agent": "x" * 1025}, "user_agent: must have at most 1024 characters."),
        ({"country": "Germany"}, "country: must be two letters, as in DE."),
        ({"installed": "yes"}, "installed: must be true or false."),
        ({"query": [1]}, "query: must be an object of at most 200 texts."),
        ({"query": {"a": 1}}, "query.a: must be a string."),
    ],
)
def test_wrong_types_are_named(api: Api, body: dict[str, Any], message: str) -> None:
    assert ask(api, **body) == error(400, message)


def test_addresses_of_others_are_unknown(api: Api) -> None:
    url = api.created()
    unknown = error(404, "The resource you were looking for could not be found.")
    stranger = other_organization(api)
    for address in (url, f"{api.running.base_url}/nothing-here", f"{api.running.base_url}/a/{api.key}?x=1"):
        assert ask(stranger, url=address) == unknown
    assert ask(api, url="https://example.com/x") == unknown
    assert api.http.post("/api/decide", json={"url": url}).json() == error(400, "Authentication failed !")
