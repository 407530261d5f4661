"""Which addresses a link may send people to."""

from __future__ import annotations

from typing import Any

import pytest

from bough.accounts.model import App, AppConfig
from bough.errors import BadRequest
from bough.links.targets import TARGET_KEYS, check_target, check_targets, registered_schemes, scheme_name, target_use


def app(**config: Any) -> App:
    return App(id=1, organization=1, name="Acme", config=AppConfig(**config))


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.com",
        "http://acme.com:8080/a?b=c#d",
        "HTTPS://Acme.com/ä",
        "https://bücher.example/",
        " https://acme.com/ ",
    ],
)
def test_web_addresses_are_allowed(url: str) -> None:
    check_target(url, app())


@pytest.mark.parametrize("url", ["acme://page", "ACME://page?x=1", "second://x", "mailto:sales@acme.com"])
def test_registered_schemes_are_allowed(url: str) -> None:
    check_target(url, app(ios_uri_scheme="acme://", android_uri_scheme="second", uri_schemes=("mailto",)))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("acme://page", "uses the scheme acme, which the app has not registered"),
        ("javascript:alert(1)", "uses the scheme javascript"),
        ("JAVASCRIPT:alert(1)", "uses the scheme javascript"),
        ("data:text/html,x", "uses the scheme data"),
        ("market://details?id=x", "uses the scheme market"),
        ("www.acme.com", "must begin with https://"),
        ("//acme.com", "must begin with https://"),
        ("/path", "must begin with https://"),
        ("https:/acme.com", "must continue with //"),
        ("https://", "has no valid host name"),
        ("https://acme..com/", "has no valid host name"),
        ("https://%61cme.com/", "has no valid host name"),
        ("https://acme.com\\@evil.example/", "must not hold a user name"),
        ("https://acme.com\\.evil.example/", "has no valid host name"),
        ("https://acme.com@evil.example/", "must not hold a user name"),
        ("https://acme.com:99999/", "has no valid port"),
        ("https://acme.com/\r\nSet-Cookie: a=b", "holds a control character"),
        ("https://acme.com/\x00", "holds a control character"),
        ("https://acme.com/\ud800", "is not valid Unicode"),
        ("https://acme.com/" + "a" * 9000, "is longer than 8192 characters"),
        ("https://acme.com/" + "ä" * 2000, "is longer than 8192 characters"),
    ],
)
def test_a_refusal_names_the_key_and_the_reason(url: str, why: str) -> None:
    with pytest.raises(BadRequest) as raised:
        check_targets({"$ios_url": url}, app())
    assert raised.value.message.startswith(f"$ios_url {why}")
    assert raised.value.message.endswith(".")


@pytest.mark.parametrize(
    "scheme", ["javascript", "data:", "vbscript://", "file", "intent", "https", "1acme", "a b", ""]
)
def test_no_app_can_register_a_dangerous_scheme(scheme: str) -> None:
    assert scheme_name(scheme) == ""
    assert registered_schemes(AppConfig(ios_uri_scheme=scheme, uri_schemes=(scheme,))) == frozenset()


ALLOWLIST = ("acme.com", "*.acme.com", "shop.example:8443", "acme://", "https://pasted.example/path")


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.com/x",
        "http://ACME.com.:80/",
        "https://a.b.acme.com/",
        "https://shop.example:8443/",
        "acme://page",
        "https://pasted.example/",
    ],
)
def test_the_allowlist_lets_its_entries_pass(url: str) -> None:
    check_target(url, app(ios_uri_scheme="acme", redirect_allowlist=ALLOWLIST))


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://notacme.com/",
        "https://acme.com.evil.example/",
        "https://evil.example/acme.com",
        "https://evil.example/?https://acme.com",
        "https://evil.example#@acme.com",
        "https://shop.example/",
        "http://pasted.example/",
        "other://page",
        "https://evil。example/",
    ],
)
def test_the_allowlist_stops_everything_else(url: str) -> None:
    with pytest.raises(BadRequest) as raised:
        check_target(url, app(ios_uri_scheme="acme", android_uri_scheme="other", redirect_allowlist=ALLOWLIST))
    assert raised.value.message == "URL doesn't pass security test(s)"


def test_a_wildcard_is_not_the_domain_itself() -> None:
    with pytest.raises(BadRequest):
        check_target("https://acme.com/", app(redirect_allowlist=("*.acme.com",)))


def test_every_redirect_key_and_its_country_variants_are_checked() -> None:
    keys = [key for key, use in TARGET_KEYS.items() if use == "redirect"]
    assert len(keys) == 19
    for key in [*keys, "$ios_url_de", "$android_url_us", "$fallback_url_jp"]:
        with pytest.raises(BadRequest, match=r"^\$"):
            check_targets({key: "javascript:alert(1)"}, app())


@pytest.mark.parametrize(
    "key", ["url", "$desktop_url_de", "$ios_url_DE", "$ios_url_deu", "$ios_url_", "$ios_url_é1", "title"]
)
def test_other_keys_hold_no_targets(key: str) -> None:
    assert target_use(key) is None
    check_targets({key: "javascript:alert(1)"}, app())


@pytest.mark.parametrize("value", [None, "", False, "false"])
def test_unset_targets_are_no_error(value: object) -> None:
    check_targets({"$after_click_url": value, "$ios_url": value}, app())


@pytest.mark.parametrize("value", [5, True, ["https://acme.com"], {"a": 1}])
def test_targets_must_be_text(value: object) -> None:
    with pytest.raises(BadRequest, match=r"^\$ios_url must be a string\.$"):
        check_targets({"$ios_url": value}, app())


def test_content_addresses_are_free_but_never_scripts() -> None:
    config = {"redirect_allowlist": ("acme.com",)}
    check_targets({"$og_image_url": "https://cdn.example/i.png", "$canonical_url": "product/123"}, app(**config))
    for script in ("javascript:alert(1)", " JavaScript :alert(1)", "data:text/html,x"):
        with pytest.raises(BadRequest, match=r"^\$og_image_url must be a web address\.$"):
            check_targets({"$og_image_url": script}, app())
