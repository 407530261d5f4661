"""The address that is sent, once the click has an id."""

from __future__ import annotations

import gzip
from base64 import b64decode
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from bough.clicks.decision.location import branch_referrer, location, prepare
from tests.clicks import user_agents as ua
from tests.clicks.examples import APP_STORE, SCHEMES, STORES, click

CLICK = 1364964166783226999


def test_a_web_target_carries_the_click_and_the_link() -> None:
    decision = click(ua.MAC_SAFARI, {"$desktop_url": "https://acme.com/spring"})
    sent = location(decision, CLICK)
    assert sent.startswith(f"https://acme.com/spring?_branch_match_id={CLICK}&_branch_referrer=H4sI")
    referrer = parse_qs(urlsplit(sent).query)["_branch_referrer"][0]
    assert gzip.decompress(b64decode(referrer)) == b"https://acme.app.link/spring"


def test_the_referrer_is_the_same_for_every_click() -> None:
    packed = b64decode(branch_referrer("https://acme.app.link/spring"))
    no_time, no_name, unix = packed[4:8] == bytes(4), packed[3] == 0, packed[9] == 3
    assert (no_time, no_name, unix) == (True, True, True)
    assert gzip.decompress(packed) == b"https://acme.app.link/spring"


def test_the_referrer_is_the_link_as_it_was_clicked() -> None:
    decision = click(ua.MAC_SAFARI, {"$desktop_url": "https://acme.com/"}, link_url="https://go.acme.com/x?~a=b")
    referrer = parse_qs(urlsplit(location(decision, 1)).query)["_branch_referrer"][0]
    assert gzip.decompress(b64decode(referrer)) == b"https://go.acme.com/x?~a=b"


def test_parameters_come_before_a_fragment_and_after_a_query() -> None:
    sent = location(click(ua.MAC_SAFARI, {"$desktop_url": "https://acme.com/p?x=1#part"}), 5)
    assert sent.startswith("https://acme.com/p?x=1&_branch_match_id=5&_branch_referrer=")
    assert sent.endswith("#part")


def test_the_query_of_the_click_travels_on() -> None:
    query = (("ref", "a b&c"), ("$web_only", "true"), ("$3p", "e_as"), ("ümlaut", "\r\nx: y"))
    decision = click(ua.MAC_SAFARI, {"$fallback_url": "https://acme.com/"}, query=query)
    assert location(decision, 5).startswith(
        "https://acme.com/?ref=a%20b%26c&%24web_only=true&%243p=e_as&%C3%BCmlaut=%0D%0Ax%3A%20y&_branch_match_id=5&"
    )


@pytest.mark.parametrize(
    "key", ["data", "password", "auth", "has_app", "_branch_match_id", "$desktop_url", "+referrer"]
)
def test_words_of_the_machinery_do_not_travel_on(key: str) -> None:
    decision = click(ua.MAC_SAFARI, {"$desktop_url": "https://acme.com/"}, query=((key, "https://acme.com/"),))
    assert decision.parameters == ()


def test_labels_become_utm_parameters() -> None:
    labels = {"campaign": "spring sale", "channel": "mail", "feature": "share"}
    for key in ("$fallback_url", "$desktop_url", "$fallback_url_de"):
        decision = click(ua.MAC_SAFARI, {key: "https://acme.com/"}, labels=labels, country="DE")
        assert decision.parameters == (
            ("utm_campaign", "spring sale"),
            ("utm_source", "mail"),
            ("utm_medium", "share"),
        )


def test_utm_parameters_are_never_overwritten() -> None:
    labels = {"campaign": "spring", "channel": "mail", "feature": "share"}
    query = (("utm_medium", "given"),)
    decision = click(ua.MAC_SAFARI, {"$desktop_url": "https://acme.com/?utm_source=own"}, labels=labels, query=query)
    found = parse_qsl(urlsplit(location(decision, 5)).query)
    assert [pair for pair in found if pair[0].startswith("utm_")] == [
        ("utm_source", "own"),
        ("utm_medium", "given"),
        ("utm_campaign", "spring"),
    ]


def test_utm_parameters_are_for_the_documented_keys_and_can_be_switched_off() -> None:
    labels = {"campaign": "spring"}
    off = click(ua.MAC_SAFARI, {"$desktop_url": "https://acme.com/"}, labels=labels, config={"utm_mapping": False})
    assert off.parameters == ()
    assert click(ua.IPAD, {"$ipad_url": "https://acme.com/"}, labels=labels).parameters == ()
    assert click(ua.MAC_SAFARI, labels=labels, config={"default_desktop_url": "https://acme.com/"}).parameters == ()


def test_a_switch_keeps_the_match_parameters_away_but_not_the_query() -> None:
    data = {"$desktop_url": "https://acme.com/"}
    decision = click(ua.MAC_SAFARI, data, config={"append_match_params": False}, query=(("ref", "1"),))
    assert location(decision, 5) == "https://acme.com/?ref=1"
    assert location(click(ua.MAC_SAFARI, data, config={"append_match_params": False}), 5) == "https://acme.com/"


def test_match_parameters_of_an_earlier_click_are_replaced() -> None:
    pasted = "https://acme.com/?_branch_match_id=1&x=2&_branch_referrer=abc"
    sent = location(click(ua.MAC_SAFARI, {"$desktop_url": pasted}), 5)
    assert sent.startswith("https://acme.com/?x=2&_branch_match_id=5&_branch_referrer=H4sI")
    assert sent.count("_branch_") == 2


def test_stores_get_nothing_but_the_play_referrer() -> None:
    assert location(click(ua.IPHONE_CHROME, config=STORES, query=(("a", "b"),)), CLICK) == APP_STORE
    assert location(click(ua.PIXEL_CHROME, config=STORES, query=(("a", "b"),)), CLICK) == (
        f"https://play.google.com/store/apps/details?id=com.acme.shop&referrer=link_click_id%3D{CLICK}"
    )


def test_a_play_page_keeps_its_own_referrer() -> None:
    own = "https://play.google.com/store/apps/details?id=com.acme.shop&referrer=utm_source%3Dx"
    assert location(click(ua.PIXEL_CHROME, {"$android_url": own}), CLICK) == own


def test_an_app_address_carries_the_click() -> None:
    decision = click(ua.IPHONE_SAFARI, config=STORES | SCHEMES, installed=True)
    prepared = prepare(decision)
    assert prepared.app_url(CLICK) == f"acme://open?link_click_id={CLICK}"
    assert prepared.url(CLICK) == APP_STORE


def test_an_intent_carries_its_fallback_with_everything_appended() -> None:
    decision = click(ua.PIXEL_CHROME, {"$android_url": "https://acme.com/"}, config=SCHEMES)
    prepared = prepare(decision)
    app_url = prepared.app_url(CLICK)
    assert app_url.startswith(
        f"intent://open?link_click_id={CLICK}#Intent;scheme=acme;S.browser_fallback_url=https%3A%2F%2F"
    )
    assert app_url.endswith(";end")
    fallback = app_url.partition("S.browser_fallback_url=")[2].removesuffix(";end")
    assert parse_qsl("u=" + fallback) == [("u", prepared.url(CLICK))]
    assert f"_branch_match_id={CLICK}&" in prepared.url(CLICK)


def test_a_page_that_leads_nowhere_has_no_address() -> None:
    prepared = prepare(click(ua.MAC_SAFARI))
    assert (prepared.url(5), prepared.app_url(5)) == ("", "")


def test_nothing_from_outside_can_imitate_the_click_id() -> None:
    decision = click(
        ua.MAC_SAFARI, {"$desktop_url": "https://acme.com/{link_click_id}"}, query=(("{link_click_id}", "x"),)
    )
    assert location(decision, 5).startswith(
        "https://acme.com/%7Blink_click_id%7D?%7Blink_click_id%7D=x&_branch_match_id=5&"
    )
