"""Pages that a click can end on, long links and hosted files, over HTTP on both stores (docs/clicks.md)."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from bough.clicks.decision.explain import PLATFORMS
from tests.apps import alias, in_test_environment, new_app
from tests.clicks import user_agents as ua
from tests.clicks.following import follow, kept_count, rows, rows_without_link, sent
from tests.clicks.html import Document
from tests.conftest import Api
from tests.running import wait_until

OG = {
    "$og_title": "Käse & <Wein>",
    "$og_description": "A description",
    "$og_image_url": "https://example.com/picture.png",
    "$twitter_card": "summary",
    "$custom_meta_tags": '{"product:price": "5", "apple_touch_icon": "https://example.com/icon.png"}',
}


def page(answer: httpx.Response, status: int = 200) -> Document:
    """The page of an answer; checks what all pages have in common."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "referrer-policy" not in answer.headers
    return Document(answer.content)


def metas(document: Document) -> dict[str, str]:
    """Meta tags by name."""
    return {key: content for _, key, content in document.metas()}


SCRAPERS = [
    ("Facebook", ua.FACEBOOK_SCRAPER),
    ("X", ua.TWITTERBOT),
    ("Slack", ua.SLACKBOT),
    ("WhatsApp", ua.WHATSAPP),
    ("iMessage", ua.IMESSAGE),
    ("Telegram", ua.TELEGRAM),
    ("LinkedIn", ua.LINKEDIN),
    ("Discord", ua.DISCORD),
    ("Pinterest", ua.PINTEREST),
]


@pytest.mark.parametrize("user_agent", [row[1] for row in SCRAPERS], ids=[row[0] for row in SCRAPERS])
@pytest.mark.parametrize("fallback", [{}, {"$fallback_url": "https://example.com/f"}], ids=["", "with fallback"])
def test_scrapers_get_the_links_preview(api: Api, user_agent: str, fallback: dict[str, str]) -> None:
    """Also with $fallback_url, which at Branch hides it."""
    url = api.created(data={**OG, **fallback, "$ios_url": "https://example.com/i"})
    found = page(follow(api, url, user_agent))
    tags = metas(found)
    assert {key: tags[key] for key in ("og:title", "og:description", "og:image", "og:url", "og:type")} == {
        "og:title": "Käse & <Wein>",
        "og:description": "A description",
        "og:image": "https://example.com/picture.png",
        "og:url": url,
        "og:type": "website",
    }
    assert (tags["twitter:card"], tags["product:price"]) == ("summary", "5")
    icons = [link["href"] for link in found.all("link") if link.get("rel") == "apple-touch-icon"]
    assert icons == ["https://example.com/icon.png"]
    assert [row.kind for row in rows(api, url)] == ["robot"]


def test_scrapers_follow_the_fallback_where_the_app_wants_branchs_way(api: Api) -> None:
    app = new_app(api, og_for_social="branch")
    url = app.created(data={**OG, "$fallback_url": "https://example.com/f"})
    answer = follow(app, url, ua.FACEBOOK_SCRAPER)
    assert (answer.status_code, answer.headers["location"]) == (307, "https://example.com/f")


def test_scrapers_follow_og_redirect(api: Api) -> None:
    url = api.created(data={**OG, "$og_redirect": "https://example.com/og"})
    answer = follow(api, url, ua.FACEBOOK_SCRAPER)
    assert (answer.status_code, answer.headers["location"]) == (307, "https://example.com/og")


def test_a_link_without_preview_gets_the_apps(api: Api) -> None:
    app = new_app(api, og_title="App title", og_description="App text", og_image_url="https://example.com/app.png")
    tags = metas(page(follow(app, app.created(), ua.FACEBOOK_SCRAPER)))
    assert (tags["og:title"], tags["og:description"]) == ("App title", "App text")
    assert tags["og:image"] == "https://example.com/app.png"


def test_a_deepview_leads_to_the_app_by_the_alternate_domain(api: Api) -> None:
    data = {**OG, "$ios_deepview": "default_template", "$fallback_url": "https://example.com/f", "$canonical_url": "x"}
    url = api.created(alias=alias(), data=data)
    answer = follow(api, url, ua.IPHONE_SAFARI, query="?ref=mail")
    found = page(answer)
    port = api.card["link_domain"].partition(":")[2]
    button = f"http://alternate.localhost:{port}{url.removeprefix(api.running.base_url)}?ref=mail"
    assert found.links()[0] == button
    assert found.text("h1") == "Käse & <Wein>"
    click = rows(api, url)[0]
    assert (click.kind, click.body["rule"]) == ("click", "link_deepview")
    assert answer.headers["set-cookie"].startswith(f"_s={click.id};")
    assert f"_branch_match_id={click.id}" in found.links()[1]
    pressed = follow(api, button, ua.IPHONE_SAFARI)
    assert sent(pressed).target == "https://example.com/f?ref=mail"


def test_a_deepview_may_be_a_setting_of_the_app(api: Api) -> None:
    app = new_app(api, deepview_android="default_template", deepview_desktop="default_template")
    url = app.created(data=OG)
    for user_agent in (ua.PIXEL_CHROME, ua.LINUX_FIREFOX):
        page(follow(app, url, user_agent))
    assert [row.body["rule"] for row in rows(app, url)] == ["app_deepview"] * 2
    url = app.created(data={**OG, "$desktop_url": "https://example.com/d"})
    assert sent(follow(app, url, ua.LINUX_FIREFOX)).target == "https://example.com/d"


def test_a_passive_deepview_goes_on_to_the_store_at_once(api: Api) -> None:
    app = new_app(api, ios_app=1, ios_url="https://apps.apple.com/app/id364709193")
    found = page(follow(app, app.created(data=OG), ua.IPHONE_SAFARI))
    assert metas(found)["refresh"] == "0;url=https://apps.apple.com/app/id364709193"
    url = app.created(data={**OG, "$ios_passive_deepview": False})
    answer = follow(app, url, ua.IPHONE_SAFARI)
    assert (answer.status_code, answer.headers["location"]) == (307, "https://apps.apple.com/app/id364709193")


def test_chrome_on_android_is_asked_to_open_the_app(api: Api) -> None:
    app = new_app(
        api, android_app=1, android_package_name="com.example.books", android_uri_scheme="books://", ios_uri_scheme="b"
    )
    url = app.created(data={"$deeplink_path": "book/1", "$fallback_url": "https://example.com/f"})
    found = page(follow(app, url, ua.PIXEL_CHROME))
    click = rows(app, url)[0]
    body = found.all("body")[0]
    assert body["data-open"].startswith(
        f"intent://book/1?link_click_id={click.id}#Intent;scheme=books;package=com.example.books;"
        "S.browser_fallback_url=https%3A%2F%2Fexample.com%2Ff"
    )
    assert body["data-fallback"].startswith(f"https://example.com/f?_branch_match_id={click.id}&_branch_referrer=")
    assert body["data-timeout"] == "750"
    aggressive = app.created(data={"$uri_redirect_mode": 2, "$ios_redirect_timeout": 900})
    body = page(follow(app, aggressive, ua.IPHONE_SAFARI)).all("body")[0]
    assert (body["data-open"], body["data-timeout"]) == (f"b://open?link_click_id={rows(app, aggressive)[0].id}", "900")
    denied = follow(app, url, ua.PIXEL_CHROME, query="?has_app=false")
    assert sent(denied).target == "https://example.com/f"


def test_desktops_without_a_target_get_the_link_as_a_qr_code(api: Api) -> None:
    url = api.created(data=OG)
    found = page(follow(api, url, ua.WINDOWS_CHROME))
    assert found.all("svg")
    assert url in "".join(found.texts["p"])
    assert rows(api, url)[0].body["rule"] == "hosted_page"


def test_phones_without_a_target_get_the_links_own_page(api: Api) -> None:
    url = api.created(data=OG)
    assert page(follow(api, url, ua.PIXEL_CHROME)).text("h1") == "Käse & <Wein>"
    assert rows(api, url)[0].body["rule"] == "landing_page"


def test_nativelink_copies_the_link_first(api: Api) -> None:
    app = new_app(api, ios_app=1, ios_url="https://apps.apple.com/app/id364709193")
    url = app.created(data={**OG, "$ios_nativelink": True})
    follow(app, url, ua.IPHONE_SAFARI)
    assert rows(app, url)[0].body["rule"] == "nativelink"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_head_of_a_page_has_its_headers_and_no_body(api: Api, method: str) -> None:
    url = api.created(data=OG)
    answer = follow(api, url, ua.FACEBOOK_SCRAPER, method=method)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert bool(answer.content) is (method == "GET")
    assert len(rows(api, url)) == (1 if method == "GET" else 0)


def test_debug_shows_every_platform_and_is_no_click(api: Api) -> None:
    url = api.created(data={**OG, "$ios_url": "https://example.com/ios", "$desktop_url": "https://example.com/d"})
    answer = follow(api, url, ua.IPHONE_SAFARI, query="?debug=1")
    found = page(answer)
    shown = "".join(text for texts in found.texts.values() for text in texts)
    for platform in PLATFORMS:
        assert platform.name in shown
    assert "https://example.com/ios" in shown
    assert "Käse & <Wein>" in shown
    assert "set-cookie" not in answer.headers
    assert rows(api, url) == []


# Long links.

TARGET = "https://example.com/long"


def long_query(**parameters: Any) -> str:
    """A long link's query as the SDKs write it."""
    return "?" + urlencode(parameters, doseq=True)


def test_a_long_link_by_key(api: Api) -> None:
    """The Android and Web SDKs' way: repeated tags, `data` as base64 of JSON."""
    app = new_app(api)
    data = b64encode(json.dumps({"$desktop_url": TARGET, "product": {"id": 7}}).encode()).decode()
    query = long_query(
        tags=["a", "b"], channel="facebook", feature="share", campaign="spring", stage="1", type="0", data=data
    )
    answer = follow(app, f"{app.running.base_url}/a/{app.key}", ua.LINUX_FIREFOX, query=query)
    (row,) = rows_without_link(app)
    address, match_id, referrer = sent(answer)
    assert address == f"{TARGET}?utm_campaign=spring&utm_source=facebook&utm_medium=share"
    assert (match_id, referrer) == (str(row.id), f"{app.running.base_url}/a/{app.key}")
    assert (row.kind, row.link, row.test) == ("click", None, False)
    assert row.body["url"] == f"{app.running.base_url}/a/{app.key}{query}"
    assert row.body["data"] == {
        "$desktop_url": TARGET,
        "product": {"id": 7},
        "$one_time_use": False,
        "~channel": "facebook",
        "~feature": "share",
        "~campaign": "spring",
        "~stage": "1",
        "~tags": ["a", "b"],
        "~creation_source": 6,
        "~id": "0",
        "url": row.body["url"],
    }


def test_a_long_link_of_the_test_key(api: Api) -> None:
    app = new_app(api)
    test = in_test_environment(app)
    query = f"?$desktop_url={quote(TARGET, safe='')}"
    follow(app, f"{app.running.base_url}/a/{test.key}", ua.LINUX_FIREFOX, query=query)
    assert [row.test for row in rows_without_link(app)] == [True]


def test_a_long_link_on_the_apps_domain(api: Api) -> None:
    app = new_app(api, domain=f"{alias()}.example.test")
    query = f"?$desktop_url={quote(TARGET, safe='')}&~campaign=c&~tags=a&~tags=b&mine=1"
    answer = follow(app, f"https://{app.card['link_domain']}/", ua.LINUX_FIREFOX, query=query)
    assert sent(answer).target == f"{TARGET}?~campaign=c&~tags=a&~tags=b&mine=1&utm_campaign=c"
    (row,) = rows_without_link(app)
    assert (row.body["data"]["~tags"], row.body["data"]["mine"]) == (["a", "b"], "1")


def test_utm_parameters_of_a_long_link_are_labels_where_the_app_wants_it(api: Api) -> None:
    query = f"?$desktop_url={quote(TARGET, safe='')}&utm_source=s&utm_medium=m&utm_campaign=c&utm_content=t&utm_term=k"
    labels: list[dict[str, Any]] = []
    for wanted in (False, True):
        app = new_app(api, utm_to_labels=wanted)
        follow(app, f"{app.running.base_url}/a/{app.key}", ua.LINUX_FIREFOX, query=query)
        data = rows_without_link(app)[0].body["data"]
        labels.append(
            {key: data[key] for key in data if key in ("~channel", "~feature", "~campaign", "~tags", "$keywords")}
        )
    assert labels == [
        {},
        {"~channel": "s", "~feature": "m", "~campaign": "c", "~tags": ["t"], "$keywords": ["k"]},
    ]


@pytest.mark.parametrize("data", ["%%%", "bm90IGpzb24=", b64encode(b"[1]").decode(), b64encode(b'{"a":').decode()])
def test_broken_data_of_a_long_link(api: Api, data: str) -> None:
    query = long_query(data=data, **{"$desktop_url": TARGET})
    answer = follow(api, f"{api.running.base_url}/a/{api.key}", ua.LINUX_FIREFOX, query=query)
    assert (answer.status_code, sent(answer).target) == (307, TARGET)


def test_a_long_link_with_an_unknown_key(api: Api) -> None:
    answer = follow(api, f"{api.running.base_url}/a/key_live_unknown", ua.IPHONE_SAFARI, query="?a=b")
    assert page(answer, 404).text("h1") == "Link not found"


def test_a_link_domain_without_path_and_query_is_no_link(api: Api) -> None:
    app = new_app(api, domain=f"{alias()}.example.test")
    assert follow(app, f"https://{app.card['link_domain']}/", ua.IPHONE_SAFARI).status_code == 404


# Hosted files.

IOS: dict[str, Any] = {
    "universal_linking_enabled": 1,
    "ios_team_id": "TEAM12345X",
    "ios_bundle_id": "com.example.books",
}
ANDROID: dict[str, Any] = {
    "android_app_links_enabled": 1,
    "android_package_name": "com.example.books",
    "sha256_cert_fingerprints": ["ab" * 32],
}
STATEMENT = {
    "relation": ["delegate_permission/common.handle_all_urls"],
    "target": {
        "namespace": "android_app",
        "package_name": "com.example.books",
        "sha256_cert_fingerprints": [":".join(["AB"] * 32)],
    },
}
APPLE_PATHS = ("/.well-known/apple-app-site-association", "/apple-app-site-association")


def hosted(api: Api, host: str, path: str) -> Any:
    """A hosted file as the phones' systems fetch it: directly, as JSON."""
    answer = follow(api, f"https://{host}{path}", "swcd (unknown version) CFNetwork/1494.0.7 Darwin/23.4.0")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    return answer.json()


def test_phones_learn_which_app_owns_a_domain(api: Api) -> None:
    app = new_app(api, domain=f"{alias()}.example.test", **IOS, **ANDROID)
    host = app.card["link_domain"]
    prefix = app.card["test_link_domain"].partition("/")[2]
    expected = {"appID": "TEAM12345X.com.example.books", "paths": ["NOT /e/*", f"NOT /{prefix}/e/*", "*", "/"]}
    for path in APPLE_PATHS:
        assert hosted(app, host, path) == {"applinks": {"apps": [], "details": [expected]}}
    assert hosted(app, host, "/.well-known/assetlinks.json") == [STATEMENT]


def test_the_alternate_domain_has_the_files_of_its_main_domain(api: Api) -> None:
    port = api.card["link_domain"].partition(":")[2]
    for path in (*APPLE_PATHS, "/.well-known/assetlinks.json"):
        alternate = hosted(api, f"alternate.localhost:{port}", path)
        assert alternate == hosted(api, api.card["link_domain"], path)


def test_an_app_with_a_prefix_claims_its_own_links_only(api: Api) -> None:
    app = new_app(api, **IOS)
    host, _, prefix = app.card["link_domain"].partition("/")
    details = hosted(app, host, APPLE_PATHS[0])["applinks"]["details"]
    own = next(entry for entry in details if f"/{prefix}/*" in entry["paths"])
    assert own["appID"] == "TEAM12345X.com.example.books"
    assert set(own["paths"]) >= {f"NOT /{prefix}/e/*", f"/{prefix}/*", f"/{prefix}"}
    assert "*" not in own["paths"]


def test_no_file_names_an_app_that_has_nothing_switched_on(api: Api) -> None:
    app = new_app(api, domain=f"{alias()}.example.test", ios_team_id="T", ios_bundle_id="b", android_package_name="p")
    host = app.card["link_domain"]
    assert hosted(app, host, APPLE_PATHS[0]) == {"applinks": {"apps": [], "details": []}}
    assert hosted(app, host, "/.well-known/assetlinks.json") == []


def test_fetching_the_files_is_no_click(api: Api) -> None:
    app = new_app(api, domain=f"{alias()}.example.test", **IOS)
    url = app.created(data={"$desktop_url": TARGET})
    hosted(app, app.card["link_domain"], APPLE_PATHS[0])
    follow(app, url, ua.LINUX_FIREFOX)
    wait_until(lambda: kept_count(app, url) == 1)
    assert len(rows(app, url)) == 1
    assert rows_without_link(app) == []
