"""The per-app switches of docs/settings.md, set through PUT /v1/app."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from bough.links.actions import extend_batch
from bough.links.change import DAY_MS
from bough.links.queries import BY_ID
from bough.vocabulary.ids import now_ms
from tests.apps import store_of
from tests.conftest import Api, error
from tests.links.test_listing_api import IPHONE, name
from tests.running import wait_until

UNKNOWN = error(404, "The resource you were looking for could not be found.")
DEFAULTS: dict[str, Any] = {
    "alias_conflict_status": 409,
    "test_env_delete": "deny",
    "allow_type2": True,
    "expiry_days": 0,
    "update_immutable": "reject",
}


@pytest.fixture
def switched(api: Api) -> Iterator[Api]:
    """The shared server's app, whose switches are put back afterwards."""
    yield api
    api.configure(**DEFAULTS)


def expires_at(api: Api, url: str) -> int | None:
    """When a stored link expires, epoch ms."""
    with closing(store_of(api.running)) as store:
        value: int | None = store.rows(BY_ID, (identifier(api, url),))[0][19]
        return value


def identifier(api: Api, url: str) -> int:
    with closing(store_of(api.running)) as store:
        rows = store.rows("SELECT id FROM link WHERE path = ?", (url.partition("://")[2].partition("/")[2],))
        return int(rows[0][0])


def age(api: Api, url: str, until: int) -> None:
    """Pretend that a link was made long ago, so that it expires at `until` (epoch ms)."""
    link = identifier(api, url)
    with closing(store_of(api.running)) as store:
        store.transact(extend_batch, (until, link))


def test_the_defaults(api: Api) -> None:
    document = api.configure()
    assert {field: document[field] for field in DEFAULTS} == DEFAULTS


def test_alias_conflicts_can_be_400(switched: Api) -> None:
    alias = name()
    switched.created(alias=alias, channel="a")
    message = f"Link alias conflict: {switched.card['link_domain']}/{alias}"
    assert switched.create(alias=alias, channel="b").json() == error(409, message)
    switched.configure(alias_conflict_status=400)
    response = switched.create(alias=alias, channel="b")
    assert response.status_code == 400
    assert response.json() == error(400, message)
    body = {"branch_key": switched.key, "alias": alias, "channel": "c"}
    assert switched.http.post("/v2/qr-code", json=body).json() == error(400, message)


def test_links_of_the_test_environment_can_be_made_deletable(switched: Api) -> None:
    key = switched.card["test_branch_key"]
    url = switched.created(branch_key=key)
    refused = switched.delete(url)
    assert refused.json() == error(403, "Links of the test environment cannot be deleted.")
    assert switched.read(url, branch_key=key).status_code == 200
    switched.configure(test_env_delete="allow")
    assert switched.delete(url).json() == {"url": url, "deleted": True}
    assert switched.read(url, branch_key=key).json() == UNKNOWN


def test_type_2_can_be_taken_away(switched: Api) -> None:
    assert switched.read(switched.created(type=2)).json()["type"] == 2
    switched.configure(allow_type2=False)
    refused = error(403, "You don't have access to this type. Please try again with type 0 (default) or 1.")
    assert switched.create(type=2).json() == refused
    assert switched.http.post("/v2/qr-code", json={"branch_key": switched.key, "type": 2}).json() == refused
    body = {"app_id": switched.card["app_id"], "alias": name(), "type": 2}
    assert switched.manage("PUT", "/api/links/by-alias", json=body).json() == refused
    assert switched.create(type=1).status_code == 200
    bulk = switched.http.post(f"/v1/url/bulk/{switched.key}", json=[{"type": 2}, {"type": 0}])
    assert bulk.json()[0] == {"error": refused["error"]["message"]}
    assert "url" in bulk.json()[1]


def test_immutable_fields_are_refused_or_ignored(switched: Api) -> None:
    url = switched.created(channel="a", alias=name())
    assert switched.update(url, alias="other").json() == error(400, "alias: cannot be changed by an update.")
    assert switched.update(url, type=1).json() == error(400, "type: cannot be changed by an update.")
    assert switched.update(url, type=0, channel="b").status_code == 200
    switched.configure(update_immutable="ignore")
    answer = switched.update(url, alias="other", type=1, channel="c").json()
    assert (answer["type"], answer["channel"]) == (0, "c")
    assert switched.read(url).json()["alias"] != "other"


def test_links_never_expire_unless_the_app_says_so(switched: Api) -> None:
    assert expires_at(switched, switched.created()) is None
    switched.configure(expiry_days=380)
    before = now_ms()
    for link_type in (0, 1):
        until = expires_at(switched, switched.created(type=link_type))
        assert until is not None
        assert before <= until - 380 * DAY_MS <= now_ms()
    assert expires_at(switched, switched.created(type=2)) is None


def test_reading_gives_a_link_its_whole_time_again(switched: Api) -> None:
    switched.configure(expiry_days=380)
    url = switched.created()
    age(switched, url, now_ms() + 5 * DAY_MS)
    assert switched.read(url).status_code == 200
    until = expires_at(switched, url)
    assert until is not None
    assert until > now_ms() + 379 * DAY_MS


def test_clicking_gives_a_link_its_whole_time_again(switched: Api) -> None:
    switched.configure(expiry_days=380)
    url = switched.created(data={"$ios_url": "https://example.com/"})
    age(switched, url, now_ms() + 5 * DAY_MS)
    assert switched.http.get(url, headers={"User-Agent": IPHONE}).status_code == 307
    wait_until(lambda: (expires_at(switched, url) or 0) > now_ms() + 379 * DAY_MS)


def test_an_expired_link_is_gone_until_it_is_asked_for_again(switched: Api) -> None:
    switched.configure(expiry_days=380)
    alias = name()
    url = switched.created(alias=alias, channel="a", data={"$ios_url": "https://example.com/"})
    age(switched, url, now_ms() - 1)
    assert switched.read(url).json() == UNKNOWN
    assert switched.update(url, channel="b").json() == UNKNOWN
    assert switched.http.get(url, headers={"User-Agent": IPHONE}).status_code == 404
    report = switched.manage("POST", "/api/links/bulk-update", content=f"url,channel\n{url},b\n").json()
    assert report["failed"] == 1
    assert switched.created(alias=alias, channel="a", data={"$ios_url": "https://example.com/"}) == url
    assert switched.read(url).json()["channel"] == "a"
    assert switched.http.get(url, headers={"User-Agent": IPHONE}).status_code == 307


def test_an_expired_link_comes_back_by_upsert(switched: Api) -> None:
    switched.configure(expiry_days=380)
    alias = name()
    url = switched.created(alias=alias, channel="a")
    age(switched, url, now_ms() - 1)
    body = {"app_id": switched.card["app_id"], "alias": alias, "channel": "a"}
    assert switched.manage("PUT", "/api/links/by-alias", json=body).json()["outcome"] == "changed"
    assert switched.read(url).status_code == 200


def test_nothing_expires_once_the_rule_is_off_again(switched: Api) -> None:
    switched.configure(expiry_days=380)
    url = switched.created(data={"$ios_url": "https://example.com/"})
    age(switched, url, now_ms() - 1)
    assert switched.read(url).json() == UNKNOWN
    switched.configure(expiry_days=0)
    assert switched.read(url).status_code == 200
    assert switched.http.get(url, headers={"User-Agent": IPHONE}).status_code == 307


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("alias_conflict_status", 500),
        ("test_env_delete", "perhaps"),
        ("allow_type2", "perhaps"),
        ("expiry_days", -1),
        ("expiry_days", 10**9),
        ("update_immutable", 1),
    ],
)
def test_values_that_cannot_be_are_named_and_not_stored(api: Api, field: str, value: object) -> None:
    body = {"branch_secret": api.card["branch_secret"], field: value}
    response = api.http.put(f"/v1/app/{api.key}", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith(f"{field}: ")
    assert api.configure()[field] == DEFAULTS[field]
