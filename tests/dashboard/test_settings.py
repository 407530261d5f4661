"""Settings: what the forms save is what the API says; checks explain; tokens are shown once."""

from __future__ import annotations

import re

import pytest

from bough.accounts.operations import CONFIG
from bough.dashboard.settings_app import body_of, group_of, shown
from bough.dashboard.settings_sdk import snippets
from bough.dashboard.settings_team import filters_of, filters_text
from tests.accounts.malformed import MALFORMED, Malformed
from tests.dashboard.pages import Pages, text_of
from tests.running import wait_until


def test_every_field_of_the_configuration_is_in_the_form() -> None:
    assert [one.name for one in CONFIG if group_of(one) is None] == ["attribution_windows"]


def test_a_form_that_is_sent_back_unchanged_changes_nothing(pages: Pages) -> None:
    before = pages.json("/settings")
    fields = {f"c:{one.name}": shown(before.get(one.name, one.default or "")) for one in CONFIG
              if one.name != "attribution_windows" and one.name in before}  # fmt: skip
    assert pages.post("/settings", app_name=before["app_name"], timezone="UTC", **fields).status_code == 303
    assert pages.json("/settings") == before


def test_settings_are_saved_and_checked(pages: Pages) -> None:
    fields = {
        "c:og_title": "Bough <Books>",
        "c:redirect_allowlist": "example.com\n*.example.org\n",
        "w:click_install": "3",
        "c:expiry_days": "380",
        "c:append_match_params": "false",
    }
    assert pages.post("/settings", **fields).status_code == 303
    document = pages.json("/settings")
    assert document["og_title"] == "Bough <Books>"
    assert document["redirect_allowlist"] == ["example.com", "*.example.org"]
    assert document["append_match_params"] is False
    assert float(document["attribution_windows"]["click_install"]) == 3
    refused = pages.post("/settings", **{"c:ios_url": "javascript:alert(1)"})
    assert refused.status_code == 400
    assert "ios_url" in text_of(refused.text)
    entry = pages.json("/settings/audit")["entries"][0]
    assert (entry["action"], entry["actor"]) == ("app.change", "owner")
    empty = {"c:og_title": "", "c:redirect_allowlist": "", "w:click_install": "", "c:expiry_days": "0",
             "c:append_match_params": "true"}  # fmt: skip
    pages.post("/settings", **empty)
    assert "redirect_allowlist" not in {k for k, v in pages.json("/settings").items() if v}


def test_only_what_a_form_holds_is_changed() -> None:
    assert body_of({"csrf": "x"}) == {}
    assert body_of({"c:rate_limits": '{"create": [1, 2, 3]}'}) == {"rate_limits": {"create": [1, 2, 3]}}


def test_a_domain_is_added_checked_and_removed(pages: Pages) -> None:
    assert pages.post("/settings/domains", host="go.example.test", kind="custom", scheme="https").status_code == 303
    assert "go.example.test" in [row["host"] for row in pages.rows("/settings/domains")]
    own = pages.rows("/settings/domains")[0]["host"]
    found = {row["name"]: row["ok"] for row in pages.rows("/settings/domains/check", host=own)}
    assert found["DNS"] == "yes"
    assert {"TLS", "AASA", "assetlinks"} <= set(found)
    text = pages.text("/settings/domains/check", host=own)
    assert "switch universal links on" in text
    assert pages.post("/settings/domains/remove", host="go.example.test", prefix="").status_code == 303
    assert "go.example.test" not in [row["host"] for row in pages.rows("/settings/domains")]


def test_snippets_hold_this_apps_key_and_this_server(pages: Pages) -> None:
    page = pages.text("/settings/sdk")
    assert pages.api.key in page
    assert f'Branch.setAPIUrl("{pages.api.running.base_url}")' in page
    for one in snippets("key_live_x", "https://go.example.com", ["go.example.com"]):
        assert "key_live_x" in one.text or "go.example.com" in one.text


def test_costs_and_rates_are_taken_all_or_none(pages: Pages) -> None:
    bad = pages.post("/settings/money/costs", csv="date,cost,currency\n2026-03-01,10,EUR\n2026-03-02,ten,EUR\n")
    assert "line 3" in text_of(bad.text)
    good = pages.post("/settings/money/costs", csv="date,cost,tilde_campaign\n2026-03-01,10.50,spring\n")
    assert "1 costs stored" in text_of(good.text)
    assert pages.rows("/settings/money")[0]["cost"] == "10.50"
    rates = pages.post("/settings/money/rates", csv="date,currency,usd_rate\n2026-03-01,EUR,1.08\n")
    assert "1 rates added" in text_of(rates.text)
    assert {"date": "2026-03-01", "currency": "EUR", "usd_rate": "1.08"} in pages.rows("/settings/money", table="rates")


def test_filters_as_lines() -> None:
    text = "touch_data_tilde_campaign = spring | summer\ndata_os = iOS | "
    assert filters_of(text) == {"touch_data_tilde_campaign": ["spring", "summer"], "data_os": ["iOS", None]}
    assert filters_of(filters_text(filters_of(text))) == filters_of(text)


def test_a_member_of_an_agency_is_added_with_data_filters(pages: Pages) -> None:
    assert pages.post("/settings/team/agencies", name="Reach <b>", tag="reach").status_code == 303
    agency = pages.json("/settings/team", table="agencies")["agencies"][0]
    response = pages.post(
        "/settings/team/users", email="ann@reach.example", name="Ann", agency_id=agency["agency_id"],
        permission=["aggregate_data", "export"], filters="touch_data_tilde_campaign = spring",
    )  # fmt: skip
    assert response.status_code == 303, text_of(response.text)
    user = next(one for one in pages.json("/settings/team")["users"] if one["email"] == "ann@reach.example")
    assert user["filters"] == {"touch_data_tilde_campaign": ["spring"]}
    assert user["agency_id"] == agency["agency_id"]
    bad = pages.post("/settings/team/users", user_id=user["user_id"], filters="nonsense = x")
    assert "nonsense" in text_of(bad.text)


def test_a_token_is_shown_once_and_can_be_revoked(pages: Pages) -> None:
    made = pages.post("/settings/tokens", name="scripts", scope=["links"])
    token = re.findall(r'data-copy="(api_[^"]*)"', made.text)[0]
    headers = {"Access-Token": token}
    assert pages.api.http.get("/api/links", headers=headers).status_code == 200
    assert token not in pages.get("/settings/tokens").text
    identifier = next(one["token_id"] for one in pages.json("/settings/tokens")["tokens"] if one["name"] == "scripts")
    assert pages.post("/settings/tokens", revoke=identifier).status_code == 200
    pages.wait(lambda: pages.api.http.get("/api/links", headers=headers).status_code == 400)


def test_a_permanent_token_is_made_anew(pages: Pages) -> None:
    added = pages.api.manage("POST", "/api/users", json={"email": "robot@example.org", "permissions": ["links"]}).json()
    old = pages.api.manage("POST", f"/api/users/{added['user_id']}/token").json()["access_token"]
    made = pages.post("/settings/tokens", reset=added["user_id"])
    (new,) = re.findall(r'data-copy="(api_[^"]*)"', made.text)

    def answers(token: str) -> int:
        return pages.api.http.get("/api/links", headers={"Access-Token": token}).status_code

    assert answers(new) == 200
    pages.wait(lambda: answers(old) == 400)


def test_health_says_how_far_each_part_is(pages: Pages) -> None:
    wait_until(
        lambda: all(row["state"] != "behind" for row in pages.rows("/settings/health")),
        20,
        lambda: str(pages.rows("/settings/health")),
    )
    assert {row["part"] for row in pages.rows("/settings/health")} >= {"Attribution", "Kept counts by day"}


@pytest.mark.parametrize("case", [MALFORMED[0], MALFORMED[3], *MALFORMED[9:60:9]], ids=lambda case: case.field)
def test_a_page_says_why_a_value_cannot_work_and_saves_nothing(pages: Pages, case: Malformed) -> None:
    before = pages.json("/settings")
    value = "\n".join(case.value) if isinstance(case.value, list) else case.value
    refused = pages.post("/settings", **{"c:og_title": "not stored", f"c:{case.field}": value})
    assert (refused.status_code, f"{case.field}: {case.why}" in text_of(refused.text)) == (400, True)
    assert pages.json("/settings") == before


@pytest.mark.parametrize("host", ["https://go.example.com", "go.example.com/path", "go..example.com"])
def test_a_page_refuses_what_is_no_link_domain(pages: Pages, host: str) -> None:
    before = pages.rows("/settings/domains")
    refused = pages.post("/settings/domains", host=host, kind="custom", scheme="https")
    assert refused.status_code == 400
    assert f"domain: {host!r} is no host name such as go.example.com." in text_of(refused.text)
    assert pages.rows("/settings/domains") == before
