"""GETs as browsers may send them, with anything in them: a redirect, a page or a hosted file is the answer, always.

`BOUGH_FUZZ_EXAMPLES` says how many requests each store gets; the default takes some ten seconds.
"""

from __future__ import annotations

import base64
import json
import os
from typing import NamedTuple
from urllib.parse import quote

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from bough.clicks.hosted_files import ANDROID_PATH, APPLE_PATHS
from bough.links.targets import TARGET_KEYS
from tests.apps import new_app
from tests.clicks import user_agents as ua
from tests.conftest import Api
from tests.web.raw import Answer, Connection
from tests.web.watch import assert_healthy

EXAMPLES = int(os.environ.get("BOUGH_FUZZ_EXAMPLES", "250"))

PEOPLE = [value for name, value in vars(ua).items() if name.isupper() and str(value).startswith("Mozilla/5.0 (")]

KEYS = [
    *TARGET_KEYS,
    *("$ios_url_de", "$fallback_url_xx", "$web_only", "$mobile_web_only", "$desktop_web_only", "$always_deeplink"),
    *("$ios_deepview", "$android_deepview", "$desktop_deepview", "$ios_passive_deepview", "$ios_nativelink"),
    *("$uri_redirect_mode", "$ios_redirect_timeout", "$deeplink_path", "$custom_meta_tags", "$og_title", "$keywords"),
    *("$do_not_process", "$deeplink_no_attribution", "$one_time_use", "$match_duration", "$idfa", "$aaid"),
    *("channel", "feature", "campaign", "stage", "tags", "tags[]", "alias", "type", "duration", "source", "data"),
    *("~channel", "~tags", "~id", "~referring_link", "utm_source", "utm_content", "has_app", "debug", "stats", "edit"),
    *("access_token", "AuthToken", "password", "auth", "branch_key", "_branch_match_id", "_branch_referrer"),
    *("+clicked_branch_link", "%2Bphone_number", "link_click_id", "%24desktop_url", "$DESKTOP_URL", "", "constructor"),
]
VALUES = [
    *("", "0", "1", "-1", "9", "true", "false", "maybe", "null", "NaN", "9" * 400, "x" * 300, "1e999", "{}", "[]"),
    *(
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "https://",
        "https://[::1",
        "https:/\\x",
        "myapp://x",
    ),
    *("https://example.com/?a=b#c", "https://example.com:99999/", "https://u:p@example.com/", "intent://x#Intent;end"),
    *("%00", "%0d%0aEvil:1", "%E9", "%83e", "%zz", "%", "+", "%2B", "%252B", "a;b=c", "{link_click_id}", "%ED%A0%80"),
    *("\udce9", "\udc83\udc81", "<script>", "'\"", "|", "`", "^", "\\"),
]
HOSTS = [
    "",
    "localhost",
    "[::1",
    "[::1]:80",
    "exa]mple",
    "a b",
    "a..b",
    "xn--",
    "-web.localhost",
    "é",
    "a:b",
    "x" * 300,
]
HEADERS = [
    *("Accept", "Accept-Language", "Accept-Encoding", "Cookie", "X-Forwarded-For", "X-Forwarded-Host", "Forwarded"),
    *("Referer", "Range", "If-None-Match", "If-Modified-Since", "If-Match", "Origin", "DNT", "Sec-CH-UA-Model"),
    *("Sec-CH-UA-Platform", "Sec-CH-UA-Platform-Version", "Sec-Fetch-Mode", "Upgrade-Insecure-Requests", "Save-Data"),
    *("CF-IPCountry", "Via", "Cache-Control", "X-Requested-With", "Content-Type", "Authorization", "Access-Token"),
]

percent_encoded = st.binary(max_size=12).map(lambda raw: "".join(f"%{byte:02X}" for byte in raw))
legal = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, blacklist_characters="#"), max_size=20)
header_text = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, blacklist_characters="\x7f"), max_size=60)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(max_size=8)
    | st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), json_values, max_size=5)


def base64_of(raw: bytes) -> str:
    return quote(base64.b64encode(raw).decode(), safe="+/=")


data_values = (objects | json_values).map(lambda value: base64_of(json.dumps(value).encode())) | st.binary(
    max_size=20
).map(base64_of)
values = st.sampled_from(VALUES) | percent_encoded | legal | data_values
pairs = st.tuples(st.sampled_from(KEYS) | legal | percent_encoded, values).map("=".join)
queries = st.lists(pairs | legal, max_size=8).map("&".join) | st.integers(190, 2100).map(lambda many: "a=1&" * many)
cookies = (
    st.sampled_from(["_s=9999999999999999999", "_s=123456789012345678", "_s=", "_s=-1", "_s=" + "9" * 500])
    | header_text
)
headers = st.lists(
    st.tuples(st.sampled_from(HEADERS), header_text)
    | st.tuples(st.just("Cookie"), cookies)
    | st.tuples(st.just("Cookie"), st.sampled_from([5_000, 40_000]).map(lambda size: "x=" + "y" * size))
    | st.tuples(st.just("Range"), st.just("bytes=0-5")),
    max_size=5,
)
places = st.sampled_from(["link", "bare", "e/link", "long", "a/key", "a/unknown", "unknown", "file", "root"])


class Visit(NamedTuple):
    """One request."""

    path: str
    query: str | None
    method: str
    host: str
    agent: str
    headers: list[tuple[str, str]]

    def as_bytes(self) -> bytes:
        """As it goes over the wire; lone surrogates stand for single bytes."""
        target = self.path if self.query is None else f"{self.path}?{self.query}"
        lines = [f"{self.method} {target} HTTP/1.1", f"Host: {self.host}", f"User-Agent: {self.agent}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return (
            b"\r\n".join(line.encode("utf-8" if line is lines[0] else "latin-1", "surrogateescape") for line in lines)
            + b"\r\n\r\n"
        )


def is_fit(visit: Visit, answer: Answer) -> bool:
    """Whether it is what a person may get."""
    kind = answer.headers.get("content-type", "")
    if answer.status == 307:
        where = answer.headers["location"]
        return where.isascii() and where.isprintable() and " " not in where and "evil" not in answer.headers
    if visit.path in (*APPLE_PATHS, ANDROID_PATH) and answer.status == 200:
        return kind == "application/json"
    is_page = kind == "text/html; charset=utf-8" and (visit.method == "HEAD" or b"<!doctype html>" in answer.body)
    return is_page and answer.status in (200, 404, 414, 431)


def test_a_person_is_never_answered_as_a_program(api: Api) -> None:
    app = new_app(api, ios_uri_scheme="myapp://", android_uri_scheme="myapp://", android_package_name="com.example.a")
    own = f"127.0.0.1:{api.running.port}"
    paths = {
        "link": app.created(data={"$desktop_url": "https://example.com/d", "$ios_url": "https://example.com/i"}),
        "bare": app.created(),
        "long": app.created(data={"$ios_deepview": True, "$desktop_deepview": "x", "$og_title": "Spring"}),
    }
    paths = {place: "/" + url.split("/", 3)[3] for place, url in paths.items()}
    paths |= {"e/link": f"/e{paths['link']}", "a/key": f"/a/{app.key}", "a/unknown": "/a/key_live_none", "root": "/"}

    @given(places, legal | percent_encoded, st.none() | queries, st.data())
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def ask(place: str, odd: str, query: str | None, data: st.DataObject) -> None:
        path = paths.get(place) or {"file": data.draw(st.sampled_from([*APPLE_PATHS, ANDROID_PATH]))}.get(place)
        visit = Visit(
            path=path or f"/unknown-{odd.replace('?', '')}",
            query=query,
            method=data.draw(st.sampled_from(["GET", "GET", "GET", "HEAD"])),
            host=data.draw(st.just(own) | st.sampled_from(HOSTS)),
            agent=data.draw(st.sampled_from(PEOPLE)),
            headers=data.draw(headers),
        )
        sent = visit.as_bytes()
        note(repr(sent))
        with Connection(api.running.port) as connection:
            connection.send(sent)
            answer = connection.answer(visit.method)
        assert is_fit(visit, answer), (answer.status, answer.headers, answer.body[:200])

    ask()
    assert_healthy(api)
