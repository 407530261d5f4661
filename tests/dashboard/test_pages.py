"""Every page renders, is for those who are signed in, lets nothing foreign in, and shows hostile names as text."""

from __future__ import annotations

import gzip
import html
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bough.dashboard.operations import DASHBOARD_ROUTES
from bough.web import static
from tests.dashboard.conftest import HOSTILE
from tests.dashboard.pages import Pages, text_of
from tests.sdk.devices import Iphone

PLAIN = sorted(
    route.path.removeprefix("/dashboard")
    for route in DASHBOARD_ROUTES
    if route.method == "GET" and "{" not in route.path and route.path not in (
        "/dashboard/feed", "/dashboard/picture", "/dashboard/cohorts/cell", "/dashboard/cohorts/answer",
        "/dashboard/settings/domains/check",
    )
)  # fmt: skip
"""Pages that need nothing to be shown."""

MAX_SCRIPT_BYTES = 60 * 1024


@pytest.mark.parametrize("path", PLAIN)
def test_a_page_renders_in_both_environments(pages: Pages, path: str) -> None:
    for query in ({}, {"env": "test"}):
        response = pages.get(path, **query)
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.text.rstrip().endswith("</html>")
        assert len(re.findall(r"<h1[ >]", response.text)) == 1


@pytest.mark.parametrize("path", PLAIN)
def test_a_page_holds_nothing_that_its_policy_would_refuse(pages: Pages, path: str) -> None:
    response = pages.get(path)
    policy = response.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", response.text)
    assert re.findall(r"<script(?![^>]*\ssrc=)", response.text) == []
    assert re.findall(r"(?:src|href)=\"https?://(?!127\.0\.0\.1)[^\"]*\.(?:js|css)", response.text) == []


@pytest.mark.parametrize("path", PLAIN)
def test_every_label_names_a_field_and_every_id_is_one_of_a_kind(pages: Pages, path: str) -> None:
    page = pages.get(path).text
    ids = re.findall(r'\sid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'<label[^>]* for="([^"]*)"', page)) <= set(ids)


@pytest.mark.parametrize("path", PLAIN)
def test_who_is_not_signed_in_is_sent_to_the_sign_in(nobody: httpx.Client, path: str) -> None:
    response = nobody.get(f"/dashboard{path}")
    assert response.status_code == 303
    assert response.headers["location"].startswith("/signin?next=")


def test_a_form_without_its_token_changes_nothing(pages: Pages) -> None:
    response = pages.browser.http.post("/dashboard/links/new", data={"alias": "forged"})
    assert response.status_code == 403
    assert pages.api.find(search="forged") == []


def test_an_address_that_is_no_page_says_where_to_go(pages: Pages) -> None:
    response = pages.browser.http.get("/dashboard/nonsense", headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert "The menu leads to all pages." in text_of(response.text)


def test_another_organizations_app_is_not_found(pages: Pages) -> None:
    response = pages.browser.http.get("/dashboard/links?app=123", headers={"Accept": "text/html"})
    assert response.status_code == 404


def test_the_theme_is_kept_and_leads_back_to_pages_only(pages: Pages) -> None:
    response = pages.post("/theme", theme="dark", back="/dashboard/links?tag=x")
    assert response.headers["location"] == "/dashboard/links?tag=x"
    assert 'data-theme="dark"' in pages.get("/links").text
    for address in ("https://evil.example", "//evil.example", "/\\evil.example", "/spring"):
        assert pages.post("/theme", theme="auto", back=address).headers["location"] == "/dashboard"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_everywhere(pages: Pages, name: str) -> None:
    identifier = pages.link(campaign=name, channel=name, tags=[name[:64]], data={"$og_title": name * 8, "x": name})
    app_name = pages.json("/settings")["app_name"]
    try:
        assert pages.post("/settings", app_name=name, timezone="UTC").status_code == 303
        for path in ("", "/links", f"/links/{identifier}", f"/links/{identifier}/edit", f"/links/{identifier}/qr",
                     "/settings", "/settings/team"):  # fmt: skip
            page = pages.get(path).text
            assert "<script>alert(1)" not in page
            assert "<img src=x" not in page
        assert name[:60] in pages.text(f"/links/{identifier}")
        for path in ("/links", "/cohorts", "/installs", "/exports"):
            found = pages.get(path, search=name, q=name, **{"f-dim": "app_id", "f-val": name}).text
            assert "<script>alert(1)" not in found
            assert "<img src=x" not in found
    finally:
        pages.post("/settings", app_name=app_name, timezone="UTC")


def test_scripts_stay_small_and_are_kept_by_browsers(pages: Pages) -> None:
    scripts = {name: file for name, file in static.FILES.items() if name.endswith(".js")}
    assert {"app.js", "htmx.min.js", "uplot.min.js"} <= set(scripts)
    assert sum(len(gzip.compress(file.content, 9)) for file in scripts.values()) < MAX_SCRIPT_BYTES
    for address in re.findall(r'(?:src|href)="(/static/[^"]*)"', pages.get("").text):
        response = pages.browser.http.get(address)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]
        assert response.headers["content-encoding"] == "gzip"


def test_today_is_drawn_as_unfinished(pages: Pages) -> None:
    def series(**query: str) -> list[dict[str, Any]]:
        found = re.search(r'data-chart="([^"]*)"', pages.get("", **query).text)
        assert found is not None
        drawn: list[dict[str, Any]] = json.loads(html.unescape(found[1]))["series"]
        return drawn

    figure, before, today = series(days="7")
    assert figure["values"][-1] is None
    assert today["open"] is True
    assert today["values"][:-2] == [None] * 5
    assert today["values"][-2] == figure["values"][-2]
    assert before["dash"] is True
    assert "today, which is not over" in pages.text("", days="7")
    assert len(series(start="2026-01-01", end="2026-01-07")) == 2


def test_the_menu_leads_to_ones_own_account(pages: Pages) -> None:
    assert '<a href="/signin/account"' in pages.get("/links").text


def test_the_installs_of_a_day_and_of_a_link_lead_to_their_people(pages: Pages) -> None:
    identifier = pages.link(campaign="opened up")
    page = pages.get(f"/links/{identifier}").text
    (address,) = re.findall(r'href="(/dashboard/cohorts[?][^"]*)">its campaign as a cohort', page)
    asked = parse_qs(urlsplit(html.unescape(address)).query, keep_blank_values=True)
    assert (asked["f-dim"], asked["f-val"]) == (["touch_data_tilde_campaign"], ["opened up"])
    assert "touch_data_tilde_campaign" in pages.browser.http.get(html.unescape(address)).text
    phone = Iphone(pages.api)
    phone.start()
    pages.wait(lambda: "/dashboard/cohorts?source=install_cohort&amp;start=" in pages.get("", days="7").text)


@pytest.mark.parametrize(
    ("path", "asked", "call"),
    [
        ("/links", {"campaign": "it's"}, "/api/links?"),
        ("/exports", {}, "/api/jobs"),
        ("/settings/team", {}, "/api/users"),
        ("/settings/tokens", {}, "/api/tokens"),
        ("/settings/audit", {"action": "link."}, "/api/audit?action=link."),
    ],
)
def test_lists_show_their_call_as_a_curl_line(pages: Pages, path: str, asked: dict[str, str], call: str) -> None:
    pages.link(campaign="it's")
    lines = [html.unescape(one) for one in re.findall(r'data-copy="(curl[^"]*)"', pages.get(path, **asked).text)]
    assert [call in one for one in lines] == [True]
