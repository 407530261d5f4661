"""Apart: other tenants, other apps, live and test (docs/links.md)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.apps import in_test_environment, new_app, other_organization
from tests.conftest import Api, error

NOT_FOUND = error(404, "The resource you were looking for could not be found.")
STRANGERS: dict[str, Callable[[Api], Api]] = {
    "another organization": other_organization,
    "another app": new_app,
    "the test environment": in_test_environment,
}


@pytest.fixture(params=STRANGERS)
def stranger(request: pytest.FixtureRequest, api: Api) -> Api:
    """A client with valid keys of its own that has no business with `api`'s links."""
    return STRANGERS[request.param](api)


def test_a_strangers_key_reads_and_changes_nothing(api: Api, stranger: Api) -> None:
    url = api.created(channel="mine", data={"secret": 1})
    unknown = f"{api.running.base_url}/no-such-link"
    for response, like in (
        (stranger.read(url), stranger.read(unknown)),
        (stranger.update(url, channel="theirs"), stranger.update(unknown, channel="theirs")),
    ):
        assert (response.status_code, response.json()) == (404, NOT_FOUND)
        assert response.content == like.content
        assert response.headers.keys() == like.headers.keys()
    assert api.read(url).json()["channel"] == "mine"


def test_nor_does_the_owner_of_its_app_read_the_strangers(api: Api, stranger: Api) -> None:
    url = stranger.created(channel="theirs")
    assert api.read(url).json() == NOT_FOUND
    assert stranger.read(url).json()["channel"] == "theirs"


def test_a_refused_field_does_not_tell_that_the_link_exists(api: Api, stranger: Api) -> None:
    url = api.created()
    assert stranger.update(url, alias="different").json() == NOT_FOUND


def test_the_other_environments_links_live_at_another_address(api: Api) -> None:
    live, test = api.created(), in_test_environment(api).created()
    assert live.startswith(f"http://{api.card['link_domain']}/")
    assert test.startswith(f"http://{api.card['test_link_domain']}/")
    assert api.card["link_domain"] != api.card["test_link_domain"]


def test_identities_of_tenants_are_apart(api: Api, stranger: Api) -> None:
    mine, theirs = (client.read(client.created(identity="jane")).json()["data"] for client in (api, stranger))
    assert mine["$identity_id"] != theirs["$identity_id"]


def test_a_strangers_secret_opens_no_app(api: Api, stranger: Api) -> None:
    response = api.http.get(f"/v1/app/{api.key}", params={"branch_secret": stranger.card["branch_secret"]})
    message = "Invalid or missing app id, Branch key, or secret"
    assert (response.status_code, response.json()) == (400, error(400, message))
