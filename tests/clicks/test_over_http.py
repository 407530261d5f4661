"""Clicks end to end on both stores: every kind of visitor, what is sent, what is on disk (docs/clicks.md)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from bough.vocabulary.journal_rows import needs_link
from bough.web.cookies import cookie_value
from tests.apps import alias, new_app
from tests.clicks import user_agents as ua
from tests.clicks.following import follow, kept_count, link_id, rows, sent
from tests.conftest import Api, error
from tests.running import Running, wait_until
from tests.web.watch import opened

TARGETS = {
    "$ios_url": "https://example.com/ios",
    "$ipad_url": "https://example.com/ipad",
    "$ios_wechat_url": "https://example.com/ios-wechat",
    "$android_url": "https://example.com/android",
    "$android_wechat_url": "https://example.com/android-wechat",
    "$samsung_url": "https://example.com/samsung",
    "$huawei_url": "https://example.com/huawei",
    "$fire_url": "https://example.com/fire",
    "$windows_phone_url": "https://example.com/windows-phone",
    "$blackberry_url": "https://example.com/blackberry",
    "$mac_desktop_url": "https://example.com/mac",
    "$windows_desktop_url": "https://example.com/windows",
    "$desktop_url": "https://example.com/desktop",
    "$fallback_url": "https://example.com/fallback",
}
LABELS = {"channel": "news letter", "feature": "share", "campaign": "spring & summer"}
UTM = "utm_campaign=spring%20%26%20summer&utm_source=news%20letter&utm_medium=share"
UTM_TARGETS = {"ios", "android", "desktop", "fallback"}
"""Only these keys of the links get utm_* (docs/clicks.md)."""

PEOPLE = [
    ("iPhone", ua.IPHONE_SAFARI, "ios"),
    ("iPhone in Facebook", ua.IPHONE_FACEBOOK, "ios"),
    ("iPhone in Instagram", ua.IPHONE_INSTAGRAM, "ios"),
    ("iPod", ua.IPOD, "ios"),
    ("iPad", ua.IPAD, "ipad"),
    ("WeChat on iPhone", ua.IPHONE_WECHAT, "ios-wechat"),
    ("Android", ua.PIXEL_CHROME, "android"),
    ("Samsung in Facebook", ua.ANDROID_FACEBOOK, "samsung"),
    ("WeChat on Android", ua.ANDROID_WECHAT, "android-wechat"),
    ("Samsung", ua.SAMSUNG_INTERNET, "samsung"),
    ("Huawei", ua.HUAWEI_BROWSER, "huawei"),
    ("Fire tablet", ua.FIRE_TABLET, "fire"),
    ("Windows Phone", ua.WINDOWS_PHONE, "windows-phone"),
    ("BlackBerry", ua.PLAYBOOK, "blackberry"),
    ("Mac", ua.MAC_SAFARI, "mac"),
    ("Windows", ua.WINDOWS_EDGE, "windows"),
    ("Linux", ua.LINUX_FIREFOX, "desktop"),
    ("Chromebook", ua.CHROMEBOOK, "desktop"),
    ("curl", ua.CURL, "desktop"),
    ("node", ua.NODE, "desktop"),
    ("no User-Agent", ua.EMPTY, "desktop"),
]


@pytest.fixture
def link(api: Api) -> str:
    """A link with a target for every platform."""
    return api.created(**LABELS, data=TARGETS)


@pytest.mark.parametrize(("user_agent", "where"), [row[1:] for row in PEOPLE], ids=[row[0] for row in PEOPLE])
def test_people_and_programs_are_sent_to_their_platforms_target(
    api: Api, link: str, user_agent: str, where: str
) -> None:
    """Twice over the same connection: the second time the worker knows the link and takes the fast path."""
    answers = [follow(api, link, user_agent, Referer="https://news.example/") for _ in range(2)]
    recorded = rows(api, link)
    assert len(recorded) == 2
    expected = f"https://example.com/{where}" + (f"?{UTM}" if where in UTM_TARGETS else "")
    for answer, row in zip(answers, recorded, strict=True):
        assert (answer.status_code, answer.content) == (307, b"")
        assert answer.headers["cache-control"] == "no-store"
        assert "referrer-policy" not in answer.headers
        assert sent(answer) == (expected, str(row.id), link)
        assert re.fullmatch(r"\d{18,19}", str(row.id))
        assert (row.kind, row.link, row.test, str(row.app)) == ("click", link_id(api, link), False, api.card["app_id"])
        assert row.body["url"] == link
        assert row.body.get("user_agent", "") == user_agent
        assert (row.body["ip"], row.body["referrer"]) == ("127.0.0.1", "https://news.example/")
        assert abs(row.at - time.time() * 1000) < 60_000


ROBOTS = [("Googlebot", ua.GOOGLEBOT), ("Bingbot", ua.BINGBOT), ("GPTBot", ua.GPTBOT), ("unknown", ua.UNKNOWN_BOT)]


@pytest.mark.parametrize("user_agent", [row[1] for row in ROBOTS], ids=[row[0] for row in ROBOTS])
def test_robots_follow_the_fallback_and_carry_nothing(api: Api, link: str, user_agent: str) -> None:
    for _ in range(2):
        answer = follow(api, link, user_agent)
        assert (answer.status_code, answer.headers["location"]) == (307, "https://example.com/fallback")
        assert "set-cookie" not in answer.headers
    assert [row.kind for row in rows(api, link)] == ["robot", "robot"]


def test_robots_without_a_fallback_go_to_the_web_target(api: Api) -> None:
    url = api.created(data={"$ios_url": "https://example.com/ios", "$desktop_url": "https://example.com/desktop"})
    assert follow(api, url, ua.GOOGLEBOT).headers["location"] == "https://example.com/desktop"


def test_clicks_of_people_are_counted_and_nobody_elses(api: Api, link: str) -> None:
    for user_agent in (ua.GOOGLEBOT, ua.FACEBOOK_SCRAPER, ua.SLACKBOT):
        follow(api, link, user_agent)
    follow(api, link, ua.IPHONE_SAFARI, Purpose="prefetch")
    follow(api, link, ua.IPHONE_SAFARI, method="HEAD")
    for user_agent in (ua.IPHONE_SAFARI, ua.PIXEL_CHROME, ua.CURL):
        follow(api, link, user_agent)
    wait_until(lambda: kept_count(api, link) >= 3)
    assert kept_count(api, link) == 3
    kinds = [row.kind for row in rows(api, link)]
    assert kinds == ["robot", "robot", "robot", "prefetch", "click", "click", "click"]


@pytest.mark.parametrize(
    "header",
    [
        {"Purpose": "prefetch"},
        {"Sec_Purpose": "prefetch;prerender"},
        {"Sec_Purpose": "prefetch;anonymous-client-ip"},
        {"X_Moz": "prefetch"},
    ],
    ids=str,
)
def test_prefetches_are_redirected_and_recorded_as_such(api: Api, link: str, header: dict[str, str]) -> None:
    follow(api, link, ua.PIXEL_CHROME)
    answer = follow(api, link, ua.PIXEL_CHROME, **header)
    assert (answer.status_code, sent(answer).target) == (307, f"https://example.com/android?{UTM}")
    assert [row.kind for row in rows(api, link)] == ["click", "prefetch"]


@pytest.mark.parametrize("header", [{}, {"Purpose": "prefetch"}], ids=["fast path", "slow path"])
@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ({}, True),
        ({"~cost": 0}, False),
        ({"$aaid": "cdda802e-fb9c-47ad-9866-0794d394c912"}, False),
        ({"$aaid": "{gaid}"}, True),
    ],
    ids=str,
)
def test_a_click_says_whether_its_link_costs_or_names_a_device(
    api: Api, said: dict[str, Any], plain: bool, header: dict[str, str]
) -> None:
    link = api.created(data={**TARGETS, **said})
    follow(api, link, ua.PIXEL_CHROME, **header)
    assert api.update(link, data=TARGETS).status_code == 200
    follow(api, link, ua.PIXEL_CHROME, **header)
    assert [row.body.get("plain", False) for row in rows(api, link)] == [plain, True]
    with opened(api.running) as store:
        bodies = [body for (body,) in store.rows("SELECT body FROM journal WHERE link = ?", (link_id(api, link),))]
    assert [needs_link(body) for body in bodies] == [not plain, False]


def test_head_and_options_are_no_clicks(api: Api, link: str) -> None:
    head = follow(api, link, ua.IPHONE_SAFARI, method="HEAD")
    assert (head.status_code, head.content, sent(head).target) == (307, b"", f"https://example.com/ios?{UTM}")
    assert "set-cookie" not in head.headers
    options = follow(api, link, ua.IPHONE_SAFARI, method="OPTIONS")
    assert (options.status_code, options.content, options.headers["allow"]) == (200, b"", "GET, HEAD, OPTIONS")
    assert rows(api, link) == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_links_answer_no_other_method(api: Api, link: str, method: str) -> None:
    answer = follow(api, link, ua.IPHONE_SAFARI, method=method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert rows(api, link) == []


def test_the_journal_can_be_read_back(api: Api, link: str) -> None:
    answer = follow(api, link, ua.IPHONE_SAFARI, query="?ref=mail", Referer="https://mail.example/")
    read = tail(api, "-n", "1000", "--kind", "click")
    (line,) = [one for one in read if one["link_id"] == str(link_id(api, link))]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("at"))
    assert line == {
        "id": sent(answer).match_id,
        "kind": "click",
        "app_id": api.card["app_id"],
        "test": False,
        "link_id": str(link_id(api, link)),
        "url": f"{link}?ref=mail",
        "user_agent": ua.IPHONE_SAFARI,
        "ip": "127.0.0.1",
        "referrer": "https://mail.example/",
        "rule": "ios_url",
        "plain": True,
        "query": "ref=mail",
        "agent": {
            "kind": "browser",
            "os": "ios",
            "os_version": "17.4.1",
            "device": "phone",
            "brand": "Apple",
            "model": "iPhone",
            "browser": "Safari",
            "browser_version": "17.4.1",
        },
    }


def test_the_newest_rows_of_a_kind(api: Api, link: str) -> None:
    first, second = (sent(follow(api, link, ua.IPHONE_SAFARI)).match_id for _ in range(2))
    for _ in range(3):
        follow(api, link, ua.GOOGLEBOT)
    assert [line["id"] for line in tail(api, "-n", "2", "--kind", "click")] == [first, second]
    assert [line["agent"] for line in tail(api, "-n", "1")] == [{"kind": "robot", "browser": "Googlebot"}]


def tail(api: Api, *options: str) -> list[dict[str, Any]]:
    """The lines of `bough journal tail`."""
    command = [sys.executable, "-m", "bough.cli", "journal", "tail", *options, "--data", str(api.running.folder)]
    environment = {**os.environ, **api.running.environment}
    printed = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=60).stdout
    return [json.loads(line) for line in printed.strip().split("\n")]


def test_client_hints_say_what_a_reduced_user_agent_hides(api: Api) -> None:
    data = {"$samsung_url": "https://example.com/samsung", "$android_url": "https://example.com/android"}
    url = api.created(data=data)
    reduced = (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile "
        "Safari/537.36"
    )
    hints = {"Sec-CH-UA-Platform": '"Android"', "Sec-CH-UA-Model": '"SM-S921B"'}
    assert sent(follow(api, url, reduced)).target == "https://example.com/android"
    assert sent(follow(api, url, reduced, **hints)).target == "https://example.com/samsung"


@pytest.mark.parametrize(
    ("hints", "target"),
    [
        ({}, "desktop"),
        ({"Sec-CH-UA-Platform": '"Linux"', "Sec-CH-UA-Mobile": "?0"}, "desktop"),
        ({"Sec-CH-UA-Platform": '"Android"', "Sec-CH-UA-Mobile": "?0"}, "android"),
        ({"Sec-CH-UA-Platform": '"Android"', "Sec-CH-UA-Mobile": "?0", "Sec-CH-UA-Model": '"SM-X710"'}, "samsung"),
        ({"Sec-CH-UA-Platform": '"Windows"', "Sec-CH-UA-Mobile": "?0"}, "windows"),
    ],
)
def test_a_browser_in_desktop_mode_is_sent_where_its_hints_say(
    api: Api, link: str, hints: dict[str, str], target: str
) -> None:
    answer = follow(api, link, "Mozilla/5.0 (X11; Linux x86_64) Chrome/122.0.0.0 Safari/537.36", **hints)
    assert answer.headers["location"].partition("?")[0] == f"https://example.com/{target}"


def test_a_browser_gets_one_cookie_and_keeps_it(api: Api, link: str) -> None:
    first = follow(api, link, ua.IPHONE_SAFARI)
    browser = sent(first).match_id
    assert first.headers["set-cookie"] == f"_s={browser}; Max-Age=63072000; Path=/; HttpOnly; Secure; SameSite=None"
    for query in ("", "?a=b"):
        again = follow(api, link, ua.IPHONE_SAFARI, query=query, Cookie=f"other=1; _s={browser}; more=2")
        assert "set-cookie" not in again.headers
    assert [row.body.get("browser") for row in rows(api, link)] == [None, browser, browser]


@pytest.mark.parametrize("cookie", ["_s=1", "_s=abc", "_s=", "x_s=123456789012345678", "_s=12345678901234567890"])
def test_a_cookie_that_is_not_ours_is_replaced(api: Api, link: str, cookie: str) -> None:
    answer = follow(api, link, ua.IPHONE_SAFARI, Cookie=cookie)
    assert answer.headers["set-cookie"].startswith(f"_s={sent(answer).match_id};")


@pytest.mark.parametrize(
    ("host", "https", "end"),
    [
        ("go.example.com", True, "Secure; SameSite=None"),
        ("127.0.0.1:8000", False, "Secure; SameSite=None"),
        ("localhost", False, "Secure; SameSite=None"),
        ("alternate.localhost:8000", False, "Secure; SameSite=None"),
        ("[::1]:8000", False, "Secure; SameSite=None"),
        ("go.example.com", False, "SameSite=Lax"),
        ("192.168.1.7:8000", False, "SameSite=Lax"),
        ("127.0.0.1.example.com", False, "SameSite=Lax"),
        ("notlocalhost", False, "SameSite=Lax"),
    ],
)
def test_other_sites_may_send_the_cookie_where_browsers_keep_a_secure_one(host: str, https: bool, end: str) -> None:
    assert cookie_value(1, host, https=https) == f"_s=1; Max-Age=63072000; Path=/; HttpOnly; {end}"


def test_the_cookie_is_secure_on_https_domains(api: Api) -> None:
    app = new_app(api, domain=f"{alias()}.example.test")
    answer = follow(app, app.created(data=TARGETS), ua.IPHONE_SAFARI)
    assert answer.headers["set-cookie"].endswith("Path=/; HttpOnly; Secure; SameSite=None")


def test_programs_and_robots_get_no_cookie(api: Api, link: str) -> None:
    for user_agent in (ua.CURL, ua.GOOGLEBOT, ua.FACEBOOK_SCRAPER):
        assert "set-cookie" not in follow(api, link, user_agent).headers


def test_stores_carry_no_match_parameters(api: Api) -> None:
    app = new_app(
        api,
        ios_app=1,
        ios_url="https://apps.apple.com/app/id364709193",
        android_app=1,
        android_package_name="com.example.books",
    )
    url = app.created(**LABELS)
    apple = follow(app, url, ua.IPHONE_OLD_SAFARI)
    assert (apple.status_code, apple.headers["location"]) == (307, "https://apps.apple.com/app/id364709193")
    for _ in range(2):
        play = follow(app, url, ua.ANDROID_FIREFOX)
        click = rows(app, url)[-1].id
        expected = f"https://play.google.com/store/apps/details?id=com.example.books&referrer=link_click_id%3D{click}"
        assert (play.status_code, play.headers["location"]) == (307, expected)


def test_one_time_links_still_redirect_the_second_time(api: Api) -> None:
    url = api.created(type=1, data=TARGETS)
    assert [sent(follow(api, url, ua.PIXEL_CHROME)).target for _ in range(2)] == ["https://example.com/android"] * 2


# What a click's query does.


def test_a_clicks_query_lies_over_the_data_for_that_click_alone(api: Api, link: str) -> None:
    query = f"?$ios_url={quote('https://example.com/once?x=1', safe='')}&~campaign=once&ref=mail"
    once = follow(api, link, ua.IPHONE_SAFARI, query=query)
    utm = "utm_campaign=once&utm_source=news%20letter&utm_medium=share"
    assert sent(once).target == f"https://example.com/once?x=1&~campaign=once&ref=mail&{utm}"
    assert sent(follow(api, link, ua.IPHONE_SAFARI)).target == f"https://example.com/ios?{UTM}"
    assert rows(api, link)[0].body["url"] == link + query


def test_parameters_that_the_target_has_are_not_overwritten(api: Api) -> None:
    url = api.created(**LABELS, data={"$desktop_url": "https://example.com/?utm_source=own&ref=own#part"})
    answer = follow(api, url, ua.LINUX_FIREFOX, query="?ref=click&other=1")
    location = answer.headers["location"]
    assert location.startswith(
        "https://example.com/?utm_source=own&ref=own&other=1&utm_campaign=spring%20%26%20summer&utm_medium=share"
        "&_branch_match_id="
    )
    assert location.endswith("#part")


@pytest.mark.parametrize("word", ["data", "password", "auth"])
def test_reserved_words_are_dropped(api: Api, link: str, word: str) -> None:
    answer = follow(api, link, ua.LINUX_FIREFOX, query=f"?{word}=secret&kept=1")
    assert sent(answer).target == f"https://example.com/desktop?kept=1&{UTM}"


@pytest.mark.parametrize("word", ["access_token", "AccessToken", "auth_token", "AuthToken"])
def test_credentials_in_a_link_are_neither_sent_on_nor_recorded(api: Api, link: str, word: str) -> None:
    answer = follow(api, link, ua.LINUX_FIREFOX, query=f"?a=1&{word}=secret&b=%C3%A9")
    assert sent(answer).target == f"https://example.com/desktop?a=1&b=%C3%A9&{UTM}"
    alone = follow(api, link, ua.LINUX_FIREFOX, query=f"?{word}=secret")
    assert sent(alone).target == f"https://example.com/desktop?{UTM}"
    assert [row.body["url"] for row in rows(api, link)] == [f"{link}?a=1&b=%C3%A9", link]


@pytest.mark.parametrize("fields", [201, 500, 1500])
def test_a_query_may_have_many_fields(api: Api, link: str, fields: int) -> None:
    query = "&".join(f"a{i}=1" for i in range(fields))
    answer = follow(api, link, ua.LINUX_FIREFOX, query=f"?{query}")
    assert sent(answer).target == f"https://example.com/desktop?{query}&{UTM}"


def test_of_a_flood_of_fields_the_first_2000_are_read(api: Api, link: str) -> None:
    answer = follow(api, link, ua.LINUX_FIREFOX, query="?" + "&".join(f"{i}=" for i in range(2001)))
    first = "&".join(f"{i}=" for i in range(2000))
    assert sent(answer).target == f"https://example.com/desktop?{first}&{UTM}"


# Settings of the app.


@pytest.mark.parametrize(
    ("settings", "location"),
    [
        ({"append_match_params": False}, f"https://example.com/desktop?{UTM}"),
        ({"append_match_params": False, "utm_mapping": False}, "https://example.com/desktop"),
    ],
    ids=str,
)
def test_nothing_is_appended_when_the_app_says_so(api: Api, settings: dict[str, Any], location: str) -> None:
    app = new_app(api, **settings)
    url = app.created(**LABELS, data=TARGETS)
    assert [follow(app, url, ua.LINUX_FIREFOX).headers["location"] for _ in range(2)] == [location] * 2


def test_the_redirect_allowlist_holds_at_creation_and_at_every_click(api: Api) -> None:
    app = new_app(api, redirect_allowlist=["example.com", "*.example.org"])
    refused = app.create(data={"$desktop_url": "https://evil.example/"})
    assert (refused.status_code, refused.json()) == (400, error(400, "URL doesn't pass security test(s)"))
    url = app.created(data={"$desktop_url": "https://a.example.org/", "$fallback_url": "https://example.com/f"})
    assert sent(follow(app, url, ua.LINUX_FIREFOX)).target == "https://a.example.org/"
    query = "?$desktop_url=https://evil.example/"
    assert sent(follow(app, url, ua.LINUX_FIREFOX, query=query)).target == "https://a.example.org/"
    app.configure(redirect_allowlist=["example.com"])
    assert sent(follow(app, url, ua.LINUX_FIREFOX)).target == "https://example.com/f"


def test_do_not_process_leaves_no_trace(api: Api) -> None:
    url = api.created(data={**TARGETS, "$do_not_process": True})
    assert sent(follow(api, url, ua.LINUX_FIREFOX)).target == "https://example.com/desktop"
    assert rows(api, url) == []


def test_clicks_of_the_test_environment_are_marked(api: Api) -> None:
    test = new_app(api)
    test.card["branch_key"] = test.card["test_branch_key"]
    url = test.created(data=TARGETS)
    follow(api, url, ua.LINUX_FIREFOX)
    assert [row.test for row in rows(test, url)] == [True]


# Unknown links.


def test_people_see_that_a_link_is_unknown(api: Api) -> None:
    answer = follow(api, f"{api.running.base_url}/no-such-link", ua.IPHONE_SAFARI)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<h1>Link not found</h1>" in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_programs_get_one_line(api: Api) -> None:
    answer = follow(api, f"{api.running.base_url}/no-such-link", ua.CURL)
    assert (answer.status_code, answer.text) == (404, "There is no such link.\n")


@pytest.mark.parametrize("user_agent", [ua.CURL, ua.REQUESTS, ua.NODE, ""])
def test_programs_get_the_preview_of_a_link_that_leads_nowhere_on_the_web(api: Api, user_agent: str) -> None:
    app = new_app(api)
    answer = follow(app, app.created(data={"$og_title": "Spring"}), user_agent)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert '<meta property="og:title" content="Spring">' in answer.text


def test_an_unknown_link_goes_to_the_apps_default(api: Api) -> None:
    app = new_app(api, default_desktop_url="https://example.com/desktop")
    prefix = app.created().rpartition("/")[0]
    desktop = follow(app, f"{prefix}/no-such-link", ua.LINUX_FIREFOX)
    assert (desktop.status_code, desktop.headers["location"]) == (307, "https://example.com/desktop")
    assert follow(app, f"{prefix}/no-such-link", ua.IPHONE_SAFARI).status_code == 404
    app.configure(web_url="https://example.com/web")
    for user_agent in (ua.LINUX_FIREFOX, ua.IPHONE_SAFARI, ua.GOOGLEBOT, ua.CURL):
        answer = follow(app, f"{prefix}/no-such-link", user_agent)
        assert (answer.status_code, answer.headers["location"]) == (307, "https://example.com/web")


# Proxies.


def test_a_trusted_proxy_says_who_came(api: Api, link: str) -> None:
    """The test server trusts loopback, as by default; what is left of the last unknown address may be invented."""
    for forwarded in ("203.0.113.7", "198.51.100.1, 203.0.113.7", "203.0.113.7, 127.0.0.1", "nonsense, 203.0.113.7"):
        follow(api, link, ua.LINUX_FIREFOX, X_Forwarded_For=forwarded)
    follow(api, link, ua.LINUX_FIREFOX, X_Forwarded_For="nonsense")
    follow(api, link, ua.LINUX_FIREFOX, X_Forwarded_For="2001:db8::1")
    assert [row.body["ip"] for row in rows(api, link)] == ["203.0.113.7"] * 4 + ["127.0.0.1", "2001:db8::1"]


def test_the_country_header_counts_for_nothing_unless_it_is_set(api: Api, link: str) -> None:
    follow(api, link, ua.LINUX_FIREFOX, CF_IPCountry="DE")
    assert "country" not in rows(api, link)[0].body


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server whose proxy names the visitor's country."""
    environment = {"BOUGH_COUNTRY_HEADER": "CF-IPCountry", "BOUGH_RATE_LIMITS": "off"}
    running = Running(tmp_path_factory.mktemp("behind") / "data", "--empty", environment=environment)
    api = Api(running)
    yield api
    api.http.close()
    running.stop()


def test_a_trusted_proxy_names_the_country(behind: Api) -> None:
    data = {
        "$android_url_de": "https://example.com/de",
        "$android_url": "https://example.com/",
        "$fallback_url_at": "https://example.com/at",
    }
    url = behind.created(data=data)
    for country, target in (("DE", "de"), ("de", "de"), ("FR", ""), ("XX1", ""), ("", "")):
        for _ in range(2):
            answer = follow(behind, url, ua.PIXEL_CHROME, CF_IPCountry=country)
            assert sent(answer).target == f"https://example.com/{target}", country
    assert [row.body.get("country") for row in rows(behind, url)] == ["DE"] * 4 + ["FR"] * 2 + [None] * 4


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server that trusts no proxy."""
    environment = {
        "BOUGH_TRUSTED_PROXIES": "10.0.0.1",
        "BOUGH_COUNTRY_HEADER": "CF-IPCountry",
        "BOUGH_RATE_LIMITS": "off",
    }
    running = Running(tmp_path_factory.mktemp("exposed") / "data", "--empty", environment=environment)
    api = Api(running)
    yield api
    api.http.close()
    running.stop()


def test_strangers_cannot_invent_an_address_or_a_country(exposed: Api) -> None:
    url = exposed.created(data={"$android_url": "https://example.com/"})
    for _ in range(2):
        follow(exposed, url, ua.PIXEL_CHROME, X_Forwarded_For="203.0.113.7", CF_IPCountry="DE")
    assert [(row.body["ip"], row.body.get("country")) for row in rows(exposed, url)] == [("127.0.0.1", None)] * 2
