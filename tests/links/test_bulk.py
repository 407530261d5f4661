"""POST /v1/url/bulk/{branch_key} (docs/links.md)."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.apps import alias, in_test_environment
from tests.conftest import Api, error

LIMIT = 102_400


def bulk(api: Api, items: object) -> httpx.Response:
    """Create many."""
    return api.http.post(f"/v1/url/bulk/{api.key}", json=items)


def test_answers_stand_in_request_order(api: Api) -> None:
    response = bulk(api, [{"channel": f"c{i}"} for i in range(50)])
    assert response.status_code == 200
    urls = [answer["url"] for answer in response.json()]
    assert len(set(urls)) == 50
    assert [api.read(url).json()["channel"] for url in urls[::7]] == [f"c{i}" for i in range(0, 50, 7)]


def test_each_item_has_its_own_error(api: Api) -> None:
    taken = alias()
    url = api.created(alias=taken, channel="a")
    items = [
        {"alias": taken, "channel": "b"},
        {"alias": taken, "channel": "a"},
        {"type": 7},
        "text",
        None,
        {"data": {"$ios_url": "javascript:x"}},
        {"channel": "fine"},
    ]
    response = bulk(api, items)
    assert response.status_code == 200
    *errors, fine = response.json()
    assert errors == [
        {"error": f"Link alias conflict: {api.card['link_domain']}/{taken}"},
        {"url": url},
        {"error": "type: must be 0 (standard), 1 (one-time use) or 2 (marketing)."},
        {"error": "The item must be an object of link parameters."},
        {"error": "The item must be an object of link parameters."},
        {"error": "$ios_url uses the scheme javascript, which the app has not registered."},
    ]
    assert api.read(fine["url"]).status_code == 200


def test_400_with_the_array_when_nothing_succeeded(api: Api) -> None:
    response = bulk(api, [{"type": 7}, {"alias": "/"}])
    assert response.status_code == 400
    assert [list(answer) for answer in response.json()] == [["error"], ["error"]]


def test_an_empty_array_is_400_with_an_empty_array(api: Api) -> None:
    response = bulk(api, [])
    assert (response.status_code, response.content) == (400, b"[]")


@pytest.mark.parametrize("body", ["{}", '"text"', "5", "null", ""])
def test_a_body_that_is_no_array(api: Api, body: str) -> None:
    response = api.http.post(f"/v1/url/bulk/{api.key}", content=body)
    assert (response.status_code, response.json()) == (
        400,
        error(400, "The body must be a JSON array of link parameters."),
    )


def test_a_missing_comma_creates_nothing(api: Api) -> None:
    """Branch's own Quick Links examples lack one."""
    wanted = alias()
    body = f'[{{"alias": "{wanted}"}} {{"channel": "b"}}]'
    response = api.http.post(f"/v1/url/bulk/{api.key}", content=body)
    message = f"The body is not valid JSON: JSON is malformed: expected ',' or ']' (byte {body.index('} {') + 2})."
    assert (response.status_code, response.json()) == (400, error(400, message))
    assert api.read(f"{api.running.base_url}/{wanted}").status_code == 404


def test_the_payload_may_have_100_kb_and_not_a_byte_more(api: Api) -> None:
    body = json.dumps([{"data": {"a": ""}}]).encode()
    within = body.replace(b'""', b'"' + b"x" * (LIMIT - len(body)) + b'"')
    past = within.replace(b'"x', b'"xx')
    assert (len(within), len(past)) == (LIMIT, LIMIT + 1)
    assert api.http.post(f"/v1/url/bulk/{api.key}", content=within).status_code == 200
    response = api.http.post(f"/v1/url/bulk/{api.key}", content=past)
    assert (response.status_code, response.json()) == (413, error(413, "The body must have at most 102400 bytes."))


def test_the_limit_holds_for_bodies_that_do_not_say_their_length(api: Api) -> None:
    chunks = (b"[" + b" " * 1000 for _ in range(200))
    response = api.http.post(f"/v1/url/bulk/{api.key}", content=chunks)
    assert (response.status_code, response.json()) == (413, error(413, "The body must have at most 102400 bytes."))


@pytest.mark.parametrize("key", ["key_live_x", "nonsense", "123456789012345678", "%00", "key_live_" + "0" * 32])
def test_an_unknown_key(api: Api, key: str) -> None:
    response = api.http.post(f"/v1/url/bulk/{key}", json=[{}])
    message = "Invalid or missing app id, Branch key, or secret"
    assert (response.status_code, response.json()) == (400, error(400, message))


def test_the_test_key_makes_test_links(api: Api) -> None:
    answers = bulk(in_test_environment(api), [{}]).json()
    assert answers[0]["url"].startswith(f"http://{api.card['test_link_domain']}/")


def test_a_key_inside_an_item_changes_nothing(api: Api) -> None:
    """Newer schemas list it there; the path says whose links they are."""
    answers = bulk(api, [{"branch_key": api.card["test_branch_key"]}]).json()
    assert answers[0]["url"].startswith(f"{api.running.base_url}/")
