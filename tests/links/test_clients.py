"""What third-party clients and Branch's Web SDK really send, and what they need back (docs/links.md)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from branchio import Client

from tests.apps import in_test_environment, new_app
from tests.conftest import Api, error

READ_KEYS = {"tags", "channel", "feature", "campaign", "stage", "alias", "type", "data"}
"""The Ruby client refuses any other top-level key of a read."""


@pytest.fixture
def branchio(api: Api, monkeypatch: pytest.MonkeyPatch) -> Client:
    """PyPI's branchio 0.1.1 with only its base address changed."""
    monkeypatch.setattr(Client, "BRANCH_BASE_URI", api.running.base_url)
    return Client(api.key)


def test_branchio_creates_a_link(api: Api, branchio: Client) -> None:
    data = {"$og_title": "Title", "custom": {"deep": [1, 2]}}
    answer = branchio.create_deep_link_url(
        data=data, channel="facebook", feature="onboarding", tags=["a", "b"], stage="new", type=1
    )
    assert list(answer) == ["url"]
    read = api.read(answer["url"]).json()
    assert read["data"] | data == read["data"]
    assert {key: read[key] for key in ("channel", "feature", "tags", "stage", "type")} == {
        "channel": "facebook",
        "feature": "onboarding",
        "tags": ["a", "b"],
        "stage": "new",
        "type": 1,
    }


def test_branchio_bulk_creates_links(api: Api, branchio: Client) -> None:
    wanted = [
        branchio.create_deep_link_url(channel=channel, tags=[channel], skip_api_call=True) for channel in ("a", "b")
    ]
    answers = branchio.create_deep_linking_urls(wanted)
    assert [list(answer) for answer in answers] == [["url"], ["url"]]
    assert [api.read(answer["url"]).json()["channel"] for answer in answers] == ["a", "b"]


class Ruby:
    """Sends what RubyGems' branch_io 0.3.0 sent in its recorded sessions (a test app, `sdk` in every body)."""

    def __init__(self, api: Api) -> None:
        self.api = in_test_environment(api)

    def send(self, method: str, path: str, body: Any) -> Any:
        """A JSON request whose url parameter is not encoded, as recorded; (status, answer)."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        response = self.api.http.request(
            method, path, content=b"" if body is None else json.dumps(body), headers=headers
        )
        assert response.headers["access-control-allow-origin"] == "*"
        assert response.headers["content-type"].startswith("application/json")
        return response.status_code, response.json()

    def create(self, **parameters: Any) -> str:
        """A link's url."""
        status, answer = self.send("POST", "/v1/url", {"sdk": "api", "branch_key": self.api.key, **parameters})
        assert (status, list(answer)) == (200, ["url"])
        url: str = answer["url"]
        return url

    def read(self, url: str) -> Any:
        return self.send("GET", f"/v1/url?branch_key={self.api.key}&url={url}", None)

    @property
    def credentials(self) -> dict[str, str]:
        return {"branch_key": self.api.key, "branch_secret": self.api.card["branch_secret"]}


@pytest.fixture
def ruby(api: Api) -> Ruby:
    return Ruby(new_app(api, test_env_delete="allow"))


def test_recorded_create_with_nothing_but_the_key(ruby: Ruby) -> None:
    assert ruby.create().startswith(f"http://{ruby.api.card['test_link_domain']}/")


def test_recorded_identical_creates_give_two_links(ruby: Ruby) -> None:
    parameters = {"tags": ["test"], "channel": "code", "feature": "test"}
    assert ruby.create(**parameters) != ruby.create(**parameters)


def test_recorded_empty_bulk_is_400_with_an_empty_array(ruby: Ruby) -> None:
    assert ruby.send("POST", f"/v1/url/bulk/{ruby.api.key}", []) == (400, [])


def test_recorded_bulk_of_equal_items_gives_two_links(ruby: Ruby) -> None:
    items = [{"channel": "test"}, {"channel": "test"}]
    status, answers = ruby.send("POST", f"/v1/url/bulk/{ruby.api.key}", items)
    assert (status, [list(answer) for answer in answers]) == (200, [["url"], ["url"]])
    assert answers[0]["url"] != answers[1]["url"]


def test_recorded_read(ruby: Ruby) -> None:
    url = ruby.create(tags=["test"], channel="code", feature="test")
    status, answer = ruby.read(url)
    identifier = answer["data"].pop("~id")
    assert re.fullmatch(r"\d{18,19}", identifier)
    expected_data = {
        "$one_time_use": False,
        "~channel": "code",
        "~creation_source": 0,
        "~feature": "test",
        "~tags": ["test"],
        "url": url,
    }
    expected = {"channel": "code", "feature": "test", "tags": ["test"], "data": expected_data, "type": 0, "alias": None}
    assert (status, answer) == (200, expected)
    assert set(answer) <= READ_KEYS


def test_recorded_update_of_one_label_keeps_everything_else(ruby: Ruby) -> None:
    url = ruby.create(tags=["test", "test-update"], channel="code", feature="test", data={"value": 42})
    _, before = ruby.read(url)
    status, answer = ruby.send("PUT", f"/v1/url?url={url}", {"sdk": "api", **ruby.credentials, "channel": "retest"})
    assert status == 200
    assert set(answer) <= READ_KEYS
    expected = {**before, "channel": "retest", "data": {**before["data"], "~channel": "retest"}}
    assert ruby.read(url) == (200, expected)
    assert answer == {
        **{key: value for key, value in expected.items() if key != "alias"},
        "data": {**expected["data"], "+url": url},
    }


def test_recorded_delete_with_key_and_secret_in_the_body(ruby: Ruby) -> None:
    url = ruby.create(channel="code")
    assert ruby.send("DELETE", f"/v1/url?url={url}", ruby.credentials) == (200, {"url": url, "deleted": True})
    assert ruby.read(url)[0] == 404


def test_web_sdk_sends_a_form_with_data_as_json_text(api: Api) -> None:
    """The Web SDK's XHR: form-encoded, arrays as `tags[]`, `data` a JSON string, its own bookkeeping alongside."""
    form = {
        "data": json.dumps(
            {"$og_title": "Käse & Wein", "custom": True, "list": [1, "2"], "url": "https://example.com"}
        ),
        "tags[]": ["eins", "zwei"],
        "channel": "facebook",
        "feature": "dashboard",
        "stage": "new user",
        "type": "1",
        "duration": "3600",
        "source": "web-sdk",
        "sdk": "web2.89.2",
        "branch_key": api.key,
        "session_id": "1022300000000000001",
        "randomized_bundle_token": "1022300000000000002",
        "browser_fingerprint_id": "79336952217731267",
        "identity_id": "1022300000000000003",
        "instrumentation": '{"-brtt":"7"}',
    }
    response = api.http.post("/v1/url", data=form)
    assert (response.status_code, list(response.json())) == (200, ["url"])
    url = response.json()["url"]
    read = api.read(url).json()
    assert re.fullmatch(r"\d{18,19}", read["data"].pop("~id"))
    assert read == {
        "channel": "facebook",
        "feature": "dashboard",
        "stage": "new user",
        "tags": ["eins", "zwei"],
        "data": {
            "$og_title": "Käse & Wein",
            "custom": True,
            "list": [1, "2"],
            "$one_time_use": True,
            "~channel": "facebook",
            "~feature": "dashboard",
            "~stage": "new user",
            "~tags": ["eins", "zwei"],
            "~creation_source": 5,
            "url": url,
        },
        "type": 1,
        "alias": None,
    }


def test_a_form_with_one_tag_or_repeated_tags(api: Api) -> None:
    one = api.http.post("/v1/url", data={"branch_key": api.key, "tags": "only"}).json()["url"]
    many = api.http.post("/v1/url", data={"branch_key": api.key, "tags": ["a", "b"]}).json()["url"]
    numbered = api.http.post("/v1/url", data={"branch_key": api.key, "tags[0]": "a", "tags[1]": "b"}).json()["url"]
    assert [api.read(url).json()["tags"] for url in (one, many, numbered)] == [["only"], ["a", "b"], ["a", "b"]]


def test_json_body_labelled_as_a_form_is_json(api: Api) -> None:
    """curl -d without a header says that it sends a form."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = json.dumps({"branch_key": api.key, "channel": "curl"})
    response = api.http.post("/v1/url", content=body, headers=headers)
    assert api.read(response.json()["url"]).json()["channel"] == "curl"


def test_data_as_a_json_string_in_a_json_body(api: Api) -> None:
    """The example of Branch's public API README."""
    url = api.created(
        data='{"name":"Alex","email":"alex@branch.io","user_id":"12345","valid":"true","nested":{"a":[1]}}'
    )
    data = api.read(url).json()["data"]
    assert (data["name"], data["valid"], data["nested"]) == ("Alex", "true", {"a": [1]})


def test_app_id_in_place_of_the_key(api: Api) -> None:
    """branchio-sdk for Node and older Web SDKs send `app_id`; branchio-sdk puts it into the bulk path, too."""
    created = api.http.post("/v1/url", json={"app_id": api.card["app_id"], "channel": "node"})
    bulk = api.http.post(f"/v1/url/bulk/{api.card['app_id']}", json=[{"channel": "node"}])
    assert (created.status_code, bulk.status_code) == (200, 200)
    read = api.http.get("/v1/url", params={"url": created.json()["url"], "app_id": api.card["app_id"]})
    assert (read.status_code, read.json()["channel"]) == (200, "node")


def test_app_id_and_secret_update_a_link(api: Api) -> None:
    """branchio-sdk for Node, when it was made with an app id: the secret says which environment is meant."""
    live = api.created(channel="old")
    test = in_test_environment(api)
    tested = test.created(channel="old")
    for url, secret in ((live, "branch_secret"), (tested, "test_branch_secret")):
        body = {"app_id": api.card["app_id"], "branch_secret": api.card[secret], "channel": "node"}
        answer = api.http.put("/v1/url", params={"url": url}, json=body)
        assert (answer.status_code, answer.json()["channel"]) == (200, "node"), answer.text


@pytest.mark.parametrize(
    ("app_id", "secret"),
    [("own", "secret_live_wrong"), ("other", "own"), ("1", "own"), ("key", "own"), ("own", None), ("own", ["x"])],
)
def test_app_id_without_its_own_secret_updates_nothing(api: Api, app_id: str, secret: object) -> None:
    url = api.created(channel="old")
    ids = {"own": api.card["app_id"], "other": new_app(api).card["app_id"], "key": api.key}
    body: dict[str, object] = {"app_id": ids.get(app_id, app_id), "channel": "node"}
    body["branch_secret"] = api.card["branch_secret"] if secret == "own" else secret
    answer = api.http.put("/v1/url", params={"url": url}, json=body)
    assert (answer.status_code, answer.json()) == (
        400,
        error(400, "Invalid or missing app id, Branch key, or secret"),
    )
    assert api.read(url).json()["channel"] == "old"


def test_node_branch_io_updates_at_an_address_that_ends_with_a_slash(api: Api) -> None:
    """npm's node-branch-io 2.0.0: the key in the query, the url not encoded."""
    url = api.created(type=2, data={"$marketing_title": "Spring"})
    body = {"branch_secret": api.card["branch_secret"], "channel": "node"}
    answer = api.http.put(f"/v1/url/?url={url}&branch_key={api.key}", json=body)
    assert (answer.status_code, answer.json()["channel"]) == (200, "node")
    assert api.read(url).json()["channel"] == "node"
    refused = api.http.patch("/v1/url/")
    assert (refused.status_code, refused.headers["allow"]) == (405, "DELETE, GET, POST, PUT")


@pytest.mark.parametrize(
    ("sent", "source"),
    [
        ({}, 0),
        ({"sdk": "api"}, 0),
        ({"source": "web-sdk"}, 5),
        ({"source": "android"}, 4),
        ({"source": "ios"}, 3),
        ({"source": "unheard-of"}, 0),
        ({"source": ["list"]}, 0),
    ],
)
def test_creation_source_follows_the_client(api: Api, sent: dict[str, Any], source: int) -> None:
    assert api.read(api.created(**sent)).json()["data"]["~creation_source"] == source


def test_mcp_server_sends_types_and_modes_by_name(api: Api) -> None:
    standard = api.created(type="STANDARD", data={"$uri_redirect_mode": "SMART_REDIRECT"})
    marketing = api.created(type="MARKETING", data={"$marketing_title": "Spring"})
    assert [api.read(url).json()["type"] for url in (standard, marketing)] == [0, 2]


def test_bookkeeping_of_sdks_is_no_data(api: Api) -> None:
    unknown = {"instrumentation": {"a": 1}, "session_id": "1", "browser_fingerprint_id": "2", "randomized_x": None}
    url = api.created(**unknown, data={"mine": 1})
    assert set(api.read(url).json()["data"]) == {"mine", "$one_time_use", "~creation_source", "~id", "url"}
