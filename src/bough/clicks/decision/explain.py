"""What every platform would get from a link, and why: for the `?debug=1` page and `POST /api/decide`."""

from __future__ import annotations

from msgspec import Struct

from bough.accounts.model import App
from bough.agents.recognition import parse
from bough.clicks.decision.decide import ClickRequest, Decision, decide
from bough.clicks.query import Query
from bough.links.model import Link

_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
_SAFARI = _IPHONE + "Version/17.4.1 Mobile/15E148 Safari/604.1"
_ANDROID = "Mozilla/5.0 (Linux; Android {}) AppleWebKit/537.36 (KHTML, like Gecko) {}Chrome/124.0.0.0 {}Safari/537.36"
_CHROME = _ANDROID.format("14; Pixel 8", "", "Mobile ")
_WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"
)


class Platform(Struct, frozen=True):
    """One line of the explanation."""

    name: str
    user_agent: str
    installed: bool = False


PLATFORMS: tuple[Platform, ...] = (
    Platform("iPhone, Safari", _SAFARI),
    Platform("iPhone with the app", _SAFARI, installed=True),
    Platform(
        "iPad",
        "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 "
        "Mobile/15E148 Safari/604.1",
    ),
    Platform("Android, Chrome", _CHROME),
    Platform("Android with the app", _CHROME, installed=True),
    Platform("Samsung", _ANDROID.format("14; SM-S921B", "SamsungBrowser/25.0 ", "Mobile ")),
    Platform("Huawei", _ANDROID.format("12; HarmonyOS; ELS-AN00; HMSCore 6.14", "", "Mobile ")),
    Platform("Fire tablet", _ANDROID.format("11; KFTRWI", "Silk/120.2.6 like ", "")),
    Platform("WeChat on iPhone", _IPHONE + "Mobile/15E148 MicroMessenger/8.0.49(0x18003131) NetType/WIFI Language/en"),
    Platform(
        "WeChat on Android",
        _ANDROID.format("14; Pixel 8; wv", "Version/4.0 ", "Mobile ") + " MicroMessenger/8.0.49 NetType/WIFI",
    ),
    Platform(
        "Mac",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 "
        "Safari/605.1.15",
    ),
    Platform("Windows", _WINDOWS),
    Platform("Linux", "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0"),
    Platform("Search robot", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
    Platform("Social scraper", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"),
    Platform("curl", "curl/8.7.1"),
)
"""The platforms of docs/clicks.md by a User-Agent of each."""


def explain(
    link: Link | None,
    app: App,
    *,
    test: bool = False,
    query: Query = (),
    web_only: bool = False,
    country: str = "",
    link_url: str = "",
    one_time_used: bool = False,
) -> list[tuple[str, Decision]]:
    """(platform name, what it would get) for every platform; the arguments are those of ClickRequest."""
    return [
        (
            platform.name,
            decide(
                ClickRequest(
                    app=app,
                    link=link,
                    agent=parse(platform.user_agent),
                    test=test,
                    query=query,
                    web_only=web_only,
                    country=country,
                    installed=platform.installed,
                    one_time_used=one_time_used,
                    link_url=link_url,
                )
            ),
        )
        for platform in PLATFORMS
    ]
