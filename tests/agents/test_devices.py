"""Which device a string names, where names only look like others, pretend to be others, or changed hands."""

from __future__ import annotations

import pytest

from bough.agents.agent import Agent
from bough.agents.browsers import browser_of
from bough.agents.devices import device_of
from bough.agents.recognition import usual_hints, with_hints

ANDROID = "Mozilla/5.0 (Linux; Android {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) {}"
X11 = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) {} Safari/537.36"


@pytest.mark.parametrize(
    ("android_and_model", "make"),
    [
        *((one, "Huawei") for one in ("10; ELS-NX9", "10; LIO-N29", "10; NOH-NX9", "10; ELS-N29", "12; NOH-NX9")),
        *((one, "Huawei") for one in ("10; ELS-AN00", "10; TAS-AN00", "12; NOH-AN01", "10; ANA-NX9", "10; JEF-NX9")),
        *((one, "Huawei") for one in ("9; ANE-LX1", "9; VOG-L29", "10; JNY-LX1", "12; BLK-LX9", "11; JLN-LX1")),
        *((one, "Huawei") for one in ("12; ALN-AL00", "12; HBN-AL80 Build/HUAWEIHBN-AL80; wv", "12; BTK-W09")),
        *(
            (one, "Huawei")
            for one in ("9; HLK-AL00", "10; HLK-L41", "9; HONOR 8X", "10; Honor X10 Max", "10; YOK-AN10")
        ),
        *((one, "Huawei") for one in ("12; HarmonyOS; ALN-AL80; HMSCore 6.13.0.321", "12; K; HMSCore 6.13.0.321")),
        *((one, "Honor") for one in ("12; ANY-NX1", "12; FNE-NX9", "13; VER-N49DP", "15; REA-NX9", "11; NTH-NX9")),
        *(
            (one, "Honor")
            for one in ("11; ANY-LX1", "12; VNE-LX3 Build/HONORVNE-L43CM; wv", "13; CRT-LX1", "14; GFY-LX2")
        ),
        *((one, "Honor") for one in ("14; HONOR Magic6 Pro", "13; HEY2-W09", "15; ROD2-W69 Build/HONORROD2-W69")),
        *((one, "Samsung") for one in ("4.4.2; SPH-L720 Build/KOT49H", "9; SCV38", "10; SC-51A", "13; SM-S918B")),
        *((one, "Samsung") for one in ("4.1.2; EK-GC100", "9; SAMSUNG SM-G960F", "4.2.2; SHW-M440S")),
        *((one, "") for one in ("11; SM-LED65M01SU", "6.0; MTN-L860", "10; HiPad X", "14; NOVA 70SE", "13; inoiPad")),
    ],
)
def test_a_make_is_told_by_model_build_and_era(android_and_model: str, make: str) -> None:
    device = device_of(ANDROID.format(android_and_model))
    assert (device.os, device.brand) == ("android", make)


def test_another_makes_phone_does_not_become_a_samsung_by_its_browser() -> None:
    string = (
        "Mozilla/5.0 (Linux; Android 13; {}) AppleWebKit/537.36 SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/1"
    )
    makes = [
        device_of(string.format(model)).brand for model in ("VER-N49", "Pixel 8", "SAMSUNG Redmi Note 9S", "A059", "K")
    ]
    assert makes == ["Honor", "Google", "Xiaomi", "", "Samsung"]


@pytest.mark.parametrize(
    "model",
    [
        "HiPad X Build/QP1A",
        "inoiPad 128+4GB",
        "NaviPad TM-7055HD",
        "TechniPhone 5",
        "iPhone 15 Pro Max",
        "Mi 10;iPhone: Build/R",
        "BlackBerry Key2",
        "BlackBerry Motion",
        "Windows Phone-like X",
    ],
)
def test_a_name_within_an_androids_model_names_no_other_system(model: str) -> None:
    assert device_of(ANDROID.format(f"10; {model}")).os == "android"


@pytest.mark.parametrize(
    ("user_agent", "system", "device"),
    [
        (
            "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) like iPhone Edge/15.1",
            "windows_phone",
            "phone",
        ),
        (
            "Mozilla/5.0 (Windows NT 6.2; ARM; Trident/7.0; Touch; rv:11.0; WPDesktop; NOKIA; Nokia 520T) like Gecko",
            "windows_phone",
            "phone",
        ),
        ("Mozilla/5.0 (Mobile; LYF/F90M/LYF-F90M; Android; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.0", "", "phone"),
        (
            "Mozilla/5.0 (Linux; Tizen 2.2; SAMSUNG SM-Z9005) Version/2.2 like Android 4; Mobile Safari",
            "",
            "phone",
        ),
        (
            "Mozilla/5.0 (Librem 5, like iPhone; X11; Linux x86_64) AppleWebKit/605.1.15 Epiphany/605.1.15",
            "linux",
            "desktop",
        ),
        (
            "Mozilla/5.0 (New Nintendo 3DS like iPhone) AppleWebKit/536.30 NX/3.0.0.5.22 Mobile NintendoBrowser/1.10",
            "",
            "phone",
        ),
        ("Mozilla/5.0 (SymbianOS/9.4; Series60/5.0 Nokia5230/51.0) AppleWebKit/525 Safari/525", "", ""),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/124.0.0.0 Safari/537.36",
            "chromeos",
            "desktop",
        ),
        (
            "UCWEB/2.0 (MIDP-2.0; U; Adr 4.4.2; en-US; HUAWEI_Y560) U2/1.0.0 UCBrowser/10.7 U2/1.0.0 Mobile",
            "android",
            "phone",
        ),
        ("Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16", "android", "phone"),
        ("Opera/9.80 (iPhone; Opera Mini/8.0.0/34.2336; U; en) Presto/2.8.119 Version/11.10", "ios", "phone"),
        (
            "Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10_6_3; en-us; Silk/1.0.22.153) Version/5.0 Safari/533.16",
            "fire",
            "tablet",
        ),
        (X11.format("Silk/120.2.6 like Chrome/120.0.6099.230"), "fire", "tablet"),
        (X11.format("SamsungBrowser/26.0 Chrome/122.0.0.0"), "android", "tablet"),
        (X11.format("Chrome/122.0.0.0"), "linux", "desktop"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 SamsungBrowser/29.0 Chrome/136.0 Safari/5",
            "windows",
            "desktop",
        ),
        (
            "Mozilla/5.0 (PC; OpenHarmony 6.1) AppleWebKit/537.36 Chrome/132.0.0.0 Safari/537.36 HuaweiBrowser/6.1",
            "linux",
            "desktop",
        ),
    ],
)
def test_a_system_is_told_by_tokens(user_agent: str, system: str, device: str) -> None:
    found = device_of(user_agent)
    assert (found.os, found.device) == (system, device)


@pytest.mark.parametrize(
    "what_it_says",
    [
        "CriOS/120.0.6099.119 Version/11.1.1 Safari/605.1.15",
        "FxiOS/122.0 Safari/605.1.15",
        "Version/17.0 EdgiOS/122.0.2365.99 Safari/605.1.15",
        "GSA/306.0.617544629 Safari/605.1.15",
        "Version/17.4 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15",
        "Mobile/15E148 [FBAN/FBIOS;FBAV/455.0.0.32.108;FBDV/iPad13,1;FBMD/iPad;FBSN/iPadOS;FBSV/17.4.1]",
        "Instagram 300.0.0.13.100 (iPad13,8; iPadOS 17_0; en_US; en; scale=2.00; 1668x2388; 521498971)",
        "Barcelona 324.0.0.25.114 (iPad14,3; iPadOS 17_4_1; en_US; en; scale=2.00; 1668x2388; 521498971)",
        "Mobile/15E148 Twitter for iPad/10.35",
    ],
)
def test_an_ipad_that_pretends_to_be_a_mac_is_an_ipad(what_it_says: str) -> None:
    found = device_of(MAC.format(what_it_says))
    assert (found.os, found.device, found.brand, found.model) == ("ios", "tablet", "Apple", "iPad")


@pytest.mark.parametrize(
    "what_it_says", ["Version/17.4 Safari/605.1.15", "Version/17.4 Safari/605.1.15 Ddg/17.4", "Chrome/124.0"]
)
def test_a_macs_own_browser_is_a_mac(what_it_says: str) -> None:
    assert device_of(MAC.format(what_it_says)).os == "mac"


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        ("[FBAN/FB4A;FBAV/400.0;FBDV/SM-S921B;FBBD/samsung;FBSV/14;FBOP/1]", ("android", "14", "Samsung", "SM-S921B")),
        ("[FBAN/FBIOS;FBAV/445.0;FBDV/iPhone12,1;FBSN/iOS;FBSV/17.1.2]", ("ios", "17.1.2", "Apple", "iPhone")),
        (ANDROID.format("10; K") + " [FBAN/EMA;FBDV/ELS-NX9;FBBD/HUAWEI]", ("android", "10", "Huawei", "ELS-NX9")),
        (
            "Instagram 321.0.0.39.106 Android (33/13; 440dpi; 1080x2177; HUAWEI; NOH-NX9; noh; kirin; en_US; 5)",
            ("android", "", "Huawei", "NOH-NX9"),
        ),
    ],
)
def test_an_app_names_the_device_that_its_browser_hides(user_agent: str, expected: tuple[str, str, str, str]) -> None:
    found = device_of(user_agent)
    assert (found.os, found.os_version, found.brand, found.model) == expected


def agent(user_agent: str) -> Agent:
    """A person's Agent; whether it is one, other tests say."""
    device = device_of(user_agent)
    return Agent(
        kind="browser",
        os=device.os,
        os_version=device.os_version,
        device=device.device,
        brand=device.brand,
        model=device.model,
        browser=browser_of(user_agent)[0],
    )


@pytest.mark.parametrize(
    "disguise",
    [X11.format("Chrome/122.0.0.0"), MAC.format("Chrome/122.0.0.0"), "Mozilla/5.0 (Windows NT 10.0) Chrome/122"],
)
def test_a_tablet_in_desktop_mode_is_told_by_its_hints(disguise: str) -> None:
    told = with_hints(
        agent(disguise), platform='"Android"', mobile="?0", model='"SM-X710"', platform_version='"14.0.0"'
    )
    assert (told.os, told.os_version, told.device, told.brand, told.model) == (
        "android",
        "14.0.0",
        "tablet",
        "Samsung",
        "SM-X710",
    )
    bare = with_hints(agent(disguise), platform='"Android"', mobile="?1")
    assert (bare.os, bare.device, bare.brand, bare.model) == ("android", "phone", "", "")


def test_a_hint_wins_over_an_android_string_of_a_desktop() -> None:
    assert with_hints(agent(ANDROID.format("10; K")), platform='"Windows"', mobile="?0").os == "windows"
    assert with_hints(agent(ANDROID.format("10; K")), platform='"Linux"').os == "android"  # an Android is a Linux


@pytest.mark.parametrize(
    ("model", "version", "brand", "os"),
    [
        ("ELS-NX9", "10.0.0", "Huawei", "android"),
        ("ELS-NX9", "", "Huawei", "android"),
        ("FNE-NX9", "", "Honor", "android"),
        ("ANE-LX1", "9.0.0", "Huawei", "android"),
        ("CRT-LX1", "13.0.0", "Honor", "android"),
        ("ANE-LX1", "", "", "android"),
        ("KFMAWI", "9.0.0", "Amazon", "fire"),
    ],
)
def test_the_make_of_a_hinted_model_has_an_era_too(model: str, version: str, brand: str, os: str) -> None:
    told = with_hints(agent(ANDROID.format("10; K")), platform='"Android"', platform_version=version, model=model)
    assert (told.os, told.brand, told.model) == (os, brand, model)


def test_form_factors_say_more_than_the_mobile_hint() -> None:
    told = with_hints(agent(ANDROID.format("10; K")), platform='"Android"', mobile="?1", form_factors='"Tablet"')
    assert told.device == "tablet"


@pytest.mark.parametrize(
    "user_agent",
    [
        ANDROID.format("10; K"),
        X11.format("Chrome/122"),
        MAC.format("Chrome/124.0"),
        X11.format("SamsungBrowser/26.0 Chrome/1"),
    ],
)
def test_usual_hints_say_nothing_new(user_agent: str) -> None:
    plain = agent(user_agent)
    platform, mobile = usual_hints(plain)
    assert with_hints(plain, platform=platform.decode(), mobile=mobile.decode()) == plain
