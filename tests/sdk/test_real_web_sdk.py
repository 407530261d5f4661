"""Branch's own Web SDK in a real Chromium, unmodified with the shim (2.89.2) and vendored (2.71.0)."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from tests.running import Running
from tests.sdk.journals import Mark
from tests.sdk.site import Site

CHROMIUM = Path("/usr/bin/chromium")
PACKAGES = Path(__file__).parent.parent / "node_modules"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"
BUILDS = {"2.89.2": "branch-sdk", "2.71.0": "branch-sdk-2-71"}

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="MISSING: Chromium (Debian: apt-get install chromium)"),
    pytest.mark.skipif(
        not all((PACKAGES / name).exists() for name in BUILDS.values()),
        reason="MISSING: the npm packages of tests/package.json (scripts/test installs them when there is npm)",
    ),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An empty bough that only these tests use."""
    started = Running(tmp_path_factory.mktemp("websdk") / "data", "--empty", environment={"BOUGH_RATE_LIMITS": "off"})
    yield started
    started.stop()


@pytest.fixture(scope="module", params=list(BUILDS))
def site(request: pytest.FixtureRequest, running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with the SDK as a customer would have it."""
    build = PACKAGES / BUILDS[request.param] / "dist" / "build.min.js"
    vendored = request.param == "2.71.0"
    if vendored:
        copy = tmp_path_factory.mktemp("vendored") / "branch.js"
        command = [sys.executable, "-m", "bough.cli", "sdk", "vendor", "--from", str(build), "--out", str(copy)]
        subprocess.run([*command, "--host", running.base_url], check=True)
        build = copy
    served = Site(build.read_text(), running.base_url, running.card["branch_key"], shim=not vendored)
    yield served
    served.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


class Visitor:
    """A person's browser with nothing in it yet; everything it asks for is kept, and must be on loopback."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self.site = site
        self.asked: list[str] = []
        self.strayed: list[str] = []
        self.context: BrowserContext = browser.new_context(user_agent=DESKTOP)
        self.context.route("**/*", self._watch)
        self.page: Page = self.context.new_page()

    def _watch(self, route: Route) -> None:
        url = route.request.url
        self.asked.append(url)
        if urlsplit(url).hostname == "127.0.0.1":
            route.continue_()
        else:
            self.strayed.append(url)
            route.abort()

    def open(self, url: str = "") -> dict[str, Any]:
        """Load a page, wait for `branch.init` and for the page view that it sends by itself; what init gave."""
        with self.page.expect_response("**/v1/pageview"):
            self.page.goto(url or f"{self.site.url}/")
            answer: dict[str, Any] = self.page.evaluate("ready")
        return answer

    def ask(self, name: str, *args: Any) -> dict[str, Any]:
        """Call a method of the SDK; what its callback got."""
        answer: dict[str, Any] = self.page.evaluate("([name, args]) => ask(name, args)", [name, list(args)])
        return answer

    def paths(self) -> list[str]:
        """Paths of the API that were asked for."""
        return [urlsplit(url).path for url in self.asked if not url.startswith(self.site.url)]


@pytest.fixture
def visitor(chromium: Browser, site: Site) -> Iterator[Visitor]:
    found = Visitor(chromium, site)
    yield found
    assert found.strayed == []
    found.context.close()


@pytest.fixture
def mark(running: Running) -> Mark:
    return Mark(running)


def link_to(running: Running, site: Site, **parameters: Any) -> str:
    """A link whose desktop target is the site."""
    data = {"$desktop_url": f"{site.url}/books/7", "book": "7", **parameters.pop("data", {})}
    body = {"branch_key": running.card["branch_key"], "data": data, **parameters}
    answer = httpx.post(f"{running.base_url}/v1/url", json=body)
    url: str = answer.json()["url"]
    return url


def test_init_without_a_click_is_an_organic_session(visitor: Visitor, mark: Mark) -> None:
    answer = visitor.open()
    assert answer["error"] is None
    assert answer["data"]["data_parsed"] == {"+clicked_branch_link": False, "+is_first_session": True}
    assert visitor.paths()[:2] in (["/sdk/branch-shim.js", "/_r"], ["/_r", "/v1/open"])
    names = [one.name for one in mark.counted()]
    assert names == ["WEB_SESSION_START", "PAGEVIEW"]
    assert len({one.person for one in mark.counted()}) == 1


def test_a_second_page_of_the_tab_goes_on_with_the_session(visitor: Visitor, mark: Mark) -> None:
    visitor.open()
    visitor.open(f"{visitor.site.url}/second")
    assert len(mark.rows("open")) == 1
    assert len({one.person for one in mark.counted()}) == 1


def test_link(visitor: Visitor, running: Running) -> None:
    visitor.open()
    made = visitor.ask(
        "link", {"channel": "web", "campaign": "spring", "tags": ["one", "two"], "data": {"book": 7, "$og_title": "B"}}
    )
    assert made["error"] is None
    assert made["data"].startswith(f"{running.base_url}/")
    stored = httpx.get(
        f"{running.base_url}/v1/url", params={"url": made["data"], "branch_key": running.card["branch_key"]}
    ).json()
    assert (stored["channel"], stored["campaign"], stored["tags"]) == ("web", "spring", ["one", "two"])
    assert stored["data"]["book"] == 7
    assert stored["data"]["~creation_source"] == 5


def test_log_event_standard_and_custom(visitor: Visitor, mark: Mark) -> None:
    visitor.open()
    details = {"revenue": 19.99, "currency": "EUR", "transaction_id": "t-1", "shelf": "A"}
    items = [{"$sku": "7", "$price": 19.99, "$quantity": 1}]
    assert visitor.ask("logEvent", "PURCHASE", details, items, "first")["error"] is None
    assert visitor.ask("logEvent", "turned_page", {"page": 12})["error"] is None
    purchase, custom = (row.body for row in mark.rows("event"))
    assert purchase["name"] == "PURCHASE"
    assert str(purchase["event_data"]["revenue"]) == "19.99"
    assert purchase["event_data"]["currency"] == "EUR"
    assert purchase["custom_data"] == {"shelf": "A"}
    assert purchase["content_items"][0]["$sku"] == "7"
    assert purchase["customer_event_alias"] == "first"
    assert (custom["name"], custom["custom_data"]) == ("turned_page", {"page": "12"})
    assert len({one.person for one in mark.counted()}) == 1


def test_set_identity_and_logout(visitor: Visitor, mark: Mark) -> None:
    visitor.open()
    assert visitor.ask("setIdentity", "reader@example.com")["error"] is None
    assert visitor.ask("logEvent", "LOGIN")["error"] is None
    assert visitor.ask("logout")["error"] is None
    assert visitor.ask("logEvent", "left")["error"] is None
    login, left = (row.body["user_data"] for row in mark.rows("event"))
    assert login["developer_identity"] == "reader@example.com"
    assert not left.get("developer_identity")
    visitor.page.evaluate("sessionStorage.clear()")
    again = visitor.open()
    assert not again["data"].get("identity")


def test_track_pageview(visitor: Visitor, mark: Mark) -> None:
    visitor.open()
    assert visitor.ask("track", "pageview", {"shelf": "A"})["error"] is None
    assert mark.rows("pageview")[1].body["metadata"]["url"].startswith(visitor.site.url)


def test_qr_code(visitor: Visitor) -> None:
    visitor.open()
    drawn = visitor.page.evaluate(
        """() => new Promise(done => branch.qrCode({channel: "poster", data: {book: 7}},
             {code_color: "#000000", background_color: "#FFFFFF", margin: 5, width: 500, image_format: "PNG"},
             (error, code) => done({error: error && String(error), picture: code && code.base64()})))"""
    )
    assert drawn["error"] is None
    with Image.open(io.BytesIO(base64.b64decode(drawn["picture"]))) as picture:
        assert (picture.format, picture.size) == ("PNG", (500, 500))


def test_deepview_leads_to_a_recorded_click(visitor: Visitor, mark: Mark, running: Running) -> None:
    visitor.open()
    data = {"$desktop_url": f"{visitor.site.url}/from-deepview", "book": "9"}
    assert visitor.ask("deepview", {"channel": "banner", "data": data}, {"open_app": False})["error"] is None
    with visitor.page.expect_response("**/v1/pageview"), visitor.page.expect_navigation(url="**/from-deepview*"):
        visitor.page.evaluate("branch.deepviewCta()")
    (click,) = mark.rows("click")
    assert click.body["data"]["~channel"] == "banner"
    landed = visitor.page.evaluate("ready")
    assert landed["data"]["data_parsed"]["book"] == "9"


def test_cross_platform_ids_and_last_touch(visitor: Visitor, running: Running) -> None:
    visitor.open(link_to(running, visitor.site, campaign="spring", channel="email"))
    ids = visitor.ask("crossPlatformIds")
    assert ids["error"] is None
    assert ids["data"]["cross_platform_id"].isdigit()
    touch = visitor.ask("lastAttributedTouchData", 30)
    assert touch["error"] is None
    assert touch["data"]["attribution_window"] == 30
    assert touch["data"]["last_attributed_touch_data"]["~campaign"] == "spring"
    assert touch["data"]["last_attributed_touch_data"]["~channel"] == "email"


def test_disabled_tracking_creates_links_and_stores_nobody(visitor: Visitor, mark: Mark) -> None:
    visitor.open()
    visitor.page.evaluate("branch.disableTracking(true)")
    before = len(mark.rows())
    made = visitor.ask("link", {"channel": "quiet", "data": {"book": 1}})
    assert made["data"].startswith("http://127.0.0.1")
    refused = visitor.ask("logEvent", "PURCHASE", {"revenue": 1})
    assert "tracking is disabled" in (refused["error"] or "")
    assert len(mark.rows()) == before


def test_a_click_leads_to_the_landing_page_with_its_data(visitor: Visitor, mark: Mark, running: Running) -> None:
    url = link_to(running, visitor.site, campaign="spring", data={"nested": {"a": 1}})
    answer = visitor.open(f"{url}?coupon=MAY")
    assert answer["error"] is None
    data = answer["data"]["data_parsed"]
    assert data["book"] == "7"
    assert data["coupon"] == "MAY"
    assert data["~campaign"] == "spring"
    assert data["+clicked_branch_link"] is True
    assert data["+match_guaranteed"] is True
    assert answer["data"]["referring_link"] == f"{url}?coupon=MAY"
    match_id = parse_qs(urlsplit(visitor.page.url).query)["_branch_match_id"][0]
    (click,) = mark.rows("click")
    assert match_id == str(click.id)
    session = next(one for one in mark.attributed() if one.name == "WEB_SESSION_START")
    assert (session.touch_type, session.touch_id) == ("CLICK", click.id)
    assert mark.rows("open")[0].body["bough"]["browser"] == match_id


def test_click_and_page_share_the_browser(visitor: Visitor, mark: Mark, running: Running) -> None:
    visitor.open()
    visitor.page.evaluate("sessionStorage.clear()")
    visitor.open(link_to(running, visitor.site))
    browser = mark.rows("open")[0].body["bough"]["browser"]
    assert mark.rows("click")[0].body["browser"] == browser
    assert [row.body["bough"]["browser"] for row in mark.rows("open")] == [browser, browser]
    assert len({one.person for one in mark.counted()}) == 1


def test_a_landing_page_that_is_shared_makes_no_one_person_of_two(
    chromium: Browser, visitor: Visitor, mark: Mark, running: Running
) -> None:
    visitor.open(link_to(running, visitor.site))
    friend = Visitor(chromium, visitor.site)
    answer = friend.open(visitor.page.url)
    assert answer["data"]["data_parsed"]["book"] == "7"
    assert friend.strayed == []
    friend.context.close()
    first, second = (row.body["bough"]["browser"] for row in mark.rows("open"))
    assert first != second
    assert len({one.person for one in mark.counted()}) == 2


def test_an_unknown_key_is_told_to_the_page(visitor: Visitor, mark: Mark) -> None:
    with visitor.page.expect_response("**/v1/open") as refused:
        visitor.page.goto(f"{visitor.site.url}/?key=key_live_{'x' * 32}")
        answer = visitor.page.evaluate("ready")
    assert refused.value.status == 400
    assert refused.value.json()["error"]["message"] == "Invalid or missing app id, Branch key, or secret"
    assert answer["error"]
    assert mark.rows() == []
