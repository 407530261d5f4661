"""Longer ways: first set-up, lock-out, authenticator apps, OpenID Connect, refusing to start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest

from tests.running import Running, free_port, wait_until
from tests.signin.browser import PASSWORD, Browser, add_user, bough, new_link, setup_link, sign_up
from tests.signin.provider import Provider


@pytest.fixture
def name(server: Running) -> str:
    email = f"{uuid.uuid4().hex[:12]}@example.com"
    add_user(server, email)
    return email


def test_the_first_start_prints_a_link_and_later_ones_only_as_long_as_there_is_no_password(tmp_path: Path) -> None:
    running = Running(tmp_path / "data", "--empty")
    try:
        wait_until(lambda: "/setup/" in running.log.read_text())
        first = setup_link(running)
        running.stop()
        running.start()
        wait_until(lambda: setup_link(running) != first)
        second = setup_link(running)
        assert Browser(running).get(first).status_code == 404
        browser = Browser(running)
        assert browser.send(second, password=PASSWORD, again=PASSWORD).headers["location"] == "/dashboard"
        assert "owner" in browser.get("/signin/account").text
        printed = running.log.read_text().count("/setup/")
        running.stop()
        running.start()
        wait_until(lambda: running.log.read_text().count("bough is ready") == 3)
        assert running.log.read_text().count("/setup/") == printed
        assert browser.is_signed_in
    finally:
        running.stop()


@pytest.mark.parametrize("exists", [True, False])
def test_guessing_is_slowed_down_the_same_whether_the_account_exists(server: Running, name: str, exists: bool) -> None:
    sign_up(server, name)
    typed = name if exists else f"x{name}"
    browser = Browser(server, **{"X-Forwarded-For": f"2001:db8:{uuid.uuid4().hex[:4]}::1"})
    answers = [browser.sign_in(typed, "a wrong password") for _ in range(5)]
    while answers[-1].status_code != 429 and len(answers) < 12:  # on a slow machine a short wait is over before the try
        answers.append(browser.sign_in(typed, "a wrong password"))
    assert [answer.status_code for answer in answers] == [403] * (len(answers) - 1) + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 2 ** (len(answers) - 6)
    assert "Too many tries" in answers[-1].text
    # Also with the right password, or the waiting would tell which one that is.
    assert browser.sign_in(typed, PASSWORD).status_code == 429


def test_an_authenticator_app_is_asked_for_and_a_code_works_once(server: Running, name: str) -> None:
    browser = sign_up(server, name)
    page = browser.get("/signin/account/totp").text
    secret = re.findall(r'name="secret" value="(\w+)"', page)[0]
    assert "<svg" in page
    action = "/signin/account/totp"
    made = int(time.time())
    code = pyotp.TOTP(secret).at(made)
    wrong = "000000" if code != "000000" else "111111"
    assert browser.send(action, secret=secret, code=wrong, current=PASSWORD).status_code == 403
    assert browser.send(action, secret=secret, code=code, current="wrong").status_code == 403
    assert browser.send(action, secret=secret, code=code, current=PASSWORD).status_code == 303

    second = Browser(server)
    asked = second.sign_in(name, next="/signin/account")
    assert asked.headers["location"] == "/signin/code?next=%2Fsignin%2Faccount"
    assert second.get("/signin/account").headers["location"].startswith("/signin/code")
    assert second.get("/api/links").status_code == 400
    used = second.send("/signin/code", code=code, next="/signin/account")
    assert used.status_code == 403
    fresh = pyotp.TOTP(secret).at(made + 30)  # of the next half minute: telephones' clocks differ
    assert second.send("/signin/code", code=fresh, next="/signin/account").headers["location"] == "/signin/account"
    assert second.is_signed_in

    third = Browser(server)
    third.sign_in(name)
    assert third.send("/signin/code", code=fresh).status_code == 403
    link = new_link(server, name, "--without-totp")
    assert Browser(server).send(link, password=PASSWORD, again=PASSWORD).headers["location"] == "/dashboard"


@pytest.fixture(scope="module")
def provided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Provider]]:
    """A server that trusts an OpenID provider in a process of its own."""
    folder = tmp_path_factory.mktemp("oidc")
    provider = Provider(folder)
    environment = {
        "BOUGH_OIDC_ISSUER": provider.issuer,
        "BOUGH_OIDC_CLIENT_ID": "bough",
        "BOUGH_OIDC_CLIENT_SECRET": "a secret/with +signs",
        "BOUGH_OIDC_NAME": "Example Login",
    }
    running = Running(folder / "data", "--empty", "--workers", "2", environment=environment)
    add_user(running, "carla@example.com")
    add_user(running, "dora@example.com")
    yield running, provider
    running.stop()
    provider.stop()


def _round(provided: tuple[Running, Provider], **said: str) -> tuple[Browser, int, str]:
    """Go to the provider and come back: status and Location."""
    running, provider = provided
    provider.say(**said)
    browser = Browser(running)
    assert "Sign in with Example Login" in browser.get("/signin").text
    there = browser.get("/signin/oidc?next=/signin/account")
    assert there.status_code == 303
    assert "code_challenge_method=S256" in there.headers["location"]
    back = browser.http.get(there.headers["location"])
    answer = browser.http.get(back.headers["location"])
    return browser, answer.status_code, answer.headers.get("location", "")


def test_a_person_with_a_verified_address_is_signed_in(provided: tuple[Running, Provider]) -> None:
    browser, status, location = _round(provided, sub="c1", email="Carla@example.com")
    assert (status, location) == (303, "/signin/account")
    assert "carla@example.com" in browser.get("/signin/account").text
    # Later the provider's own id counts, whatever the address is then.
    browser, status, _ = _round(provided, sub="c1", email="new@example.com")
    assert "carla@example.com" in browser.get("/signin/account").text


@pytest.mark.parametrize(
    "said",
    [
        {"sub": "d2", "email": "dora@example.com", "email_verified": "false"},
        {"sub": "x1", "email": "nobody@example.com"},
        {"sub": "c2", "email": "carla@example.com"},
        {"sub": "d3", "email": "dora@example.com", "iss": "https://evil.example"},
        {"sub": "d3", "email": "dora@example.com", "aud": "another"},
        {"sub": "d3", "email": "dora@example.com", "nonce": "replayed"},
        {"sub": "d3", "email": "dora@example.com", "exp": "1000"},
        {"sub": "d3", "email": "dora@example.com", "alg": "none"},
        {"sub": "d3", "email": "dora@example.com", "alg": "HS256"},
        {"sub": "d3", "email": "dora@example.com", "key": "foreign"},
        {"sub": "d3", "email": "dora@example.com", "verifier": "refuse"},
    ],
    ids=lambda said: ",".join(said.values()),
)
def test_what_the_provider_did_not_confirm_is_refused(provided: tuple[Running, Provider], said: dict[str, str]) -> None:
    _round(provided, sub="c1", email="carla@example.com")
    browser, status, _ = _round(provided, **said)
    assert status == 403
    assert not browser.is_signed_in


def test_only_the_browser_that_began_can_finish(provided: tuple[Running, Provider]) -> None:
    running, provider = provided
    provider.say(sub="c1", email="carla@example.com")
    browser, victim = Browser(running), Browser(running)
    back = browser.http.get(browser.get("/signin/oidc").headers["location"]).headers["location"]
    assert victim.http.get(back).status_code == 403
    victim.get("/signin/oidc")
    assert victim.http.get(back).status_code == 403
    assert not victim.is_signed_in
    assert browser.http.get(back).status_code == 303
    assert browser.http.get(back).status_code == 403  # once


def test_the_demos_secrets_are_not_served_to_others(tmp_path: Path) -> None:
    running = Running(tmp_path / "data", "--empty")
    running.stop()
    data = str(tmp_path / "data")
    own = {name: value for name, value in os.environ.items() if not name.startswith("BOUGH_")}
    serve = [sys.executable, "-m", "bough.cli", "serve", "--port", str(free_port()), "--data", data]
    for options, variables in ((["--host", "0.0.0.0"], {}), ([], {"BOUGH_BASE_URL": "https://go.example.com"})):
        ran = subprocess.run([*serve, *options], env=own | variables, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 1
        assert "is a public address, and the demo's secrets" in ran.stderr
    doctor = subprocess.run(
        [sys.executable, "-m", "bough.cli", "doctor", "--data", data],
        env=own | {"BOUGH_BASE_URL": "https://go.example.com"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "the demo's secrets" in doctor.stdout
    for kind in ("live", "test"):
        bough(running, "apps", "keys", "--rotate", kind, "--overlap", "0", running.card["app_id"])
    ran = subprocess.run([*serve, "--host", "0.0.0.0"], env=own, capture_output=True, text=True, timeout=60)
    assert "(access_token)" in ran.stderr
