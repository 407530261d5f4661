"""Links that are written out in their own query."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bough.clicks.agents import parse
from bough.clicks.decide import ClickRequest, decide
from bough.clicks.location import location
from bough.clicks.long_links import MAX_DATA, build
from bough.clicks.merge import Query
from bough.errors import BadRequest
from bough.links.model import CreationSource, Link
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


@pytest.mark.parametrize(
    "text",
    [
        "%%%",
        "abcde",
        base64.b64encode(b"[1]").decode(),
        base64.b64encode(b"nonsense").decode(),
        base64.b64encode(b'{"a":"\xff"}').decode(),
        base64.b64encode(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}").decode(),
        base64.b64encode(b'{"a":' + b"[" * 70 + b"]" * 70 + b"}").decode(),
        "A" * (MAX_DATA * 2),
        "\ud800",
    ],
)
def test_bad_data_is_named(text: str) -> None:
    with pytest.raises(BadRequest, match=r"^data must"):
        long_link(("data", text))


@pytest.mark.parametrize(
    ("pair", "field"),
    [
        (("type", "3"), "type"),
        (("duration", "soon"), "duration"),
        (("duration", "0"), "duration"),
        (("alias", "x" * 129), "alias"),
        (("channel", "x" * 256), "channel"),
        (("tags", "x" * 65), "tags"),
        (("access_token", "x"), "access_token"),
    ],
)
def test_limits_name_their_field(pair: tuple[str, str], field: str) -> None:
    with pytest.raises(BadRequest, match=f"^{field} must"):
        long_link(pair)


def test_too_many_tags_are_refused() -> None:
    with pytest.raises(BadRequest, match=r"^tags must"):
        long_link(*[("tags", str(number)) for number in range(201)])


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


def outcome(text: str) -> str:
    """What came of a `data`: its refusal, or `built`."""
    try:
        long_link(("data", text))
    except BadRequest as error:
        return error.message
    return "built"


@given(st.text(alphabet=st.characters(), max_size=60))
def test_no_data_raises_anything_but_bad_request(text: str) -> None:
    assert outcome(text).startswith(("built", "data must"))
