"""Two people who use the same server, everything that one of them leaves behind, and where to look for it."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg

from bough.attribution.stored.tables import NEWEST_ROW, position
from tests.apps import store_of
from tests.conftest import Api
from tests.exports.client import Exports, bough, write_csv
from tests.running import Running, wait_until
from tests.sdk.devices import Android, Iphone

ANNA = "anna.example@example.org"
BERT = "bert.example@example.org"
DIARY = "a secret wish of hers"
ADDRESS = "203.0.113.201"
LOGIN_ADDRESS = "203.0.113.202"
LOGIN_SESSION = "1234567890123456789"

REQUESTS = (
    {"data_source": "install_cohort", "dimensions": ["install_activity_touch_data_tilde_campaign"]},
    {"data_source": "install_cohort", "dimensions": ["install_activity_data_os", "install_activity_data_country_code"]},
    {"data_source": "install_cohort", "dimensions": ["install_activity_data_model"], "unique": True},
    {"data_source": "reengagement_cohort", "dimensions": []},
)
MEASURES = ["OPEN", "PURCHASE", "revenue", "Retention"]


class Scene:
    """A running server on which Anna and Bert were."""

    def __init__(self, running: Running, folder: Path) -> None:
        self.running = running
        self.api = Api(running)
        self.exports = Exports(running)
        self.anna = Android(self.api, ADDRESS)
        self.bert = Iphone(self.api)
        self.secrets: dict[str, str] = {}
        self._live(folder)

    def _live(self, folder: Path) -> None:
        """What happened."""
        url = self.api.created(campaign="spring", channel="mail", identity=ANNA, data={"$desktop_url": "https://e.com"})
        anna, bert = self.anna, self.bert
        clicked = anna.click(url + "?email=anna.by.mail%40example.org&~feature=newsletter")
        cookie = clicked.cookies["_s"]
        anna.start()
        self.log_in(anna, ANNA)
        anna.kept["identity"] = ANNA
        anna.start()
        anna.event(
            "PURCHASE",
            event_data={
                "revenue": 12.34,
                "currency": "USD",
                "transaction_id": "order-of-anna-77",
                "description": DIARY,
            },
            custom_data={"diary": DIARY, "email": ANNA},
        )
        anna.click(url, Cookie=f"_s={cookie}")
        anna.start()
        bert.click(url)
        bert.start()
        bert.event("PURCHASE", event_data={"revenue": 5, "currency": "USD"}, custom_data={"friend": f"knows {ANNA}"})
        # Bert borrows Anna's telephone and takes it home.
        anna.ip, anna.kept["identity"] = bert.ip, BERT
        anna.event("VIEW_ITEM", custom_data={"whose": "bert"})
        anna.ip, anna.kept["identity"] = ADDRESS, ANNA
        self.imported = {"identity": "anna-at-the-old-shop", "aaid": anna.aaid}
        columns = ("id", "name", "timestamp", "user_data_developer_identity", "user_data_aaid", "user_data_os")
        day = self.exports.at(1)
        write = write_csv(
            folder / "old.csv",
            columns,
            [
                ("old-1", "INSTALL", day, self.imported["identity"], anna.aaid, "ANDROID"),
                ("old-2", "OPEN", day + 1000, self.imported["identity"], "", "ANDROID"),
                ("old-3", "INSTALL", day, "bert-at-the-old-shop", "", "IOS"),
            ],
        )
        self.exports.import_events(write)
        self.secrets = {
            "identity": ANNA,
            "imported identity": self.imported["identity"],
            "aaid": anna.aaid,
            "hardware": anna.android_id,
            "bundle": anna.kept["randomized_bundle_token"],
            "device": anna.kept["randomized_device_token"],
            "session": anna.kept["session_id"],
            "cookie": cookie,
            "anon": anna.device()["anon_id"],
            "address": ADDRESS,
            "login address": LOGIN_ADDRESS,
            "login session": LOGIN_SESSION,
            "diary": DIARY,
            "order": "order-of-anna-77",
            "mail": "anna.by.mail",
            "requests": anna.sent[0][1]["branch_sdk_request_unique_id"],
        }
        self.settle()

    def log_in(self, phone: Android | Iphone, identity: str) -> None:
        """As older SDKs do: a request that says nothing but who somebody is."""
        tokens = {name: phone.kept[name] for name in ("randomized_bundle_token", "randomized_device_token")}
        body = {"branch_key": self.api.key, "identity": identity, "session_id": LOGIN_SESSION, **tokens}
        headers = {"X-Forwarded-For": LOGIN_ADDRESS}
        assert self.api.http.post("/v1/profile", json=body, headers=headers).status_code == 200

    def settle(self) -> None:
        """Wait until everything is attributed and ingested."""
        store = store_of(self.running)
        try:
            newest = store.rows(NEWEST_ROW)[0][0]
            wait_until(lambda: position(store) >= newest, 60)
        finally:
            store.close()
        self.totals()

    def totals(self) -> list[str]:
        """What all kinds of exports say."""
        found = []
        for fields in REQUESTS:
            body = self.exports.body(
                start_date=self.exports.day(2), end_date=self.exports.day(0), measures=MEASURES, fresh=True, **fields
            )
            text = self.exports.waited(body, format="csv").decode()
            found.append("\n".join(sorted(text.splitlines())))
        return found

    def left(self) -> list[str]:
        """Which of Anna's secrets can be found, and where: in any byte of the data folder, or of the database."""
        texts = {path.name: path.read_bytes() for path in self.running.folder.rglob("*") if path.is_file()}
        texts.pop("demo.json", None)
        if address := self.running.environment.get("BOUGH_STORE"):
            texts |= _tables(address)
        return [
            f"{name} in {place}"
            for name, value in self.secrets.items()
            for place, content in texts.items()
            if value.lower().encode() in content.lower()
        ]

    def erase(self, *options: str) -> str:
        """`bough persons erase`."""
        return bough(self.running, "persons", "erase", *(options or ("--identity", ANNA))).stdout

    def audit(self) -> list[tuple[str, str]]:
        """Actions of the log about persons, and what they tell."""
        store = store_of(self.running)
        try:
            rows = store.rows("SELECT action, details FROM audit WHERE substr(action, 1, 7) = 'person.' ORDER BY id")
            return [(action, json.loads(details)) for action, details in rows]
        finally:
            store.close()

    def close(self) -> None:
        """Close the clients."""
        self.api.http.close()
        self.exports.http.close()


def _tables(address: str) -> dict[str, bytes]:
    """Every table's rows as text."""
    with psycopg.connect(address) as connection:
        names = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        found = {}
        for (name,) in names:
            rows = connection.execute(f"SELECT x::text FROM {name} AS x").fetchall()
            found[f"table {name}"] = "\n".join(row[0] for row in rows).replace('""', '"').encode()
        return found
