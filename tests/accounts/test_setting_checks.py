"""What cannot work is refused where it is saved, and named by doctor where it is kept."""

from __future__ import annotations

import subprocess
import sys
import uuid
from typing import Any

import msgspec
import pytest

from bough.accounts.app_document import updated_config
from bough.accounts.creation import save_app
from bough.accounts.model import AppConfig
from bough.accounts.setting_checks import ascii_host, canonical_fingerprint, unworkable
from bough.errors import BadRequest
from bough.store.transaction import Transaction
from tests.accounts.malformed import GOOD, MALFORMED, MALFORMED_HOSTS, SHA1, WANTED, Malformed
from tests.apps import new_app, store_of
from tests.conftest import Api, error

NO_HOST = "no host name such as go.example.com."

WORKING: dict[str, Any] = {
    "sha256_cert_fingerprints": [GOOD, "cd" * 32],
    "ios_team_id": "A1B2C3D4E5",
    "ios_bundle_id": "com.example.books-2",
    "android_package_name": "com.example.my_books2",
    "ios_uri_scheme": "my.app+1-x://",
    "android_uri_scheme": "Books",
    "ios_store_country": "de",
    "web_url": "https://münchen.example:8443/page?x=@#y",
    "ios_url": "https://apps.apple.com/us/app/apple-books/id364709193",
    "default_desktop_url": "http://[::1]:8000/",
    "redirect_allowlist": ["example.com", "*.example.org", "example.com:8080", "books://"],
}


@pytest.fixture
def app(api: Api) -> Api:
    """An app with a host of its own."""
    return new_app(api, domain=f"go-{uuid.uuid4().hex[:8]}.example.test")


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: f"{case.field} {case.value}"[:70])
def test_a_value_that_cannot_work_is_no_setting(case: Malformed) -> None:
    with pytest.raises(BadRequest) as refused:
        updated_config(AppConfig(), {case.field: case.value})
    assert refused.value.message == f"{case.field}: {case.why}"


def test_what_works_is_taken_as_it_is_written() -> None:
    config = updated_config(AppConfig(), WORKING)
    stored = msgspec.json.decode(msgspec.json.encode(config))
    assert {name: stored[name] for name in WORKING} == WORKING
    assert list(unworkable(config)) == []


def test_an_unchanged_value_of_older_versions_does_not_stop_the_others() -> None:
    old = AppConfig(sha256_cert_fingerprints=(SHA1,), ios_team_id="TEAM")
    sent = {"sha256_cert_fingerprints": [SHA1], "ios_team_id": "TEAM", "og_title": "New"}
    assert updated_config(old, sent) == msgspec.structs.replace(old, og_title="New")
    with pytest.raises(BadRequest):
        updated_config(old, {**sent, "sha256_cert_fingerprints": [SHA1, SHA1]})


@pytest.mark.parametrize("case", [MALFORMED[0], MALFORMED[3], *MALFORMED[9:60:9]], ids=lambda case: case.field)
def test_the_api_refuses_it_and_keeps_everything(app: Api, case: Malformed) -> None:
    good = {"sha256_cert_fingerprints": [GOOD], "android_app_links_enabled": 1, "android_package_name": "com.example.a"}
    before = app.configure(**good)
    path, secret = f"/v1/app/{app.key}", {"branch_secret": app.card["branch_secret"]}
    answer = app.http.put(path, json={**secret, "og_title": "not stored", case.field: case.value})
    assert (answer.status_code, answer.json()) == (400, error(400, f"{case.field}: {case.why}"))
    assert app.http.get(path, params=secret).json() == before
    served = app.http.get("/.well-known/assetlinks.json", headers={"Host": app.card["link_domain"]}).json()
    assert [one["target"]["sha256_cert_fingerprints"] for one in served] == [[GOOD]]


def test_an_app_is_not_made_with_settings_that_cannot_work(api: Api) -> None:
    body = {"user_id": api.card["access_token"], "app_name": "x", "dev_name": "x", "dev_email": "x"}
    answer = api.http.post("/v1/app", json={**body, "sha256_cert_fingerprints": [SHA1]})
    message = f"sha256_cert_fingerprints: {SHA1!r} is a SHA-1 fingerprint; {WANTED}"
    assert (answer.status_code, answer.json()) == (400, error(400, message))


def bough(api: Api, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bough.cli", *arguments, "--data", str(api.running.folder)]
    return subprocess.run(command, env=api.running.environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("host", MALFORMED_HOSTS)
def test_what_is_no_host_name_is_known(host: str) -> None:
    assert ascii_host(host) == ""


def test_the_command_refuses_an_app_that_cannot_work(app: Api) -> None:
    for options, message in (
        (("--domain", "https://go.example.com"), f"domain: 'https://go.example.com' is {NO_HOST}"),
        (("--domain", "go.example.com/x"), f"domain: 'go.example.com/x' is {NO_HOST}"),
        (("--timezone", "Mars/Olympus"), "timezone: 'Mars/Olympus' is not an IANA time zone such as Europe/Berlin."),
    ):
        done = bough(app, "apps", "create", "Never made", *options)
        assert (done.returncode, done.stdout, done.stderr.strip().removeprefix("bough: ")) == (1, "", message)
    assert "Never made" not in bough(app, "apps", "list").stdout


def test_a_host_in_another_script_is_stored_as_phones_ask_for_it(app: Api) -> None:
    added = bough(app, "apps", "domains", app.card["app_id"], "--add", "Bücher.example")
    assert "https://xn--bcher-kva.example/  custom  live" in added.stdout.splitlines()
    assert "bcher" not in bough(app, "apps", "domains", app.card["app_id"], "--remove", "bücher.example").stdout


def test_doctor_names_stored_settings_that_cannot_work(app: Api) -> None:
    name = "Older"
    config = AppConfig(
        android_app_links_enabled=1,
        android_package_name="com.example.books",
        sha256_cert_fingerprints=(SHA1,),
        ios_team_id="TEAM",
    )

    def save(tx: Transaction, items: list[int]) -> list[Exception | None]:
        for identifier in items:
            save_app(tx, identifier, name, "UTC", config)
        return [None] * len(items)

    store = store_of(app.running)
    try:
        store.transact(save, int(app.card["app_id"]))
    finally:
        store.close()
    start = f"- App {name}: a stored setting cannot work."
    said = [line for line in bough(app, "doctor").stdout.splitlines() if f"App {name}:" in line and "DNS" not in line]
    assert said == [
        f"- App {name}: assetlinks.json does not name the app, as none of its sha256_cert_fingerprints is a SHA-256.",
        f"{start} sha256_cert_fingerprints: {SHA1!r} is a SHA-1 fingerprint; {WANTED}",
        f"{start} ios_team_id: 'TEAM' is no team id of Apple's; it must be ten capitals and digits such as A1B2C3D4E5.",
    ]


def test_fingerprints_are_served_in_one_form() -> None:
    assert canonical_fingerprint("ab" * 32) == canonical_fingerprint(GOOD) == GOOD
    assert canonical_fingerprint(SHA1) == ""
