"""Signing in and out with real servers, on both stores."""

from __future__ import annotations

import uuid
from urllib.parse import quote

import pytest

from tests.conftest import Api
from tests.running import Running
from tests.signin.browser import PASSWORD, Browser, add_user, bough, new_link, sign_up


@pytest.fixture
def name(server: Running) -> str:
    """A user of one's own, so that no test slows another's sign-in down."""
    email = f"{uuid.uuid4().hex[:12]}@example.com"
    add_user(server, email, '["links", "export", "aggregate_data"]')
    return email


def test_a_page_sends_to_the_sign_in_and_back(server: Running, name: str) -> None:
    sign_up(server, name)
    browser = Browser(server)
    away = browser.get("/signin/account?done=x")
    assert away.status_code == 303
    assert away.headers["location"] == "/signin?next=%2Fsignin%2Faccount%3Fdone%3Dx"
    assert 'value="/signin/account?done=x"' in browser.get(away.headers["location"]).text
    back = browser.sign_in(name, next="/signin/account?done=x")
    assert (back.status_code, back.headers["location"]) == (303, "/signin/account?done=x")
    assert name in browser.get("/signin/account").text


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/hello",
        "hello",
        "javascript:alert(1)",
        "/dashboard\r\nSet-Cookie: a=b",
        "/signin/../hello",
        "/signin/..%2fhello",
        "/signin/%2e%2e/hello",
        "/dashboard/.%2E/hello",
        "/dashboard/%2e./hello",
        "/dashboard/..%5chello",
        "///evil.example/signin",
        "/dashboard\x00",
        "http:/dashboard",
        "",
    ],
)
def test_next_leads_nowhere_else(server: Running, name: str, address: str) -> None:
    """Neither to another server nor to a link of this one, which leads anywhere."""
    sign_up(server, name)
    browser = Browser(server)
    response = browser.sign_in(name, next=address)
    assert (response.status_code, response.headers["location"]) == (303, "/dashboard")
    again = browser.get(f"/signin?next={quote(address)}")
    assert (again.status_code, again.headers["location"]) == (303, "/dashboard")


def test_next_keeps_what_stands_in_its_query(server: Running, name: str) -> None:
    sign_up(server, name)
    address = "/dashboard/links?search=a%2Fb%2E%2E"
    assert Browser(server).sign_in(name, next=address).headers["location"] == address


def test_the_one_time_link_works_once(server: Running, name: str) -> None:
    link = new_link(server, name)
    first, second = Browser(server), Browser(server)
    assert first.get(link).status_code == 200
    assert name in first.get(link).text
    token = second.csrf(link)
    assert first.send(link, password=PASSWORD, again=PASSWORD).status_code == 303
    late = second.http.post(link, data={"csrf": token, "password": "another password", "again": "another password"})
    assert late.status_code == 404
    assert "used already" in late.text
    assert Browser(server).sign_in(name).status_code == 303
    assert Browser(server).sign_in(name, "another password").status_code == 403


def test_a_new_link_ends_the_one_before(server: Running, name: str) -> None:
    before = new_link(server, name)
    assert new_link(server, name) != before
    assert Browser(server).get(before).status_code == 404


def test_a_password_set_by_link_ends_all_sessions(server: Running, name: str) -> None:
    browser = sign_up(server, name)
    assert browser.is_signed_in
    sign_up(server, name, "a different password")
    assert not browser.is_signed_in


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "x" * 300])
def test_bad_passwords_are_refused(server: Running, name: str, password: str) -> None:
    browser = Browser(server)
    link = new_link(server, name)
    assert browser.send(link, password=password, again=password).status_code == 400
    assert browser.send(link, password=PASSWORD, again=PASSWORD + "x").status_code == 400
    assert browser.send(link, password=name + "1", again=name + "1").status_code == 400
    assert browser.send(link, password=PASSWORD, again=PASSWORD).status_code == 303


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(server: Running, name: str) -> None:
    sign_up(server, name)
    wrong = Browser(server).sign_in(name, "not the password")
    unknown_name = f"{uuid.uuid4().hex}@example.com"
    unknown = Browser(server).sign_in(unknown_name, "not the password")
    assert wrong.status_code == unknown.status_code == 403
    shape = [
        response.text.replace(typed, "").replace(response.request.content.decode().split("csrf=")[1][:64], "")
        for response, typed in ((wrong, name), (unknown, unknown_name))
    ]
    assert shape[0] == shape[1]


def test_signing_out_ends_the_session(server: Running, name: str) -> None:
    browser = sign_up(server, name)
    cookie = browser.http.cookies["bough_session"]
    assert browser.send("/signin/account", "/signout").headers["location"] == "/signin"
    assert "bough_session" not in browser.http.cookies
    thief = Browser(server, Cookie=f"bough_session={cookie}")
    assert not thief.is_signed_in


def test_signing_out_everywhere_ends_every_session_at_once(server: Running, name: str) -> None:
    browsers = [sign_up(server, name)]
    for _ in range(3):
        browsers.append(Browser(server))
        assert browsers[-1].sign_in(name).status_code == 303
    assert all(browser.is_signed_in for browser in browsers)
    assert browsers[1].send("/signin/account", "/signin/account/everywhere").status_code == 303
    for _ in range(4):  # both workers
        assert not any(browser.is_signed_in for browser in browsers)


def test_an_operator_signs_a_user_out(server: Running, name: str) -> None:
    browser = sign_up(server, name)
    assert bough(server, "signin", "out", name) == "1 session ended.\n"
    assert not browser.is_signed_in


def test_changing_the_password_ends_the_other_sessions(server: Running, name: str) -> None:
    browser, other = sign_up(server, name), Browser(server)
    other.sign_in(name)
    page, action = "/signin/account", "/signin/account/password"
    new = {"password": "a different password", "again": "a different password"}
    assert browser.send(page, action, current="wrong", **new).status_code == 403
    assert browser.send(page, action, current=PASSWORD, **new).headers["location"] == f"{page}?done=password"
    assert browser.is_signed_in
    assert not other.is_signed_in
    assert Browser(server).sign_in(name).status_code == 403
    assert Browser(server).sign_in(name, "a different password").status_code == 303


def test_a_session_gets_a_new_id_at_each_sign_in(server: Running, name: str) -> None:
    browser = sign_up(server, name)
    before = browser.http.cookies["bough_session"]
    planted = Browser(server)
    planted.http.cookies.set("bough_session", before[::-1], domain="127.0.0.1", path="/")
    planted.sign_in(name)
    assert planted.http.cookies["bough_session"] not in (before, before[::-1])


# Forms must come from their own page.


def test_a_form_without_its_token_is_refused(server: Running, name: str) -> None:
    browser = sign_up(server, name)
    foreign = Browser(server).csrf("/signin")
    for token in ("", "0" * 64, foreign, "é"):
        refused = browser.http.post("/signin/account/everywhere", data={"csrf": token})
        assert refused.status_code == 403
        assert "load the page again" in refused.text
    assert browser.http.post("/signin/account/everywhere").status_code in (400, 403)
    token = browser.csrf("/signin/account")
    crossing = browser.http.post(
        "/signin/account/everywhere", data={"csrf": token}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert crossing.status_code == 403
    assert browser.is_signed_in


def test_a_sign_in_from_a_foreign_page_is_refused(server: Running, name: str) -> None:
    """Or a stranger could sign a visitor in as someone else."""
    sign_up(server, name)
    browser = Browser(server)
    assert browser.http.post("/signin", data={"name": name, "password": PASSWORD}).status_code == 403
    assert browser.http.post("/signin", data={"name": name, "password": PASSWORD, "csrf": "x"}).status_code == 403


def test_the_token_may_come_in_a_header(server: Running, name: str) -> None:
    browser = sign_up(server, name)
    headers = {"X-CSRF-Token": browser.csrf("/signin/account"), "HX-Request": "true"}
    assert browser.http.post("/signin/account/everywhere", headers=headers).status_code == 303
    away = browser.get("/signin/account", headers={"HX-Request": "true"})
    assert (away.status_code, away.headers["hx-redirect"]) == (401, "/signin?next=%2Fsignin%2Faccount")


# The API with a session in place of a token.


def test_the_api_can_be_read_with_a_session(server: Running, name: str) -> None:
    browser = sign_up(server, name)
    assert browser.get("/api/links").status_code == 200
    assert Browser(server).get("/api/links").status_code == 400
    assert browser.get("/api/links", headers={"Access-Token": "wrong"}).status_code == 400


def test_the_api_changes_nothing_for_a_session_without_its_token(server: Running, api: Api, name: str) -> None:
    browser = sign_up(server, name)
    url = api.created()
    path = f"/api/links/{api.link_id(url)}"
    assert browser.http.request("PATCH", path, json={"channel": "x"}).status_code == 403
    token = browser.csrf("/signin/account")
    assert browser.http.request("PATCH", path, json={"channel": "x"}, headers={"X-CSRF-Token": "0"}).status_code == 403
    changed = browser.http.request("PATCH", path, json={"channel": "x"}, headers={"X-CSRF-Token": token})
    assert changed.status_code == 200, changed.text


# What a browser is told.


@pytest.mark.parametrize("address", ["/signin", "/setup/unknown", "/signin/unknown", "/signin/account"])
def test_pages_let_nothing_foreign_in(server: Running, name: str, address: str) -> None:
    response = sign_up(server, name).get(address) if address == "/signin/account" else Browser(server).get(address)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-frame-options"] == "DENY"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "access-control-allow-origin" not in response.headers
    assert "<script>" not in response.text
    assert "style=" not in response.text


def test_the_cookie_is_out_of_reach_of_scripts(server: Running, name: str) -> None:
    link = new_link(server, name)
    response = Browser(server).send(link, password=PASSWORD, again=PASSWORD)
    (cookie,) = response.headers.get_list("set-cookie")
    assert cookie.startswith("bough_session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


def test_a_typed_name_cannot_run(server: Running) -> None:
    page = Browser(server).sign_in('"><script>alert(1)</script>', "x").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_static_files_are_kept_by_their_content(server: Running) -> None:
    browser = Browser(server)
    address = browser.get("/signin").text.split('rel="stylesheet" href="')[1].split('"')[0]
    style = browser.get(address)
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in style.headers["cache-control"]
    assert browser.get("/static/page.css").headers["cache-control"] == "no-cache"
    assert browser.get(address, headers={"If-None-Match": style.headers["etag"]}).status_code == 304
    assert browser.get("/static/..%2fpages.py").status_code == 404


@pytest.mark.parametrize("segment", ["signin", "signout", "setup", "static"])
def test_links_cannot_take_the_addresses_of_pages(api: Api, segment: str) -> None:
    assert api.create(alias=segment).status_code == 400
    assert api.create(alias=f"{segment}/x").status_code == 400
