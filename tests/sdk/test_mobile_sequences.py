"""What phones send from start to start, replayed, and who and what comes of it (docs/sdk.md)."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.conftest import Api, error
from tests.sdk.devices import IPHONE_BROWSER, Android, Iphone, Phone, new_address
from tests.sdk.journals import Mark

FIRST = {"+clicked_branch_link": False, "+is_first_session": True}
LATER = {"+clicked_branch_link": False, "+is_first_session": False}


@pytest.fixture(params=[Android, Iphone])
def phone(request: pytest.FixtureRequest, api: Api) -> Phone:
    made: Phone = request.param(api)
    return made


def names(mark: Mark) -> list[str]:
    return [one.name for one in mark.counted()]


def persons(mark: Mark) -> int:
    return len({one.person for one in mark.counted()})


def https(url: str) -> str:
    """The address as a phone's system hands it over."""
    return url.replace("http://", "https://")


def test_first_start(phone: Phone, mark: Mark) -> None:
    answer = phone.start()
    assert phone.data(answer) == FIRST
    for name in ("session_id", "randomized_bundle_token", "randomized_device_token", "identity_id"):
        assert isinstance(answer[name], str)
        assert answer[name].isdigit()
        assert len(answer[name]) in (18, 19)
    assert answer["link"].startswith(f"{phone.api.running.base_url}/a/{phone.api.key}?%24identity_id=")
    assert "link_click_id" not in answer
    assert "identity" not in answer
    assert names(mark) == ["INSTALL"]


def test_second_start_keeps_the_tokens(phone: Phone, mark: Mark) -> None:
    first, second = phone.start(), phone.start()
    assert phone.data(second) == LATER
    assert second["randomized_bundle_token"] == first["randomized_bundle_token"]
    assert second["randomized_device_token"] == first["randomized_device_token"]
    assert second["session_id"] != first["session_id"]
    assert names(mark) == ["INSTALL", "OPEN"]
    assert persons(mark) == 1


@pytest.mark.parametrize(("kind", "field"), [(Android, "android_app_link_url"), (Iphone, "universal_link_url")])
def test_app_and_universal_links(api: Api, mark: Mark, kind: type[Phone], field: str) -> None:
    url = api.created(campaign="spring", data={"book": 7})
    phone = kind(api)
    phone.start()
    answer = phone.start(**{field: https(f"{url}?coupon=MAY")})
    data = phone.data(answer)
    assert (data["book"], data["coupon"], data["~campaign"]) == (7, "MAY", "spring")
    assert (data["+clicked_branch_link"], data["+is_first_session"], data["+match_guaranteed"]) == (True, False, True)
    assert data["~referring_link"] == https(f"{url}?coupon=MAY")
    assert answer["link_click_id"].isdigit()
    opened = mark.counted()[-1]
    assert (opened.name, opened.touch_type, opened.touch_data["~campaign"]) == ("OPEN", "CLICK", "spring")


@pytest.mark.parametrize(
    ("kind", "field", "address"),
    [
        (Android, "android_app_link_url", "https://example.org/books/7"),
        (Iphone, "universal_link_url", "https://example.org/books/7"),
        (Android, "external_intent_uri", "boughbooks://books/7"),
        (Iphone, "external_intent_uri", "com.googleusercontent.apps.7:/oauth2callback"),
    ],
)
def test_an_address_of_somebody_else_is_no_link(
    api: Api, mark: Mark, kind: type[Phone], field: str, address: str
) -> None:
    phone = kind(api)
    phone.start()
    assert phone.data(phone.start(**{field: address})) == {**LATER, "+non_branch_link": address}
    assert mark.attributed()[-1].deep_link == {**LATER, "+non_branch_link": address}


def test_a_link_of_the_other_environment_is_no_link(phone: Phone, mark: Mark) -> None:
    created = phone.api.http.post(
        "/v1/url", json={"branch_key": phone.api.card["test_branch_key"], "data": {"book": 7}}
    )
    url = created.json()["url"]
    phone.start()
    field = "android_app_link_url" if isinstance(phone, Android) else "universal_link_url"
    assert phone.data(phone.start(**{field: url})) == {**LATER, "+non_branch_link": url}
    assert mark.attributed()[-1].deep_link == {**LATER, "+non_branch_link": url}


def test_a_click_id_that_nobody_knows_makes_no_foreign_address(phone: Phone, mark: Mark) -> None:
    phone.start()
    assert phone.data(phone.start(external_intent_uri="boughbooks://open?link_click_id=123456789012345678")) == LATER


def test_a_click_id_in_the_scheme_address(phone: Phone, mark: Mark) -> None:
    phone.start()
    phone.click(phone.api.created(data={"book": 7}))
    (click,) = mark.rows("click")
    answer = phone.start(
        link_identifier=str(click.id), external_intent_uri=f"boughbooks://open?link_click_id={click.id}"
    )
    assert phone.data(answer)["book"] == 7
    assert answer["link_click_id"] == str(click.id)


def test_the_store_referrer(api: Api, mark: Mark) -> None:
    phone = Android(api)
    store = "https://play.google.com/store/apps/details?id=com.example.books"
    location = phone.click(api.created(campaign="spring", data={"$android_url": store, "book": 7})).headers["location"]
    referrer = parse_qs(urlsplit(location).query)["referrer"][0]
    (click,) = mark.rows("click")
    assert f"link_click_id={click.id}" in unquote(referrer)
    phone.ip = new_address()
    answer = phone.start(
        install_referrer_extras=referrer,
        link_identifier=str(click.id),
        link_click_id=str(click.id),
        clicked_referrer_ts=1_789_999_990,
        install_begin_ts=1_789_999_995,
        app_store="PlayStore",
    )
    data = phone.data(answer)
    assert (data["book"], data["+is_first_session"], data["+match_guaranteed"]) == (7, True, True)
    (installed,) = mark.counted()
    assert (installed.name, installed.touch_id) == ("INSTALL", click.id)


def test_the_store_referrer_alone(api: Api, mark: Mark) -> None:
    phone = Android(api)
    phone.click(api.created(data={"book": 7}))
    (click,) = mark.rows("click")
    phone.ip = new_address()
    raw = f"link_click_id%3D{click.id}%26utm_source%3Dbooks"
    assert phone.data(phone.start(install_referrer_extras=raw))["book"] == 7


def test_the_pasteboard(api: Api, mark: Mark) -> None:
    phone = Iphone(api)
    data = phone.data(phone.start(local_url=https(api.created(data={"book": 7}))))
    assert (data["book"], data["+is_first_session"], data["+match_guaranteed"]) == (7, True, True)
    assert mark.counted()[0].touch_type == "CLICK"


def test_other_things_on_the_pasteboard_are_left_alone(api: Api, mark: Mark) -> None:
    phone = Iphone(api)
    assert phone.data(phone.start(local_url="https://example.org/secret")) == FIRST


def test_an_advertising_id_given_on_the_click(api: Api, mark: Mark) -> None:
    phone, stranger = Android(api), Android(api)
    url = api.created(campaign="partner", data={"book": 7})
    stranger.click(f"{url}?%24aaid={phone.aaid.upper()}")
    assert stranger.data(stranger.start()) == FIRST, "an id that is another device's leaves nothing to guess"
    data = phone.data(phone.start())
    assert (data["book"], data["+match_guaranteed"]) == (7, True)


def test_a_deferred_deep_link(phone: Phone, mark: Mark) -> None:
    phone.click(phone.api.created(data={"book": 7}))
    data = phone.data(phone.start())
    assert (data["book"], data["+clicked_branch_link"], data["+is_first_session"]) == (7, True, True)
    assert data["+match_guaranteed"] is False
    assert phone.data(phone.start()) == LATER, "guessing is for the first start alone"


def test_two_equal_candidates_behind_one_address_are_refused(phone: Phone, mark: Mark) -> None:
    for book in (7, 8):
        phone.click(phone.api.created(data={"book": book}))
    assert phone.data(phone.start()) == FIRST
    assert mark.counted()[0].touch_type is None


def test_two_taps_on_one_link_are_one_person(phone: Phone, mark: Mark) -> None:
    url = phone.api.created(data={"book": 7})
    phone.click(url)
    phone.click(url)
    assert phone.data(phone.start())["book"] == 7


def test_two_browsers_with_cookies_on_one_link_are_two_persons(phone: Phone, mark: Mark) -> None:
    url = phone.api.created(data={"book": 7})
    phone.click(url, Cookie="_s=1400000000000000001")
    phone.click(url, Cookie="_s=1400000000000000002")
    assert phone.data(phone.start()) == FIRST


def test_a_click_from_elsewhere_or_of_another_system_is_not_guessed(api: Api, mark: Mark) -> None:
    url = api.created(data={"book": 7})
    android, iphone = Android(api), Iphone(api)
    android.click(url)
    iphone.ip = android.ip
    assert iphone.data(iphone.start()) == FIRST
    android.ip = new_address()
    assert android.data(android.start()) == FIRST


def test_one_click_is_guessed_for_one_phone_only(api: Api, mark: Mark) -> None:
    first = Android(api)
    second = Android(api, first.ip)
    first.click(api.created(data={"book": 7}))
    assert first.data(first.start())["book"] == 7
    assert second.data(second.start()) == FIRST


def test_the_page_first_and_then_the_app(phone: Phone, mark: Mark) -> None:
    """A link leads to a page with the Web SDK, from which one goes on to the store."""
    phone.click(phone.api.created(data={"book": 7}))
    (click,) = mark.rows("click")
    page = {"branch_key": phone.api.key, "sdk": "web2.89.2", "link_identifier": str(click.id)}
    headers = {"User-Agent": phone.browser, "X-Forwarded-For": phone.ip}
    shown = phone.api.http.post("/v1/open", data=page, headers=headers).json()
    assert phone.data(shown)["book"] == 7
    assert phone.data(phone.start())["book"] == 7
    assert [(one.name, one.touch_id) for one in mark.counted()] == [
        ("WEB_SESSION_START", click.id),
        ("INSTALL", click.id),
    ]


def test_a_one_time_link(api: Api, mark: Mark) -> None:
    url = https(api.created(type=1, data={"coupon": "MAY"}))
    first, second = Android(api), Iphone(api)
    assert first.data(first.start(android_app_link_url=url))["coupon"] == "MAY"
    assert "coupon" not in first.data(first.start(android_app_link_url=url))
    assert "coupon" not in second.data(second.start(universal_link_url=url))


def test_a_reinstall_is_no_second_install(api: Api, mark: Mark) -> None:
    phone = Android(api)
    before = phone.start()
    phone.reinstall()
    after = phone.start()
    assert phone.data(after)["+is_first_session"] is True
    assert after["randomized_bundle_token"] != before["randomized_bundle_token"]
    assert names(mark) == ["INSTALL", "REINSTALL"]
    assert persons(mark) == 1


def test_a_reinstalled_iphone_is_known_by_its_vendor_id(api: Api, mark: Mark) -> None:
    phone = Iphone(api)
    phone.start()
    phone.kept = {}
    phone.start()
    assert names(mark) == ["INSTALL", "REINSTALL"]


@pytest.mark.parametrize("seed", range(3))
def test_an_offline_retry_storm(phone: Phone, mark: Mark, seed: int) -> None:
    """Every request arrives three times, in any order after its own first answer."""
    url = https(phone.api.created(campaign="spring", data={"book": 7}))
    first = (
        phone.start(local_url=url, android_app_link_url=url)
        if isinstance(phone, Iphone)
        else phone.start(android_app_link_url=url)
    )
    phone.start()
    money = {"revenue": 19.99, "currency": "EUR", "transaction_id": f"t-{seed}"}
    phone.event("PURCHASE", event_data=money)
    phone.event("turned_page", "custom", custom_data={"page": "12"})
    storm = [(path, body, retry) for path, body in phone.sent for retry in (1, 2)]
    random.Random(seed).shuffle(storm)
    for path, body, retry in storm:
        answer = phone.send(path, body, retry)
        assert answer.status_code == 200
        if path == "/v1/install":
            assert answer.json() == first
    assert Counter(names(mark)) == {"INSTALL": 1, "OPEN": 1, "PURCHASE": 1, "turned_page": 1}
    assert persons(mark) == 1
    assert len(mark.rows("install", "open")) == 2, "a retry is answered from its first request's row"
    assert all(one.touch_data["~campaign"] == "spring" for one in mark.counted())


def test_a_storm_in_which_the_purchase_comes_first(api: Api, mark: Mark) -> None:
    """The install's answer arrived, its retries and all of the rest come later and out of order."""
    phone = Android(api)
    phone.start()
    purchase = phone.event_request("PURCHASE", event_data={"revenue": "5", "currency": "EUR"})
    requests = [*phone.sent, phone.start_request(), purchase] * 3
    random.Random(4).shuffle(requests)
    for retry, (path, body) in enumerate(requests):
        assert phone.send(path, body, retry).status_code == 200
    assert Counter(names(mark)) == {"INSTALL": 1, "OPEN": 1, "PURCHASE": 1}


def test_an_identity_is_echoed_and_never_invented(api: Api, mark: Mark) -> None:
    phone = Iphone(api)
    assert "identity" not in phone.start()
    phone.kept["identity"] = "reader@example.com"
    assert phone.start()["identity"] == "reader@example.com"
    assert phone.start()["identity"] == "reader@example.com"
    del phone.kept["identity"]
    assert "identity" not in phone.start(), "who logged out locally stays logged out"
    assert persons(mark) == 1


def test_an_old_sdk_is_told_who_its_user_is(api: Api, mark: Mark) -> None:
    phone = Iphone(api)
    phone.start(sdk="ios2.2.0")
    login = {"branch_key": api.key, "identity_id": phone.kept["randomized_bundle_token"], "identity": "old@example.com"}
    answer = api.http.post("/v1/profile", json=login)
    assert answer.status_code == 200
    assert answer.json()["identity"] == "old@example.com"
    assert answer.json()["identity_id"] == login["identity_id"]
    assert phone.start(sdk="ios2.2.0", identity=None)["identity"] == "old@example.com"
    assert "identity" not in phone.start(sdk="ios3.14.0", identity=None), "a new SDK keeps its identity itself"
    out = api.http.post("/v1/logout", json={"branch_key": api.key, "identity_id": login["identity_id"]})
    assert set(out.json()) >= {"session_id", "identity_id", "link"}
    assert "identity" not in phone.start(sdk="ios2.2.0", identity=None)
    assert persons(mark) == 1


def test_the_old_login_joins_the_devices_of_a_user(api: Api, mark: Mark) -> None:
    first, second = Android(api), Iphone(api)
    for phone in (first, second):
        bundle = phone.start()["randomized_bundle_token"]
        body = {"branch_key": api.key, "identity_id": bundle, "identity": f"both-{first.android_id}"}
        assert api.http.post("/v1/profile", data=body).status_code == 200
    assert persons(mark) == 1


def test_limit_ad_tracking_drops_advertising_ids(api: Api, mark: Mark) -> None:
    phone = Android(api)
    Android(api).click(f"{api.created(data={'book': 7})}?%24aaid={phone.aaid}")
    assert phone.data(phone.start(lat_val=1)) == FIRST
    (installed,) = mark.counted()
    assert installed.privacy == "the device limits ad tracking"


def test_a_missing_consent_drops_advertising_ids(api: Api, mark: Mark) -> None:
    phone = Android(api)
    Android(api).click(f"{api.created(data={'book': 7})}?%24aaid={phone.aaid}")
    refused = {"dma_eea": True, "dma_ad_personalization": False, "dma_ad_user_data": True}
    assert phone.data(phone.start(**refused)) == FIRST
    assert mark.counted()[0].privacy == "consent under the DMA is missing"


def test_a_minimal_consent_level_guesses_nothing(api: Api, mark: Mark) -> None:
    phone = Android(api)
    phone.click(api.created(data={"book": 7}))
    assert phone.data(phone.start(cpp_level="MINIMAL")) == FIRST


def test_with_tracking_disabled_a_link_works_and_nobody_is_kept(api: Api, mark: Mark) -> None:
    phone = Android(api)
    url = https(api.created(data={"book": 7}))
    answer = phone.start(tracking_disabled=True, android_app_link_url=url)
    assert phone.data(answer)["book"] == 7
    assert answer["link"]
    assert mark.counted() == []
    (row,) = mark.rows("install")
    kept = str(row.body)
    for secret in (phone.android_id, phone.aaid, phone.ip, answer["randomized_bundle_token"], answer["session_id"]):
        assert secret not in kept
    before = len(mark.rows())
    phone.event("PURCHASE", tracking_disabled=True, event_data={"revenue": 1})
    assert len(mark.rows()) == before


SERVER: dict[str, Any] = {
    "server_to_server": True,
    "app_version": "1.4.2",
    "model": "iPhone15,4",
    "os": "iOS",
    "os_version": "17.4",
    "user_agent": IPHONE_BROWSER,
    "is_hardware_id_real": True,
    "ad_tracking_enabled": True,
    "hardware_id_type": "vendor_id",
}


def server_open(api: Api, ip: str, **fields: Any) -> Any:
    body = {"branch_key": api.key, "branch_secret": api.card["branch_secret"], **SERVER, **fields}
    return api.http.post("/v1/open", json=body, headers={"X-IP-Override": ip} if ip else {})


def test_a_server_opens_in_the_name_of_a_device(api: Api, mark: Mark) -> None:
    phone = Iphone(api)
    phone.click(api.created(data={"book": 7}))
    answer = server_open(api, phone.ip, hardware_id=phone.idfv)
    assert answer.status_code == 200
    assert phone.data(answer.json())["book"] == 7
    server_open(api, phone.ip, hardware_id=phone.idfv)
    assert names(mark) == ["INSTALL", "OPEN"], "the server decides what an open is"
    assert api.card["branch_secret"] not in str([row.body for row in mark.rows()])


def test_a_server_needs_the_secret_and_the_devices_address(api: Api, mark: Mark) -> None:
    credentials = error(400, "Invalid or missing app id, Branch key, or secret")
    assert server_open(api, "198.51.99.1", branch_secret="secret_live_wrong").json() == credentials
    assert server_open(api, "198.51.99.1", branch_secret=None).json() == credentials
    missing = error(400, "X-IP-Override: is missing; it must be the device's IP address.")
    assert server_open(api, "").json() == missing
    assert server_open(api, "198.51.99.1", model="").json() == error(
        400, "model: is missing; a server-to-server open must carry it."
    )
    no_address = error(400, "X-IP-Override: is no IP address; it must be the device's.")
    assert server_open(api, "198.51.99").json() == no_address
    assert server_open(api, "198.51.99.1", os="Symbian").json() == error(400, "os: must be iOS or Android.")
    assert mark.rows() == []
