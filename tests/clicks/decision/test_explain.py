"""What every platform would get."""

from __future__ import annotations

from bough.clicks.decision.explain import PLATFORMS, explain
from tests.clicks.examples import APP_STORE, PLAY_STORE, SCHEMES, STORES, app, link


def test_every_platform_of_the_table_is_explained() -> None:
    explained = explain(link({"$desktop_url": "https://acme.com/"}), app(**STORES, **SCHEMES))
    assert [name for name, _ in explained] == [platform.name for platform in PLATFORMS]
    got = {name: (decision.rule, decision.target or decision.fallback) for name, decision in explained}
    assert got == {
        "iPhone, Safari": ("passive_deepview", APP_STORE),
        "iPhone with the app": ("open_app_scheme", APP_STORE),
        "iPad": ("passive_deepview", APP_STORE),
        "Android, Chrome": ("open_app_intent", PLAY_STORE),
        "Android with the app": ("open_app_intent", PLAY_STORE),
        "Samsung": ("open_app_intent", PLAY_STORE),
        "Huawei": ("open_app_intent", PLAY_STORE),
        "Fire tablet": ("amazon_store", "https://www.amazon.com/gp/mas/dl/android?p=com.acme.shop"),
        "WeChat on iPhone": ("app_store", APP_STORE),
        "WeChat on Android": ("play_store", PLAY_STORE),
        "Mac": ("desktop_url", "https://acme.com/"),
        "Windows": ("desktop_url", "https://acme.com/"),
        "Linux": ("desktop_url", "https://acme.com/"),
        "Search robot": ("robot_web", "https://acme.com/"),
        "Social scraper": ("social_og", "https://acme.com/"),
        "curl": ("program_web", "https://acme.com/"),
    }


def test_special_keys_reach_their_platform() -> None:
    keys = ("samsung", "huawei", "fire", "ipad", "ios_wechat", "android_wechat")
    data = {f"${key}_url": f"https://acme.com/{key}" for key in keys}
    got = {name: decision.target for name, decision in explain(link(data), app())}
    assert got["Samsung"] == "https://acme.com/samsung"
    assert got["Huawei"] == "https://acme.com/huawei"
    assert got["Fire tablet"] == "https://acme.com/fire"
    assert got["iPad"] == "https://acme.com/ipad"
    assert got["WeChat on iPhone"] == "https://acme.com/ios_wechat"
    assert got["WeChat on Android"] == "https://acme.com/android_wechat"


def test_a_link_of_an_app_without_any_setting_always_leads_somewhere() -> None:
    pages = {name: decision.page for name, decision in explain(link(), app())}
    assert pages["iPhone, Safari"] == pages["Android, Chrome"] == "deepview"
    assert pages["Mac"] == pages["Windows"] == "desktop"
    assert pages["Search robot"] == pages["Social scraper"] == "og"


def test_an_unknown_link_is_explained_too() -> None:
    assert {decision.rule for _, decision in explain(None, app())} == {"unknown_link"}
