"""The API over a running server: clicks, installs and events through HTTP, and what attribution says about them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conftest import Api
from tests.running import wait_until

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Mobile/15E148 Safari/604.1"
)


class Phone:
    """An iPhone with the SDK, at an address of its own."""

    def __init__(self, api: Api, vendor: str, ip: str) -> None:
        self.api = api
        self.headers = {"X-Forwarded-For": ip}
        self.body: dict[str, Any] = {
            "branch_key": api.key,
            "sdk": "ios3.14.0",
            "os": "iOS",
            "os_version": "17.4",
            "model": "iPhone15,2",
            "brand": "Apple",
            "country": "DE",
            "hardware_id": vendor,
            "hardware_id_type": "vendor_id",
            "is_hardware_id_real": True,
            "ios_vendor_id": vendor,
        }
        self.vendor = vendor

    def click(self, url: str) -> None:
        self.api.http.cookies.clear()  # another browser each time
        answer = self.api.http.get(url, headers={"User-Agent": IPHONE, **self.headers}, follow_redirects=False)
        assert answer.status_code in (200, 307), answer.text

    def open(self, kind: str = "install", **fields: Any) -> dict[str, Any]:
        answer = self.api.http.post(f"/v1/{kind}", json={**self.body, **fields}, headers=self.headers)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        self.body["randomized_bundle_token"] = told["randomized_bundle_token"]
        self.body["randomized_device_token"] = told["randomized_device_token"]
        return told

    def buy(self, **fields: Any) -> None:
        user = {"os": "iOS", "idfv": self.vendor, "country": "DE"}
        body = {"branch_key": self.api.key, "name": "PURCHASE", "user_data": user, **fields}
        answer = self.api.http.post("/v2/event/standard", json=body, headers=self.headers)
        assert answer.status_code == 200, answer.text


def token(api: Api) -> dict[str, str]:
    return {"Access-Token": api.card["access_token"]}


def get(api: Api, path: str, **query: str) -> httpx.Response:
    return api.http.get(path, params=query, headers=token(api))


def find(api: Api, **query: str) -> list[dict[str, Any]]:
    answer = get(api, "/api/persons", **query)
    assert answer.status_code == 200, answer.text
    persons: list[dict[str, Any]] = answer.json()["persons"]
    return persons


def timeline(api: Api, person: str, length: int) -> list[dict[str, Any]]:
    """The person's page once it has so many entries."""
    pages: list[dict[str, Any]] = []

    def complete() -> bool:
        pages.append(get(api, f"/api/persons/{person}").json())
        return len(pages[-1].get("timeline", ())) >= length

    wait_until(complete, context=lambda: str(pages[-1:]))
    entries: list[dict[str, Any]] = pages[-1]["timeline"]
    return entries


def test_a_click_an_install_and_a_purchase_are_one_story(api: Api) -> None:
    vendor = "11111111-AAAA-4AAA-8AAA-00000000A001"
    phone = Phone(api, vendor, "203.0.113.61")
    url = api.created(campaign="spring", channel="mail", data={"product": "1"})
    phone.click(url)
    phone.open()
    rates = {"rates": [{"date": "2020-01-02", "currency": "CHF", "usd_rate": "1.03"}]}
    assert api.http.post("/api/rates", json=rates, headers=token(api)).status_code == 200
    again = api.http.post("/api/rates", json=rates["rates"], headers=token(api))
    assert again.json() == {"added": 0, "unchanged": 1, "replaced": 0, "refused": []}
    phone.buy(event_data={"revenue": 19.99, "currency": "USD", "transaction_id": "a-1"})
    phone.buy(event_data={"revenue": 19.99, "currency": "USD", "transaction_id": "a-1"})
    phone.buy(event_data={"revenue": 5, "currency": "CHF", "transaction_id": "a-2"})

    wait_until(lambda: find(api, device=vendor))
    (person,) = find(api, device=vendor)
    click, install, purchase, retry, francs = timeline(api, person["person_id"], 5)
    assert (click["kind"], click["type"], click["data"]["~campaign"]) == ("touch", "CLICK", "spring")
    assert (install["name"], install["last_attributed_touch_id"]) == ("INSTALL", click["touch_id"])
    assert install["user_data"] == {
        "os": "IOS",
        "platform": "IOS_APP",
        "environment": "FULL_APP",
        "geo_country_code": "DE",
        "geo_country_en": "Germany",
        "brand": "Apple",
        "model": "iPhone15,2",
        "device_type": "IOS_PHONE",
    }
    assert (purchase["revenue"], purchase["revenue_micro_usd"]) == ("19.99", 19_990_000)
    assert (retry["counted"], retry["duplicate_of"]) == (False, purchase["event_id"])
    assert (francs["revenue_micro_usd"], francs["missing_rate_day"] is not None) == (None, True)

    story = get(api, f"/api/attribution/{install['event_id']}").json()
    assert story["deep_link"]["product"] == "1"
    assert story["explanation"]["summary"].startswith("INSTALL: this person was never seen in the app before.")
    (candidate,) = story["explanation"]["deep_link"]
    assert (candidate["touch"], candidate["verdict"], candidate["rule"]) == (
        click["touch_id"],
        "taken",
        "probabilistic",
    )
    assert story["data_as_of"].endswith("Z")


def test_two_equal_clicks_are_told_as_ambiguous(api: Api) -> None:
    vendor = "11111111-AAAA-4AAA-8AAA-00000000A002"
    phone = Phone(api, vendor, "203.0.113.62")
    phone.click(api.created(campaign="one"))
    phone.click(api.created(campaign="two"))
    assert phone.open()["data"] == '{"+clicked_branch_link":false,"+is_first_session":true}'
    wait_until(lambda: find(api, device=vendor))
    (install,) = timeline(api, find(api, device=vendor)[0]["person_id"], 1)
    told = get(api, f"/api/attribution/{install['event_id']}").json()["explanation"]
    assert [line["verdict"] for line in told["deep_link"]] == ["ambiguous", "ambiguous"]
    assert "equally likely" in told["summary"]


def test_a_timeline_names_no_click_where_none_was_named(api: Api) -> None:
    vendor = "11111111-AAAA-4AAA-8AAA-00000000A005"
    phone = Phone(api, vendor, "203.0.113.65")
    phone.open()
    phone.open("open")
    wait_until(lambda: find(api, device=vendor))
    install, later = timeline(api, find(api, device=vendor)[0]["person_id"], 2)
    assert install["summary"] == (
        "INSTALL: this person was never seen in the app before. Organic: this person has no touch. "
        "Link data: none; no click fits."
    )
    assert later["summary"] == (
        "OPEN: a session of an app that was already installed. Organic: this person has no touch. "
        "Link data: none; the request names no link, and only a first open is matched by network address."
    )


def test_persons_join_by_identity_and_tell_it(api: Api) -> None:
    first, second = "11111111-AAAA-4AAA-8AAA-00000000A003", "11111111-AAAA-4AAA-8AAA-00000000A004"
    one, other = Phone(api, first, "203.0.113.63"), Phone(api, second, "203.0.113.64")
    one.open(identity="cara")
    other.open()
    wait_until(lambda: find(api, device=first) and find(api, device=second))
    assert find(api, device=first) != find(api, device=second)
    former = find(api, device=second)[0]["person_id"]
    other.open("open", identity="cara")
    wait_until(lambda: find(api, device=first) == find(api, device=second))
    (person,) = find(api, identity="cara")
    page = get(api, f"/api/persons/{person['person_id']}").json()
    assert page["merged_from"] == [former]
    tokens = [one.body[name] for one in (one, other) for name in ("randomized_bundle_token", "randomized_device_token")]
    for named in ("cara", first, second.lower(), *tokens):
        assert get(api, f"/api/persons/{named}").json()["person_id"] == person["person_id"]
    assert get(api, f"/api/persons/{former}").json()["person_id"] == person["person_id"]
    assert [entry["name"] for entry in page["timeline"]] == ["INSTALL", "REINSTALL", "OPEN"]


def test_others_and_nobody_see_nothing(api: Api) -> None:
    missing = {"error": {"code": 404, "message": "The resource you were looking for could not be found."}}
    for path in (
        "/api/attribution/1",
        "/api/persons/1",
        "/api/attribution/x",
        "/api/persons/nobody",
        "/api/persons/99999999999999999999",
    ):
        answer = get(api, path)
        assert (answer.status_code, answer.json()) == (404, missing)
        assert api.http.get(path).json() == {"error": {"code": 400, "message": "Authentication failed !"}}
    assert get(api, "/api/persons").status_code == 400
    assert get(api, "/api/persons", identity="a", aaid="b").status_code == 400


@pytest.mark.parametrize(
    ("seconds", "data", "credit"), [(60, True, "CLICK"), (3 * 3600 + 720, False, "CLICK"), (8 * 86_400, False, None)]
)
def test_simulate_tells_what_a_delay_changes(api: Api, seconds: int, data: bool, credit: str | None) -> None:
    url = api.created(campaign="sim")
    body = {
        "url": url,
        "delay": seconds,
        "click": {"user_agent": IPHONE, "ip": "198.51.100.7"},
        "open": {
            "ip": "198.51.100.7",
            "body": {"sdk": "ios3.14.0", "os": "iOS", "link_click_id": "CLICK_ID", "idfv": "A-1"},
        },
    }
    answer = api.http.post("/api/simulate", json=body, headers=token(api))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["last_attributed_touch_type"] == credit
    assert told["deep_link"]["+clicked_branch_link"] is data
    if seconds == 3 * 3600 + 720:
        assert "still inside the 7-day install window" in told["explanation"]["summary"]
