"""What is appended to a link travels on to the web byte for byte, in whatever encoding it is."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.apps import new_app
from tests.clicks import user_agents as ua
from tests.clicks.following import follow, sent
from tests.conftest import Api
from tests.sdk.devices import Iphone
from tests.web.raw import once, request

UNCHANGED = [
    "x=caf%E9",
    "x=%83e%83X%83g",
    "x=%ff%fe",
    "x=%C3%A9&y=%c3%a9",
    "x=a+b&y=a%20b&z=a%2Bb",
    "x=a%252Fb&y=a%2Fb&z=a/b",
    "el=~~ab%2Fcd%20e%2Bf~~",
    "a=1;b=2;c",
    "flag&empty=&=nameless&=",
    "a=2&b=1&a=1&a=1",
    "a=b=c==",
    "x=%&y=100%&z=%zz",
    "x=%00%0D%0A",
    "tel=+4912345",
    "x[]=1&x[]=2&y%5B%5D=3",
    "x=?&y=a?b:c@d,e;f!$'()*",
    "x=%E2%80%AE%F0%9F%8C%B3",
    "redirect=https%3A%2F%2Fa.example%2F%3Fb%3Dc%26d",
    "x=%61&y=%7e",
]


@pytest.mark.parametrize("query", UNCHANGED)
def test_appended_parameters_arrive_as_they_were_written(api: Api, query: str) -> None:
    url = api.created(data={"$desktop_url": "https://example.com/d"})
    for address in (url, f"{api.running.base_url}/a/{api.key}?%24desktop_url=https://example.com/d"):
        whole = f"{address}{'&' if '?' in address else '?'}{query}"
        path = "/" + whole.split("/", 3)[3]
        # As bytes: a client would tidy the address up on the way.
        answer = once(api.running.port, request("GET", path, Host=url.split("/")[2], User_Agent=ua.LINUX_FIREFOX))
        assert answer.status == 307
        assert answer.headers["location"].startswith(f"https://example.com/d?{query}&_branch_match_id=")


@pytest.mark.parametrize(
    ("raw", "sent_on"),
    [
        (b"x=caf\xc3\xa9", "x=caf%C3%A9"),
        (b"x=caf\xe9", "x=caf%E9"),
        (b"x=\x83e\x83X", "x=%83e%83X"),
        (b"\xff\xfe=\x80", "%FF%FE=%80"),
        (b'x="<>"', "x=%22%3C%3E%22"),
        (b"x={link_click_id}", "x=%7Blink_click_id%7D"),
        (b"x=a|b\\c^d`e", "x=a%7Cb%5Cc%5Ed%60e"),
    ],
    ids=repr,
)
def test_bytes_that_no_address_may_hold_are_percent_encoded(api: Api, raw: bytes, sent_on: str) -> None:
    url = api.created(data={"$desktop_url": "https://example.com/d"})
    path = "/" + url.split("/", 3)[3]
    head, _, tail = request("GET", f"{path}?RAW", Host=url.split("/")[2], User_Agent=ua.LINUX_FIREFOX).partition(b"RAW")
    answer = once(api.running.port, head + raw + tail)
    assert answer.status == 307
    assert answer.headers["location"].startswith(f"https://example.com/d?{sent_on}&_branch_match_id=")


def test_an_address_in_latin_1_bytes_is_found_by_a_link_all_the_same(api: Api) -> None:
    """Only the query is odd; an unknown path of such bytes is an unknown link."""
    head = request("GET", "/RAW", Host=f"127.0.0.1:{api.running.port}", User_Agent=ua.LINUX_FIREFOX)
    answer = once(api.running.port, head.replace(b"RAW", b"caf\xe9"))
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_the_target_keeps_its_own_parameters_as_they_are(api: Api) -> None:
    target = "https://example.com/@me?a=A%20%2B%20B&next=/x?y=1&b=caf%E9;c"
    url = api.created(data={"$desktop_url": target}, campaign="spring")
    answer = follow(api, url, ua.LINUX_FIREFOX, query="?utm_campaign=own&a=2&k=%E9")
    assert sent(answer).target == f"{target}&utm_campaign=own&k=%E9"


@pytest.mark.parametrize("encoded", [True, False])
def test_a_target_given_with_the_click_leads_there(api: Api, encoded: bool) -> None:
    target = "http://h.example/reset-password?q=B2C&token=$2j"
    url = api.created(data={"$fallback_url": "https://example.com/f"})
    answer = follow(api, url, ua.LINUX_FIREFOX, query=f"?$desktop_url={quote(target, safe='') if encoded else target}")
    assert sent(answer).target == target


def test_the_app_gets_them_decoded_once(api: Api) -> None:
    app = new_app(api)
    url = app.created(data={"$desktop_url": "https://example.com/d"})
    phone = Iphone(app)
    query = "el=~~ab%2Fcd%20e%2Bf~~&twice=a%252Fb&plus=a+b&latin=%E9&a=1&a=2&%20x=1&+clicked_branch_link=no&=n"
    data = phone.data(phone.start(universal_link_url=f"{url}?{query}"))
    assert {key: data[key] for key in ("el", "twice", "plus", "latin", "a", " x")} == {
        "el": "~~ab/cd e+f~~",
        "twice": "a%2Fb",
        "plus": "a b",
        "latin": "\ufffd",
        "a": "2",
        " x": "1",
    }
    assert data["+clicked_branch_link"] is True
    assert "" not in data


@pytest.mark.parametrize(
    "query",
    [
        "?+clicked_branch_link=false",
        "?%2Bphone_number=1",
        "?%2bnon_branch_link=x",
        "?+=1",
        "?~referring_link=x",
        "?~id=5",
    ],
)
def test_the_servers_own_keys_do_not_travel(api: Api, query: str) -> None:
    url = api.created(data={"$desktop_url": "https://example.com/d"})
    assert sent(follow(api, url, ua.LINUX_FIREFOX, query=query)).target == "https://example.com/d"


@pytest.mark.parametrize("query", ["/", "//", "/?x=1", "//?x=1"])
def test_a_slash_at_the_end_makes_no_difference(api: Api, query: str) -> None:
    url = api.created(data={"$desktop_url": "https://example.com/d"})
    answer = follow(api, url, ua.LINUX_FIREFOX, query=query)
    assert sent(answer).target == "https://example.com/d" + ("?x=1" if "x" in query else "")
