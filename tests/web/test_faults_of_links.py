"""What goes wrong with a link is told on a page when a person follows it; the API and programs keep their JSON."""

from __future__ import annotations

import json

import pytest

from bough.agents.recognition import parse
from bough.clicks.faults import fault_response
from bough.errors import RateLimited, Unavailable
from bough.server.fast_paths.clicks import _failure
from tests.apps import new_app
from tests.clicks import user_agents as ua
from tests.clicks.html import Document
from tests.conftest import Api
from tests.web.raw import Answer, once, request

HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"


def ask(api: Api, path: str, method: str = "GET", **headers: str) -> Answer:
    given = {"Host": f"127.0.0.1:{api.running.port}", "User_Agent": ua.IPHONE_SAFARI, **headers}
    return once(api.running.port, request(method, path, b"", **given), method)


def heading(answer: Answer) -> str:
    """The heading of an answer that must be a page of ours, with something to do next."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    document = Document(answer.body)
    assert len(document.text("p")) > 40
    return document.text("h1")


LONG = "/spring?x=" + "y" * 16_400
TOO_LARGE = {"Cookie": "x=" + "y" * 40_000}
TOO_MANY = {f"X-{number}": "1" for number in range(120)}


@pytest.mark.parametrize("path", ["/spring", "/", "/a/key_live_x", "/e/spring", "/unknown/deep", "/.well-known/other"])
def test_cookies_that_are_too_large(api: Api, path: str) -> None:
    for headers in (TOO_LARGE, TOO_MANY):
        answer = ask(api, path, **headers)
        assert (answer.status, heading(answer)) == (431, "Your browser sent too much")


def test_an_address_that_is_too_long(api: Api) -> None:
    answer = ask(api, LONG)
    assert (answer.status, heading(answer)) == (414, "This address is too long")


@pytest.mark.parametrize("path", ["/v1/url", "/v2/event/standard", "/api/links", "/healthz", "/v1%2Furl", "/_r"])
def test_the_api_keeps_its_errors(api: Api, path: str) -> None:
    answer = ask(api, path, Accept=HTML, **TOO_LARGE)
    assert (answer.status, answer.error["message"]) == (431, "The headers must have at most 32768 bytes together.")
    assert ask(api, f"{path}?x={'y' * 16_400}").error["code"] == 414


def test_programs_keep_their_errors(api: Api) -> None:
    answer = ask(api, "/spring", User_Agent=ua.CURL, **TOO_LARGE)
    assert (answer.status, answer.error["code"]) == (431, 431)
    asking = ask(api, "/spring", User_Agent=ua.CURL, Accept=HTML, **TOO_LARGE)
    assert heading(asking) == "Your browser sent too much"


def test_a_browser_that_names_two_hosts(api: Api) -> None:
    head = f"GET /spring HTTP/1.1\r\nUser-Agent: {ua.IPHONE_SAFARI}\r\nHost: a\r\nHost: b\r\n\r\n"
    answer = once(api.running.port, head.encode())
    assert (answer.status, heading(answer)) == (400, "This address cannot be read")


def test_a_form_that_is_sent_to_a_link(api: Api) -> None:
    for path in ("/spring", "/a/key_live_x", "/"):
        answer = ask(api, path, "POST", Accept=HTML)
        assert (answer.status, heading(answer)) == (405, "A link can only be opened")
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
        plain = ask(api, path, "POST")
        assert plain.error == {"code": 405, "message": "This address answers GET, HEAD, OPTIONS only."}


@pytest.mark.parametrize("user_agent", [ua.CURL, ua.REQUESTS, "", "x", ua.IPHONE_SAFARI, ua.GOOGLEBOT])
def test_an_unknown_link_is_never_answered_with_json(api: Api, user_agent: str) -> None:
    for path in ("/no-such-link", "/a/key_live_none?x=1", "/a/", "/e/none"):
        plain = ask(api, path, User_Agent=user_agent)
        kinds = {"text/html; charset=utf-8", "text/plain; charset=utf-8"}
        assert (plain.status, plain.headers["content-type"] in kinds) == (404, True)
        page = ask(api, path, User_Agent=user_agent, Accept=HTML)
        assert (page.status, heading(page)) == (404, "Link not found")


@pytest.mark.parametrize(
    "user_agent", [ua.CURL, ua.NODE, ua.GOOGLEBOT, ua.IPHONE_SAFARI, ua.PIXEL_CHROME, ua.MAC_SAFARI, ""]
)
@pytest.mark.parametrize(
    "data", [{}, {"$web_only": True}, {"$desktop_url": ""}, {"$og_title": "Spring"}], ids=json.dumps
)
def test_a_link_without_any_target_is_a_page(api: Api, user_agent: str, data: dict[str, object]) -> None:
    app = new_app(api)
    url = app.created(data=data)
    long = f"/a/{app.key}?" + "&".join(
        f"{key.replace('$', '%24')}={value}" for key, value in (data or {"k": 1}).items()
    )
    for path in ("/" + url.split("/", 3)[3], long):
        for headers in ({}, {"Accept": "*/*"}, {"Cookie": "_s=1"}, {"Purpose": "prefetch"}):
            answer = ask(api, path, User_Agent=user_agent, **headers)
            assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


ODD = {
    "a token": "?access_token=x",
    "a branch key": "?branch_key=key_live_none",
    "debug words": "?debug=2&stats=&edit=x",
    "an old match id": "?_branch_match_id=x&_branch_referrer=%00",
    "switches that are none": "?$web_only=maybe&$deeplink_no_attribution=xyz&$always_deeplink=perhaps",
    "targets that are none": "?$desktop_url=javascript:alert(1)&$ios_url=&$android_url=//evil&$fallback_url=https://[",
    "odd case": "?$DESKTOP_URL=x&%24Web_Only=true&ACCESS_TOKEN=1",
}


@pytest.mark.parametrize("query", ODD.values(), ids=ODD)
def test_nonsense_behind_a_link_does_not_keep_it_from_its_target(api: Api, query: str) -> None:
    url = api.created(data={"$desktop_url": "https://example.com/d"})
    answer = ask(api, "/" + url.split("/", 3)[3] + query, User_Agent=ua.LINUX_FIREFOX)
    assert (answer.status, answer.headers["location"].partition("?")[0]) == (307, "https://example.com/d")


@pytest.mark.parametrize(
    ("error", "status"), [(Unavailable("The store is away."), 503), (RuntimeError("x"), 500), (RateLimited(7), 429)]
)
def test_a_click_that_cannot_be_recorded_is_told_on_a_page(error: Exception, status: int) -> None:
    """Both ways in which clicks are answered; programs read the error object."""
    head, _, body = _failure(error, parse(ua.IPHONE_SAFARI)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: text/html; charset=utf-8" in head.lower()
    assert body == fault_response(error).body
    assert (b"retry-after: 7" in head.lower()) == (status == 429)
    program = _failure(error, parse(ua.CURL)).partition(b"\r\n\r\n")[2]
    assert json.loads(program)["error"]["code"] == status
