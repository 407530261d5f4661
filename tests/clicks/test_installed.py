"""A visitor whose device has opened the app before is known to have it (docs/clicks.md)."""

from __future__ import annotations

import uuid

from tests.conftest import Api

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Mobile/15E148 Safari/604.1"
)


def test_a_browser_whose_device_opened_the_app_is_sent_to_the_has_app_url(api: Api) -> None:
    url = api.created(data={"$ios_url": "https://example.com/get", "$ios_has_app_url": "https://example.com/open"})
    path = url.removeprefix(api.running.base_url)
    first = api.http.get(path, headers={"User-Agent": IPHONE})
    assert first.headers["location"].startswith("https://example.com/get")
    cookie = first.headers["set-cookie"].partition(";")[0]
    assert (
        api.http.get(path, headers={"User-Agent": IPHONE, "Cookie": cookie})
        .headers["location"]
        .startswith("https://example.com/get")
    )
    opened = api.http.post(
        "/v1/install",
        json={
            "branch_key": api.key,
            "sdk": "ios3.14.0",
            "os": "iOS",
            "hardware_id": str(uuid.uuid4()),
            "hardware_id_type": "vendor_id",
            "link_identifier": cookie.removeprefix("_s="),
        },
    )
    assert opened.json()["link_click_id"]
    for _ in range(3):  # both ways to answer, on both workers
        again = api.http.get(path, headers={"User-Agent": IPHONE, "Cookie": cookie})
        assert again.headers["location"].startswith("https://example.com/open")
