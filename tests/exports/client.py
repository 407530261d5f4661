"""A client of the exports of a running bough: ask, wait, fetch; and the imports that feed them."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from bough.accounts.creation import CreatedApp, NewApp, create_app
from bough.accounts.model import AppConfig
from tests.apps import store_of
from tests.running import Running, wait_until

ZONES = ("America/New_York", "Asia/Tokyo", "Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata")


def zone_at_noon() -> str:
    """A time zone in which midnight is far away, so that no test meets a change of the day."""
    return min(ZONES, key=lambda name: abs(datetime.now(ZoneInfo(name)).hour - 12))


def today_in(zone: str) -> date:
    """The local date."""
    return datetime.now(ZoneInfo(zone)).date()


def noon(zone: str, day: date, *, minutes: int = 0) -> int:
    """Epoch milliseconds of 12:00 local time of a day, and some minutes."""
    at = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)) + timedelta(minutes=minutes)
    return int(at.astimezone(UTC).timestamp() * 1000)


class Exports:
    """Acts for one app of a running bough with one token."""

    def __init__(self, running: Running, app: CreatedApp | None = None, *, zone: str = "UTC") -> None:
        self.running = running
        self.app_id = app.app_id if app is not None else running.card["app_id"]
        self.organization_id = app.organization_id if app is not None else running.card["organization_id"]
        self.token = app.access_token if app is not None and app.access_token else running.card["access_token"]
        self.zone = zone
        self.today = today_in(zone)
        self.http = httpx.Client(base_url=running.base_url, timeout=60, verify=False, trust_env=False)

    def day(self, ago: int) -> str:
        """The local date so many days ago."""
        return (self.today - timedelta(days=ago)).isoformat()

    def at(self, ago: int, minutes: int = 0) -> int:
        """Noon of the local day so many days ago, and some minutes."""
        return noon(self.zone, self.today - timedelta(days=ago), minutes=minutes)

    def body(self, **fields: Any) -> dict[str, Any]:
        """A small request that is good."""
        return {
            "start_date": self.day(3),
            "end_date": self.day(2),
            "data_source": "install_cohort",
            "measures": ["OPEN"],
            "granularity_band_count": 5,
            **fields,
        }

    def post(
        self,
        body: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        /,
        **query: str,
    ) -> httpx.Response:
        """POST /v2/analytics for the app."""
        params = {"app_id": self.app_id, **query}
        sent = {"Access-Token": self.token, **(headers or {})}
        return self.http.post("/v2/analytics", params=params, json=dict(body), headers=sent)

    def job(self, body: Mapping[str, Any], **query: str) -> str:
        """The id of a job that must be accepted."""
        answer = self.post(body, None, **query)
        assert answer.status_code == 200, answer.text
        identifier: str = answer.json()["job_id"]
        return identifier

    def status(self, job: str, **query: str) -> httpx.Response:
        """GET /v2/analytics/{job}."""
        return self.http.get(f"/v2/analytics/{job}", params=query, headers={"Access-Token": self.token})

    def ended(self, job: str) -> dict[str, Any]:
        """The status document once the job has ended."""
        wait_until(lambda: self.status(job).json()["status"] in ("FINISHED", "ERROR"), 60)
        document: dict[str, Any] = self.status(job).json()
        return document

    def file(self, body: Mapping[str, Any], **query: str) -> bytes:
        """The file of a request, by job, status and signed address."""
        document = self.ended(self.job(body, **query))
        assert document["status"] == "FINISHED", document
        answer = self.http.get(document["response_url"])
        assert answer.status_code == 200, answer.text
        return answer.content

    def waited(self, body: Mapping[str, Any], **query: str) -> bytes:
        """The file of a request in one round trip."""
        answer = self.post(body, {"Prefer": "wait=60"}, **query)
        assert answer.status_code == 200, answer.text
        assert answer.headers["preference-applied"] == "wait"
        return answer.content

    def import_events(self, *files: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """`bough import events` beside the running server."""
        return bough(self.running, "import", "events", *map(str, files), "--app", self.app_id, code=code)

    def import_costs(self, *files: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """`bough import costs` beside the running server."""
        return bough(self.running, "import", "costs", *map(str, files), "--app", self.app_id, code=code)


def app_in(running: Running, zone: str, **config: Any) -> Exports:
    """A client of a new app in a time zone, of the server's organization, with these settings."""
    store = store_of(running)
    try:
        app = create_app(
            store,
            NewApp(name=f"In {zone}", timezone=zone, base_url=running.base_url, config=AppConfig(**config)),
        )
    finally:
        store.close()
    return Exports(running, app, zone=zone)


def bough(running: Running, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command line on a server's data folder; it must end with `code`."""
    command = [sys.executable, "-m", "bough.cli", *arguments, "--data", str(running.folder)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BOUGH_")} | running.environment
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def write_csv(path: Path, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Path:
    """A CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def read_csv(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(content.decode())))
