"""Every dimension of the seed, filled through the real path (link, click, SDK, event), grouped by and filtered by.

No dimension that a request may name is silently empty: each is asked for by itself, must show the value that was sent,
must find the person when filtered by that value, and must find nobody when filtered by another one.
"""

from __future__ import annotations

import csv
import io
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import netaddr
import pytest
from mmdb_writer import MMDBWriter

from bough.vocabulary.dimensions import DIMENSIONS, TOUCH_COLUMNS, Dimension
from tests.running import Running, wait_until

ADDRESS = "203.0.113.9"
PHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Mobile Safari/537.36"
)
INACTIVE_DAYS = "0.0007"
INACTIVE_SECONDS = 60.5
"""The shortest inactivity that an app can set: a minute, so that a re-engagement can happen within a test."""

PLUS = {
    "plus_referring_domain": "news.example.com",
    "plus_via_features": "ADS,EMAIL",
}


def touch_value(column: str) -> str:
    """What the link says for a touch column."""
    if column in PLUS:
        return PLUS[column]
    return {"tilde_tags": "autumn,sale", "tilde_feature": "email", "dollar_3p": "a_partner"}.get(column, f"a {column}")


def link() -> dict[str, Any]:
    """A link with a value for every touch dimension; the referring domain and the features are found out."""
    data: dict[str, Any] = {"$android_url": "https://example.com/app"}
    labels: dict[str, Any] = {}
    for column, _ in TOUCH_COLUMNS:
        prefix, _, name = column.partition("_")
        if name in ("campaign", "channel", "feature", "stage"):
            labels[name] = touch_value(column)
        elif name == "tags":
            labels["tags"] = ["sale", "autumn"]
        elif prefix == "tilde":
            data[f"~{name}"] = touch_value(column)
        elif prefix == "dollar":
            data[f"${name}"] = touch_value(column)
    return {**labels, "data": data}


USER = {
    "os": "ANDROID",
    "environment": "FULL_APP",
    "platform": "ANDROID_APP",
    "geo_country_code": "DE",
    "geo_country_en": "Germany",
    "geo_region_en": "Bavaria",
    "device_type": "ANDROID_PHONE",
    "brand": "Google",
    "model": "Pixel 8",
}


def expected(dimension: Dimension, app_id: str) -> str:
    """The value that the person's rows must show."""
    installs = dimension.sources == ("install_cohort",)
    fixed = {
        "attributed": "true",
        "touch_type": "CLICK",
        "day": datetime.now(UTC).date().isoformat(),
        "app": app_id,
        "customer_event_alias": "an alias",
        "standard_events": "PURCHASE",
        "custom_events": "level_up",
        "has_clicked_ad": "true",
        "has_clicked_email": "true",
    }
    if dimension.column == "event_name":
        return "INSTALL" if installs else "OPEN"
    if dimension.column == "has_app":
        return "false" if installs and dimension.of_member else "true"
    return fixed.get(dimension.column) or USER.get(dimension.column) or touch_value(dimension.column)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with an address database, in which one person has clicked, installed, bought, left and come back."""
    folder = tmp_path_factory.mktemp("dimensions") / "data"
    folder.mkdir()
    _write_geo(folder / "geo.mmdb")
    running = Running(folder, "--empty", environment={"BOUGH_RATE_LIMITS": "off"})
    with httpx.Client(base_url=running.base_url, timeout=60) as http:
        _play(http, running.card)
    yield running
    running.stop()


def _write_geo(path: Path) -> None:
    writer = MMDBWriter(ip_version=4, database_type="test")
    place = {"country": {"iso_code": "DE"}, "subdivisions": [{"names": {"en": "Bavaria"}}]}
    writer.insert_network(netaddr.IPSet(["203.0.113.0/24"]), place)
    writer.to_db_file(str(path))


def _play(http: httpx.Client, card: dict[str, str]) -> None:
    key = card["branch_key"]
    configured = http.put(
        f"/v1/app/{key}",
        json={
            "branch_secret": card["branch_secret"],
            "attribution_windows": {"reengagement_inactivity": INACTIVE_DAYS},
        },
    )
    assert configured.status_code == 200, configured.text
    created = http.post("/v1/url", json={"branch_key": key, "alias": "all-of-it", **link()})
    assert created.status_code == 200, created.text
    device = uuid.uuid4().hex[:16]
    phone = {
        "branch_key": key,
        "sdk": "android5.21.2",
        "os": "Android",
        "os_version": 34,
        "os_version_android": "14",
        "brand": "Google",
        "model": "Pixel 8",
        "environment": "FULL_APP",
        "hardware_id": device,
        "is_hardware_id_real": True,
    }
    installed = _open(http, "/v1/install", phone)
    phone |= {name: installed[name] for name in ("randomized_bundle_token", "randomized_device_token")}
    _events(http, key, device)
    done = time.monotonic()
    wait_until(lambda: time.monotonic() - done > INACTIVE_SECONDS, 90)
    _open(http, "/v1/open", phone)
    _events(http, key, device)


def _open(http: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Click the link, then open the app with the click's id."""
    clicked = http.get(
        "/all-of-it",
        headers={"User-Agent": PHONE, "X-Forwarded-For": ADDRESS, "Referer": "https://news.example.com/today"},
    )
    assert clicked.status_code == 307, clicked.text
    click = clicked.headers["location"].partition("_branch_match_id=")[2].partition("&")[0]
    opened = http.post(path, json={**body, "link_identifier": click}, headers={"X-Forwarded-For": ADDRESS})
    answer: dict[str, Any] = opened.json()
    assert answer["link_click_id"] == click
    return answer


def _events(http: httpx.Client, key: str, device: str) -> None:
    """A server posts them in the name of the phone."""
    user_data = {
        "ip": ADDRESS,
        "os": "Android",
        "android_id": device,
        "brand": "Google",
        "model": "Pixel 8",
        "environment": "FULL_APP",
    }
    for path, name in (("standard", "PURCHASE"), ("custom", "level_up")):
        sent = http.post(
            f"/v2/event/{path}",
            headers={"X-IP-Override": ADDRESS},
            json={"branch_key": key, "name": name, "user_data": user_data, "customer_event_alias": "an alias"},
        )
        assert sent.status_code == 200, sent.text


class Asker:
    """Asks the running server for exports."""

    def __init__(self, running: Running) -> None:
        self.card = running.card
        self.http = httpx.Client(base_url=running.base_url, timeout=60)

    def rows(self, source: str, **fields: Any) -> list[dict[str, str]]:
        """The rows of an export of today's cohort."""
        today = datetime.now(UTC).date().isoformat()
        response = self.http.post(
            "/v2/analytics",
            params={"app_id": self.card["app_id"], "format": "csv", "limit": "1000"},
            headers={"Access-Token": self.card["access_token"], "Prefer": "wait=30"},
            json={
                "start_date": today,
                "end_date": today,
                "data_source": source,
                "measures": ["level_up"],
                "granularity_band_count": 1,
                "fresh": True,
                **fields,
            },
        )
        assert response.headers["content-type"].startswith("text/csv"), response.text
        return list(csv.DictReader(io.StringIO(response.text)))


@pytest.fixture(scope="module")
def asker(server: Running) -> Iterator[Asker]:
    """Ready when the second purchase can be queried in both cohorts."""
    found = Asker(server)
    wait_until(
        lambda: (
            [row["day0"] for row in found.rows("install_cohort")] == ["2"]
            and [row["day0"] for row in found.rows("reengagement_cohort")] == ["1"]
        ),
        60,
    )
    yield found
    found.http.close()


CASES = [
    (dimension, source)
    for dimension in DIMENSIONS.values()
    for source in dimension.sources
    if dimension.column != "plus_web_format"  # no link may say `+web_format`: only imported events bring one
]


@pytest.mark.parametrize(("dimension", "source"), CASES, ids=[f"{d.name}-{source}" for d, source in CASES])
def test_a_dimension_shows_what_was_sent_and_filters_by_it(asker: Asker, dimension: Dimension, source: str) -> None:
    value = expected(dimension, asker.card["app_id"])
    shown = [row[dimension.name] for row in asker.rows(source, dimensions=[dimension.name])]
    if dimension.of_member:
        assert shown == [value]
    else:
        # A conversion dimension has a row for each kind of event of the person, the opening itself included.
        assert any(value == one or value in one.split(",") for one in shown)
    single = value.split(",")[0]
    kept = asker.rows(source, filters={dimension.name: [single]})
    assert [row["users"] for row in kept] == ["1"]
    assert kept[0]["day0"] != "0"
    left = asker.rows(source, filters={dimension.name: ["no such value"]})
    assert left == [] if dimension.of_member else [row["day0"] for row in left] == ["0"]
