"""Aliases: which may be used, repeats, conflicts, and reuse (docs/links.md)."""

from __future__ import annotations

from typing import Any

import pytest

from bough.vocabulary.reserved_paths import RESERVED_FIRST_SEGMENTS
from tests.apps import alias, in_test_environment, new_app
from tests.conftest import Api, error

SHAPE = (
    "alias: may hold letters, digits, '_', '-', '.', '~' and single '/' between segments; "
    "no segment may be empty or start with '.'."
)
SHORT = "alias: the first path segment must have at least two characters."


@pytest.mark.parametrize("tail", ["", "/id1234", "/a/b/c", "_x", "-x", ".x", "~x", "X", "/1", "/~tilde", "/a."])
def test_aliases_that_may_be_used(api: Api, tail: str) -> None:
    wanted = alias() + tail
    url = api.created(alias=wanted)
    assert url == f"{api.running.base_url}/{wanted}"
    assert api.read(url).json()["alias"] == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "/x",
        "x/",
        "ab//c",
        "../x",
        "ab/../c",
        "ab/.",
        ".hidden",
        "ab/.c",
        "ab c",
        "ab?c",
        "ab#c",
        "ab%20c",
        "äb",
        "ab\n",
        "ab\\c",
        "ab:c",
        "ab@c",
        "ab\x00",
        "/",
        "//evil.example",
    ],
)
def test_aliases_of_the_wrong_shape(api: Api, wanted: str) -> None:
    response = api.create(alias=wanted)
    assert (response.status_code, response.json()) == (400, error(400, SHAPE))


@pytest.mark.parametrize("wanted", ["x", "x/y", "c/longer", "Z"])
def test_a_single_character_cannot_come_first(api: Api, wanted: str) -> None:
    response = api.create(alias=wanted)
    assert (response.status_code, response.json()) == (400, error(400, SHORT))


@pytest.mark.parametrize("segment", sorted(RESERVED_FIRST_SEGMENTS - {".well-known"}))
@pytest.mark.parametrize("tail", ["", "/more"])
def test_the_servers_own_addresses_cannot_be_aliases(api: Api, segment: str, tail: str) -> None:
    response = api.create(alias=segment + tail)
    message = f"alias: '{segment}' is one of the server's own addresses."
    assert (response.status_code, response.json()) == (400, error(400, message))


def test_reserved_words_may_stand_further_inside(api: Api) -> None:
    assert api.create(alias=f"{alias()}/v1/api").status_code == 200


def test_aliases_are_case_sensitive(api: Api) -> None:
    lower = alias()
    upper = api.created(alias=lower.upper(), channel="upper")
    assert api.read(api.created(alias=lower, channel="lower")).json()["channel"] == "lower"
    assert api.read(upper).json()["channel"] == "upper"


FULL: dict[str, Any] = {
    "type": 1,
    "duration": 100,
    "identity": "jane",
    "channel": "a",
    "feature": "b",
    "campaign": "c",
    "stage": "d",
    "tags": ["e", "f"],
    "data": {"$og_title": "Title", "n": 1, "list": [1, {"a": None}]},
}


def test_the_same_request_again_gives_the_original_link(api: Api) -> None:
    wanted = alias()
    first = api.created(alias=wanted, **FULL)
    identifier = api.read(first).json()["data"]["~id"]
    assert api.created(alias=wanted, **FULL) == first
    reordered = {**FULL, "data": dict(reversed(FULL["data"].items()))}
    assert api.created(alias=wanted, **reordered) == first
    assert api.created(alias=wanted, sdk="other", source="web-sdk", **FULL) == first
    assert api.read(first).json()["data"]["~id"] == identifier


CHANGES: list[dict[str, Any]] = [
    {"type": 0},
    {"duration": 101},
    {"identity": "joe"},
    {"identity": None},
    {"channel": "x"},
    {"feature": None},
    {"campaign": "C"},
    {"stage": ""},
    {"tags": ["f", "e"]},
    {"tags": ["e"]},
    {"data": None},
    {"data": {**FULL["data"], "more": 1}},
    {"data": {**FULL["data"], "n": True}},
    {"data": {**FULL["data"], "n": 1.0}},
    {"data": {**FULL["data"], "n": "1"}},
    {"data": {**FULL["data"], "list": [1, {"a": False}]}},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_the_same_alias_with_anything_else_is_a_conflict(api: Api, change: dict[str, Any]) -> None:
    wanted = alias()
    url = api.created(alias=wanted, **FULL)
    before = api.read(url).json()
    response = api.create(alias=wanted, **{**FULL, **change})
    message = f"Link alias conflict: {api.card['link_domain']}/{wanted}"
    assert (response.status_code, response.json()) == (409, error(409, message))
    assert api.read(url).json() == before


def test_a_link_that_was_updated_can_be_repeated_as_it_is_now(api: Api) -> None:
    wanted = alias()
    url = api.created(alias=wanted, data={"a": 1, "$match_duration": 60})
    api.update(url, **{**api.read(url).json(), "campaign": "new"})
    assert api.created(alias=wanted, campaign="new", data={"a": 1, "$match_duration": 60}) == url
    assert api.create(alias=wanted, data={"a": 1, "$match_duration": 60}).status_code == 409


def test_the_conflict_status_is_a_setting_of_the_app(api: Api) -> None:
    app = new_app(api, alias_conflict_status=400)
    wanted = alias()
    app.created(alias=wanted, channel="a")
    response = app.create(alias=wanted, channel="b")
    message = f"Link alias conflict: {app.card['link_domain']}/{wanted}"
    assert (response.status_code, response.json()) == (400, error(400, message))


def test_another_app_on_the_same_host_has_its_own_aliases(api: Api) -> None:
    wanted = alias()
    app = new_app(api)
    assert api.created(alias=wanted) != app.created(alias=wanted, channel="other")


def test_the_test_environment_has_its_own_aliases(api: Api) -> None:
    wanted = alias()
    test = in_test_environment(api)
    assert api.created(alias=wanted, channel="live") != test.created(alias=wanted, channel="test")


def test_an_alias_is_reusable_after_deletion(api: Api) -> None:
    wanted = alias()
    first = api.created(alias=wanted, channel="a")
    identifier = api.read(first).json()["data"]["~id"]
    assert api.delete(first).status_code == 200
    assert api.created(alias=wanted, channel="b") == first
    read = api.read(first).json()
    assert (read["channel"], read["data"]["~id"] != identifier) == ("b", True)


def test_another_apps_prefix_cannot_be_an_alias(api: Api) -> None:
    prefix = new_app(api).card["link_domain"].partition("/")[2]
    response = api.create(alias=f"{prefix}/product")
    message = f"alias: '{prefix}' is another app's address on {api.card['link_domain']}."
    assert (response.status_code, response.json()) == (400, error(400, message))


def test_of_equal_creations_at_the_same_time_one_link_is_made(api: Api) -> None:
    wanted = alias()
    items = [{"alias": wanted, "data": {"n": 1}}] * 20 + [{"alias": wanted, "data": {"n": 2}}]
    answers = api.http.post(f"/v1/url/bulk/{api.key}", json=items).json()
    url = f"{api.running.base_url}/{wanted}"
    conflict = f"Link alias conflict: {api.card['link_domain']}/{wanted}"
    assert answers == [{"url": url}] * 20 + [{"error": conflict}]
