"""POST /v1/url (docs/links.md)."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from tests.conftest import Api, error

INVALID_KEY = error(400, "Invalid or missing app id, Branch key, or secret")


def post(api: Api, body: bytes, content_type: str = "application/json") -> httpx.Response:
    """POST /v1/url with the bytes as they are."""
    return api.http.post("/v1/url", content=body, headers={"Content-Type": content_type})


def test_the_key_alone_is_enough(api: Api) -> None:
    response = api.create()
    assert (response.status_code, list(response.json())) == (200, ["url"])
    assert response.headers["content-type"] == "application/json"
    assert re.fullmatch(rf"{api.running.base_url}/[A-Za-z0-9]{{10}}", response.json()["url"])


def test_without_alias_each_post_makes_a_new_link(api: Api) -> None:
    parameters = {"channel": "a", "data": {"b": 1}}
    assert api.created(**parameters) != api.created(**parameters)


def test_a_link_without_parameters_reads_as_such(api: Api) -> None:
    url = api.created()
    read = api.read(url).json()
    assert re.fullmatch(r"\d{18,19}", read["data"].pop("~id"))
    assert read == {
        "data": {"$one_time_use": False, "~creation_source": 0, "url": url},
        "type": 0,
        "alias": None,
    }


def test_values_of_data_keep_their_types(api: Api) -> None:
    data = {
        "text": "é 😀 \u2028",
        "empty": "",
        "yes": True,
        "no": False,
        "nothing": None,
        "integer": 1243,
        "large": 2**80,
        "negative": -7,
        "number": 1.5,
        "list": [1, "1", 1.5, None, True, []],
        "object": {"a": {"b": {}}},
        "$custom_meta_tags": '{"a": "b"}',
        "~unknown": "kept",
    }
    read = api.read(api.created(data=data)).json()["data"]
    assert json.dumps({key: read[key] for key in data}) == json.dumps(data)


def test_server_made_keys_cannot_be_set(api: Api) -> None:
    forged = {"~id": "1", "url": "https://example.com", "+url": "x", "~creation_source": 7, "$identity_id": "2"}
    url = api.created(data={**forged, "~marketing": True, "$randomized_bundle_token": "3", "mine": 1})
    read = api.read(url).json()["data"]
    assert read.pop("~id") != "1"
    assert read == {"mine": 1, "$one_time_use": False, "~creation_source": 0, "url": url}


@pytest.mark.parametrize("data", [None, "", {}, "{}"])
def test_no_data(api: Api, data: Any) -> None:
    assert set(api.read(api.created(data=data)).json()["data"]) == {"$one_time_use", "~creation_source", "~id", "url"}


def test_identity_gives_the_link_an_id_of_it(api: Api) -> None:
    first, second, other = (api.read(api.created(identity=name)).json()["data"] for name in ("jane", "jane", "joe"))
    assert re.fullmatch(r"\d{18,19}", first["$identity_id"])
    assert first["$identity_id"] == second["$identity_id"] != other["$identity_id"]


def test_a_web_only_link_gets_an_address_that_no_app_claims(api: Api) -> None:
    url = api.created(data={"$web_only": True, "$desktop_url": "https://example.com"})
    assert re.fullmatch(rf"{api.running.base_url}/e/[A-Za-z0-9]{{10}}", url)
    read = api.read(url)
    assert read.json()["data"]["url"] == url
    assert api.read(url.replace("/e/", "/")).json() == read.json()


def test_unknown_parameters_are_tolerated(api: Api) -> None:
    assert (
        api.create(sdk="api", link_click_id=None, randomized_device_token="1", qr_code_settings={}).status_code == 200
    )


def test_of_duplicate_keys_the_last_wins(api: Api) -> None:
    body = f'{{"branch_key":"{api.key}","channel":"first","channel":"last"}}'
    url = post(api, body.encode()).json()["url"]
    assert api.read(url).json()["channel"] == "last"


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "text/plain", ""])
def test_json_is_read_under_every_usual_name(api: Api, content_type: str) -> None:
    assert post(api, f'{{"branch_key":"{api.key}"}}'.encode(), content_type).status_code == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b'{"branch_key": "k" "data": 1}',
            "The body is not valid JSON: JSON is malformed: expected ',' or '}' (byte 19).",
        ),
        (b'{"branch_key":', "The body is not valid JSON: Input data was truncated."),
        (b'{"branch_key":"\xff"}', "The body is not valid UTF-8."),
        (b"[]", "The body must be a JSON object."),
        (b'"text"', "The body must be a JSON object."),
        (b"[" * 100_000, "The body is nested too deeply."),
    ],
)
def test_broken_bodies_get_one_sentence(api: Api, body: bytes, message: str) -> None:
    response = post(api, body)
    assert (response.status_code, response.json()) == (400, error(400, message))


def test_other_media_types_are_refused(api: Api) -> None:
    response = post(api, b"<a/>", "text/xml")
    message = "Content-Type: must be application/json or application/x-www-form-urlencoded."
    assert (response.status_code, response.json()) == (415, error(415, message))


def test_a_body_above_the_servers_limit_is_refused(api: Api) -> None:
    response = post(api, b'{"a":"' + b"x" * 256 * 1024 + b'"}')
    assert (response.status_code, response.json()) == (413, error(413, "The body must have at most 262144 bytes."))


@pytest.mark.parametrize(
    "key", [None, "", "key_live_", "nonsense", "key_live_" + "0" * 32, 5, ["a"], {"a": 1}, "\u0000", "é"]
)
def test_a_key_that_is_none(api: Api, key: Any) -> None:
    response = api.http.post("/v1/url", json={"branch_key": key})
    assert (response.status_code, response.json()) == (400, INVALID_KEY)


@pytest.mark.parametrize("app_id", ["1", "12345678901234567890", "-1", "x", "٣", 0])
def test_an_app_id_that_is_none(api: Api, app_id: Any) -> None:
    response = api.http.post("/v1/url", json={"app_id": app_id})
    assert (response.status_code, response.json()) == (400, INVALID_KEY)


def test_nothing_is_stored_for_a_refused_request(api: Api) -> None:
    alias = "refused-with-everything"
    assert api.create(alias=alias, data={"$desktop_url": "javascript:alert(1)"}).status_code == 400
    assert api.create(alias=alias, type=9).status_code == 400
    assert api.read(f"{api.running.base_url}/{alias}").status_code == 404


TARGET_ERRORS = [
    ("javascript:alert(1)", "uses the scheme javascript, which the app has not registered"),
    ("data:text/html,x", "uses the scheme data, which the app has not registered"),
    ("other-app://open", "uses the scheme other-app, which the app has not registered"),
    ("https://example.com/\r\nSet-Cookie: a=b", "holds a control character"),
    ("https://user@example.com/", "must not hold a user name before the host"),
    ("https:///path", "has no valid host name"),
    ("/relative", "must begin with https:// or http:// or a scheme that the app has registered"),
]


@pytest.mark.parametrize(("target", "why"), TARGET_ERRORS)
@pytest.mark.parametrize("key", ["$desktop_url", "$fallback_url_de"])
def test_targets_that_could_harm_are_refused_at_creation(api: Api, key: str, target: str, why: str) -> None:
    response = api.create(data={key: target})
    assert (response.status_code, response.json()) == (400, error(400, f"{key} {why}."))


def test_a_target_that_is_no_text_is_refused(api: Api) -> None:
    response = api.create(data={"$ios_url": ["https://example.com"]})
    assert (response.status_code, response.json()) == (400, error(400, "$ios_url must be a string."))
