"""Long links with odd values: they work, and the app that is opened by one gets what a click on it would give."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from bough.agents.recognition import parse
from bough.attribution.rules.touches import LinkTable, touch_of
from tests.apps import new_app
from tests.clicks import user_agents as ua
from tests.clicks.following import follow, rows_without_link, sent
from tests.conftest import Api
from tests.sdk.devices import Iphone

TARGET = "https://e.example/d"
GIVEN = {"$desktop_url": TARGET, "title": "caf\u00e9", "nested": {"list": [1, None]}}


def base64_of(value: bytes | dict[str, Any]) -> str:
    """As SDKs write `data`, ready for an address."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.b64encode(raw).decode().replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


DATA = base64_of(GIVEN)
LINES = base64.encodebytes(json.dumps(GIVEN).encode()).decode().replace("\n", "%0A").replace("=", "%3D")
DEEP = base64_of(b'{"a":' + b"[" * 70 + b"]" * 70 + b"}")
HALF = base64_of(b'{"t":"\\ud83d"}')
LATIN = base64_of(b'{"t":"\xe9"}')
RAW_BASE64 = base64.b64encode(json.dumps(GIVEN).encode()).decode()
TARGETED = f"%24desktop_url={TARGET}"

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    # query, and what of the data there is beside what every long link has
    "Android's SDK": (
        f"feature=sharing&type=0&duration=0&source=android&data={DATA}",
        {**GIVEN, "~feature": "sharing"},
    ),
    "duration -1": (f"duration=-1&data={DATA}", GIVEN),
    "duration too large": (f"duration=99999999999&data={DATA}", GIVEN),
    "duration as text": (f"duration=soon&data={DATA}", GIVEN),
    "type 9": (f"type=9&data={DATA}", GIVEN),
    "type -1": (f"type=-1&data={DATA}", GIVEN),
    "type as text": (f"type=whatever&data={DATA}", GIVEN),
    "alias too long": (f"alias={'x' * 129}&data={DATA}", GIVEN),
    "alias with a blank": (f"alias=a+b&data={DATA}", GIVEN),
    "label too long": (f"channel={'x' * 256}&campaign=spring&data={DATA}", {**GIVEN, "~campaign": "spring"}),
    "NUL in a label": (f"channel=a%00b&data={DATA}", GIVEN),
    "tag too long": (f"tags=a&tags={'x' * 65}&data={DATA}", {**GIVEN, "~tags": ["a"]}),
    "250 tags": (
        "&".join(f"tags={number}" for number in range(250)) + f"&data={DATA}",
        {**GIVEN, "~tags": [str(number) for number in range(200)]},
    ),
    "Ruby's encode64": (f"data={LINES}", GIVEN),
    "encodebytes with CRLF": (f"data={LINES.replace('%0A', '%0D%0A')}", GIVEN),
    "base64 with +, / and no padding": (f"data={RAW_BASE64.strip('=')}", GIVEN),
    "base64url": (f"data={base64.urlsafe_b64encode(json.dumps(GIVEN).encode()).decode()}", GIVEN),
    "encoded twice": (f"data={DATA.replace('%', '%25')}", GIVEN),
    "data of null": (f"data=bnVsbA%3D%3D&{TARGETED}", {"$desktop_url": TARGET}),
    "data of an array": (f"data={base64_of(b'[1]')}&{TARGETED}", {"$desktop_url": TARGET}),
    "data of a number": (f"data={base64_of(b'7')}&{TARGETED}", {"$desktop_url": TARGET}),
    "data that is no JSON": (f"data={base64_of(b'{')}&{TARGETED}", {"$desktop_url": TARGET}),
    "data that is no base64": (f"data=%25%25%25&{TARGETED}", {"$desktop_url": TARGET}),
    "data too deep": (f"data={DEEP}&{TARGETED}", {"$desktop_url": TARGET}),
    "half an emoji": (f"data={HALF}&{TARGETED}", {"t": "\ufffd", "$desktop_url": TARGET}),
    "no UTF-8": (f"data={LATIN}&{TARGETED}", {"t": "\ufffd", "$desktop_url": TARGET}),
    "300 fields": (
        "&".join(f"k{number}=1" for number in range(300)) + f"&{TARGETED}",
        {**{f"k{number}": "1" for number in range(300)}, "$desktop_url": TARGET},
    ),
    "a long address": (f"k={'x' * 9000}&{TARGETED}", {"k": "x" * 9000, "$desktop_url": TARGET}),
    "the same key twice": (f"k=1&k=2&{TARGETED}", {"k": "2", "$desktop_url": TARGET}),
    "credentials": (f"access_token=1&auth_token=2&{TARGETED}", {"$desktop_url": TARGET}),
    "the server's keys": (
        f"+phone_number=1&%2Bnon_branch_link=x&data={base64_of({**GIVEN, '+match_guaranteed': True})}",
        GIVEN,
    ),
    "bad escapes": (f"k=%zz%&%ff=%00&{TARGETED}", {"k": "%zz%", "\ufffd": "\x00", "$desktop_url": TARGET}),
}

OF_EVERY_LONG_LINK = {"$one_time_use": False, "~creation_source": 6, "~id": "0"}


def told(data: dict[str, Any]) -> dict[str, Any]:
    """What of an app's session data comes from the link."""
    return {
        key: value for key, value in data.items() if not key.startswith("+") and key not in ("~referring_link", "url")
    }


@pytest.mark.parametrize(("query", "expected"), CASES.values(), ids=CASES)
def test_an_odd_long_link_works_on_the_web_and_in_the_app(api: Api, query: str, expected: dict[str, Any]) -> None:
    app = new_app(api)
    url = f"{app.running.base_url}/a/{app.key}?{query}"
    answer = follow(app, url, ua.LINUX_FIREFOX)
    assert (answer.status_code, sent(answer).target.partition("?")[0]) == (307, TARGET)
    (row,) = rows_without_link(app)
    assert told(row.body["data"]) == {**OF_EVERY_LONG_LINK, **expected}
    phone = Iphone(app)
    opened = phone.data(phone.start(universal_link_url=url))
    assert opened["+clicked_branch_link"] is True
    assert told(opened) == {**OF_EVERY_LONG_LINK, **expected}


@pytest.mark.parametrize("duration", ["0", "-1", "99999999999", "soon", ""])
def test_a_click_on_it_is_matched_for_the_default_time(api: Api, duration: str) -> None:
    app = new_app(api)
    follow(app, f"{app.running.base_url}/a/{app.key}", ua.LINUX_FIREFOX, query=f"?duration={duration}&k=1")
    (row,) = rows_without_link(app)
    touch = touch_of(row, LinkTable(()), parse)
    assert touch is not None
    assert touch.duration == 7200 * 1000


def test_creating_a_link_stays_strict(api: Api) -> None:
    for field, value in {"duration": 0, "type": 9, "alias": "a b", "channel": "x" * 256, "tags": ["x" * 65]}.items():
        answer = api.create(**{field: value})
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith(f"{field}: must" if field != "alias" else "alias: may")
