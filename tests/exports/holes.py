"""A tenant on a running server, as tests of what one can do to all others need it."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from bough.accounts.creation import NewApp, create_app
from bough.store.journal import NewRow, append_batch
from tests.apps import store_of
from tests.exports.client import Exports, read_csv
from tests.running import Running, wait_until

CAMPAIGN = "install_activity_touch_data_tilde_campaign"
PERSON = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"
    " Version/17.0 Mobile/15E148 Safari/604.1"
)


class Tenant(Exports):
    """A client of a new app that also speaks for its users."""

    def __init__(self, running: Running) -> None:
        store = store_of(running)
        try:
            app = create_app(store, NewApp(name="Tenant", base_url=running.base_url))
        finally:
            store.close()
        super().__init__(running, app)
        self.stored = ""
        """The address of a link that tests have made."""
        self.key = app.branch_key

    def link(self, **fields: Any) -> str:
        """A new link's address."""
        answer = self.http.post("/v1/url", json={"branch_key": self.key, **fields})
        assert answer.status_code == 200, answer.text
        url: str = answer.json()["url"]
        return url

    def click(self, address: str) -> httpx.Response:
        """A person follows an address."""
        return self.http.get(address, headers={"User-Agent": PERSON})

    def install(self, who: str, **fields: Any) -> None:
        """Somebody installs the app."""
        body = {
            "branch_key": self.key,
            "identity": who,
            "hardware_id": f"device of {who}",
            "os": "iOS",
            "update": 0,
            "first_install_time": 1,
            "latest_install_time": 1,
            "latest_update_time": 1,
            **fields,
        }
        answer = self.http.post("/v1/install", json=body)
        assert answer.status_code == 200, answer.text

    def event(self, name: str, who: str, **data: Any) -> httpx.Response:
        """An event of somebody, from a server."""
        body = {"branch_key": self.key, "name": name, "user_data": {"developer_identity": who}, "event_data": data}
        return self.http.post("/v2/event/standard", json=body)

    def below(self, kind: Any, body: str, link: int | None = None) -> int:
        """A row of this app's that no edge has seen; its id."""
        store = store_of(self.running)
        try:
            return int(store.transact(append_batch, NewRow(0, int(self.app_id), 0, kind, link, body)))
        finally:
            store.close()

    def measured(self, measure: str, *dimensions: str) -> dict[str, str]:
        """A measure of today's installs by the first dimension, or of everything under the empty name."""
        body = self.body(
            start_date=self.day(0), end_date=self.day(0), measures=[measure], granularity_band_count=1,
            dimensions=list(dimensions), fresh=True,
        )  # fmt: skip
        rows = read_csv(self.waited(body))
        return {row.get(dimensions[0], "") if dimensions else "": row["day0"] for row in rows}

    def costs(self, *costs: dict[str, Any]) -> httpx.Response:
        """POST /api/costs."""
        body = {"app_id": self.app_id, "costs": list(costs)}
        return self.http.post("/api/costs", json=body, headers={"Access-Token": self.token})

    def lives(self) -> None:
        """A purchase of now arrives in an export of now."""
        who = f"somebody {msgspec.json.encode(self.http.base_url.port).decode()} {id(self)}"
        self.install(who)
        assert self.event("PURCHASE", who, revenue=2.5).status_code == 200
        wait_until(lambda: self.measured("revenue").get("") == "2.50", 40, lambda: str(self.measured("revenue")))


def ready(running: Running) -> dict[str, Any]:
    """GET /readyz."""
    answer = httpx.get(f"{running.base_url}/readyz", trust_env=False)
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document
