"""The dashboard in a real Chromium, as a marketer and her agency use it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests import chromium
from tests.conftest import Api
from tests.dashboard.addresses import addresses
from tests.dashboard.signing_in import signed_in
from tests.running import Running, wait_until
from tests.sdk.devices import Android

AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (390, 1440)

pytestmark = chromium.NEEDED


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of this module's own: what its people did is counted."""
    running = Running(
        tmp_path_factory.mktemp("chromium") / "data",
        "--empty",
        environment={"BOUGH_RATE_LIMITS": "off", "BOUGH_TRUSTED_PROXIES": "127.0.0.1"},
    )
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.chromium() as found:
        yield found


@pytest.fixture(scope="module")
def owner(server: Running, browser: Browser) -> Iterator[BrowserContext]:
    """The owner's browser, signed in by the one-time link."""
    context = signed_in(server, browser, "owner")
    yield context
    context.close()


@pytest.fixture
def page(owner: BrowserContext) -> Iterator[Page]:
    """A tab whose scripts must run without an error."""
    tab = owner.new_page()
    errors: list[str] = []
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    tab.close()
    assert errors == []


@pytest.fixture(scope="module")
def api(server: Running) -> Iterator[Api]:
    found = Api(server)
    yield found
    found.http.close()


def make_link(page: Page, alias: str, **labels: str) -> None:
    """A link, made in the editor."""
    page.goto("/dashboard/links/new")
    page.get_by_label(re.compile("^Alias")).fill(alias)
    for label, value in labels.items():
        page.get_by_label(label.capitalize(), exact=True).fill(value)
    page.get_by_label(re.compile(r"\$desktop_url")).fill(f"https://example.com/{alias}")
    expect(page.locator("#preview")).to_contain_text(f"example.com/{alias}")
    page.get_by_role("button", name="Make the link").click()
    page.wait_for_url(re.compile(r"/dashboard/links/\d+"))


def test_a_link_is_made_clicked_installed_explained_and_counted(server: Running, api: Api, page: Page) -> None:
    make_link(page, "launch", campaign="spring", channel="email")
    make_link(page, "other", campaign="autumn", channel="email")
    feed = page.context.new_page()
    feed.goto("/dashboard")
    phone = Android(api)
    assert phone.click(f"{server.base_url}/launch").status_code in (200, 307)
    expect(feed.locator(".feed li").first).to_contain_text("launch", timeout=15_000)
    phone.start()
    phone.event("PURCHASE", event_data={"revenue": "12.50", "currency": "USD"})
    stranger = Android(api)
    stranger.click(f"{server.base_url}/other")
    stranger.start()
    expect(feed.locator(".feed li", has_text=re.compile("install", re.IGNORECASE))).to_have_count(2, timeout=15_000)
    feed.close()

    wait_until(lambda: api.manage("GET", f"/api/persons?aaid={phone.aaid}").json()["persons"], 30)
    page.goto("/dashboard/installs")
    page.get_by_role("searchbox").fill(phone.aaid)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/installs/person/**")  # one person was found
    expect(page.locator("main")).to_contain_text("PURCHASE")
    page.locator("a[href*='/installs/event/']", has_text=re.compile("install", re.IGNORECASE)).first.click()
    expect(page.locator("main")).to_contain_text("launch")


def cohort(page: Page) -> Page:
    """The cohort page with the installs split by campaign, its answer there."""
    page.goto(
        "/dashboard/cohorts?source=install_cohort&days=7&granularity=day&bands=3&measure=revenue&measure=users"
        "&dim=install_activity_touch_data_tilde_campaign"
    )
    expect(page.locator("table.heat").first).to_be_visible(timeout=30_000)
    return page


def test_a_cell_opens_its_people_and_the_file_is_the_apis(server: Running, page: Page, tmp_path: Path) -> None:
    wait_until(lambda: "spring" in cohort(page).locator("table.heat").first.inner_text(), 30)
    row = page.locator("table.heat").first.locator("tr", has_text="spring")
    expect(row.locator("td").nth(1)).to_contain_text("12.5")
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV", exact=True).first.click()
    started.value.save_as(tmp_path / "cohort.csv")
    curl = page.locator(".copybox code").first.text_content() or ""
    body = json.loads(re.search(r"-d '(.*?)'\s*$", curl, re.DOTALL)[1])  # type: ignore[index]
    query = {"app_id": server.card["app_id"], "format": "csv", "limit": re.search(r"limit=(\d+)", curl)[1]}  # type: ignore[index]
    headers = {"Access-Token": server.card["access_token"], "Prefer": "wait=20"}
    asked = httpx.post(f"{server.base_url}/v2/analytics", params=query, json=body, headers=headers, timeout=30)
    assert asked.status_code == 200, asked.text
    assert asked.content == (tmp_path / "cohort.csv").read_bytes()

    row.locator("td a").first.click()
    expect(page.locator("main")).to_contain_text("PURCHASE")
    expect(page.locator("main")).to_contain_text("12.5")


def test_an_agency_member_sees_only_their_campaign(server: Running, browser: Browser, page: Page) -> None:
    page.goto("/dashboard/settings/team")
    page.get_by_label("Agency's name").fill("Northlight")
    page.locator("form", has=page.get_by_label("Agency's name")).get_by_role("button", name="Add").click()
    page.locator("summary", has_text="Add somebody").click()
    form = page.locator("form", has=page.locator("#email-new"))
    form.locator("#email-new").fill("ada@northlight.example")
    form.locator("#agency-new").select_option(label="Northlight")
    for permission in ("aggregate_data", "export", "links", "sensitive_data"):
        form.locator(f"input[name=permission][value={permission}]").check()
    form.locator("#filters-new").fill("touch_data_tilde_campaign = spring")
    form.get_by_role("button", name="Add").click()
    expect(page.locator("main")).to_contain_text("ada@northlight.example")

    context = signed_in(server, browser, "ada@northlight.example")
    theirs = context.new_page()
    theirs.goto("/dashboard/links")
    expect(theirs.locator("main")).to_contain_text("launch")
    expect(theirs.locator("main")).not_to_contain_text("other")
    answer = cohort(theirs).locator("table.heat").first
    expect(answer).to_contain_text("spring")
    expect(answer).not_to_contain_text("autumn")
    assert theirs.goto("/dashboard/settings/team").status in (400, 403)  # type: ignore[union-attr]
    context.close()


def test_hostile_names_are_text(api: Api, page: Page) -> None:
    """The newest link from here on, so that the tests of width and accessibility meet it too."""
    title = "<b onmouseover=alert(1)>" + "x" * 1_960 + "</b> 🎉 مرحبا"
    labels = {"campaign": "<script>alert(1)</script>", "channel": "مرحبا ‮gnp.exe", "tags": ["🏳️‍🌈" * 10]}
    number = api.link_id(api.created(data={"$og_title": title, "$og_description": title * 2}, **labels))
    for address in ("/dashboard/links", f"/dashboard/links/{number}", f"/dashboard/links/{number}/edit"):
        page.goto(address)
        content = page.content()
        assert "<b onmouseover" not in content
        assert "<script>alert" not in content
    assert page.get_by_label(re.compile(r"\$og_title")).input_value() == title
    expect(page.locator("#preview")).to_contain_text("<b onmouseover=alert(1)>xxx")


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_its_screen(server: Running, owner: BrowserContext, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    wide = []
    # On a phone rows about one thing are blocks, so that no column hides beyond the edge.
    hidden = "[...document.querySelectorAll('.blocks')].some((one) => one.scrollWidth > one.parentElement.clientWidth)"
    for address in addresses(owner, server):
        page.goto(address)
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(address)
        if width < 640 and page.evaluate(hidden):
            wide.append(f"a table of {address}")
    assert wide == []


@pytest.mark.skipif(not AXE.exists(), reason="MISSING: npm packages of tests/")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    server: Running, owner: BrowserContext, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    found = []
    context = browser.new_context(
        base_url=server.base_url, storage_state=owner.storage_state(), color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    for address in addresses(owner, server):
        page.goto(address)
        page.wait_for_load_state("networkidle") if "feed" not in address and address != "/dashboard" else None
        page.add_script_tag(path=str(AXE))
        report = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [
            f"{address}: {violation['id']}: {violation['nodes'][0]['html'][:200]}"
            for violation in report["violations"]
            if violation["impact"] in ("serious", "critical")
        ]
    context.close()
    assert found == []
