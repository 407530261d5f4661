"""Phones with Branch's SDKs: the requests of Android 5.21.2 and iOS 3.14.0 with all their fields, in their order.

A phone keeps what its SDK keeps between starts (tokens, identity) and nothing else. Every request has bytes of its own
that are sent again unchanged when it is retried, but for `retryNumber`.
"""

from __future__ import annotations

import itertools
import json
import uuid
from typing import Any

import httpx

from tests.conftest import Api

ADDRESSES = (f"198.51.{third}.{last}" for third, last in itertools.product(range(100, 200), range(1, 250)))

ANDROID_BROWSER = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36"
)
IPHONE_BROWSER = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Mobile/15E148 Safari/604.1"
)


def new_address() -> str:
    """A network address that nobody had before."""
    return next(ADDRESSES)


class Phone:
    """What both platforms have in common."""

    browser = ANDROID_BROWSER
    agent = ""

    def __init__(self, api: Api, ip: str = "") -> None:
        self.api = api
        self.ip = ip or new_address()
        self.kept: dict[str, str] = {}
        """What the SDK stored: randomized_bundle_token, randomized_device_token, session_id, identity."""
        self.sent: list[tuple[str, dict[str, Any]]] = []
        """Path and body of every request, to be retried."""

    def device(self) -> dict[str, Any]:
        """The fields of every open."""
        raise NotImplementedError

    def user_data(self) -> dict[str, Any]:
        """`user_data` of events."""
        raise NotImplementedError

    def click(self, url: str, **headers: str) -> httpx.Response:
        """Follow a link in the phone's browser, without redirects."""
        return httpx.get(url, headers={"User-Agent": self.browser, "X-Forwarded-For": self.ip, **headers})

    def start(self, **evidence: Any) -> dict[str, Any]:
        """Start the app: install or open, as the SDK decides. The answer, after the SDK has stored what it stores."""
        answer = self.post(*self.start_request(**evidence))
        self.keep(answer)
        return answer

    def start_request(self, **evidence: Any) -> tuple[str, dict[str, Any]]:
        """Path and body of the next start."""
        first = "randomized_bundle_token" not in self.kept
        tokens: dict[str, Any] = {
            name: self.kept[name]
            for name in ("randomized_device_token", "randomized_bundle_token", "identity")
            if name in self.kept
        }
        return ("/v1/install" if first else "/v1/open"), {**self.device(), **self.envelope(), **tokens, **evidence}

    def keep(self, answer: dict[str, Any]) -> None:
        """What the SDK stores of an answer."""
        for name in ("randomized_device_token", "randomized_bundle_token", "session_id"):
            self.kept[name] = answer[name]

    def event(self, name: str, kind: str = "standard", **fields: Any) -> dict[str, Any]:
        """logEvent."""
        return self.post(*self.event_request(name, kind, **fields))

    def event_request(self, name: str, kind: str = "standard", **fields: Any) -> tuple[str, dict[str, Any]]:
        """Path and body of an event."""
        return f"/v2/event/{kind}", {"name": name, "user_data": self.user_data(), **self.envelope(), **fields}

    def envelope(self) -> dict[str, Any]:
        """What every request carries, new for each."""
        return {
            "branch_key": self.api.key,
            "retryNumber": 0,
            "branch_sdk_request_unique_id": f"{uuid.uuid4()}-2026112200",
            "branch_sdk_request_timestamp": 1_790_000_000_000,
            "instrumentation": {"v1/open-qwt": "0"},
            "debug": False,
            "metadata": {},
        }

    def post(self, path: str, body: dict[str, Any], retry: int = 0) -> dict[str, Any]:
        """Send a request; every SDK takes 200 alone for success."""
        self.sent.append((path, body))
        response = self.send(path, body, retry)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def send(self, path: str, body: dict[str, Any], retry: int = 0) -> httpx.Response:
        """The request's bytes, with the number of the attempt."""
        return self.api.http.post(
            path,
            content=json.dumps({**body, "retryNumber": retry}).encode(),
            headers={"Content-Type": "application/json", "User-Agent": self.agent, "X-Forwarded-For": self.ip},
        )

    @staticmethod
    def data(answer: dict[str, Any]) -> dict[str, Any]:
        """The session data, which must be text."""
        assert isinstance(answer["data"], str)
        found: dict[str, Any] = json.loads(answer["data"])
        return found


class Android(Phone):
    """A Pixel 8."""

    agent = "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UD1A.230803.041)"

    def __init__(self, api: Api, ip: str = "") -> None:
        super().__init__(api, ip)
        self.android_id = uuid.uuid4().hex[:16]
        self.aaid = str(uuid.uuid4())
        self.installed_at = 1_789_999_000_000

    def device(self) -> dict[str, Any]:
        return {
            "sdk": "android5.21.2",
            "hardware_id": self.android_id,
            "is_hardware_id_real": True,
            "anon_id": str(uuid.uuid5(uuid.NAMESPACE_OID, self.android_id + str(self.installed_at))),
            "google_advertising_id": self.aaid,
            "advertising_ids": {"aaid": self.aaid},
            "lat_val": 0,
            "unidentified_device": False,
            "brand": "Google",
            "model": "Pixel 8",
            "screen_dpi": 420,
            "screen_height": 2400,
            "screen_width": 1080,
            "wifi": True,
            "ui_mode": "UI_MODE_TYPE_NORMAL",
            "os": "Android",
            "os_version": 34,
            "os_version_android": "14",
            "country": "DE",
            "language": "de",
            "locale": "de_DE",
            "local_ip": "192.168.1.7",
            "cpu_type": "aarch64",
            "build": "UD1A.230803.041",
            "connection_type": "wifi",
            "device_carrier": "Telekom.de",
            "environment": "FULL_APP",
            "app_version": "1.4.2",
            "update": 0 if not self.kept else 1,
            "first_install_time": self.installed_at,
            "latest_install_time": self.installed_at,
            "latest_update_time": self.installed_at,
            "previous_update_time": 0,
            "initial_referrer": "",
            "cpp_level": "FULL",
            "limit_facebook_tracking": False,
        }

    def user_data(self) -> dict[str, Any]:
        return {
            "os": "Android",
            "os_version": 34,
            "os_version_android": "14",
            "environment": "FULL_APP",
            "aaid": self.aaid,
            "android_id": self.android_id,
            "limit_ad_tracking": 0,
            "user_agent": self.agent,
            "developer_identity": self.kept.get("identity", "bnc_no_value"),
            "country": "DE",
            "language": "de",
            "brand": "Google",
            "model": "Pixel 8",
            "app_version": "1.4.2",
            "screen_dpi": 420,
            "screen_height": 2400,
            "screen_width": 1080,
            "randomized_device_token": self.kept["randomized_device_token"],
            "sdk": "android",
            "sdk_version": "5.21.2",
            "local_ip": "192.168.1.7",
        }

    def reinstall(self) -> None:
        """Delete the app and install it anew."""
        self.kept = {}
        self.installed_at += 86_400_000


class Iphone(Phone):
    """An iPhone 15."""

    agent = "Books/142 CFNetwork/1494.0.7 Darwin/23.4.0"
    browser = IPHONE_BROWSER

    def __init__(self, api: Api, ip: str = "") -> None:
        super().__init__(api, ip)
        self.idfv = str(uuid.uuid4()).upper()

    def device(self) -> dict[str, Any]:
        return {
            "sdk": "ios3.14.0",
            "hardware_id": self.idfv,
            "hardware_id_type": "vendor_id",
            "is_hardware_id_real": True,
            "ios_vendor_id": self.idfv,
            "anon_id": str(uuid.uuid5(uuid.NAMESPACE_OID, self.idfv)),
            "opted_in_status": "not_determined",
            "first_opt_in": False,
            "ad_tracking_enabled": False,
            "ios_bundle_id": "com.example.books",
            "ios_team_id": "A1B2C3D4E5",
            "uri_scheme": "boughbooks",
            "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
            "brand": "Apple",
            "model": "iPhone15,4",
            "screen_height": 2556,
            "screen_width": 1179,
            "os": "iOS",
            "os_version": "17.4",
            "country": "DE",
            "language": "de",
            "locale": "de_DE",
            "local_ip": "192.168.1.8",
            "cpu_type": "16777228",
            "build": "21E219",
            "connection_type": "wifi",
            "environment": "FULL_APP",
            "app_version": "1.4.2",
            "update": 0 if not self.kept else 1,
            "first_install_time": 1_789_999_000_000,
            "latest_install_time": 1_789_999_000_000,
            "lastest_update_time": 1_789_999_000_000,
            "previous_update_time": 0,
            "skan_postback_index": "postback-sequence-index-0",
            "cpp_level": "FULL",
        }

    def user_data(self) -> dict[str, Any]:
        return {
            "os": "iOS",
            "os_version": "17.4",
            "environment": "FULL_APP",
            "idfv": self.idfv,
            "limit_ad_tracking": True,
            "developer_identity": self.kept.get("identity", ""),
            "country": "DE",
            "language": "de",
            "brand": "Apple",
            "model": "iPhone15,4",
            "app_version": "1.4.2",
            "randomized_device_token": self.kept["randomized_device_token"],
            "sdk": "ios",
            "sdk_version": "3.14.0",
        }

    def keep(self, answer: dict[str, Any]) -> None:
        """iOS overwrites its identity with that of each answer, also with none."""
        super().keep(answer)
        self.kept.pop("identity", None)
        if "identity" in answer:
            self.kept["identity"] = answer["identity"]
