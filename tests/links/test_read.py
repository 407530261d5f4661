"""GET /v1/url (docs/links.md)."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.apps import alias
from tests.conftest import Api, error

NOT_FOUND = error(404, "The resource you were looking for could not be found.")


def test_the_url_may_be_encoded_or_raw(api: Api) -> None:
    url = api.created(alias=f"{alias()}/deep", channel="a")
    expected = api.read(url).json()
    for written in (url, quote(url, safe="")):
        response = api.http.get(f"/v1/url?url={written}&branch_key={api.key}")
        assert (response.status_code, response.json()) == (200, expected)


@pytest.mark.parametrize("name", ["url", "URL"])
def test_key_and_url_may_stand_in_the_body(api: Api, name: str) -> None:
    """Branch's table of the read's parameters lists them there."""
    url = api.created(channel="a")
    response = api.http.request("GET", "/v1/url", json={"branch_key": api.key, name: url})
    assert (response.status_code, response.json()) == (200, api.read(url).json())


def test_an_empty_body_of_any_type_is_none(api: Api) -> None:
    url = api.created()
    headers = {"Content-Type": "text/html"}
    assert api.http.get("/v1/url", params={"url": url, "branch_key": api.key}, headers=headers).status_code == 200


def test_other_forms_of_the_address_name_the_same_link(api: Api) -> None:
    url = api.created(alias=f"{alias()}/deep", channel="a")
    expected = api.read(url).json()
    base = api.running.base_url
    port = base.rpartition(":")[2]
    forms = [
        url.replace("http://", "https://"),
        url.replace("http://", ""),
        url.replace("http://", "HTTP://"),
        f"{url}?utm_source=x&a=b",
        f"{url}#fragment",
        f"{url}/",
        f"{url}/?a=b",
        url.replace(base, f"{base}/e"),
        url.replace(base, f"http://alternate.localhost:{port}"),
        url.replace("-", "%2D"),
    ]
    for form in forms:
        assert api.read(form).json() == expected, form


def test_further_query_parameters_do_not_matter(api: Api) -> None:
    """Branch's MCP server sends some."""
    url = api.created()
    assert api.read(url, app_id=api.card["app_id"], tool="mcp", page="2").status_code == 200


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "url: is missing; it must be the link's address."),
        ("ftp://example.com/x", "url: must be an http or https address."),
        ("https:///x", "url: must be an http or https address."),
        ("http://[x/y", "url: is not an address."),
        ("x" * 8193, "url: must have at most 8192 characters."),
    ],
)
def test_addresses_that_are_none(api: Api, url: str, message: str) -> None:
    response = api.read(url)
    assert (response.status_code, response.json()) == (400, error(400, message))


def test_the_url_parameter_is_required(api: Api) -> None:
    response = api.http.get("/v1/url", params={"branch_key": api.key})
    assert (response.status_code, response.json()) == (
        400,
        error(400, "url: is missing; it must be the link's address."),
    )


@pytest.mark.parametrize("path", ["", "/", "/nothing-here", "/%00", "/..%2f..", "/a/b/c/d", "/%F0%9F%98%80"])
def test_an_unknown_link(api: Api, path: str) -> None:
    response = api.read(api.running.base_url + path)
    assert (response.status_code, response.json()) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    "host", ["https://example.com", "https://127.0.0.1", "https://user:pw@example.com:1", "https://a\x00b"]
)
def test_a_link_on_a_foreign_host(api: Api, host: str) -> None:
    response = api.read(f"{host}/hello")
    assert (response.status_code, response.json()) == (404, NOT_FOUND)


def test_paths_are_case_sensitive(api: Api) -> None:
    wanted = alias()
    api.created(alias=wanted)
    assert api.read(f"{api.running.base_url}/{wanted.upper()}").status_code == 404


def test_reads_hold_no_other_top_level_keys(api: Api) -> None:
    url = api.created(
        alias=alias(),
        type=2,
        duration=60,
        identity="jane",
        channel="a",
        feature="b",
        campaign="c",
        stage="d",
        tags=["e"],
    )
    assert list(api.read(url).json()) == ["channel", "feature", "campaign", "stage", "tags", "data", "type", "alias"]


def test_head_answers_like_get_without_a_body(api: Api) -> None:
    url = api.created()
    response = api.http.head("/v1/url", params={"url": url, "branch_key": api.key})
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == str(len(api.read(url).content))
