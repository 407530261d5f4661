"""Open and install requests as the SDKs send them."""

from __future__ import annotations

from typing import Any

import pytest

from bough.attribution.rules.openings import Named, OpenedUrl, parse_opening, platform_of
from bough.attribution.rules.referrer import Referrer, parse_referrer
from bough.events.identifiers import Privacy
from bough.events.server_fields import ServerFields, server_fields_of, with_facts

ZERO = "00000000-0000-0000-0000-000000000000"
IDFV = "AABBCCDD-0000-4000-8000-000000000001"


def test_a_web_open_with_everything_as_text() -> None:
    opening = parse_opening(
        {
            "sdk": "web2.89.2",
            "browser_fingerprint_id": "1400000000000007919",
            "alternative_browser_fingerprint_id": "1400000000000007000",
            "identity": "ann",
            "screen_height": "844",
            "screen_width": "390",
            "tracking_disabled": "false",
            "current_url": "https://shop.example.com/",
            "options": "{}",
        },
        "open",
        ServerFields(ip="203.0.113.7", user_agent="UA", browser="1400000000000007919"),
    )
    assert opening.platform == "web"
    assert opening.identifiers == (
        ("browser", "1400000000000007919"),
        ("browser", "1400000000000007000"),
        ("identity", "ann"),
    )
    assert opening.screen == (390, 844)
    assert opening.privacy == Privacy()
    assert (opening.ip, opening.user_agent) == ("203.0.113.7", "UA")


def test_a_first_android_install() -> None:
    opening = parse_opening(
        {
            "sdk": "android5.21.2",
            "hardware_id": "A1B2C3D4E5F60718",
            "is_hardware_id_real": "true",
            "google_advertising_id": "38400000-8CF0-11BD-B23E-10B96E40000D",
            "advertising_ids": {"aaid": "38400000-8cf0-11bd-b23e-10b96e40000d", "oaid": ZERO},
            "lat_val": 0,
            "os": "Android",
            "os_version": 34,
            "install_referrer_extras": "link_click_id%3D123456789012345678%26utm_source%3Dmail",
            "link_click_id": "123456789012345678",
            "first_install_time": "1750000000000",
            "branch_sdk_request_unique_id": "u-2026112123",
            "retryNumber": "1",
        },
        "install",
        ServerFields(bundle="77", device="88"),
    )
    assert opening.identifiers == (
        ("aaid", "38400000-8cf0-11bd-b23e-10b96e40000d"),
        ("request", "u-2026112123"),
        ("android_id", "a1b2c3d4e5f60718"),
        ("bundle", "77"),
        ("device", "88"),
    )
    assert (opening.os, opening.os_version, opening.has_token) == ("android", "14", False)
    assert opening.evidence.clicks == (Named("123456789012345678", "link_click_id"),)
    assert (opening.first_install_time, opening.retry_number) == (1750000000000, 1)


def test_an_ios_open_with_old_names_and_numbers_as_ids() -> None:
    opening = parse_opening(
        {
            "sdk": "ios3.14.0",
            "identity_id": 77,
            "device_fingerprint_id": 88,
            "hardware_id": IDFV,
            "hardware_id_type": "vendor_id",
            "ios_vendor_id": IDFV,
            "idfa": ZERO,
            "os": "iOS",
            "os_version": "17.4.1",
            "universal_link_url": "https://go.example.com/summer",
            "local_url": "https://go.example.com/winter?link_click_id=42",
            "external_intent_uri": "myapp://open?link_click_id=43",
        },
        "open",
        ServerFields(),
    )
    assert opening.identifiers == (("bundle", "77"), ("device", "88"), ("idfv", IDFV.casefold()))
    assert opening.has_token
    assert opening.evidence.clicks == (Named("42", "pasteboard"), Named("43", "link_identifier"))
    assert opening.evidence.urls == (
        OpenedUrl("https://go.example.com/summer", "universal_link"),
        OpenedUrl("https://go.example.com/winter?link_click_id=42", "pasteboard"),
    )


def test_a_servers_open() -> None:
    opening = parse_opening(
        {
            "server_to_server": True,
            "os": "Android",
            "os_version": "NA",
            "model": "Pixel 8",
            "ad_tracking_enabled": False,
        },
        "open",
        ServerFields(ip="203.0.113.7"),
    )
    assert (opening.platform, opening.server_to_server, opening.os_version) == ("android", True, "")
    assert not opening.privacy.advertising


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({}, (True, True, True)),
        ({"tracking_disabled": "1"}, (False, False, False)),
        ({"cpp_level": "none"}, (False, False, False)),
        ({"cpp_level": "MINIMAL"}, (True, False, False)),
        ({"cpp_level": "REDUCED"}, (True, False, True)),
        ({"cpp_level": "FULL"}, (True, True, True)),
        ({"lat_val": 1}, (True, False, True)),
        ({"limit_ad_tracking": "true"}, (True, False, True)),
        ({"dma_eea": True}, (True, False, True)),
        ({"dma_eea": True, "dma_ad_user_data": True, "dma_ad_personalization": False}, (True, False, True)),
        ({"dma_eea": 1, "dma_ad_user_data": 1, "dma_ad_personalization": 1}, (True, True, True)),
        ({"dma_eea": False}, (True, True, True)),
    ],
)
def test_privacy_settings_take_identifiers_away(settings: dict[str, Any], allowed: tuple[bool, bool, bool]) -> None:
    opening = parse_opening(
        {"sdk": "ios3.14.0", "idfa": IDFV, "ios_vendor_id": IDFV, **settings}, "open", ServerFields(bundle="7")
    )
    privacy = opening.privacy
    assert (privacy.tracking, privacy.advertising, privacy.probabilistic) == allowed
    kinds = {kind for kind, _ in opening.identifiers}
    assert ("idfa" in kinds) == (privacy.tracking and privacy.advertising)
    assert bool(kinds) == privacy.tracking


@pytest.mark.parametrize(
    "dirty",
    [
        {"sdk": 5, "os": None, "screen_width": "wide", "advertising_ids": "x", "link_identifier": {"a": 1}},
        {"sdk": "android", "os_version": [], "hardware_id": "", "is_hardware_id_real": "maybe", "update": "x"},
        {"sdk": "ios", "universal_link_url": "https://[::1", "local_url": "nonsense", "first_install_time": 1e300},
        {"sdk": "web", "link_identifier": "<script>", "install_referrer_extras": "&&==%%", "identity": "x" * 9999},
    ],
)
def test_dirty_values_count_as_not_sent(dirty: dict[str, Any]) -> None:
    opening = parse_opening(dirty, "open", ServerFields())
    assert opening.identifiers == ()
    assert opening.evidence.clicks == ()


@pytest.mark.parametrize("shared", [ZERO, "0", "null", "bnc_no_value", "9774d56d682e549c", "unknown", ""])
def test_ids_that_everybody_has_identify_nobody(shared: str) -> None:
    opening = parse_opening(
        {"sdk": "android5", "aaid": shared, "android_id": shared, "anon_id": shared}, "open", ServerFields()
    )
    assert opening.identifiers == ()


def test_a_random_hardware_id_is_kept_apart_from_real_ones() -> None:
    opening = parse_opening(
        {"sdk": "android5", "hardware_id": "R-1", "is_hardware_id_real": False}, "open", ServerFields()
    )
    assert opening.identifiers == (("hardware", "r-1"),)


@pytest.mark.parametrize(
    ("raw", "referrer"),
    [
        ("", Referrer()),
        ("link_click_id=42&utm_source=mail", Referrer(click_id="42", source="mail")),
        ("link_click_id%3D42%26utm_source%3Dmail", Referrer(click_id="42", source="mail")),
        ("link_click_id%3D42&utm_source=mail", Referrer(click_id="42", source="mail")),
        ("utm_source=google-play&utm_medium=organic", Referrer(source="google-play", medium="organic")),
        ("gclid=abc", Referrer(gclid="abc")),
        ("utm_source=(not%20set)&utm_medium=(not%20set)", Referrer(source="(not set)", medium="(not set)")),
        ("random words", Referrer()),
        ("&".join(f"a{n}=1" for n in range(500)), Referrer()),
    ],
)
def test_store_referrers(raw: str, referrer: Referrer) -> None:
    parsed = parse_referrer(raw)
    assert parsed == Referrer(
        raw=raw,
        click_id=referrer.click_id,
        gclid=referrer.gclid,
        source=referrer.source,
        medium=referrer.medium,
        campaign=referrer.campaign,
    )
    assert parsed.organic == (referrer.medium == "organic")


def test_facts_survive_the_journal() -> None:
    facts = ServerFields(ip="203.0.113.7", bundle="77")
    assert server_fields_of(with_facts({"a": 1}, facts)) == facts
    assert server_fields_of({"bough": "forged"}) == ServerFields()
    assert server_fields_of({"bough": {"ip": 7, "other": "x"}}) == ServerFields()


@pytest.mark.parametrize(
    ("body", "platform"),
    [
        ({"sdk": "web2.71.0"}, "web"),
        ({"sdk": "2.71.0"}, "web"),
        ({"os": "iOS"}, "ios"),
        ({"os": "Android"}, "android"),
        ({"sdk": "ios3.14.0", "os": "MAC_OS"}, "ios"),
        ({}, "web"),
    ],
)
def test_platforms(body: dict[str, Any], platform: str) -> None:
    assert platform_of(body) == platform


def test_a_hardware_id_may_be_an_idfa() -> None:
    sent = {"sdk": "ios3", "hardware_id": IDFV, "hardware_id_type": "idfa", "is_hardware_id_real": True}
    assert parse_opening(sent, "open", ServerFields()).identifiers == (("idfa", IDFV.casefold()),)
    assert parse_opening({**sent, "lat_val": 1}, "open", ServerFields()).identifiers == ()
