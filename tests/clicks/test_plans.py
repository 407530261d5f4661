"""Plans: whatever was learned from other links and visitors, a plan is what deciding from the beginning gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bough.accounts.model import App, AppConfig
from bough.agents.recognition import parse
from bough.clicks import plans as plans_of_links
from bough.clicks.decision import link_shapes as shapes
from bough.clicks.decision.decide import ClickRequest, decide
from bough.clicks.decision.link_shapes import shape_number, shape_of
from bough.clicks.decision.location import prepare
from bough.clicks.link_cache import CachedLink, cached_link
from bough.clicks.plans import MAX_PLANS, ClickPlan, Plans, learn
from bough.links.addresses import Refused, SafeAddress, read_address
from bough.links.document import link_url
from bough.links.model import Link
from bough.vocabulary.journal_rows import RowKind
from tests.clicks import user_agents as ua
from tests.clicks.examples import app
from tests.clicks.test_decide_properties import SWITCHES, USER_AGENTS

TARGETS = st.sampled_from(
    [
        "https://good.example/{}",
        "https://good.example/{}?x=1",
        "https://good.example/{}#top",
        "https://good.example/{}?utm_source=own",
        "https://evil.example/{}",
        "HTTPS://Good.example/é{}",
        " https://good.example/{} ",
        "https://acme.app.link/{}",
        "https://acme.app.link/one",
        "https://apps.apple.com/app/id{}",
        "https://play.google.com/store/apps/details?id=com.acme{}",
        "https://www.amazon.com/gp/mas/{}",
        "market://details?id=com.acme{}",
        "acme://page/{}",
        "javascript:alert({})",
        "not an address {}",
        "",
        "false",
    ]
)
VALUES = st.one_of(TARGETS, st.sampled_from([None, True, False, 0, 5, ["https://good.example/"]]))
KEYS = (
    "$ios_url",
    "$ios_url_de",
    "$ipad_url",
    "$ios_wechat_url",
    "$ios_has_app_url",
    "$android_url",
    "$android_url_de",
    "$samsung_url",
    "$fire_url",
    "$desktop_url",
    "$mac_desktop_url",
    "$fallback_url",
    "$fallback_url_de",
    "$original_url",
    "$canonical_url",
    "$after_click_url",
    "$og_redirect",
    "$deeplink_path",
    "$ios_deepview",
    "$desktop_deepview",
    "$do_not_process",
    "$deeplink_no_attribution",
    "$og_title",
    "$canonical_identifier",
    "own_key",
)
DATA = st.builds(
    lambda targets, switches: {**targets, **switches},
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3),
    SWITCHES,
)
LABELS = st.sampled_from([None, "email", "a&b=c d", "é"])
CONFIGS = st.builds(
    AppConfig,
    ios_app=st.integers(0, 2),
    ios_url=st.sampled_from(["", "https://apps.apple.com/app/id1", "https://good.example/app"]),
    android_app=st.integers(0, 1),
    android_package_name=st.sampled_from(["", "com.acme"]),
    ios_uri_scheme=st.sampled_from(["", "acme"]),
    android_uri_scheme=st.sampled_from(["", "acme"]),
    web_url=st.sampled_from(["", "https://good.example/web"]),
    default_desktop_url=st.sampled_from(["", "https://good.example/desktop"]),
    deepview_ios=st.sampled_from(["", "default_template"]),
    redirect_allowlist=st.sampled_from([(), ("good.example",)]),
    uri_redirect_mode=st.integers(0, 2),
    utm_mapping=st.booleans(),
    append_match_params=st.booleans(),
    ios_nativelink=st.booleans(),
)


def in_full(entry: CachedLink, user_agent: str, country: str, web_only: bool, installed: bool) -> ClickPlan:
    """The plan without anything learned."""
    agent = parse(user_agent)
    request = ClickRequest(
        app=entry.app,
        link=entry.link,
        agent=agent,
        test=entry.link.test,
        web_only=web_only,
        country=country,
        installed=installed,
        link_url=link_url(entry.link, entry.app),
    )
    decision = decide(request)
    redirects = decision.kind == "redirect" and decision.process
    kind: RowKind = "robot" if agent.kind in ("robot", "social") else "click"
    return ClickPlan(redirects, decision.rule, prepare(decision).around_click_id(), kind)


@st.composite
def links(draw: st.DrawFn) -> list[Link]:
    """Links that differ in their addresses, and some in their shape."""
    shapes = draw(st.lists(DATA, min_size=1, max_size=3))
    made: list[Link] = []
    for number in range(draw(st.integers(2, 6))):
        data: dict[str, Any] = dict(draw(st.sampled_from(shapes)))
        for key in [key for key, value in data.items() if key.endswith("url") and isinstance(value, str)]:
            again = draw(st.one_of(st.just(data[key]), TARGETS))
            data[key] = again.format(number)
        made.append(
            Link(
                id=number + 1,
                app=1,
                test=False,
                domain="acme.app.link",
                path=("one", "two", "three", "four", "five", "six")[number],
                type=draw(st.sampled_from([0, 0, 1, 2])),
                channel=draw(LABELS),
                campaign=draw(LABELS),
                data=data,
            )
        )
    return made


VISITORS = st.tuples(st.sampled_from(USER_AGENTS), st.sampled_from(["", "DE"]), st.booleans(), st.booleans())


@settings(max_examples=1500, deadline=None)
@given(config=CONFIGS, made=links(), visitors=st.lists(VISITORS, min_size=1, max_size=3))
def test_a_plan_is_what_deciding_in_full_gives(
    config: AppConfig, made: list[Link], visitors: list[tuple[str, str, bool, bool]]
) -> None:
    owner = App(id=1, organization=1, name="Acme", config=config, domains=app().domains)
    plans = Plans()
    entries = [cached_link(link, owner) for link in made]
    for user_agent, country, web_only, installed in visitors:
        for entry in entries:
            known = plans.known(user_agent.encode("latin-1"))
            found = plans.plan(entry, known, country, web_only, installed)
            assert found == in_full(entry, user_agent, country, web_only, installed)


def example(number: int, **data: Any) -> Link:
    """A link with the label `channel`."""
    return Link(id=number, app=1, test=False, domain="acme.app.link", path=f"p{number}", channel="email", data=data)


def test_links_of_one_shape_share_a_lane() -> None:
    """The common case is learned: without this the test above would compare full decisions with themselves."""
    owner = app()
    first, second = (example(number, **{"$ios_url": f"https://good.example/{number}"}) for number in (1, 2))
    assert shape_of(first) == shape_of(second)
    request = ClickRequest(app=owner, link=first, agent=parse(ua.IPHONE_CHROME), link_url=link_url(first, owner))
    lane = learn(cached_link(first, owner), request, decide(request))
    assert lane is not None
    assert lane.key == "$ios_url"
    expected = in_full(cached_link(second, owner), ua.IPHONE_CHROME, "", False, False)
    assert lane.location(cached_link(second, owner)) == expected.location


@pytest.mark.parametrize(
    "data",
    [
        {"$desktop_url": "https://good.example/"},
        {"$ios_url": "https://good.example/", "$web_only": True},
        {"$ios_url": "https://good.example/", "$ios_url_de": "https://good.example/de"},
        {"$ios_url": "https://good.example/", "$do_not_process": True},
        {"$ios_url": "https://good.example/", "$uri_redirect_mode": 2},
    ],
)
def test_what_decides_changes_the_shape(data: dict[str, Any]) -> None:
    assert shape_of(example(1, **{"$ios_url": "https://good.example/1"})) != shape_of(example(2, **data))


def test_shapes_are_numbered_and_no_number_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "MAX_NUMBERED", 3)
    monkeypatch.setattr(shapes, "_numbers", {})
    first, alike = (example(n, **{"$ios_url": f"https://good.example/{n}"}) for n in (1, 2))
    assert shape_number(first) == shape_number(alike) > 0
    assert shape_number(example(3, **{"$deep": {"hard": "to say"}})) == 0
    seen = [shape_number(example(n, **{"$uri_redirect_mode": n})) for n in range(20)]
    assert len({shape_number(first), *seen}) == 21
    assert shape_number(first) == shape_number(alike)


def test_a_changed_app_is_learned_anew() -> None:
    plans = Plans()
    known = plans.known(ua.IPHONE_CHROME.encode())
    link = example(1, **{"$ios_url": "https://good.example/1"})
    for config in ({}, {"append_match_params": False}, {"redirect_allowlist": ("other.example",)}):
        entry = cached_link(link, app(**config))
        assert plans.plan(entry, known, "", False, False) == in_full(entry, ua.IPHONE_CHROME, "", False, False)


def test_what_is_kept_is_bounded() -> None:
    plans = Plans()
    entry = cached_link(example(1, **{"$ios_url": "https://good.example/1"}), app())
    for number in range(3 * MAX_PLANS):
        plans.plan(entry, plans.known(ua.IPHONE_CHROME.encode()), f"{number}", False, False)
    assert entry.others is not None
    assert len(entry.others) <= MAX_PLANS


def test_a_number_of_a_class_is_never_anothers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans_of_links, "MAX_CLASSES", 2)
    made = Plans()
    data = {"$ios_url": "https://good.example/i", "$android_url": "https://good.example/a"}
    entry = cached_link(example(1, **data), app())
    for user_agent in (ua.IPHONE_CHROME, ua.ANDROID_CHROME, ua.IPHONE_FIREFOX) * 2:
        for country in ("", "DE"):
            found = made.plan(entry, made.known(user_agent.encode()), country, False, False)
            assert found == in_full(entry, user_agent, country, False, False)


@given(st.text(alphabet="htps:/.?#[]@ab%-_1é\t\\ ", max_size=30))
def test_the_quick_reading_of_an_address_is_the_thorough_one(text: str) -> None:
    """A space before it sends the same text the thorough way."""
    assert read_address(text) == read_address(f" {text}")


@pytest.mark.parametrize("text", ["https://a.example/x?y#z", "http://a_b:8080", "https://a-1.example"])
def test_common_addresses_are_read_as_they_stand(text: str) -> None:
    address = read_address(text)
    assert not isinstance(address, Refused)
    assert isinstance(address, SafeAddress)
    assert address.url == text
