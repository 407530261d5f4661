from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import shlex
from collections.abc import Callable

import pytest
import resvg_py
import zxingcpp
from PIL import Image

from bough.accounts.model import App
from bough.clicks.pages import documents
from bough.clicks.pages.documents import (
    DebugPage,
    DebugRoute,
    DeepviewPage,
    DesktopPage,
    NativeLinkPage,
    NotFoundPage,
    OgPage,
    OpenAppPage,
)
from bough.clicks.pages.preview import Preview, preview
from bough.clicks.pages.rendering import HtmlPage
from tests.clicks.html import Document

LINK = "https://trailhead.app.link/WgiqvsepqF"
STORE = "https://apps.apple.com/app/id1"
APP = App(id=1, organization=1, name="Trailhead")
DATA = {
    "$og_title": "Five lakes walk",
    "$og_description": "Nine kilometres.",
    "$og_image_url": "https://cdn.example.com/lakes.jpg",
}
SEEN = preview(DATA, APP, LINK)

Fill = Callable[[Preview, str], HtmlPage]
"""A page with the given preview and the given text in the place of every URL and free text."""

EVERY_PAGE: dict[str, Fill] = {
    "og": lambda seen, value: documents.og(OgPage(preview=seen, link_url=value, redirect_url=value)),
    "deepview": lambda seen, value: documents.deepview(
        DeepviewPage(preview=seen, cta_url=value, cta_label=value, web_url=value, after_click_url=value)
    ),
    "passive_deepview": lambda seen, value: documents.passive_deepview(
        DeepviewPage(preview=seen, cta_url=value, cta_label=value, web_url=value, after_click_url=value)
    ),
    "desktop": lambda seen, value: documents.desktop(DesktopPage(preview=seen, link_url=value, web_url=value)),
    "open_app": lambda seen, value: documents.open_app(
        OpenAppPage(preview=seen, open_url=value, fallback_url=value, after_click_url=value)
    ),
    "nativelink": lambda seen, value: documents.nativelink(
        NativeLinkPage(preview=seen, link_url=value, store_url=value, after_click_url=value)
    ),
    "not_found": lambda seen, value: documents.not_found(NotFoundPage(app_name=value, home_url=value)),
    "debug": lambda seen, value: documents.debug(
        DebugPage(
            link_url=value,
            routes=(DebugRoute(platform=value, target=value, rule=value, reason=value),),
            data={value: value, "list": [value], "map": {value: 1}},
            user_agent=value,
        )
    ),
}

HOSTILE = [
    "</script><script>hit()</script>",
    "</style><script>hit()</script>",
    "</title><img src=x onerror=hit()>",
    '"><script>hit()</script>',
    "' onload=hit() x='",
    "--><script>hit()</script>",
    "]]><svg onload=hit()>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:hit()",
    'https://example.com/"><script>hit()</script>',
    "https://example.com/' onclick='hit()",
    "\u202egnp.exe مرحبا 🥾",
    "\ud800 lone \x00 \x1b[31m",
    "x" * 2000,
    "🥾" * 2000,
]


@pytest.mark.parametrize("name", EVERY_PAGE)
@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_adds_an_element_a_handler_or_an_address_that_runs(name: str, value: str) -> None:
    data = dict.fromkeys(("$og_title", "$og_description", "$og_image_url", "$og_url", "$twitter_site"), value)
    custom = {"$custom_meta_tags": json.dumps({value: value, "apple_touch_icon": value}), "$canonical_url": value}
    hostile = preview({**data, **custom}, App(id=1, organization=1, name=value), value)
    document = Document(EVERY_PAGE[name](hostile, value).body)
    tame = Document(EVERY_PAGE[name](SEEN, "https://example.com").body)
    allowed = {tag for tag, _ in tame.elements} | {"img", "link", "h1", "svg", "g", "rect", "path", "p", "a"}
    assert {tag for tag, _ in document.elements} <= allowed
    assert len(document.all("script")) <= len(tame.all("script"))
    for _, attributes in document.elements:
        assert not [key for key in attributes if key.startswith("on") or key == "style"]
        for key in ("href", "src", "data-open", "data-fallback", "data-after", "data-copy"):
            address = attributes.get(key, "")
            assert address == "" or address.startswith("https://example.com")
    assert "49" not in document.texts.get("h1", [""])[0]


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_every_script_and_style_is_named_by_the_policy_and_nothing_else_may_run(name: str) -> None:
    page = EVERY_PAGE[name](SEEN, "https://example.com/x")
    headers = dict(page.headers)
    policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    document = Document(page.body)

    def source(inline: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode() + "'"

    assert [source(style) for style in document.texts["style"]] == [policy["style-src"]]
    assert all(source(script) in policy["script-src"].split() for script in document.texts.get("script", []))
    assert all("src" not in attributes for attributes in document.all("script"))
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Referrer-Policy" not in headers


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_pages_load_nothing_but_the_links_own_picture(name: str) -> None:
    document = Document(EVERY_PAGE[name](SEEN, LINK).body)
    assert {attributes["src"] for attributes in document.all("img")} <= {"https://cdn.example.com/lakes.jpg"}
    assert not document.all("iframe")
    assert {attributes["rel"] for attributes in document.all("link")} <= {"canonical", "apple-touch-icon"}
    assert not re.search(r"url\(|@import", document.text("style"))


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_pages_have_a_language_one_heading_and_a_main_part(name: str) -> None:
    document = Document(EVERY_PAGE[name](SEEN, LINK).body)
    assert document.all("html") == [{"lang": "en"}]
    assert len(document.all("h1")) == len(document.all("main")) == 1
    assert document.text("title")
    assert ("name", "viewport", "width=device-width, initial-scale=1, viewport-fit=cover") in document.metas()


def test_the_og_page_says_every_tag_and_links_on() -> None:
    page = documents.og(OgPage(preview=SEEN, link_url=LINK))
    document = Document(page.body)
    assert page.status == 200
    assert document.text("title") == "Five lakes walk"
    assert document.metas()[1:] == [
        ("name", "description", "Nine kilometres."),
        ("property", "og:title", "Five lakes walk"),
        ("property", "og:description", "Nine kilometres."),
        ("property", "og:image", "https://cdn.example.com/lakes.jpg"),
        ("property", "og:url", LINK),
        ("property", "og:type", "website"),
        ("name", "twitter:card", "summary_large_image"),
    ]
    assert document.links() == [LINK]


def test_og_redirect_sends_the_scraper_on_unless_it_is_no_web_address() -> None:
    def refresh(url: str) -> list[tuple[str, str, str]]:
        metas = Document(documents.og(OgPage(preview=SEEN, link_url=LINK, redirect_url=url)).body).metas()
        return [meta for meta in metas if meta[0] == "http-equiv"]

    assert refresh("https://example.com/a;b?c=d e") == [
        ("http-equiv", "refresh", "0;url=https://example.com/a;b?c=d%20e")
    ]
    assert refresh("javascript:hit()") == refresh("myapp://x") == refresh("") == []


def test_touch_icon_canonical_address_and_noindex_reach_the_head() -> None:
    data = {
        "$custom_meta_tags": '{"apple_touch_icon":"https://example.com/i.png"}',
        "$canonical_url": "https://example.com/a",
        "$publicly_indexable": 0,
    }
    document = Document(documents.og(OgPage(preview=preview(data, APP, LINK), link_url=LINK)).body)
    assert document.all("link") == [
        {"rel": "apple-touch-icon", "href": "https://example.com/i.png"},
        {"rel": "canonical", "href": "https://example.com/a"},
    ]
    assert ("name", "robots", "noindex") in document.metas()


def test_a_deepview_waits_for_the_tap_and_a_passive_one_goes_on() -> None:
    view = DeepviewPage(preview=SEEN, cta_url=STORE)
    active, passive = Document(documents.deepview(view).body), Document(documents.passive_deepview(view).body)
    for document in (active, passive):
        assert document.text("h1") == "Five lakes walk"
        assert document.links() == [STORE]
        assert document.text("a") == "Get the app"
        assert document.all("img") == [{"class": "picture", "src": "https://cdn.example.com/lakes.jpg", "alt": ""}]
    assert ("http-equiv", "refresh", f"0;url={STORE}") in passive.metas()
    assert not [meta for meta in active.metas() if meta[0] == "http-equiv"]


def test_the_desktop_page_shows_a_code_that_reads_as_the_link() -> None:
    body = documents.desktop(DesktopPage(preview=SEEN, link_url=LINK, web_url="https://example.com")).body
    found = re.search(rb"<svg .*</svg>", body)
    assert found
    drawn = resvg_py.svg_to_bytes(svg_string=found[0].decode(), skip_system_fonts=True, background="#ffffff")
    code = zxingcpp.read_barcode(Image.open(io.BytesIO(bytes(drawn))))
    assert code is not None
    assert code.text == LINK
    document = Document(body)
    assert f"QR code of {LINK}" in body.decode()
    assert LINK in document.texts["p"]
    assert document.links() == ["https://example.com"]


def test_a_link_too_long_for_a_code_is_shown_as_text() -> None:
    link = LINK + "?x=" + "y" * 900
    document = Document(documents.desktop(DesktopPage(preview=SEEN, link_url=link)).body)
    assert not document.all("svg")
    assert link in document.texts["p"]


def test_the_open_page_has_both_ways_as_plain_links_too() -> None:
    page = OpenAppPage(preview=SEEN, open_url="trailhead://open?a=1&b=2", fallback_url=STORE, timeout_ms=500)
    document = Document(documents.open_app(page).body)
    assert document.links() == ["trailhead://open?a=1&b=2", STORE]
    assert document.all("body") == [
        {"data-timeout": "500", "data-open": "trailhead://open?a=1&b=2", "data-fallback": STORE}
    ]


def test_the_after_click_address_comes_with_its_script() -> None:
    after = "https://example.com/thanks"
    for page in (
        documents.open_app(OpenAppPage(preview=SEEN, open_url="a://b", fallback_url=STORE, after_click_url=after)),
        documents.deepview(DeepviewPage(preview=SEEN, cta_url=STORE, after_click_url=after)),
        documents.nativelink(NativeLinkPage(preview=SEEN, link_url=LINK, store_url=STORE, after_click_url=after)),
    ):
        document = Document(page.body)
        assert document.all("body")[0]["data-after"] == after
        assert "dataset.after" in document.texts["script"][-1]


def test_the_nativelink_page_copies_the_link_and_can_do_without() -> None:
    document = Document(documents.nativelink(NativeLinkPage(preview=SEEN, link_url=LINK, store_url=STORE)).body)
    copying, plain = document.all("a")
    assert copying == {"class": "button", "id": "get", "href": STORE, "data-copy": LINK}
    assert plain == {"class": "plain", "href": STORE}


def test_not_found_is_404_with_and_without_an_app() -> None:
    bare = documents.not_found()
    assert bare.status == 404
    assert Document(bare.body).text("h1") == "Link not found"
    assert Document(bare.body).links() == []
    known = Document(documents.not_found(NotFoundPage(app_name="Trailhead", home_url="https://example.com")).body)
    assert known.links() == ["https://example.com"]
    assert known.text("bdi") == "Go to Trailhead"


def test_the_debug_page_tells_routes_data_and_the_command() -> None:
    agent = 'Mozilla/5.0 (iPhone; it\'s "quoted" $HOME)'
    page = DebugPage(
        link_url=LINK,
        routes=(
            DebugRoute(platform="iPhone", target=STORE, rule="ios_store", reason="Nothing else is set.", current=True),
            DebugRoute(platform="Desktop", target="desktop page", rule="desktop_page", reason="No desktop URL."),
        ),
        data={"n": 12, "s": "12", "deep": {"a": [1, None, "é"]}},
        user_agent=agent,
    )
    document = Document(documents.debug(page).body)
    assert document.links() == [STORE]
    assert document.texts["th"][4:] == ["iPhone ", "Desktop", "Key", "Value", "", "", ""]
    assert document.texts["span"] == ["you"]
    assert document.texts["bdi"] == ["", "desktop page", "deep", '{"a": [1, null, "é"]}', "n", "12", "s", '"12"']
    assert document.texts["code"][:2] == ["ios_store", "desktop_page"]
    assert shlex.split(document.text("pre")) == [
        "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}\\n", "-A", agent, LINK,
    ]  # fmt: skip
