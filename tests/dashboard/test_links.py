"""Links: the list is the API's, the editor makes what the API would make, the page counts what happened."""

from __future__ import annotations

import html as escaping
import re
import shlex

import msgspec
import pytest

from bough.dashboard import link_form
from bough.links.control_parameters import CONTROLS, GROUPS
from bough.links.model import Link
from bough.links.parameters import SERVER_KEYS
from bough.links.preview_tags import TAGS
from bough.links.targets import COUNTRY_KEYS, TARGET_KEYS
from tests.dashboard.pages import Pages, text_of

CONTRACT = re.findall(
    r"\S+",
    "$always_deeplink $android_deeplink_path $android_deepview $android_passive_deepview "
    "$android_redirect_timeout $canonical_identifier $click_conversion_window_days $click_install_window_days "
    "$click_session_start_window_days $content_type $custom_meta_tags $custom_sms_text $deeplink_no_attribution "
    "$deeplink_path $desktop_deepview $desktop_web_only $do_not_process $exp_date $ios_deeplink_path "
    "$ios_deepview $ios_nativelink $ios_passive_deepview $ios_redirect_timeout $keywords $locally_indexable "
    "$marketing_title $mobile_web_only $one_time_use $publicly_indexable $uri_redirect_mode $web_only $3p "
    "~campaign_id ~customer_campaign ~creative_name ~creative_id ~ad_set_name ~ad_set_id ~customer_ad_set_name "
    "~ad_name ~ad_id ~customer_ad_name ~keyword ~keyword_id ~customer_keyword ~placement ~placement_id "
    "~customer_placement ~sub_site_name ~customer_sub_site_name ~secondary_publisher "
    "~customer_secondary_publisher ~agency_id ~advertising_partner_name ~quick_link_template_id "
    "~ad_link_template_id ~link_type ~branch_ad_format ~secondary_ad_format",
)
"""Keys that docs/links.md, docs/clicks.md name, besides those of TARGET_KEYS and TAGS."""


def test_the_editor_knows_every_control_parameter() -> None:
    assert [key for key in (*CONTRACT, *TARGET_KEYS, *(row.key for row in TAGS)) if key not in CONTROLS] == []
    assert [key for key in CONTROLS if key in SERVER_KEYS] == []
    countries = [one.key for group in GROUPS for one in group.controls if one.kind == "country_url"]
    assert countries == list(COUNTRY_KEYS)
    keys = [one.key for group in GROUPS for one in group.controls if one.kind != "country_url"]
    assert len(keys) == len(set(keys))


def link(**fields: object) -> Link:
    return Link(id=1, app=1, test=False, domain="go.example.com", path="x", **fields)  # type: ignore[arg-type]


DATA = {
    "$ios_url": "https://example.com/ios",
    "$ios_url_de": "https://example.com/de",
    "$web_only": True,
    "$mobile_web_only": "true",
    "$uri_redirect_mode": 2,
    "$ios_redirect_timeout": "900",
    "$og_image_width": 1200,
    "$custom_meta_tags": '{"a": "b"}',
    "$ios_deepview": "default_template",
    "$canonical_url": ["kept as it is"],
    "product": {"id": 7, "tags": [1, "two", None]},
    "$unknown_key": 1.5,
}


def test_a_form_that_is_sent_back_unchanged_changes_nothing() -> None:
    stored = link(data=DATA, channel="email", tags=("a", "b"))
    fields = link_form.fields_of(stored)
    assert "data" not in link_form.patch_body(fields, stored)
    assert link_form.data_of(fields, stored.data) == stored.data


def test_a_field_that_is_emptied_takes_its_key_away() -> None:
    stored = link(data={"$ios_url": "https://example.com/", "mine": 1})
    fields = {**link_form.fields_of(stored), "d:$ios_url": "", "custom": ""}
    assert link_form.patch_body(fields, stored)["data"] == {"$ios_url": None, "mine": None}


def test_switches_and_numbers_are_typed() -> None:
    fields = {
        "d:$web_only": "true",
        "d:$uri_redirect_mode": "1",
        "d:$ios_redirect_timeout": "500",
        "custom": '{"a": 1}',
        "c:$fallback_url": "de https://example.com/de\nFR https://example.com/fr",
    }
    assert link_form.data_of(fields, {}) == {
        "$web_only": True,
        "$uri_redirect_mode": 1,
        "$ios_redirect_timeout": 500,
        "a": 1,
        "$fallback_url_de": "https://example.com/de",
        "$fallback_url_fr": "https://example.com/fr",
    }


def test_the_list_is_the_apis(pages: Pages) -> None:
    for number in range(3):
        pages.link(campaign="the list", channel=f"c{number}")
    query = {"campaign": "the list", "app_id": pages.api.card["app_id"], "test": "false", "limit": "50"}
    document = pages.api.manage("GET", "/api/links", params=query).json()
    assert pages.json("/links", campaign="the list") == document
    rows = pages.rows("/links", campaign="the list")
    assert [row["id"] for row in rows] == [one["id"] for one in document["links"]]
    assert [row["channel"] for row in rows] == ["c2", "c1", "c0"]


def test_pages_follow_each_other_by_cursor(pages: Pages) -> None:
    ids = [pages.link(campaign="cursor") for _ in range(3)]
    first = pages.json("/links", campaign="cursor", limit=2)
    second = pages.json("/links", campaign="cursor", limit=2, cursor=first["next_cursor"])
    assert [one["id"] for one in first["links"] + second["links"]] == ids[::-1]
    assert second["next_cursor"] is None


def test_an_empty_list_says_what_to_do_next(pages: Pages) -> None:
    assert "Take a filter away" in pages.text("/links", search="there is no such thing")
    assert "Make the first one here" in pages.text("/links", env="test")


def test_a_link_made_in_the_editor_is_what_the_api_reads(pages: Pages) -> None:
    response = pages.post(
        "/links/new", alias="made/here", channel="email", tags="a, b ,", type="2", duration="7200",
        **{"d:$ios_url": "https://example.com/i", "d:$og_title": "Made", "custom": '{"product": [1, true]}'},
    )  # fmt: skip
    assert response.status_code == 303, text_of(response.text)
    document = pages.api.read(f"{pages.api.running.base_url}/made/here").json()
    assert document["data"]["product"] == [1, True]
    assert document["data"]["$ios_url"] == "https://example.com/i"
    assert document["data"]["~creation_source"] == 1
    assert (document["type"], document["tags"], document["channel"]) == (2, ["a", "b"], "email")


def test_a_copy_takes_over_the_look_of_the_qr_code(pages: Pages) -> None:
    look = {"code_color": "#102030", "width": 600}
    source = pages.link(qr_code_settings=look, data={"$ios_url": "https://example.com/i"})
    form = pages.get("/links/new", **{"from": source}).text
    assert "The QR code looks like that of the link it is copied from." in text_of(form)
    found = re.search('name="qr" value="([^"]*)"', form)
    assert found is not None
    body = shlex.split(re.findall("<code>(curl.*?)</code>", escaping.unescape(form), re.DOTALL)[0])[-1]
    assert msgspec.json.decode(body)["qr_code_settings"] == look
    response = pages.post("/links/new", type="0", qr=escaping.unescape(found[1]))
    assert response.status_code == 303, text_of(response.text)
    made = response.headers["location"].rpartition("/")[2].partition("?")[0]
    assert pages.api.manage("GET", f"/api/links/{made}").json()["qr_code_settings"] == look
    plain = pages.get("/links/new", **{"from": made}).text.replace("qr_code_settings", "")
    assert 'name="qr"' in plain
    assert 'name="qr"' not in pages.get("/links/new", **{"from": pages.link()}).text
    refused = pages.post("/links/new", type="0", qr="{")
    assert refused.status_code == 400
    assert "qr_code_settings: not valid JSON" in text_of(refused.text)


def test_what_the_api_would_refuse_is_said_beside_the_form(pages: Pages) -> None:
    response = pages.post("/links/new", alias="a b", type="0", **{"d:$ios_url": "javascript:alert(1)"})
    assert response.status_code == 400
    assert "alias" in text_of(response.text)
    assert 'value="javascript:alert(1)"' in response.text


def test_a_change_keeps_what_the_form_does_not_touch_and_stands_in_the_history(pages: Pages) -> None:
    identifier = pages.link(channel="old", data={"own": {"deep": 1}, "$ios_url": "https://example.com/"})
    fields = {
        "channel": "new",
        "duration": "7200",
        "d:$ios_url": "https://example.com/",
        "custom": '{"own":{"deep":1}}',
    }
    response = pages.post(f"/links/{identifier}/edit", **fields)
    assert response.headers["location"].startswith(f"/dashboard/links/{identifier}?")
    document = pages.json(f"/links/{identifier}")
    assert document == pages.api.manage("GET", f"/api/links/{identifier}").json()
    assert document["channel"] == "new"
    assert document["data"]["own"] == {"deep": 1}
    assert [list(one["changed"]) for one in document["history"]] == [["channel"]]


def test_the_preview_says_where_each_platform_goes_and_why(pages: Pages) -> None:
    fields = {"csrf": pages.csrf, "type": "0", "d:$ios_url": "https://example.com/i", "d:$desktop_url": "https://example.com/d",
              "d:$og_title": "A card"}  # fmt: skip
    response = pages.browser.http.post("/dashboard/links/preview", data=fields, headers={"HX-Request": "true"})
    text = text_of(response.text)
    assert "https://example.com/i" in text
    assert "$ios_url" in text
    assert "https://example.com/d" in text
    assert "A card" in text
    assert "<html" not in response.text


def test_marked_links_are_tagged_changed_and_deleted(pages: Pages) -> None:
    ids = [pages.link(campaign="marked", tags=["kept"]) for _ in range(3)]
    for action, value in (("tag", "more, and"), ("untag", "and")):
        assert pages.post("/links/act", action=action, value=value, link=ids).status_code == 200
    pages.post("/links/act", action="set", field="stage", value="late", link=ids[:2])
    found = {one["id"]: one for one in pages.json("/links", campaign="marked")["links"]}
    assert {one: (found[one]["tags"], found[one]["stage"]) for one in ids} == {
        ids[0]: (["kept", "more"], "late"),
        ids[1]: (["kept", "more"], "late"),
        ids[2]: (["kept", "more"], None),
    }
    text = text_of(pages.post("/links/act", action="delete", link=ids).text)
    assert "3 changed, 0 were so already, 0 failed." in text
    assert pages.json("/links", campaign="marked")["links"] == []


def test_clicks_are_counted_by_day_platform_country_and_referrer(pages: Pages) -> None:
    url = pages.api.created(campaign="counted")
    identifier = pages.api.link_id(url)
    for number in range(3):
        pages.click(url, Referer="https://www.news.example/item?id=1" if number else "")
    pages.wait(lambda: int(pages.rows(f"/links/{identifier}")[0]["clicks"]) == 3)
    assert pages.rows(f"/links/{identifier}", table="platform") == [{"platform": "iOS", "clicks": "3"}]
    assert pages.rows(f"/links/{identifier}", table="referrer") == [
        {"referrer": "news.example", "clicks": "2"},
        {"referrer": "unknown", "clicks": "1"},
    ]
    assert pages.rows(f"/links/{identifier}", table="country") == [{"country": "unknown", "clicks": "3"}]


def test_an_install_is_credited_to_its_link(pages: Pages) -> None:
    url = pages.api.created(campaign="credited")
    identifier = pages.api.link_id(url)
    pages.click(url)
    body = {
        "branch_key": pages.api.key, "sdk": "ios3.14.0", "os": "iOS", "os_version": "17.4.1", "model": "iPhone15,2",
        "brand": "Apple", "hardware_id": "77777777-AAAA-4AAA-8AAA-000000000001", "hardware_id_type": "vendor_id",
        "is_hardware_id_real": True, "ios_vendor_id": "77777777-AAAA-4AAA-8AAA-000000000001",
        "universal_link_url": url,
    }  # fmt: skip
    assert pages.api.http.post("/v1/install", json=body).status_code == 200
    pages.wait(lambda: pages.rows(f"/links/{identifier}", table="events"))
    assert pages.rows(f"/links/{identifier}", table="events") == [{"event": "INSTALL", "count": "1", "revenue": ""}]


def test_a_link_of_another_environment_shows_its_own(pages: Pages) -> None:
    url = pages.api.http.post("/v1/url", json={"branch_key": pages.api.card["test_branch_key"]}).json()["url"]
    listed = pages.api.manage("GET", "/api/links", params={"test": "true"}).json()["links"]
    identifier = next(one["id"] for one in listed if one["url"] == url)
    assert "test environment" in pages.text(f"/links/{identifier}")


@pytest.mark.parametrize("kind", ["png", "svg", "jpeg"])
def test_a_designed_code_can_be_downloaded(pages: Pages, kind: str) -> None:
    identifier = pages.link()
    look = {"code_color": "#123456", "code_pattern": "3", "image_format": kind}
    response = pages.get(f"/links/{identifier}/qr-picture", **look, download="1")
    assert response.headers["content-type"] == {"png": "image/png", "svg": "image/svg+xml", "jpeg": "image/jpeg"}[kind]
    assert response.headers["content-disposition"].startswith("attachment")
    assert "too close" in pages.text(f"/links/{identifier}/qr", code_color="#ffffff")


def test_a_link_is_given_a_look_to_keep(pages: Pages) -> None:
    identifier = pages.link()
    path = f"/links/{identifier}/qr"
    assert "Keep this look" in pages.get(path).text
    kept = pages.post(path, code_color="#123456", width="700", margin="")
    assert kept.status_code == 303
    document = pages.api.manage("GET", f"/api/links/{identifier}").json()
    assert document["qr_code_settings"] == {"code_color": "#123456", "width": 700}
    assert "The link keeps this look." in pages.text(path, kept="1")
    assert 'value="#123456"' in pages.get(path).text
    assert "#123456" in pages.get(f"/links/{identifier}").text
    assert "too close" in pages.post(path, code_color="#ffffff").text
    assert pages.post(path, image_format="png").status_code == 303
    assert pages.api.manage("GET", f"/api/links/{identifier}").json()["qr_code_settings"] is None


def test_a_curl_line_survives_any_value(pages: Pages) -> None:

    name = 'it\'s "$HOME" `id` \\ end'
    identifier = pages.link(campaign=name)
    page = pages.get(f"/links/{identifier}").text

    line = escaping.unescape(re.findall(r'data-copy="(curl[^"]*)"', page)[0])
    words = shlex.split(line)
    assert msgspec.json.decode(words[words.index("-d") + 1])["campaign"] == name
