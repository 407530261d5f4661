"""DELETE /v1/url: credentials in every recorded form, permissions, environments (docs/links.md)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bough.vocabulary.permissions import PERMISSIONS
from tests.apps import in_test_environment, new_app, other_organization, token_of
from tests.conftest import Api, error

NOT_FOUND = error(404, "The resource you were looking for could not be found.")
NOT_AUTHENTICATED = error(400, "Authentication failed !")


def delete(api: Api, query: dict[str, str], body: dict[str, Any] | None = None, token: str = "") -> httpx.Response:
    """DELETE with just these credentials; `token` goes into the header."""
    headers = {"Access-Token": token} if token else {}
    return api.http.request("DELETE", "/v1/url", params=query, json=body, headers=headers)


def test_a_deleted_link_is_gone_for_everybody(api: Api) -> None:
    url = api.created(data={"$desktop_url": "https://example.com"})
    path = url.removeprefix(api.running.base_url)
    assert api.http.get(path, headers={"User-Agent": "curl/8.0"}).status_code == 307
    response = api.delete(url)
    assert (response.status_code, response.json()) == (200, {"url": url, "deleted": True})
    assert api.read(url).json() == NOT_FOUND
    assert api.update(url, channel="x").json() == NOT_FOUND
    assert api.http.get(path, headers={"User-Agent": "curl/8.0"}).status_code == 404
    assert (api.delete(url).status_code, api.delete(url).json()) == (404, NOT_FOUND)


@pytest.mark.parametrize("with_app_id", [True, False])
@pytest.mark.parametrize("place", ["header", "access_key", "access_token", "query access_key", "query access_token"])
def test_the_token_is_taken_from_every_documented_place(api: Api, place: str, with_app_id: bool) -> None:
    url, token = api.created(), api.card["access_token"]
    query = {"url": url, **({"app_id": api.card["app_id"]} if with_app_id else {})}
    if place == "header":
        response = delete(api, query, token=token)
    elif place.startswith("query"):
        response = delete(api, {**query, place.split()[1]: token})
    else:
        response = delete(api, query, {place: token})
    assert (response.status_code, response.json()) == (200, {"url": url, "deleted": True})


@pytest.mark.parametrize("field", ["URL", "url"])
def test_the_seeds_table_puts_everything_into_the_body(api: Api, field: str) -> None:
    url = api.created()
    response = delete(api, {}, {"access_key": api.card["access_token"], field: url})
    assert (response.status_code, response.json()) == (200, {"url": url, "deleted": True})


def test_key_and_secret_in_the_body(api: Api) -> None:
    url = api.created()
    keys = {"branch_key": api.key, "branch_secret": api.card["branch_secret"]}
    wrong = delete(api, {"url": url}, {**keys, "branch_secret": "secret_live_wrong"})
    assert (wrong.status_code, wrong.json()) == (400, error(400, "Invalid or missing app id, Branch key, or secret"))
    assert delete(api, {"url": url}, keys).json() == {"url": url, "deleted": True}


@pytest.mark.parametrize("token", ["", "api_user_wrong", "key_live_x", "\u00e9"])
def test_an_unknown_token(api: Api, token: str) -> None:
    url = api.created()
    response = delete(api, {"url": url, "access_token": token})
    assert (response.status_code, response.json()) == (400, NOT_AUTHENTICATED)
    assert api.read(url).status_code == 200


@pytest.mark.parametrize("body", [None, {}, {"branch_key": "filled in"}, {"access_key": 5}, {"access_token": ["a"]}])
def test_no_token(api: Api, body: dict[str, Any] | None) -> None:
    if body and "branch_key" in body:
        body = {"branch_key": api.key}
    response = delete(api, {"url": api.created()}, body)
    assert (response.status_code, response.json()) == (400, NOT_AUTHENTICATED)


@pytest.mark.parametrize("missing", PERMISSIONS)
def test_links_and_sensitive_data_are_the_permissions_it_takes(api: Api, missing: str) -> None:
    url = api.created()
    token = token_of(api.running, [name for name in PERMISSIONS if name != missing])
    response = delete(api, {"url": url, "app_id": api.card["app_id"]}, token=token)
    if missing in ("links", "sensitive_data"):
        assert (response.status_code, response.json()) == (403, error(403, "Unauthorized User"))
        assert api.read(url).status_code == 200
    else:
        assert response.status_code == 200


def test_another_organizations_token_sees_no_link(api: Api) -> None:
    url = api.created()
    other = other_organization(api)
    for app_id in ({}, {"app_id": api.card["app_id"]}, {"app_id": other.card["app_id"]}):
        response = delete(api, {"url": url, **app_id}, token=other.card["access_token"])
        assert (response.status_code, response.json()) == (404, NOT_FOUND)
    assert api.read(url).status_code == 200


def test_the_app_id_must_be_the_links_app(api: Api) -> None:
    sibling = new_app(api)
    url = api.created()
    response = delete(api, {"url": url, "app_id": sibling.card["app_id"]}, token=api.card["access_token"])
    assert (response.status_code, response.json()) == (404, NOT_FOUND)


@pytest.mark.parametrize("app_id", ["0", "x", "٣"])
def test_an_unknown_app_id(api: Api, app_id: str) -> None:
    response = delete(api, {"url": api.created(), "app_id": app_id}, token=api.card["access_token"])
    assert (response.status_code, response.json()) == (404, NOT_FOUND)


def test_the_url_is_required(api: Api) -> None:
    for query in ({}, {"app_id": api.card["app_id"]}):
        response = delete(api, query, token=api.card["access_token"])
        message = "url: is missing; it must be the link's address."
        assert (response.status_code, response.json()) == (400, error(400, message))


def test_links_of_the_test_environment_cannot_be_deleted(api: Api) -> None:
    test = in_test_environment(api)
    url = test.created()
    expected = error(403, "Links of the test environment cannot be deleted.")
    assert (api.delete(url).status_code, api.delete(url).json()) == (403, expected)
    keys = {"branch_key": test.key, "branch_secret": test.card["branch_secret"]}
    assert delete(api, {"url": url}, keys).json() == expected
    assert test.read(url).status_code == 200


def test_deleting_in_the_test_environment_is_a_setting_of_the_app(api: Api) -> None:
    app = new_app(api, test_env_delete="allow")
    test = in_test_environment(app)
    url = test.created()
    assert app.delete(url).json() == {"url": url, "deleted": True}
    assert test.read(url).status_code == 404


def test_a_live_secret_deletes_no_test_link(api: Api) -> None:
    app = new_app(api, test_env_delete="allow")
    url = in_test_environment(app).created()
    response = delete(app, {"url": url}, {"branch_key": app.key, "branch_secret": app.card["branch_secret"]})
    assert (response.status_code, response.json()) == (404, NOT_FOUND)
