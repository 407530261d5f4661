"""People whose phone or app is called like a robot, and machines that look ahead in a browser's clothes."""

from __future__ import annotations

import pytest

from bough.agents.robots import robot

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
SAFARI = f"{IPHONE} Version/17.4 Mobile/15E148 Safari/604.1"
DESKTOP = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/124.0.0.0 Safari/537.36"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"


def phone(model: str, behind: str = "") -> str:
    """Chrome on an Android phone of this model."""
    return f"Mozilla/5.0 (Linux; Android 7.0; {model}) {WEBKIT} Chrome/74.0 Mobile Safari/537.36{behind}"


def view(model: str, behind: str = "") -> str:
    """A web view in an app on an Android phone of this model."""
    said = f"Mozilla/5.0 (Linux; Android 7.0; {model} Build/NRD90M; wv) {WEBKIT}"
    return f"{said} Version/4.0 Chrome/74.0 Mobile Safari/537.36{behind}"


MODELS = [
    *("M bot 60", "C Bot Tab", "B BOT 550", "XBot Junior", "Spider 8", "GLX SpiderI", "CUBOT_NOTE_S", "Cubot X18"),
    *("ViewSonic V500", "HTC Butterfly s", "Fever_Plus", "Sonic 5", "Robot Phone", "Crawler X1", "Scanner S7"),
    *("Monitor One", "Check-in Tab", "Preview 5 (2022)", "Bot.com 3"),
]


@pytest.mark.parametrize("model", MODELS)
def test_a_phone_may_be_called_like_a_robot(model: str) -> None:
    facebook = f" [FB_IAB/FB4A;FBAV/91.0.0.17.68;FBDV/{model};]"
    instagram = f" Instagram 321.0.0.39 Android (24/7.0; 320dpi; 720x1280; {model}; {model}; s8; mt67; en_US)"
    for text in (phone(model), phone(f"{model} Build/bot-spider"), view(model), view(model, facebook)):
        assert robot(text) is None
    assert robot(view(model, instagram)) is None
    assert robot(f"Dalvik/2.1.0 (Linux; U; Android 7.0; {model} Build/NRD90M)") == ("program", "Dalvik")


@pytest.mark.parametrize(
    "text",
    [
        *(view("SM-S918U", f" {name}") for name in ("QRScanner/2.1", "ChatBot/4.1", "Spider-Solitaire/3", "Fever/1.3")),
        *(f"{IPHONE} Mobile/15E148 {name}" for name in ("PriceChecker/2", "Robot-Unicorn/1.0", "FetchRewards/4.0")),
        view("NX569J", " AWP/2.0 SogouMSE,SogouMobileBrowser/5.21.8"),
        f"{MAC} {WEBKIT} Slack/4.38.125 Chrome/124.0 Electron/30.0 Safari/537.36 Sonic Slack_SSB/4.38.125",
        phone("SM-G991B", " CubotBrowser/1.0"),
        "SogouMobileBrowser/5.2 " + view("M bot 60"),
    ],
)
def test_an_app_may_be_called_like_a_robot(text: str) -> None:
    assert robot(text) is None


@pytest.mark.parametrize(
    "text",
    [
        f"Job Search/24.4.0 {view('SM-S918U')}",
        f"Spider Solitaire/3.1 {phone('Pixel 8')}",
        f"com.example.crawler/1.2 {IPHONE} Mobile/15E148",
        f"MQQBrowser/5.2/{phone('Y6')}",
        "[FBAN/FB4A;FBAV/458.0.0.54.86;FBDM/{density=2.8,width=1080,height=2131};FBDV/SM-S921B;FBSV/14;]",
        "Instagram 321.0.0.39.106 Android (33/13; 440dpi; 1080x2179; Xiaomi/Redmi; M2101K6G; sweet; qcom; de_DE)",
        "Job Search/95.0 (iPhone; CPU iOS 17_3_1 like Mac OS X)",
        "Mozilla/5.0 Linux; Android 5.1.1; RS62D Ultimate Build/LMY47V AppleWebKit/537.36 KHTML, like Gecko "
        "Chrome/43.0 Mobile Safari/537.36",
    ],
)
def test_what_stands_before_mozilla_or_instead_of_it_makes_no_program(text: str) -> None:
    assert robot(text) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"{SAFARI} thirdLandingPageFeInfra", "thirdLandingPageFeInfra"),
        (view("SM-S921B", " BytedanceWebview/d8a21c6 thirdLandingPageFeInfra"), "thirdLandingPageFeInfra"),
        (phone("moto g power (2022)", " CloudflareObservatory/1.0"), "CloudflareObservatory"),
        (phone("SM-G930V", " SyntheticsAgent/1670084315573"), "SyntheticsAgent"),
        (phone("Nexus 5X Build/MMB29P", " (compatible; Google-AMPHTML)"), "Google-AMPHTML"),
        (f"{DESKTOP} ProxyChecker/2.0", "ProxyChecker"),
        (f"{DESKTOP} LinkPreviewer/1.0", "LinkPreviewer"),
        (f"{DESKTOP} AcmeMonitor", "AcmeMonitor"),
        ("Mozilla/5.0 (compatible; ShopCatalogue/1.0)", "ShopCatalogue"),
        ("Mozilla/5.0 (Morningscore/1.0)", "Morningscore"),
        ("Yahoo:LinkExpander:Slingstone", "Yahoo:LinkExpander:Slingstone"),
        ("Barracuda Sentinel (EE)", "Barracuda Sentinel (EE)"),
    ],
)
def test_what_looks_ahead_checks_or_measures_is_a_robot(text: str, name: str) -> None:
    assert robot(text) == ("robot", name)


@pytest.mark.parametrize(
    "text",
    [
        f"Mozilla/5.0 (Linux; Android 4.0.4; Nexus Build/I) {WEBKIT[:-1]}; GoogleAdSenseInfeed) Chrome/102.0",
        f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT[:-1]} GomezAgent 3.0) Chrome/56.0 Safari/537.36",
        f"{DESKTOP} (via secureurl.example.com - mail proxy)",
        f"{DESKTOP} (https://example.edu/experiment/)",
        f"{DESKTOP} contact@example.com",
        f"Thumbor/6.7.5, {phone('Pixel 8')}",
        f"Mozilla/5.0 (feeder.co; Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Chrome/106.0.0.0 Safari/537.36",
        phone("Galaxy Nexus Build/JZO54K; GTmetrix https://gtmetrix.com/"),
        f"{DESKTOP} ${{jndi:ldap://example.com/a}}",
    ],
)
def test_what_no_browser_writes_gives_a_robot_away(text: str) -> None:
    assert (robot(text) or ("", ""))[0] == "robot"


@pytest.mark.parametrize("spelling", ["SkypeUriPreview", "SkypeURIPreview", "skypeuripreview", "SKYPEURIPREVIEW"])
@pytest.mark.parametrize("before", ["Mozilla/5.0 (Windows NT 6.1; WOW64) ", "mozilla/5.0 (windows nt 6.1; wow64) ", ""])
def test_a_link_preview_is_one_in_any_case(spelling: str, before: str) -> None:
    assert robot(f"{before}{spelling} Preview/0.5") == ("social", "Skype")


def test_a_name_of_the_public_list_counts_where_the_list_has_seen_it() -> None:
    assert robot("Mozilla/5.0 (compatible; Sonic/1.0; http://example.ac.jp/info.html)") == ("robot", "Sonic")
    assert robot(f"{DESKTOP[:-14]} Chrome-Lighthouse") == ("robot", "Chrome-Lighthouse")
    assert robot("Viber") == ("social", "Viber")
    assert robot(f"{IPHONE} Mobile/15E148 Viber/22.2.0.1") is None


@pytest.mark.parametrize("unit", ["(", ")", "()", "[", "[a]", "a@", ";", "compatible;", "like Gecko ", "Mozilla/("])
def test_a_hostile_string_of_any_length_is_decided(unit: str) -> None:
    for before in ("", "Mozilla/5.0 (", "Mozilla/5.0 (Linux; Android 9; x) ", "Opera/9 "):
        found = robot(before + unit * 20_000)
        assert found is None or len(found[1]) <= 64
