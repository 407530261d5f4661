"""The demo as it starts: the year can be exported, and the people of today are credited to the links they clicked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from bough.samples.phones import PEOPLE
from tests.running import Running, wait_until


def test_the_demo_shows_a_year_and_people_of_today(tmp_path: Path) -> None:
    running = Running(tmp_path / "data", environment={"BOUGH_RATE_LIMITS": "off"})
    try:
        wait_until(lambda: f"and {PEOPLE} people of today" in running.log.read_text(), 90)
        wait_until(lambda: sum(installs(running, 0).values()) == PEOPLE, 60)
        today = installs(running, 0)
        assert 5 < PEOPLE - today[None] < PEOPLE  # by links, and on their own
        month = installs(running, 30)
        assert sum(month.values()) > 500
        assert {None, "lookalike readers", "brand search"} <= month.keys()
    finally:
        running.stop()


def installs(running: Running, back: int) -> dict[str | None, int]:
    """People by campaign, of the days from `back` days ago to today."""
    today = datetime.now(UTC).date()
    dimension = "install_activity_touch_data_tilde_campaign"
    body = {
        "start_date": (today - timedelta(days=back)).isoformat(),
        "end_date": today.isoformat(),
        "data_source": "install_cohort",
        "measures": ["users"],
        "granularity_band_count": 1,
        "dimensions": [dimension],
        "fresh": True,
    }
    headers = {"Access-Token": running.card["access_token"], "Prefer": "wait=20"}
    query = {"app_id": running.card["app_id"], "format": "json"}
    with httpx.Client(base_url=running.base_url, headers=headers, timeout=30) as client:
        rows = client.post("/v2/analytics", params=query, json=body).raise_for_status().json()
    return {row[dimension]: row["users"] for row in rows}
