"""The caller, told by real User-Agent strings."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bough.agents.agent import Agent
from bough.agents.recognition import MAX_LENGTH, parse, with_hints
from tests.clicks import user_agents as ua

PEOPLE_CASES: list[tuple[str, str, str, str, str, str, str, str]] = [
    # User-Agent, os, version, device, brand, model, browser, browser version
    (ua.IPHONE_SAFARI, "ios", "17.4.1", "phone", "Apple", "iPhone", "Safari", "17.4.1"),
    (ua.IPHONE_OLD_SAFARI, "ios", "9.3.5", "phone", "Apple", "iPhone", "Safari", "9.0"),
    (ua.IPHONE_CHROME, "ios", "17.4.1", "phone", "Apple", "iPhone", "Chrome", "123.0.6312.52"),
    (ua.IPHONE_FIREFOX, "ios", "17.4.1", "phone", "Apple", "iPhone", "Firefox", "124.0"),
    (ua.IPHONE_EDGE, "ios", "17.4.1", "phone", "Apple", "iPhone", "Edge", "122.0.2365.99"),
    (ua.IPHONE_GOOGLE_APP, "ios", "17.4.1", "phone", "Apple", "iPhone", "Google app", "306.0.617544629"),
    (ua.IPHONE_WEBVIEW, "ios", "17.4.1", "phone", "Apple", "iPhone", "WebView", "15"),
    (ua.IPHONE_FACEBOOK, "ios", "17.4.1", "phone", "Apple", "iPhone", "Facebook", "455.0.0.32.108"),
    (ua.IPHONE_MESSENGER, "ios", "17.4.1", "phone", "Apple", "iPhone", "Messenger", "450.0.0.39.107"),
    (ua.IPHONE_INSTAGRAM, "ios", "17.4.1", "phone", "Apple", "iPhone", "Instagram", "324.0.3.27.50"),
    (ua.IPHONE_THREADS, "ios", "17.4.1", "phone", "Apple", "iPhone", "Threads", "324.0.0.25.114"),
    (ua.IPHONE_WECHAT, "ios", "17.4.1", "phone", "Apple", "iPhone", "WeChat", "8.0.48"),
    (ua.IPHONE_TWITTER, "ios", "17.4.1", "phone", "Apple", "iPhone", "X", "10.35"),
    (ua.IPHONE_LINKEDIN, "ios", "17.4.1", "phone", "Apple", "iPhone", "LinkedIn", "9.29.5172"),
    (ua.IPHONE_PINTEREST, "ios", "17.4.1", "phone", "Apple", "iPhone", "Pinterest", ""),
    (ua.IPHONE_SNAPCHAT, "ios", "17.4.1", "phone", "Apple", "iPhone", "Snapchat", "12.81.0.44"),
    (ua.IPHONE_TIKTOK, "ios", "17.4.1", "phone", "Apple", "iPhone", "TikTok", "33.9.0"),
    (ua.IPHONE_LINE, "ios", "17.4.1", "phone", "Apple", "iPhone", "LINE", "14.4.1"),
    (ua.IPHONE_KAKAOTALK, "ios", "17.4.1", "phone", "Apple", "iPhone", "KakaoTalk", "10.7.5"),
    (ua.IPHONE_VIBER, "ios", "17.4.1", "phone", "Apple", "iPhone", "Viber", "22.2.0.1"),
    (ua.IPOD, "ios", "12.5.7", "phone", "Apple", "iPod", "Safari", "12.1.2"),
    (ua.IPAD, "ios", "16.6", "tablet", "Apple", "iPad", "Safari", "16.6"),
    (ua.ANDROID_CHROME, "android", "10", "phone", "", "", "Chrome", "124.0.0.0"),
    (ua.PIXEL_CHROME, "android", "14", "phone", "Google", "Pixel 8", "Chrome", "124.0.6367.54"),
    (ua.ANDROID_FIREFOX, "android", "14", "phone", "", "", "Firefox", "125.0"),
    (ua.ANDROID_OPERA, "android", "13", "phone", "Oppo", "CPH2411", "Opera", "79.5.4195.76985"),
    (ua.ANDROID_FACEBOOK, "android", "13", "phone", "Samsung", "SM-A536B", "Facebook", "458.0.0.54.86"),
    (ua.ANDROID_META_VIEW, "android", "16", "phone", "Google", "Pixel 10 Pro XL", "Facebook", ""),
    (ua.ANDROID_INSTAGRAM, "android", "13", "phone", "Xiaomi", "M2101K6G", "Instagram", "321.0.0.39.106"),
    (ua.ANDROID_WECHAT, "android", "13", "phone", "Vivo", "V2230A", "WeChat", "8.0.48.2580"),
    (ua.ANDROID_TABLET, "android", "12", "tablet", "", "Lenovo TB-X606F", "Chrome", "121.0.0.0"),
    (ua.ANDROID_OLD, "android", "4.0.3", "phone", "Samsung", "GT-I9100", "Android Browser", "4.0"),
    (ua.SAMSUNG_INTERNET, "android", "10", "phone", "Samsung", "", "Samsung Internet", "24.0"),
    (ua.SAMSUNG_CHROME, "android", "13", "phone", "Samsung", "SM-S918B", "Chrome", "112.0.0.0"),
    (ua.SAMSUNG_TABLET, "android", "13", "tablet", "Samsung", "SM-X906C", "Chrome", "119.0.0.0"),
    (ua.HUAWEI_BROWSER, "android", "12", "phone", "Huawei", "NOH-AN01", "Huawei Browser", "14.0.4.302"),
    (ua.HUAWEI_CHROME, "android", "9", "phone", "Huawei", "ANE-LX1", "Chrome", "109.0.5414.118"),
    (ua.HUAWEI_NEXT, "android", "5.0", "phone", "Huawei", "", "Huawei Browser", "5.0.4.300"),
    (ua.CUBOT, "android", "9", "phone", "", "CUBOT_X19", "Chrome", "83.0.4103.101"),
    (ua.FIRE_TABLET, "fire", "9", "tablet", "Amazon", "KFMAWI", "Silk", "120.2.6"),
    (ua.FIRE_DESKTOP_MODE, "fire", "", "tablet", "Amazon", "", "Silk", "120.2.6"),
    (ua.FIRE_TV, "fire", "9", "", "Amazon", "AFTKA", "Silk", "118.3.5"),
    (ua.MAC_SAFARI, "mac", "10.15.7", "desktop", "Apple", "Mac", "Safari", "17.4.1"),
    (ua.MAC_CHROME, "mac", "10.15.7", "desktop", "Apple", "Mac", "Chrome", "124.0.0.0"),
    (ua.WINDOWS_EDGE, "windows", "10.0", "desktop", "", "", "Edge", "123.0.2420.97"),
    (ua.WINDOWS_CHROME, "windows", "10.0", "desktop", "", "", "Chrome", "124.0.0.0"),
    (ua.WINDOWS_IE, "windows", "6.1", "desktop", "", "", "Internet Explorer", "11.0"),
    (ua.LINUX_FIREFOX, "linux", "", "desktop", "", "", "Firefox", "125.0"),
    (ua.CHROMEBOOK, "chromeos", "14541.0.0", "desktop", "", "", "Chrome", "124.0.0.0"),
    (ua.OLD_OPERA, "windows", "6.1", "desktop", "", "", "Opera", "12.18"),
    (ua.VSCODE, "windows", "10.0", "desktop", "", "", "Chrome", "142.0.7444.265"),
    (ua.WINDOWS_PHONE, "windows_phone", "8.1", "phone", "", "", "Internet Explorer", "11.0"),
    (ua.BLACKBERRY_10, "blackberry", "10.3.3.2205", "phone", "BlackBerry", "", "Safari", "10.3.3.2205"),
    (ua.PLAYBOOK, "blackberry", "7.2.1.0", "tablet", "BlackBerry", "", "Safari", "7.2.1.0"),
]


@pytest.mark.parametrize("case", PEOPLE_CASES, ids=lambda case: case[0][-40:])
def test_a_browser_is_read(case: tuple[str, str, str, str, str, str, str, str]) -> None:
    agent = parse(case[0])
    assert agent.kind == "browser"
    assert (agent.os, agent.os_version, agent.device, agent.brand, agent.model) == case[1:6]
    assert (agent.browser, agent.browser_version) == case[6:]


def test_a_web_view_without_a_name_is_told_from_chrome() -> None:
    assert parse(ua.ANDROID_WEBVIEW).browser == "Android WebView"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (ua.FACEBOOK_SCRAPER, "Facebook"),
        (ua.FACEBOT, "Facebook"),
        (ua.TWITTERBOT, "X"),
        (ua.SLACKBOT, "Slack"),
        (ua.SLACK_ROBOT, "Slack"),
        (ua.WHATSAPP, "WhatsApp"),
        (ua.WHATSAPP_BARE, "WhatsApp"),
        (ua.TELEGRAM, "Telegram"),
        (ua.LINKEDIN, "LinkedIn"),
        (ua.DISCORD, "Discord"),
        (ua.PINTEREST, "Pinterest"),
        (ua.SKYPE, "Skype"),
        (ua.IMESSAGE, "iMessage"),
        (ua.REDDIT, "Reddit"),
        (ua.KAKAOTALK_SCRAPER, "KakaoTalk"),
        (ua.LINE_SCRAPER, "LINE"),
        (ua.VIBER_SCRAPER, "Viber"),
        (ua.SNAPCHAT_SCRAPER, "Snapchat"),
        (ua.MASTODON, "Mastodon"),
    ],
)
def test_a_link_preview_is_a_social_scraper(user_agent: str, name: str) -> None:
    assert parse(user_agent) == Agent(kind="social", browser=name)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (ua.GOOGLEBOT, "Googlebot"),
        (ua.GOOGLEBOT_PHONE, "Googlebot"),
        (ua.GOOGLE_INSPECTION, "Google-InspectionTool"),
        (ua.BINGBOT, "bingbot"),
        (ua.APPLEBOT, "Applebot"),
        (ua.GPTBOT, "GPTBot"),
        (ua.UNKNOWN_BOT, "AcmeLinkBot"),
        (ua.HEADLESS, "HeadlessChrome"),
    ],
)
def test_a_crawler_is_a_robot(user_agent: str, name: str) -> None:
    assert parse(user_agent) == Agent(kind="robot", browser=name)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (ua.CURL, "curl"),
        (ua.NODE, "node"),
        (ua.OKHTTP, "okhttp"),
        (ua.REQUESTS, "python-requests"),
        (ua.GO, "Go-http-client"),
        (ua.JAVA, "Java"),
        (ua.WGET, "Wget"),
        (ua.AXIOS, "axios"),
        (ua.POSTMAN, "PostmanRuntime"),
        (ua.DART, "Dart"),
        (ua.IOS_APP, "Acme"),
        (ua.ANDROID_APP, "Dalvik"),
        (ua.EMPTY, ""),
        ("Mozilla/5.0", "Mozilla"),
    ],
)
def test_what_is_no_browser_is_a_program(user_agent: str, name: str) -> None:
    agent = parse(user_agent)
    assert (agent.kind, agent.browser.lower(), agent.os) == ("program", name.lower(), "")


def test_client_hints_reveal_what_a_reduced_user_agent_hides() -> None:
    hinted = with_hints(parse(ua.ANDROID_CHROME), platform='"Android"', platform_version='"14.0.0"', model='"SM-S921B"')
    assert (hinted.os_version, hinted.model, hinted.brand) == ("14.0.0", "SM-S921B", "Samsung")
    windows = with_hints(parse(ua.WINDOWS_CHROME), platform='"Windows"', platform_version='"15.0.0"')
    assert windows.os_version == "15.0.0"


def test_client_hints_that_contradict_the_user_agent_are_not_believed() -> None:
    iphone = parse(ua.IPHONE_SAFARI)
    assert with_hints(iphone, platform='"Android"', model='"SM-S921B"') == iphone
    robot = parse(ua.GOOGLEBOT_PHONE)
    assert with_hints(robot, platform='"Android"', model='"SM-S921B"') == robot


@given(st.text(alphabet=st.characters(), max_size=300))
def test_no_string_raises_and_no_control_character_gets_in(user_agent: str) -> None:
    agent = parse(user_agent)
    assert all(text.isprintable() for text in (agent.os_version, agent.model, agent.browser, agent.browser_version))


def test_hostile_strings_take_linear_time() -> None:
    hostile = ["(" * 100_000, "Android " * 50_000, "Mozilla/5.0 (" + ";" * 100_000, "a" * 100_000 + "bot"]
    began = time.perf_counter()
    for text in hostile:
        parse(text)
    assert time.perf_counter() - began < 0.5


def test_only_the_beginning_of_a_very_long_string_counts() -> None:
    assert parse(ua.IPHONE_SAFARI + " " * MAX_LENGTH + "Googlebot/2.1") == parse(ua.IPHONE_SAFARI)
