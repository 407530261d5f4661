"""Links that are written out in their own query."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bough.agents.recognition import parse
from bough.clicks.decision.decide import ClickRequest, decide
from bough.clicks.decision.location import location
from bough.clicks.link_data import MAX_TEXT
from bough.clicks.long_links import build
from bough.clicks.query import Query
from bough.links.model import LABELS, CreationSource, Link
from tests.clicks import user_agents as ua
from tests.clicks.examples import app

DATA = {
    "$desktop_url": "https://acme.com/?ß",
    "count": 3,
    "on": True,
    "list": [1, 2],
    "deep": {"a": None},
    ">>>???": "~",
}


NAMES = [*LABELS, "~channel", "tags", "~tags[]", "alias", "type", "duration", "data", "", "$match_duration", "+x"]


def long_link(*query: tuple[str, str], **config: Any) -> Link:
    return build(app(**config), "acme.app.link", query)


def test_custom_keys_and_labels_of_the_query_form() -> None:
    link = long_link(
        ("foo", "bar"), ("$fallback_url", "https://acme.com/"), ("~channel", "mail"), ("~campaign", "spring")
    )
    assert link == Link(
        id=0,
        app=1,
        test=False,
        domain="acme.app.link",
        path="",
        data={"foo": "bar", "$fallback_url": "https://acme.com/"},
        channel="mail",
        campaign="spring",
        source=CreationSource.DYNAMIC,
    )


def test_the_form_of_the_mobile_sdks() -> None:
    encoded = base64.b64encode(json.dumps(DATA).encode()).decode()
    query = (
        ("tags", "a"),
        ("tags", "b"),
        ("alias", "hello"),
        ("channel", "mail"),
        ("feature", "share"),
        ("campaign", "spring"),
        ("stage", "new"),
        ("type", "1"),
        ("duration", "60"),
        ("source", "android"),
        ("data", encoded),
    )
    link = build(app(), "go.acme.com", query, test=True, path="a/key_live_x")
    assert (link.tags, link.alias, link.type, link.duration) == (("a", "b"), "hello", 1, 60)
    assert (link.channel, link.feature, link.campaign, link.stage) == ("mail", "share", "spring", "new")
    assert (link.data, link.test, link.path, link.domain) == (DATA, True, "a/key_live_x", "go.acme.com")


@pytest.mark.parametrize("key", ["tags", "tags[]", "~tags", "~tags[]"])
def test_every_spelling_of_tags(key: str) -> None:
    assert long_link((key, "a"), (key, "b")).tags == ("a", "b")


@pytest.mark.parametrize("urlsafe", [True, False])
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("spaced", [True, False])
def test_data_in_either_alphabet_padded_or_not(urlsafe: bool, padded: bool, spaced: bool) -> None:
    raw = json.dumps(DATA, ensure_ascii=False).encode()
    text = (base64.urlsafe_b64encode(raw) if urlsafe else base64.b64encode(raw)).decode()
    text = text if padded else text.rstrip("=")
    assert long_link(("data", text.replace("+", " ") if spaced else text)).data == DATA


def test_labels_inside_data_are_labels_and_the_query_wins() -> None:
    inside = {"~channel": "inner", "~feature": "inner", "~tags": ["x", "y"], "title": "inner", "~id": "5", "+url": "x"}
    encoded = base64.b64encode(json.dumps(inside).encode()).decode()
    link = long_link(("data", encoded), ("channel", "outer"), ("title", "outer"))
    assert (link.channel, link.feature, link.tags, link.data) == ("outer", "inner", ("x", "y"), {"title": "outer"})


def base64_of(value: bytes | dict[str, Any]) -> str:
    """As the SDKs write `data`."""
    return base64.b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).decode()


LONG_TEXT = {"title": "a" * 200, "$desktop_url": "https://acme.com/d"}


@pytest.mark.parametrize(
    "text",
    [
        base64.encodebytes(json.dumps(LONG_TEXT).encode()).decode(),
        base64.encodebytes(json.dumps(LONG_TEXT).encode()).decode().replace("\n", "\r\n"),
        base64.encodebytes(json.dumps(LONG_TEXT).encode()).decode().replace("\n", " "),
        base64.encodebytes(json.dumps(LONG_TEXT).encode()).decode().replace("=", "").strip(),
        " " + base64_of(LONG_TEXT) + "\t",
        quote(base64_of(LONG_TEXT), safe=""),
        quote(json.dumps(LONG_TEXT), safe=""),
        json.dumps(LONG_TEXT),
        base64_of(b"\xef\xbb\xbf" + json.dumps(LONG_TEXT).encode()),
    ],
    ids=[
        "encodebytes and encode64",
        "CRLF",
        "line breaks that became blanks",
        "broken and not padded",
        "spaces around it",
        "encoded twice",
        "JSON encoded twice",
        "plain JSON",
        "byte order mark",
    ],
)
def test_data_in_every_form_in_which_it_is_really_written(text: str) -> None:
    assert long_link(("data", text)).data == LONG_TEXT


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        (b'{"title":"caf\xe9","n":1}', "caf\ufffd"),
        (b'{"title":"half \\ud83d","n":1}', "half \ufffd"),
        (b'{"title":"\\ude00 half","n":1}', "\ufffd half"),
        (b'{"title":"two\nlines","n":1}', "two\nlines"),
    ],
    ids=["latin-1", "first half", "second half", "line break"],
)
def test_a_broken_character_costs_the_link_nothing_else(raw: bytes, title: str) -> None:
    assert long_link(("data", base64_of(raw))).data == {"title": title, "n": 1}


@pytest.mark.parametrize(
    "text",
    [
        "%%%",
        "abcde",
        "=",
        "null",
        "\x00",
        "\ud800",
        base64_of(b"null"),
        base64_of(b"[1]"),
        base64_of(b"7"),
        base64_of(b'"text"'),
        base64_of(b"nonsense"),
        base64_of(b'{"a":'),
        base64_of(b'{"a":1e999}x'),
        base64_of(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"),
        base64_of(b'{"a":' + b"[" * 64 + b"]" * 64 + b"}"),
        base64_of(b'{"a":' + b"9" * 5000 + b"}x"),
        "A" * (MAX_TEXT + 1),
    ],
)
def test_data_that_says_nothing_leaves_the_rest_of_the_link(text: str) -> None:
    link = long_link(("data", text), ("$desktop_url", "https://acme.com/d"), ("channel", "mail"))
    assert (link.data, link.channel) == ({"$desktop_url": "https://acme.com/d"}, "mail")


def test_data_may_be_64_levels_deep() -> None:
    raw = b'{"a":' + b"[" * 63 + b"]" * 63 + b"}"
    assert long_link(("data", base64_of(raw))).data == json.loads(raw)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        *((text, 7200) for text in ("", "0", "-1", "00", "2592001", "1e3", "60.0", "soon", " 60", "٦٠", "9" * 400)),
        *(("1", 1), ("060", 60), ("2592000", 2_592_000)),
    ],
)
def test_a_duration_that_no_link_may_have_is_the_default(text: str, duration: int) -> None:
    assert long_link(("duration", text), ("a", "b")).duration == duration


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *((text, 0) for text in ("", "0", "3", "9", "-1", "1.0", "true", "x", "9" * 400)),
        *(("1", 1), ("2", 2), ("ONE_TIME", 1), ("marketing", 2)),
    ],
)
def test_a_type_that_no_link_may_have_is_the_default(text: str, kind: int) -> None:
    assert long_link(("type", text), ("a", "b")).type == kind


@pytest.mark.parametrize("alias", ["x" * 129, "a//b", "..", "a b", "<b>", "v1/url", "é", "\x00"])
def test_an_alias_that_no_link_may_have_is_left_out(alias: str) -> None:
    assert long_link(("alias", alias), ("a", "b")) == long_link(("a", "b"))


@pytest.mark.parametrize("name", ["channel", "feature", "campaign", "stage"])
@pytest.mark.parametrize("value", ["x" * 256, "a\x00b", "a\nb"])
def test_a_label_that_no_link_may_have_is_left_out(name: str, value: str) -> None:
    inner = base64_of({f"~{name}": "inner"})
    assert long_link((name, value), ("a", "b")) == long_link(("a", "b"))
    assert long_link((f"~{name}", value), ("a", "b")) == long_link(("a", "b"))
    assert getattr(long_link((name, value), ("data", inner)), name) == "inner"
    assert getattr(long_link((f"~{name}", value), ("data", inner)), name) == "inner"
    assert getattr(long_link((name, "x" * 255)), name) == "x" * 255


@pytest.mark.parametrize("value", [5, True, None, ["mail"], {"a": 1}])
def test_a_label_in_data_that_is_no_text_is_left_out(value: Any) -> None:
    assert long_link(("data", base64_of({"~channel": value, "b": 1}))) == long_link(("data", base64_of({"b": 1})))


def test_of_tags_those_that_fit_are_kept() -> None:
    long, own, cut = "x" * 65, "x" * 64, "a\x00b"
    assert long_link(("tags", "a"), ("tags", long), ("tags", cut), ("tags", own), ("tags", "")).tags == ("a", own)
    assert long_link(*[("tags", str(number)) for number in range(250)]).tags == tuple(map(str, range(200)))
    assert long_link(("data", base64_of({"~tags": ["a", 5, None, long, "b", ""]}))).tags == ("a", "b")
    assert long_link(("data", base64_of({"~tags": "a"}))).tags == ()


def test_a_tag_too_long_for_utm_content_is_left_out() -> None:
    query = (("utm_content", "x" * 65), ("utm_source", "x" * 256), ("utm_medium", "share"))
    link = long_link(*query, utm_to_labels=True)
    assert (link.tags, link.channel, link.feature) == ((), None, "share")


@pytest.mark.parametrize("word", ["access_token", "AccessToken", "auth_token", "AuthToken", "password", "auth"])
def test_credentials_are_left_out(word: str) -> None:
    assert long_link((word, "secret"), ("a", "b")) == long_link(("a", "b"))


@pytest.mark.parametrize("key", ["+clicked_branch_link", "+phone_number", "+", "~referring_link", "$identity_id"])
def test_the_servers_own_keys_are_left_out_wherever_they_stand(key: str) -> None:
    assert long_link((key, "1"), ("a", "b")).data == {"a": "b"}
    assert long_link(("data", base64_of({key: 1, "a": {key: 2}}))).data == {"a": {key: 2}}


def test_utm_parameters_are_labels_only_when_the_app_says_so() -> None:
    utm = (
        ("utm_source", "mail"),
        ("utm_medium", "share"),
        ("utm_campaign", "spring"),
        ("utm_content", "hero"),
        ("utm_term", "shoes"),
    )
    plain = long_link(*utm)
    assert (plain.channel, plain.tags, plain.data) == (None, (), dict(utm))
    read = long_link(*utm, utm_to_labels=True)
    assert (read.channel, read.feature, read.campaign, read.tags) == ("mail", "share", "spring", ("hero",))
    assert read.data == {**dict(utm), "$keywords": ["shoes"]}
    assert long_link(*utm, ("~channel", "own"), utm_to_labels=True).channel == "own"


def test_a_long_link_redirects_and_forwards_what_is_not_its_own_definition() -> None:
    query: Query = (("channel", "mail"), ("tags", "a"), ("$desktop_url", "https://acme.com/"), ("foo", "b r"))
    link = long_link(*query)
    request = ClickRequest(
        app=app(), link=link, agent=parse(ua.MAC_SAFARI), query=query, link_url="https://acme.app.link/?foo=b%20r"
    )
    decision = decide(request)
    assert decision.link is link
    assert location(decision, 5).startswith("https://acme.com/?foo=b%20r&utm_source=mail&_branch_match_id=5&")


def test_the_button_of_a_long_link_keeps_its_whole_query() -> None:
    query: Query = (("$ios_deepview", "mine"), ("tags", "a"), ("tags", "b"))
    request = ClickRequest(app=app(), link=long_link(*query), agent=parse(ua.IPHONE_SAFARI), query=query)
    assert decide(request).cta_url == "https://acme-alternate.app.link/?%24ios_deepview=mine&tags=a&tags=b"


@given(st.text(alphabet=st.characters(), max_size=60))
def test_no_data_is_refused(text: str) -> None:
    link = long_link(("data", text), ("a", "b"))
    assert link.data["a"] == "b"


@given(st.lists(st.tuples(st.sampled_from([*NAMES, "x"]), st.text(st.characters(), max_size=300)), max_size=12))
def test_no_query_is_refused_and_every_link_can_be_recorded(query: list[tuple[str, str]]) -> None:
    link = long_link(*query)
    assert 1 <= link.duration <= 2_592_000
    assert link.type in (0, 1, 2)
    assert all(len(tag) <= 64 for tag in link.tags)
    assert all(len(getattr(link, label) or "") <= 255 for label in LABELS)
