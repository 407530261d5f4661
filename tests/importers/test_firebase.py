"""Firebase Dynamic Links send people where Firebase sent them: its documented rules, clicked on a server per platform.

https://firebase.google.com/docs/dynamic-links/create-manually
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from bough.importers.firebase import converted
from bough.links.row_files import FileRow
from tests.clicks import user_agents as ua
from tests.conftest import Api
from tests.exports.client import bough
from tests.running import Running

LINK = "https://example.web.app/welcome"
PLAY = "https://play.google.com/store/apps/details"
STORE = "https://apps.apple.com/app/id123456789"

# Safari passes a page on the way to the App Store; Chrome does not.
IPAD = ua.IPHONE_CHROME.replace("iPhone; CPU iPhone OS", "iPad; CPU OS")
AGENTS = {"android": ua.PIXEL_CHROME, "iphone": ua.IPHONE_CHROME, "ipad": IPAD, "desktop": ua.WINDOWS_CHROME}

GIVEN: dict[str, str] = {
    "apn": "com.example.android",
    "ibi": "com.example.ios",
    "ipbi": "com.example.ipad",
    "isi": "123456789",
    "afl": "https://example.com/afl",
    "ifl": "https://example.com/ifl",
    "ipfl": "https://example.com/ipfl",
    "ofl": "https://example.com/ofl",
}
SETTINGS: dict[str, dict[str, Any]] = {
    "no settings": {},
    "stores": {
        "android_app": 1,
        "android_package_name": "com.settings.android",
        "ios_app": 1,
        "ios_url": "https://apps.apple.com/app/id999",
        "default_desktop_url": "https://settings.example.com/",
        "web_url": "https://settings.example.com/",
    },
    "addresses of its own": {
        "android_app": 2,
        "android_url": "https://settings.example.com/android",
        "ios_app": 2,
        "ios_url": "https://settings.example.com/ios",
        "default_desktop_url": "https://settings.example.com/desktop",
    },
}


def expected(given: dict[str, str], platform: str) -> str:
    """Firebase's documentation, written down once more and apart."""
    if platform == "desktop":
        return given.get("ofl", LINK)
    if platform == "android":
        return given.get("afl", PLAY if "apn" in given else LINK)
    has_app = "ibi" in given or (platform == "ipad" and "ipbi" in given)
    without = STORE if has_app and "isi" in given else LINK
    other = given.get("ifl", without)
    return given.get("ipfl", other) if platform == "ipad" else other


COMBINATIONS = [
    {name: value for (name, value), on in zip(GIVEN.items(), chosen, strict=True) if on}
    for chosen in product((False, True), repeat=len(GIVEN))
]


def long_link(given: dict[str, str]) -> str:
    return "https://fdl.page.link/?" + urlencode({"link": LINK, **given})


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    running = Running(tmp_path_factory.mktemp("own") / "data", "--empty", environment={"BOUGH_RATE_LIMITS": "off"})
    api = Api(running)
    yield api
    api.http.close()
    running.stop()


def imported(own: Api, folder: Path, rows: list[tuple[str, str]], code: int = 0) -> list[dict[str, Any]]:
    """Import (short path, long link) rows of fdl.page.link; what became of every line."""
    path = folder / "fdl.csv"
    lines = [f'https://fdl.page.link/{short},"{long}"' for short, long in rows]
    path.write_text("Short Link,Long Link\n" + "\n".join(lines) + "\n")
    done = bough(own.running, "import", "links", str(path), "--app", own.card["app_id"], "--json", code=code)
    return [json.loads(line) for line in done.stdout.splitlines()]


def sent(own: Api, short: str, user_agent: str) -> str:
    """The Location of a click."""
    answer = own.http.get(f"/{short}", headers={"Host": "fdl.page.link", "User-Agent": user_agent})
    assert answer.status_code == 307, (short, answer.status_code, answer.text[:500])
    return str(answer.headers["location"])


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_combination_leads_every_platform_where_firebase_did(own: Api, tmp_path: Path, settings: str) -> None:
    config = {"branch_secret": own.card["branch_secret"], "dev_email": "dev@example.com", **SETTINGS[settings]}
    unset = dict.fromkeys(("android_package_name", "ios_url", "android_url", "default_desktop_url", "web_url"), "")
    answer = own.http.put(f"/v1/app/{own.key}", json={**unset, "android_app": 0, "ios_app": 0, **config})
    assert answer.status_code == 200, answer.text
    lines = imported(own, tmp_path, [(f"c{n:03}", long_link(given)) for n, given in enumerate(COMBINATIONS)])
    assert all(line["ok"] for line in lines)
    wrong = [
        (sorted(given), platform, wanted, got)
        for n, given in enumerate(COMBINATIONS)
        if settings == "stores" or len(given) <= 2
        for platform, agent in AGENTS.items()
        if (got := sent(own, f"c{n:03}", agent).partition("?")[0]) != (wanted := expected(given, platform))
    ]
    assert wrong == []


def test_the_stores_get_the_campaign_and_the_click(own: Api, tmp_path: Path) -> None:
    utm = {"utm_source": "mail & more", "utm_medium": "email", "utm_campaign": "spring=1", "utm_term": "sun"}
    utm["gclid"] = "g1"
    given = {
        **{k: GIVEN[k] for k in ("apn", "ibi", "isi")},
        **utm,
        "utm_content": "banner",
        "pt": "117",
        "at": "1001l",
        "ct": "spring sale",
        "mt": "8",
    }
    imported(own, tmp_path, [("stores", long_link(given))])
    store = parse_qs(urlsplit(sent(own, "stores", AGENTS["iphone"])).query)
    assert store == {"pt": ["117"], "at": ["1001l"], "ct": ["spring sale"], "mt": ["8"]}
    play = parse_qs(urlsplit(sent(own, "stores", AGENTS["android"])).query)
    assert play.pop("id") == ["com.example.android"]
    referrer = dict(parse_qsl(play.pop("referrer")[0]))
    assert referrer.pop("link_click_id").isdigit()
    assert referrer == {**utm, "utm_content": "banner"}
    assert play == {}
    desktop = parse_qs(urlsplit(sent(own, "stores", AGENTS["desktop"])).query)
    assert (desktop["utm_source"], desktop["utm_campaign"]) == (["mail & more"], ["spring=1"])
    read = own.read("https://fdl.page.link/stores").json()
    assert (read["campaign"], read["channel"], read["feature"]) == ("spring=1", "mail & more", "email")
    assert read["tags"] == ["banner"]
    assert read["data"]["$keywords"] == ["sun"]


def test_the_preview_is_the_links_own(own: Api, tmp_path: Path) -> None:
    given = {"st": "Sun", "sd": "All of it", "si": "https://example.com/sun.png", "apn": "com.example"}
    imported(own, tmp_path, [("shown", long_link(given))])
    agent = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"
    page = own.http.get("/shown", headers={"Host": "fdl.page.link", "User-Agent": agent}).text
    assert 'property="og:title" content="Sun"' in page
    assert 'property="og:description" content="All of it"' in page
    assert 'property="og:image" content="https://example.com/sun.png"' in page


def test_efr_skips_the_page_before_the_app_store(own: Api, tmp_path: Path) -> None:
    given = {k: GIVEN[k] for k in ("ibi", "isi")}
    imported(own, tmp_path, [("page", long_link(given)), ("direct", long_link({**given, "efr": "1"}))])
    host = {"Host": "fdl.page.link", "User-Agent": ua.IPHONE_SAFARI}
    assert own.http.get("/page", headers=host).status_code == 200
    assert sent(own, "direct", ua.IPHONE_SAFARI) == STORE


def test_what_a_server_cannot_know_stays_in_the_data_for_the_app() -> None:
    given = {"amv": "12", "imv": "3.1", "ius": "myscheme", "apn": "com.example", "ipbi": "com.example.ipad", "efr": "1"}
    row = converted(FileRow(2, {"shortLink": "https://x.page.link/a", "longLink": long_link(given)}))
    assert {name: row.values["data"][name] for name in given} == given


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"apn": "not a package"}, "apn: 'not a package' is no Android package name, as in com.example.app."),
        ({"isi": "id12x", "ibi": "a.b"}, "isi: 'id12x' is no App Store id, which is a number such as 284882215."),
        ({"afl": "example.com/x"}, "afl: must begin with https:// or http:// or a scheme that the app has registered."),
        ({"ifl": "myapp://x"}, "ifl: must be an http or https address."),
        ({"ofl": "https://a b.example/"}, "ofl: has no valid host name."),
        ({"link": "myapp://x"}, "link: must be an http or https address."),
    ],
)
def test_what_firebase_would_not_take_is_named(own: Api, tmp_path: Path, given: dict[str, str], error: str) -> None:
    for _ in range(2):
        lines = imported(own, tmp_path, [("wrong", long_link(given)), ("right", long_link({}))], code=1)
        assert lines[0]["error"] == error
        assert lines[1]["ok"]


@pytest.mark.parametrize("path", ["l/m9Mm", "x/m9Mm", "app/m9Mm", "l/a-b_C"])
def test_path_prefixes_of_any_length(own: Api, tmp_path: Path, path: str) -> None:
    assert imported(own, tmp_path, [(path, long_link({"ofl": "https://example.com/ofl"}))])[0]["ok"]
    assert sent(own, path, AGENTS["desktop"]).partition("?")[0] == "https://example.com/ofl"
