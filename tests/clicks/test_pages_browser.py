"""The pages in a real browser: what runs, where it leads, and what a person sees without scripts."""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, expect, sync_playwright
from playwright.sync_api import Page as Tab

from bough.accounts.model import App
from bough.clicks.pages import documents
from bough.clicks.pages.documents import DeepviewPage, DesktopPage, NativeLinkPage, OpenAppPage
from bough.clicks.pages.preview import preview
from bough.clicks.pages.rendering import HtmlPage
from tests.clicks.pages.test_documents import EVERY_PAGE, HOSTILE

APP = App(id=1, organization=1, name="Trailhead")
LINK = "https://trailhead.app.link/WgiqvsepqF"
SEEN = preview({"$og_title": "Five lakes walk"}, APP, LINK)


ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
"""The second is for machines without a graphics card, the third keeps the tests on the loopback."""


class Site:
    """Answers with the pages put into `answers`, everything else with an empty one."""

    def __init__(self) -> None:
        self.answers: dict[str, HtmlPage] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                empty = HtmlPage(body=b"<title>there</title>", headers=(("Content-Type", "text/html"),))
                page = site.answers.get(self.path, empty)
                self.send_response(page.status)
                for name, value in (*page.headers, ("Content-Length", str(len(page.body)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(page.body)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


def watched(context: BrowserContext) -> tuple[Tab, list[str]]:
    """A tab and what its console complained about; a page's own missing pictures aside."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    tab = context.new_page()
    tab.on("console", note)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    return tab, complaints


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_nothing_hostile_runs_and_the_policy_stops_nothing_of_ours(
    name: str, site: Site, context: BrowserContext
) -> None:
    ran: list[str] = []
    context.expose_function("hit", lambda: ran.append(name))
    texts = " ".join(value for value in HOSTILE if not value.startswith("https:") and len(value) < 1000)
    for value in (texts, *(value for value in HOSTILE if value.startswith(("https:", "javascript:")))):
        data = {"$og_title": value, "$og_description": value, "$custom_meta_tags": {value: value}}
        site.answers["/page"] = EVERY_PAGE[name](preview(data, App(id=1, organization=1, name=value), value), value)
        tab, complaints = watched(context)
        tab.goto(site.origin + "/page", wait_until="domcontentloaded")
        tab.close()
        assert ran == []
        assert [text for text in complaints if "Content Security Policy" in text] == []


@pytest.mark.parametrize("width", [320, 768])
def test_no_page_is_wider_than_its_screen(width: int, site: Site, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=False)
    tab = context.new_page()
    value = "W" * 2000
    tab.route(f"**/{value}", lambda route: route.abort("aborted"))  # pages that go on at once stay to be measured
    for name, fill in EVERY_PAGE.items():
        seen = preview({"$og_title": value, "$og_description": value}, App(id=1, organization=1, name=value), LINK)
        site.answers["/page"] = fill(seen, site.origin + "/" + value)
        tab.goto(site.origin + "/page", wait_until="domcontentloaded")
        assert tab.locator("html").evaluate("e => e.scrollWidth") <= width, name
    context.close()


def test_the_open_page_goes_to_the_fallback_when_no_app_opened(site: Site, context: BrowserContext) -> None:
    tab, complaints = watched(context)
    page = OpenAppPage(preview=SEEN, open_url="trailhead://open", fallback_url=site.origin + "/store", timeout_ms=100)
    site.answers["/page"] = documents.open_app(page)
    # Not wait_for_url: it takes the refused attempt to open the app for the end of the navigation.
    with tab.expect_response(site.origin + "/store", timeout=5000):
        tab.goto(site.origin + "/page")
    expect(tab).to_have_title("there")
    assert [text for text in complaints if "trailhead" not in text] == []
    tab.go_back(wait_until="commit")
    expect(tab).to_have_url("about:blank")  # the page has put the fallback in its own place: back does not loop


def test_the_open_page_stays_when_the_visitor_left_for_the_app(site: Site, context: BrowserContext) -> None:
    tab, _ = watched(context)
    page = OpenAppPage(preview=SEEN, open_url="", fallback_url=site.origin + "/store", timeout_ms=100)
    site.answers["/page"] = documents.open_app(page)
    # A headless tab is never hidden by itself; say that it is, as the system does when an app comes to the front.
    tab.add_init_script(HIDE + "addEventListener('load', () => hide(true))")
    tab.clock.install()
    with tab.expect_event("load"):
        tab.goto(site.origin + "/page")
    tab.clock.run_for(1000)
    assert tab.url == site.origin + "/page"


HIDE = """
let hidden = false;
Object.defineProperty(document, "hidden", { get: () => hidden });
window.hide = (value) => { hidden = value; document.dispatchEvent(new Event("visibilitychange")); };
"""


def test_the_left_tab_goes_on_when_the_visitor_comes_back(site: Site, context: BrowserContext) -> None:
    tab, _ = watched(context)
    view = DeepviewPage(preview=SEEN, cta_url=LINK, after_click_url=site.origin + "/thanks")
    site.answers["/page"] = documents.deepview(view)
    tab.add_init_script(HIDE)
    tab.goto(site.origin + "/page")
    tab.evaluate("hide(false)")
    tab.evaluate("hide(true)")
    assert tab.url == site.origin + "/page"
    tab.evaluate("hide(false)")
    tab.wait_for_url(site.origin + "/thanks", timeout=5000)


@pytest.mark.parametrize("allowed", [True, False])
def test_a_tap_copies_the_link_and_goes_to_the_store(allowed: bool, site: Site, context: BrowserContext) -> None:
    tab, complaints = watched(context)
    site.answers["/page"] = documents.nativelink(
        NativeLinkPage(preview=SEEN, link_url=LINK + "?a=1&b=2", store_url=site.origin + "/store")
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.origin)
    if not allowed:  # as in an in-app web view without the clipboard API
        tab.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })")
    tab.goto(site.origin + "/page")
    tab.get_by_role("link", name="Copy and get the app").click()
    tab.wait_for_url(site.origin + "/store", timeout=5000)
    reader = context.new_page()
    reader.goto(site.origin + "/reader")
    assert reader.evaluate("navigator.clipboard.readText()") == LINK + "?a=1&b=2"
    assert complaints == []


def test_a_passive_deepview_goes_on_without_scripts(site: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    site.answers["/page"] = documents.passive_deepview(
        DeepviewPage(preview=SEEN, cta_url=site.origin + "/store?a=1&b='")
    )
    tab.goto(site.origin + "/page", wait_until="commit")
    tab.wait_for_url(site.origin + "/store?a=1&b=%27", timeout=5000)
    context.close()


def test_without_scripts_every_way_on_is_a_plain_link(site: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    store = site.origin + "/store"
    answers = (
        (documents.deepview(DeepviewPage(preview=SEEN, cta_url=store)), "Get the app"),
        (
            documents.open_app(OpenAppPage(preview=SEEN, open_url="a://b", fallback_url=store)),
            "Continue without the app",
        ),
        (documents.nativelink(NativeLinkPage(preview=SEEN, link_url=LINK, store_url=store)), "Copy and get the app"),
    )
    for page, label in answers:
        site.answers["/page"] = page
        tab.goto(site.origin + "/page")
        tab.get_by_role("link", name=label).click()
        tab.wait_for_url(store, timeout=5000)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_code_on_the_desktop_page_reads_from_the_screen(
    width: int, scheme: str, site: Site, browser: Browser
) -> None:
    link = LINK + "?" + "x" * (documents.MAX_QR_URL - len(LINK) - 1)
    for url in (LINK, link):
        site.answers["/page"] = documents.desktop(DesktopPage(preview=SEEN, link_url=url))
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
        )
        tab = context.new_page()
        tab.goto(site.origin + "/page")
        found = zxingcpp.read_barcode(Image.open(io.BytesIO(tab.screenshot(full_page=True))).convert("L"))
        assert found is not None
        assert found.text == url
        context.close()
