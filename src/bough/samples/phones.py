"""A few people who use the demo's app today, over HTTP as phones do: a click, an install, books, a purchase.

The year comes from files; these come the way real people come, so that the live feed, the timelines and the
explanations of attribution have something to show.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from email.message import Message
from random import Random
from typing import IO, Any, Final
from urllib.parse import parse_qs, urlsplit

from bough.samples.campaigns import CAMPAIGNS, WIN_BACK
from bough.samples.visitors import VISITORS

PEOPLE: Final = 24
ORGANIC: Final = 0.3
TIMEOUT: Final = 10.0


def play(base_url: str, branch_key: str) -> int:
    """Let people in; how many came. Raises OSError when the server does not answer."""
    random = Random(4)
    for number in range(PEOPLE):
        _Phone(base_url, branch_key, number, random).use()
    return PEOPLE


class _Unredirected(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, _request: urllib.request.Request, _file: IO[bytes], _code: int, _text: str, _head: Message, _url: str
    ) -> None:
        """A phone's browser would go on to a store; the demo stays at home."""


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Unredirected)


class _Phone:
    """One Android phone with the app's SDK."""

    def __init__(self, base_url: str, branch_key: str, number: int, random: Random) -> None:
        self._base_url, self._key, self._random = base_url, branch_key, random
        self._aaid = str(uuid.UUID(int=random.getrandbits(128), version=4))
        self._identity = f"demo-visitor-{number + 1}"
        self._tokens: dict[str, str] = {}

    def use(self) -> None:
        """What the person does."""
        clicked: dict[str, str] = {}
        if self._random.random() > ORGANIC:
            campaign = self._random.choice((*CAMPAIGNS, WIN_BACK))
            clicked = {"link_click_id": self._click(campaign.alias)}
        device = {
            "hardware_id": self._aaid.replace("-", "")[:16],
            "is_hardware_id_real": True,
            "google_advertising_id": self._aaid,
            "brand": "Google",
            "model": self._random.choice(("Pixel 8", "Pixel 9")),
            "os": "Android",
            "os_version": 34,
            "country": self._random.choice(("US", "GB", "DE")),
            "environment": "FULL_APP",
            "app_version": "3.2.0",
            "sdk": "android5.21.2",
            "update": 0,
        }
        answer = self._post("/v1/install", {**device, **clicked})
        self._tokens = {name: answer[name] for name in ("randomized_device_token", "randomized_bundle_token")}
        self._post("/v1/profile", {"identity": self._identity, **self._tokens, "session_id": answer["session_id"]})
        for _ in range(self._random.randint(0, 3)):
            self._event("VIEW_ITEM")
        if self._random.random() < 0.4:
            self._event("PURCHASE", event_data={"revenue": self._random.choice(("7.99", "12.99")), "currency": "USD"})

    def _click(self, alias: str) -> str:
        request = urllib.request.Request(f"{self._base_url}/{alias}", headers={"User-Agent": VISITORS[1]})
        try:
            with _opener.open(request, timeout=TIMEOUT) as response:
                return str(response.headers.get("x-bough-click-id", ""))
        except urllib.error.HTTPError as redirect:
            query = parse_qs(urlsplit(redirect.headers.get("location", "")).query)
            referrer = parse_qs(query.get("referrer", [""])[0])
            return (query.get("_branch_match_id") or referrer.get("link_click_id") or [""])[0]

    def _event(self, name: str, **fields: Any) -> None:
        user = {"aaid": self._aaid, "os": "Android", "environment": "FULL_APP", "developer_identity": self._identity}
        self._post("/v2/event/standard", {"name": name, "user_data": {**user, **self._tokens}, **fields})

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        data = json.dumps({"branch_key": self._key, **body}).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8)"}
        request = urllib.request.Request(f"{self._base_url}{path}", data, headers)
        with _opener.open(request, timeout=TIMEOUT) as response:
            answer: dict[str, Any] = json.loads(response.read())
        return answer
