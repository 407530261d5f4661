"""The endpoints one by one: who may ask, what is answered, what is kept (docs/sdk.md)."""

from __future__ import annotations

import base64
import json
import re
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest

from bough.sdk.operations import SDK_ROUTES
from tests.conftest import Api
from tests.sdk.devices import ANDROID_BROWSER, IPHONE_BROWSER, Android, Iphone, new_address
from tests.sdk.journals import Mark

DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def form(api: Api, path: str, **fields: Any) -> httpx.Response:
    """POST as the Web SDK does: a form, nested values as JSON text."""
    data = {
        name: json.dumps(value) if isinstance(value, dict | list) else value
        for name, value in {"branch_key": api.key, **fields}.items()
        if value is not None
    }
    return api.http.post(path, data=data, headers={"User-Agent": DESKTOP})


def web_open(api: Api, *, cookie: str = "", ip: str = "", **fields: Any) -> dict[str, Any]:
    """POST /v1/open as the Web SDK sends it; the answer."""
    body = {"branch_key": api.key, "sdk": "web2.89.2", "options": "{}", "current_url": "https://example.com/", **fields}
    headers = {"User-Agent": DESKTOP, "X-Forwarded-For": ip or new_address()} | ({"Cookie": cookie} if cookie else {})
    response = api.http.post("/v1/open", data={k: v for k, v in body.items() if v is not None}, headers=headers)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def browser_in(response: httpx.Response) -> str:
    """The `_s` cookie that a response sets, or empty."""
    cookies = SimpleCookie(response.headers.get("set-cookie", ""))
    return cookies["_s"].value if "_s" in cookies else ""


def test_r_mints_a_browser_and_keeps_it_in_a_cookie(api: Api, mark: Mark) -> None:
    answer = api.http.get("/_r", params={"sdk": "web2.89.2", "branch_key": api.key, "callback": "branch_callback__0"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/javascript"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    found = re.fullmatch(r'branch_callback__0\("(\d{18,19})"\);', answer.text)
    assert found
    assert browser_in(answer) == found[1]
    assert mark.rows() == []


def test_r_prefers_the_cookie_then_what_the_page_knows(api: Api) -> None:
    known, said = "1400000000000000001", "1400000000000000002"
    params = {"callback": "cb", "_t": said}
    with httpx.Client(base_url=api.running.base_url) as client:
        by_cookie = client.get("/_r", params=params, headers={"Cookie": f"_s={known}"})
        by_page = client.get("/_r", params=params)
    with httpx.Client(base_url=api.running.base_url) as client:
        minted = client.get("/_r", params={"callback": "cb", "_t": "<script>"})
    assert by_cookie.text == f'cb("{known}");'
    assert "set-cookie" not in by_cookie.headers
    assert by_page.text == f'cb("{said}");'
    assert browser_in(by_page) == said
    assert re.fullmatch(r'cb\("\d{19}"\);', minted.text)


def test_the_shim_moves_one_request(api: Api) -> None:
    answer = api.http.get("/sdk/branch-shim.js")
    assert answer.headers["content-type"] == "application/javascript"
    assert "https:\\/\\/app\\.link" in answer.text
    assert "document.currentScript" in answer.text


def test_web_open_answers_with_strings_and_data_as_text(api: Api) -> None:
    answer = web_open(api)
    for name in ("session_id", "identity_id", "browser_fingerprint_id"):
        assert isinstance(answer[name], str)
        assert re.fullmatch(r"\d{18,19}", answer[name])
    assert json.loads(answer["data"]) == {"+clicked_branch_link": False, "+is_first_session": True}
    assert answer["has_app"] is False


@pytest.mark.parametrize("fields", [{"sdk": "web2.89.2"}, {"sdk": "1.5.2"}, {}])
def test_a_page_that_knows_no_browser_yet_is_given_one(api: Api, mark: Mark, fields: dict[str, str]) -> None:
    answer = form(api, "/v1/open", options={}, **fields).json()
    assert all(answer[name].isdigit() for name in ("session_id", "identity_id", "browser_fingerprint_id"))
    assert "randomized_device_token" not in answer
    assert [one.name for one in mark.counted()] == ["WEB_SESSION_START"]


def test_an_unknown_link_identifier_is_nobodys_id(api: Api, mark: Mark) -> None:
    unknown = "1400000000000000777"
    answer = web_open(api, link_identifier=unknown, browser_fingerprint_id=unknown)
    assert answer["browser_fingerprint_id"] != unknown
    other = "1400000000000000778"
    known = web_open(
        api, link_identifier=unknown, browser_fingerprint_id=unknown, alternative_browser_fingerprint_id=other
    )
    assert known["browser_fingerprint_id"] == other
    assert len({one.person for one in mark.counted()}) == 2


def test_a_link_identifier_may_be_a_browsers_id(api: Api, mark: Mark) -> None:
    url = api.created(data={"book": 7, "$desktop_url": "https://example.com/"})
    browser = "1400000000000000801"
    for campaign in ("older", "newer"):
        httpx.get(f"{url}?~campaign={campaign}", headers={"User-Agent": DESKTOP, "Cookie": f"_s={browser}"})
    answer = web_open(api, link_identifier=browser, browser_fingerprint_id=browser)
    assert json.loads(answer["data"])["~campaign"] == "newer"
    assert answer["link_click_id"] == str(mark.rows("click")[1].id)


def test_a_click_without_a_cookie_is_its_browsers_first(api: Api, mark: Mark) -> None:
    url, ip = api.created(campaign="spring", data={"$desktop_url": "https://example.com/"}), new_address()
    clicked = httpx.get(url, headers={"User-Agent": DESKTOP, "X-Forwarded-For": ip})
    (click,) = mark.rows("click")
    assert browser_in(clicked) == str(click.id)
    answer = web_open(api, ip=ip, link_identifier=str(click.id), browser_fingerprint_id=str(click.id))
    assert answer["browser_fingerprint_id"] == str(click.id)
    later = web_open(api, browser_fingerprint_id=str(click.id))
    assert later["browser_fingerprint_id"] == str(click.id)
    assert len({one.person for one in mark.counted()}) == 1


@pytest.mark.parametrize("strange", ["ip", "agent"])
def test_whoever_else_opens_the_landing_page_stays_somebody_else(api: Api, mark: Mark, strange: str) -> None:
    url, ip = api.created(data={"$desktop_url": "https://example.com/"}), new_address()
    agent = DESKTOP if strange == "ip" else DESKTOP.replace("124", "125")
    httpx.get(url, headers={"User-Agent": agent, "X-Forwarded-For": ip})
    (click,) = mark.rows("click")
    asked = new_address() if strange == "ip" else ip
    answer = web_open(api, ip=asked, link_identifier=str(click.id), browser_fingerprint_id=str(click.id))
    assert json.loads(answer["data"])["+clicked_branch_link"] is True
    assert answer["browser_fingerprint_id"] != str(click.id)


def test_open_merges_two_ids_of_one_browser(api: Api, mark: Mark) -> None:
    first = web_open(api)["browser_fingerprint_id"]
    second = web_open(api)["browser_fingerprint_id"]
    assert len({one.person for one in mark.counted()}) == 2
    web_open(api, browser_fingerprint_id=first, alternative_browser_fingerprint_id=second)
    assert len({one.person for one in mark.counted()}) == 1


def deepview(api: Api, **fields: Any) -> httpx.Response:
    posted = base64.b64encode(json.dumps({"branch_key": api.key, **fields}).encode()).decode()
    return api.http.get("/v1/deepview", params={"callback": "branch_callback__1", "post_data": posted})


def function_target(answer: httpx.Response) -> str:
    """The address that the function of a deepview leads to."""
    found = re.fullmatch(r"branch_callback__1\(function\(\)\{window\.top\.location\.href=(\".*\");\}\);", answer.text)
    assert found, answer.text
    url: str = json.loads(found[1])
    return url


def test_deepview_makes_a_long_link_of_ours(api: Api, mark: Mark) -> None:
    data = {"$desktop_url": "https://example.com/book", "title": "</script><b>\u2028", "$og_title": None}
    answer = deepview(api, channel="banner", tags=["a", "b"], data=json.dumps(data), deepview_type="deepview")
    assert answer.headers["content-type"] == "application/javascript"
    assert "<" not in answer.text
    assert "\u2028" not in answer.text
    url = function_target(answer)
    assert url.startswith(f"{api.running.base_url}/a/{api.key}?")
    redirect = httpx.get(url, headers={"User-Agent": DESKTOP})
    assert redirect.headers["location"].startswith("https://example.com/book?")
    (click,) = mark.rows("click")
    assert click.body["data"]["~channel"] == "banner"
    assert click.body["data"]["~tags"] == ["a", "b"]
    assert click.body["data"]["title"] == data["title"]
    assert "$og_title" not in click.body["data"]


def test_deepview_goes_back_to_the_link_that_led_here(api: Api, mark: Mark) -> None:
    url = api.created(alias="deep-one", data={"book": 7})
    assert function_target(deepview(api, link_click_id="deep-one?coupon=MAY", data="{}")) == url
    httpx.get(url, headers={"User-Agent": DESKTOP})
    assert function_target(deepview(api, link_click_id=str(mark.rows("click")[0].id), data="{}")) == url
    assert "/a/key_" in function_target(deepview(api, link_click_id="not-there\x00", data="{}"))


def test_deepview_posted(api: Api) -> None:
    answer = form(api, "/v1/deepview", channel="banner", data={"book": 7})
    assert answer.json()["url"].startswith(f"{api.running.base_url}/a/{api.key}?channel=banner")


@pytest.mark.parametrize("path", ["/v1/close", "/v1/dismiss", "/v1/content-events", "/v1/register-view"])
def test_requests_from_which_nothing_follows(api: Api, mark: Mark, path: str) -> None:
    for answer in (form(api, path, metadata={"a": 1}), api.http.post(path, json={"branch_key": api.key})):
        assert (answer.status_code, answer.json()) == (200, {})
    assert mark.rows() == []


def test_an_old_event(api: Api, mark: Mark) -> None:
    answer = form(api, "/v1/event", event="turned page", metadata={"page": "12"}, browser_fingerprint_id="14" * 9)
    assert (answer.status_code, answer.json()) == (200, {})
    assert mark.counted()[0].name == "turned page"


def test_an_old_event_brings_no_money(api: Api, mark: Mark) -> None:
    """Old events have no `event_data`; what a client puts there was never checked, and must not spoil the event."""
    for revenue in ("a lot", -100):
        sold = {"event": "PURCHASE", "identity_id": "14" * 9, "sdk": "web2.71.0", "event_data": {"revenue": revenue}}
        assert api.http.post("/v1/event", json={"branch_key": api.key, **sold}).json() == {}
        assert api.http.post("/v1/pageview", json={"branch_key": api.key, **sold}).json() == {}
    assert [one.name for one in mark.counted()] == ["PURCHASE", "PAGEVIEW"] * 2
    assert all("event_data" not in row.body for row in mark.rows("event"))


def test_last_attributed_touch(api: Api, mark: Mark) -> None:
    phone = Android(api)
    url = api.created(campaign="spring", channel="email", data={"book": 7})
    ask = {"branch_key": api.key, "user_data": {"os": "Android", "aaid": phone.aaid}}
    nothing = {"last_attributed_touch_data": {}, "attribution_window": 30}
    assert api.http.post("/v1/cpid/latd", json=ask).json() == nothing
    phone.start(android_app_link_url=url)
    found = api.http.post("/v1/cpid/latd", json=ask).json()
    assert found["attribution_window"] == 30
    assert found["last_attributed_touch_data"]["~campaign"] == "spring"
    phone.start(android_app_link_url=api.created(campaign="summer"))
    assert api.http.post("/v1/cpid/latd", json=ask).json()["last_attributed_touch_data"]["~campaign"] == "summer"
    by_token = {"randomized_device_token": phone.kept["randomized_device_token"], "aaid": "x", "os": "Android"}
    short = {"branch_key": api.key, "user_data": by_token, "attribution_window": 7}
    found = api.http.post("/v1/cpid/latd", json=short).json()
    assert (found["attribution_window"], found["last_attributed_touch_data"]["~campaign"]) == (7, "summer")


def test_last_attributed_touch_of_a_browser_and_an_impression(api: Api, mark: Mark) -> None:
    url = api.created(campaign="banner", data={"$desktop_url": "https://example.com/"})
    pixel = url.replace(api.running.base_url, f"{api.running.base_url}/i")
    seen = httpx.get(pixel, headers={"User-Agent": DESKTOP})
    browser = browser_in(seen)
    ask = {"user_data": {"browser_fingerprint_id": browser, "attribution_window": 7}}
    found = form(api, "/v1/cpid/latd", **ask).json()
    assert found["last_attributed_touch_data"]["~campaign"] == "banner"
    httpx.get(f"{url}?~campaign=clicked", headers={"User-Agent": DESKTOP, "Cookie": f"_s={browser}"})
    httpx.get(pixel, headers={"User-Agent": DESKTOP, "Cookie": f"_s={browser}"})
    found = form(api, "/v1/cpid/latd", **ask).json()
    assert found["last_attributed_touch_data"]["~campaign"] == "clicked", "a click beats a later impression"


def test_cross_platform_ids(api: Api) -> None:
    phone = Iphone(api)
    phone.start()
    ask = {"branch_key": api.key, "user_data": {"os": "iOS", "idfv": phone.idfv, "developer_identity": ""}}
    known = api.http.post("/v1/cpid", json=ask).json()["user_data"]
    assert re.fullmatch(r"\d{19}", known["cross_platform_id"])
    phone.start()
    assert api.http.post("/v1/cpid", json=ask).json()["user_data"] == known
    assert phone.kept["randomized_bundle_token"] not in json.dumps(known), "nothing is told that was not sent"
    stranger = {"branch_key": api.key, "user_data": {"developer_identity": f"nobody-{phone.idfv}"}}
    assert api.http.post("/v1/cpid", json=stranger).json()["user_data"]["cross_platform_id"] is None


@pytest.mark.parametrize("cookie", ["_s=1400000000000000901", ""])
def test_has_app(api: Api, cookie: str) -> None:
    """Also of a browser whose first click gave it its id."""
    phone, url = Android(api), api.created(data={"book": 7})
    clicked = phone.click(url, Cookie=cookie)
    browser = cookie.removeprefix("_s=") or clicked.cookies["_s"]
    address = f"/v1/has-app/{api.key}"
    assert api.http.get(address, params={"browser_fingerprint_id": browser}).text == "false"
    assert form(api, "/v1/open", browser_fingerprint_id=browser).json()["has_app"] is False
    phone.start()
    assert api.http.get(address, params={"browser_fingerprint_id": browser}).text == "true"
    page = form(api, "/v1/open", browser_fingerprint_id=browser).json()
    assert (page["has_app"], page["browser_fingerprint_id"]) == (True, browser)
    assert form(api, "/v1/open", browser_fingerprint_id="1400000000000000902").json()["has_app"] is False
    assert api.http.get(address).text == "false"


def test_app_link_settings_show_nothing_secret(api: Api) -> None:
    settings = api.http.get(f"/v1/app-link-settings/{api.key}").json()
    assert settings["default_short_url_domain"] == api.card["link_domain"]
    assert not {"branch_secret", "dev_email", "branch_key"} & settings.keys()


def test_links_as_the_sdks_create_them(api: Api) -> None:
    web = form(
        api,
        "/v1/url",
        channel="web",
        tags="one",
        type="0",
        data={"book": 7, "$og_title": None},
        source="web-sdk",
        instrumentation={"-brtt": "1"},
        browser_fingerprint_id="1400000000000007919",
        identity_id="1400000000000007920",
        session_id="1400000000000007921",
        sdk="web2.89.2",
    )
    phone = Android(api)
    phone.start()
    native = phone.post(
        "/v1/url",
        {
            **phone.device(),
            **phone.envelope(),
            **phone.kept,
            "channel": "app",
            "tags": ["one"],
            "duration": 60,
            "data": {"book": 7},
            "source": "android",
        },
    )
    for url, source in ((web.json()["url"], 5), (native["url"], 4)):
        stored = api.read(url).json()
        assert (stored["tags"], stored["data"]["book"], stored["data"]["~creation_source"]) == (["one"], 7, source)


def test_the_pixel(api: Api, mark: Mark) -> None:
    url = api.created(campaign="banner", data={"$desktop_url": "https://example.com/"})
    address = url.replace(api.running.base_url, f"{api.running.base_url}/i")
    answer = httpx.get(f"{address}?creative=7", headers={"User-Agent": ANDROID_BROWSER, "X-Forwarded-For": "192.0.2.9"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"GIF89a")
    (row,) = mark.rows()
    assert (row.kind, row.body["ip"], row.body["user_agent"]) == ("impression", "192.0.2.9", ANDROID_BROWSER)
    assert browser_in(answer) == str(row.id)
    again = httpx.get(address, headers={"User-Agent": ANDROID_BROWSER, "Cookie": f"_s={row.id}"})
    assert "set-cookie" not in again.headers
    assert mark.rows()[1].body["browser"] == str(row.id)


@pytest.mark.parametrize("headers", [{"User-Agent": ROBOT}, {"User-Agent": DESKTOP, "Purpose": "prefetch"}])
def test_robots_and_prefetches_see_nothing(api: Api, mark: Mark, headers: dict[str, str]) -> None:
    url = api.created(data={"$desktop_url": "https://example.com/"})
    answer = httpx.get(url.replace(api.running.base_url, f"{api.running.base_url}/i"), headers=headers)
    assert answer.status_code == 200
    assert mark.rows() == []


@pytest.mark.parametrize("alias", ["not-there", "a%00b", "%E2%80%AE", "a" * 500])
def test_the_pixel_of_no_link_is_a_picture_all_the_same(api: Api, mark: Mark, alias: str) -> None:
    answer = httpx.get(f"{api.running.base_url}/i/{alias}", headers={"User-Agent": DESKTOP})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert mark.rows() == []


def test_impressions_from_an_ad_server(api: Api, mark: Mark) -> None:
    url, phone = api.created(campaign="network", data={"book": 7}), Iphone(api)
    idfa = phone.idfv[::-1].replace("-", "")
    seen = {"url": url, "idfa": idfa, "user_agent": IPHONE_BROWSER, "ip": "192.0.2.9", "country": "de"}
    body = {"branch_key": api.key, "impressions": [seen, {**seen, "user_agent": ROBOT}]}
    answer = api.http.post("/api/impressions", json=body)
    assert answer.status_code == 200
    (row,) = mark.rows("impression")
    assert answer.json() == {"ids": [str(row.id)], "robots": 1}
    assert phone.data(phone.start(idfa=idfa, ad_tracking_enabled=True))["+clicked_branch_link"] is False
    (installed,) = mark.counted()
    assert (installed.touch_type, installed.touch_data["~campaign"]) == ("IMPRESSION", "network")


def test_an_impression_needs_no_click_to_be_credited_and_never_guesses(api: Api, mark: Mark) -> None:
    phone, url = Android(api), api.created(campaign="network")
    phone.click(url.replace(api.running.base_url, f"{api.running.base_url}/i"))
    phone.start()
    assert mark.counted()[0].touch_type is None


def test_every_route_says_what_it_is_for() -> None:
    for route in SDK_ROUTES:
        assert route.summary
        assert route.answer
        assert route.path.startswith(("/v1/", "/v2/", "/_r", "/sdk/", "/i/", "/api/"))
