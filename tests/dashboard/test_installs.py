"""Installs: find, follow, explain, simulate: what the pages say is what the API says."""

from __future__ import annotations

import re

from tests.dashboard.pages import Pages, text_of


def install(pages: Pages, url: str, vendor: str, **fields: object) -> None:
    body = {
        "branch_key": pages.api.key, "sdk": "ios3.14.0", "os": "iOS", "os_version": "17.4.1", "model": "iPhone15,2",
        "brand": "Apple", "hardware_id": vendor, "hardware_id_type": "vendor_id", "is_hardware_id_real": True,
        "ios_vendor_id": vendor, "universal_link_url": url, **fields,
    }  # fmt: skip
    assert pages.api.http.post("/v1/install", json=body).status_code == 200


def test_a_device_is_found_and_its_install_explained(pages: Pages) -> None:
    vendor = "88888888-AAAA-4AAA-8AAA-000000000001"
    url = pages.api.created(campaign="<b>explained</b>")
    install(pages, url, vendor)
    pages.wait(lambda: pages.rows("/installs", q=vendor, table="persons"))
    (found,) = pages.rows("/installs", q=vendor, table="persons")
    moved = pages.browser.http.get("/dashboard/installs", params={"q": vendor}, headers={"Accept": "text/html"})
    assert moved.headers["location"].partition("?")[0] == f"/dashboard/installs/person/{found['person_id']}"
    person = pages.json(f"/installs/person/{found['person_id']}")
    asked = pages.api.manage("GET", f"/api/persons/{found['person_id']}").json()
    assert {**person, "data_as_of": 0} == {**asked, "data_as_of": 0}
    event = next(one for one in person["timeline"] if one["kind"] == "session")
    text = pages.text(f"/installs/event/{event['event_id']}")
    assert "INSTALL: why it was attributed" in text
    assert "Credit: the click on" in text
    assert "+clicked_branch_link: true" in text
    document = pages.json(f"/installs/event/{event['event_id']}")
    told = pages.api.manage("GET", f"/api/attribution/{event['event_id']}").json()
    assert {**document, "data_as_of": 0} == {**told, "data_as_of": 0}
    assert pages.rows(f"/installs/event/{event['event_id']}")[0]["chosen"] == "yes"


def test_a_click_is_found_by_its_id(pages: Pages) -> None:
    url = pages.api.created(campaign="clicked")
    pages.click(url)
    link = pages.api.link_id(url)
    pages.wait(lambda: pages.rows(f"/links/{link}")[0]["clicks"] == "1")
    feed = pages.get("").text
    assert url.partition("://")[2] in text_of(feed)

    click = re.findall(r'<li data-id="(\d+)"', feed)[0]
    moved = pages.browser.http.get("/dashboard/installs", params={"q": click}, headers={"Accept": "text/html"})
    assert moved.headers["location"].partition("?")[0] == f"/dashboard/installs/click/{click}"
    text = pages.text(f"/installs/click/{click}")
    assert url in text
    assert "Nobody has been matched to this click" in text


def test_what_nobody_knows_is_said_so(pages: Pages) -> None:
    assert "Nobody has this identifier" in pages.text("/installs", q="no such device")
    response = pages.browser.http.get("/dashboard/installs/person/12345", headers={"Accept": "text/html"})
    assert response.status_code == 404


def test_the_simulator_plays_a_click_and_an_opening(pages: Pages) -> None:
    url = pages.api.created(campaign="played")
    late = pages.post("/installs/simulator", url=url, phone="iPhone, Safari", delay="90000000", opening="install",
                      evidence="click_id", touch="click")  # fmt: skip
    assert "delay" in text_of(late.text)
    played = pages.post("/installs/simulator", url=url, phone="iPhone, Safari", delay="60", opening="install",
                        evidence="click_id", touch="click")  # fmt: skip
    text = text_of(played.text)
    assert "INSTALL: this person was never seen in the app before." in text
    assert "Credit: the click on" in text
    old = pages.post("/installs/simulator", url=url, phone="iPhone, Safari", delay=str(8 * 86400), opening="install",
                     evidence="click_id", touch="click")  # fmt: skip
    assert "Nearest miss:" in text_of(old.text)


def test_the_feed_sends_what_happens_from_any_place_on(pages: Pages) -> None:
    url = pages.api.created(campaign="live")
    with pages.browser.http.stream("GET", "/dashboard/feed") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        pages.click(f"{url}?x=<script>")
        sent: list[str] = []
        for line in lines:
            sent.append(line)
            if line == "" and any("</li>" in one for one in sent):
                break
    text = "\n".join(sent)
    assert "event: row" in text
    assert url.partition("://")[2] in text
    assert "<script>" not in text
