"""Branch's App API: GET, PUT and POST /v1/app (docs/settings.md)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bough.accounts.app_document import MAX_TEXT
from bough.accounts.creation import rotate_key
from bough.vocabulary.permissions import PERMISSIONS
from tests.apps import in_test_environment, new_app, store_of, token_of
from tests.conftest import Api, error

INVALID = error(400, "Invalid or missing app id, Branch key, or secret")

BRANCHS_FIELDS = {
    *("branch_key", "branch_secret", "creation_date", "app_name", "dev_name", "dev_email", "dev_phone_number"),
    *("always_open_app", "android_app", "android_url", "android_uri_scheme", "android_package_name"),
    *("sha256_cert_fingerprints", "android_app_links_enabled", "ios_app", "ios_url", "ios_uri_scheme"),
    *("ios_store_country", "ios_bundle_id", "ios_team_id", "universal_linking_enabled", "fire_url"),
    *("windows_phone_url", "blackberry_url", "web_url", "default_desktop_url", "short_url_domain"),
    *("default_short_url_domain", "alternate_short_url_domain", "text_message", "og_app_id", "og_title"),
    *("og_image_url", "og_description", "deepview_desktop", "deepview_ios", "deepview_android"),
}


def read(api: Api, **query: str) -> httpx.Response:
    """GET /v1/app/{branch_key}."""
    return api.http.get(f"/v1/app/{api.key}", params={"branch_secret": api.card["branch_secret"], **query})


def configure(api: Api, **fields: Any) -> httpx.Response:
    """PUT /v1/app/{branch_key}."""
    return api.http.put(f"/v1/app/{api.key}", json={"branch_secret": api.card["branch_secret"], **fields})


@pytest.fixture
def app(api: Api) -> Api:
    """An app that a test may change."""
    return new_app(api)


def test_every_documented_field_is_there(api: Api) -> None:
    response = read(api)
    assert response.status_code == 200
    document = response.json()
    assert set(document) >= BRANCHS_FIELDS
    assert (document["branch_key"], document["branch_secret"]) == (api.key, api.card["branch_secret"])
    assert (document["app_name"], document["ios_store_country"]) == ("Bough Books", "US")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", document["creation_date"])
    created = datetime.fromisoformat(document["creation_date"])
    assert timedelta(0) <= datetime.now(UTC) - created < timedelta(hours=1)


def test_domains_are_those_of_the_keys_environment(api: Api) -> None:
    port = api.card["link_domain"].partition(":")[2]
    live, test = read(api).json(), read(in_test_environment(api)).json()
    assert (live["short_url_domain"], live["default_short_url_domain"]) == (api.card["link_domain"],) * 2
    assert live["alternate_short_url_domain"] == f"alternate.localhost:{port}"
    assert (test["short_url_domain"], test["alternate_short_url_domain"]) == (api.card["test_link_domain"], "")
    assert test["branch_key"] == api.card["test_branch_key"]


@pytest.mark.parametrize("secret", ["", "secret_live_wrong", "é"])
def test_the_secret_is_required(api: Api, secret: str) -> None:
    response = read(api, branch_secret=secret)
    assert (response.status_code, response.json()) == (400, INVALID)
    assert api.http.get(f"/v1/app/{api.key}").json() == INVALID
    assert configure(api, branch_secret=secret, app_name="stolen").json() == INVALID
    assert read(api).json()["app_name"] == "Bough Books"


def test_the_key_in_the_path_counts(app: Api) -> None:
    """A key in the body does not redirect the request to another app."""
    other = new_app(app)
    response = configure(app, branch_key=other.key, branch_secret=other.card["branch_secret"])
    assert (response.status_code, response.json()) == (400, INVALID)


FIELDS: dict[str, Any] = {
    "app_name": "Renamed",
    "timezone": "Europe/Berlin",
    "dev_name": "Dev",
    "dev_email": "dev@example.com",
    "dev_phone_number": "+49 30 1",
    "always_open_app": 1,
    "android_app": 2,
    "android_url": "https://example.com/android",
    "android_uri_scheme": "books://",
    "android_package_name": "com.example.books",
    "sha256_cert_fingerprints": [":".join(["AB"] * 32)],
    "android_app_links_enabled": 1,
    "ios_app": 2,
    "ios_url": "https://example.com/ios",
    "ios_uri_scheme": "books",
    "ios_store_country": "DE",
    "ios_bundle_id": "com.example.books",
    "ios_team_id": "A1B2C3D4E5",
    "universal_linking_enabled": 1,
    "web_url": "https://example.com/web",
    "default_desktop_url": "http://example.com/desktop",
    "text_message": "Get it: {{ link }}",
    "og_title": "Title",
    "deepview_ios": "default_template",
    "alias_conflict_status": 400,
    "expiry_days": 380,
    "append_match_params": False,
    "redirect_allowlist": ["example.com", "*.example.org", "books://"],
}


def test_fields_that_are_sent_change_and_all_others_stay(app: Api) -> None:
    before = read(app).json()
    response = configure(app, **FIELDS)
    assert (response.status_code, response.json()) == (200, {**before, **FIELDS})
    assert read(app).json() == {**before, **FIELDS}
    assert configure(app, og_title="Other").json() == {**before, **FIELDS, "og_title": "Other"}
    assert configure(app).json() == {**before, **FIELDS, "og_title": "Other"}


def test_null_puts_the_default_back(app: Api) -> None:
    configure(app, ios_store_country="DE", expiry_days=5, og_title="x")
    document = configure(app, ios_store_country=None, expiry_days=None, og_title=None).json()
    assert [document[name] for name in ("ios_store_country", "expiry_days", "og_title")] == ["US", 0, ""]


def test_numbers_and_switches_may_come_as_text(app: Api) -> None:
    form = {"branch_secret": app.card["branch_secret"], "android_app": "1", "append_match_params": "false"}
    response = app.http.put(f"/v1/app/{app.key}", data=form)
    assert (response.json()["android_app"], response.json()["append_match_params"]) == (1, False)


def test_unknown_fields_are_ignored(app: Api) -> None:
    before = read(app).json()
    assert configure(app, unheard_of=1, creation_date="x", short_url_domain="example.com", id=1).json() == before


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(True, True), (False, False), ("on", True), ("Off", False), ("yes", True), ("no", False), (1, True)],
)
def test_switches_may_be_sent_as_words(app: Api, sent: object, kept: bool) -> None:
    assert configure(app, allow_type2=sent).json()["allow_type2"] is kept


def test_no_expiry_may_be_sent_as_none(app: Api) -> None:
    assert configure(app, expiry_days=380).json()["expiry_days"] == 380
    assert configure(app, expiry_days="none").json()["expiry_days"] == 0


@pytest.mark.parametrize(("sent", "kept"), [(True, 1), (False, 0), ("true", 1), ("off", 0), ("1", 1), (1, 1)])
def test_switches_of_0_and_1_may_be_sent_as_booleans(app: Api, sent: object, kept: int) -> None:
    """Branch's MCP server sends `universal_linking_enabled` and `uri_redirect_mode` so."""
    for field in ("universal_linking_enabled", "uri_redirect_mode"):
        assert configure(app, **{field: sent}).json()[field] == kept


TOO_LONG = "x" * (MAX_TEXT + 1)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("og_title", TOO_LONG, "og_title: must have at most 255 characters."),
        ("sha256_cert_fingerprints", ["a", TOO_LONG], "sha256_cert_fingerprints: must have at most 255 characters."),
        ("app_name", TOO_LONG, "app_name: must have 1 to 255 characters."),
        ("app_name", "", "app_name: must have 1 to 255 characters."),
        ("app_name", None, "app_name and timezone: must be strings."),
        ("timezone", "Mars/Olympus", "timezone: 'Mars/Olympus' is not an IANA time zone such as Europe/Berlin."),
        ("og_title", "a\nb", "og_title: must not hold control characters."),
        ("og_title", 5, "og_title: Expected `str`, got `int`."),
        ("android_app", 3, "android_app: must be one of 0, 1, 2."),
        ("android_app", "x", "android_app: must be one of 0, 1, 2."),
        ("android_app", [1], "android_app: must be one of 0, 1, 2."),
        ("universal_linking_enabled", 2, "universal_linking_enabled: must be one of 0, 1."),
        ("alias_conflict_status", 418, "alias_conflict_status: must be one of 409, 400."),
        ("alias_conflict_status", True, "alias_conflict_status: must be one of 409, 400."),
        ("og_for_social", "never", "og_for_social: must be one of always, branch."),
        ("append_match_params", "maybe", "append_match_params: Expected `bool`, got `str`."),
        ("web_url", "javascript:x", "web_url: must be an http or https address."),
        ("ios_uri_scheme", "javascript", "ios_uri_scheme: 'javascript' cannot be an app's URI scheme."),
        ("ios_uri_scheme", "https://", "ios_uri_scheme: 'https://' cannot be an app's URI scheme."),
        ("uri_schemes", ["ok://", "a b"], "uri_schemes: 'a b' cannot be an app's URI scheme."),
        (
            "redirect_allowlist",
            ["https://example.com/path"],
            "redirect_allowlist: 'https://example.com/path' must look like example.com, *.example.com or myapp://.",
        ),
        ("redirect_allowlist", "example.com", "redirect_allowlist: Expected `array`, got `str`."),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(app: Api, field: str, value: Any, message: str) -> None:
    before = read(app).json()
    response = configure(app, dev_name="not stored", **{field: value})
    assert (response.status_code, response.json()) == (400, error(400, message))
    assert read(app).json() == before


def test_every_worker_knows_a_new_configuration_at_once(app: Api) -> None:
    for round_number in range(5):
        name = f"Name {round_number}"
        assert configure(app, app_name=name).status_code == 200
        for _ in range(4):  # each time over a connection of its own, so that both workers are asked
            response = httpx.get(
                f"{app.running.base_url}/v1/app/{app.key}", params={"branch_secret": app.card["branch_secret"]}
            )
            assert response.json()["app_name"] == name


NEW_APP = {"app_name": "Fresh", "dev_name": "Dev", "dev_email": "dev@example.com"}


@pytest.mark.parametrize("place", ["user_id", "access_token", "header"])
def test_an_app_can_be_created(api: Api, place: str) -> None:
    token = api.card["access_token"]
    headers = {"Access-Token": token} if place == "header" else {}
    body = NEW_APP if place == "header" else {**NEW_APP, place: token}
    response = api.http.post("/v1/app", json={**body, "timezone": "Asia/Tokyo"}, headers=headers)
    assert response.status_code == 200
    document = response.json()
    assert set(document) == {*read(api).json(), "id", "app_key", "origin"}
    assert {**document, **NEW_APP, "timezone": "Asia/Tokyo", "origin": "API"} == document
    assert (document["id"], document["app_key"]) == (document["app_id"], document["branch_key"])
    assert re.fullmatch(r"key_live_[A-Za-z0-9]{32}", document["branch_key"])
    assert re.fullmatch(r"secret_live_[A-Za-z0-9]{32}", document["branch_secret"])
    created = api.http.post("/v1/url", json={"branch_key": document["branch_key"]}).json()["url"]
    assert created.startswith(f"http://{document['short_url_domain']}/")


@pytest.mark.parametrize("field", NEW_APP)
@pytest.mark.parametrize("value", [None, "", 5])
def test_its_documented_fields_are_required(api: Api, field: str, value: Any) -> None:
    response = api.http.post("/v1/app", json={**NEW_APP, field: value, "user_id": api.card["access_token"]})
    assert (response.status_code, response.json()) == (400, error(400, f"{field}: is missing; it must be a string."))


def test_creating_an_app_takes_a_token_with_permission(api: Api) -> None:
    assert api.http.post("/v1/app", json=NEW_APP).json() == error(400, "Authentication failed !")
    token = token_of(api.running, [name for name in PERMISSIONS if name != "settings"])
    response = api.http.post("/v1/app", json={**NEW_APP, "user_id": token})
    assert (response.status_code, response.json()) == (403, error(403, "Access denied"))


def test_a_rotated_key_works_until_its_overlap_ends(app: Api) -> None:
    store = store_of(app.running)
    try:
        key, secret = rotate_key(store, int(app.card["app_id"]), test=False, overlap_ms=3_600_000)
        assert [app.http.post("/v1/url", json={"branch_key": k}).status_code for k in (app.key, key)] == [200, 200]
        rotate_key(store, int(app.card["app_id"]), test=False, overlap_ms=-1)
    finally:
        store.close()
    assert app.http.post("/v1/url", json={"branch_key": key}).json() == INVALID
    assert secret.startswith("secret_live_")
