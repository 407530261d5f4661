"""The whole loop: a link is clicked, an app installs and buys, and the export counts it under the link's campaign."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from tests.conftest import Api
from tests.running import wait_until

PHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Mobile Safari/537.36"
)


def test_a_click_an_install_and_a_purchase_are_counted_under_the_campaign(api: Api) -> None:
    campaign = f"campaign {uuid.uuid4()}"
    url = api.created(campaign=campaign, channel="ads", data={"$android_url": "https://example.com/app"})
    address = "203.0.113.77"
    clicked = api.http.get(
        url.removeprefix(api.running.base_url), headers={"User-Agent": PHONE, "X-Forwarded-For": address}
    )
    assert clicked.status_code == 307
    device = uuid.uuid4().hex[:16]
    installed = api.http.post(
        "/v1/install",
        headers={"X-Forwarded-For": address},
        json={
            "branch_key": api.key,
            "sdk": "android5.21.2",
            "os": "Android",
            "os_version": 34,
            "os_version_android": "14",
            "model": "Pixel 8",
            "country": "DE",
            "hardware_id": device,
            "is_hardware_id_real": True,
        },
    )
    assert campaign in installed.json()["data"]
    bought = api.http.post(
        "/v2/event/standard",
        json={
            "branch_key": api.key,
            "name": "PURCHASE",
            "user_data": {"os": "Android", "android_id": device},
            "event_data": {"revenue": 19.99, "currency": "USD", "transaction_id": "t1"},
        },
    )
    assert bought.status_code == 200
    lines: list[str] = []

    def counted() -> bool:
        lines[:] = _export(api, campaign).splitlines()
        return len(lines) == 4 and lines[2].startswith("PURCHASE,total_count,false,false,1,,DE,1")

    wait_until(counted, 60, lambda: "\n".join(lines))
    assert lines == [
        "measure,metric,per_user,cumulative,users,cost,install_activity_data_country_code,day0,day1",
        "OPEN,total_count,false,false,1,,DE,0,",
        "PURCHASE,total_count,false,false,1,,DE,1,",
        "revenue,revenue,false,false,1,,DE,19.99,",
    ]


def _export(api: Api, campaign: str) -> str:
    today = datetime.now(UTC).date().isoformat()
    response = api.http.post(
        "/v2/analytics",
        params={"app_id": api.card["app_id"], "format": "csv"},
        headers={"Access-Token": api.card["access_token"], "Prefer": "wait=20"},
        json={
            "start_date": today,
            "end_date": today,
            "data_source": "install_cohort",
            "measures": ["OPEN", "PURCHASE", "revenue"],
            "dimensions": ["install_activity_data_country_code"],
            "filters": {"install_activity_touch_data_tilde_campaign": [campaign]},
            "granularity_band_count": 2,
            "fresh": True,
        },
    )
    assert response.status_code == 200, response.text
    return response.text
