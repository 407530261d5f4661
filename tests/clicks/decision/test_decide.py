"""Every row of docs/clicks.md, and what a decision says besides where to go."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bough.agents.recognition import parse
from bough.clicks.decision.decide import ClickRequest, Decision, decide
from bough.clicks.decision.rules import RULES
from tests.clicks import user_agents as ua
from tests.clicks.decide_cases import CASES, WEB, Case
from tests.clicks.examples import ALTERNATE, APP_STORE, DEFAULT, SCHEMES, STORES, app, click, link


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_row(case: Case) -> None:
    decision = click(case.user_agent, case.data, config=case.config, **case.request)
    assert (decision.kind, decision.page) == ("page" if case.page else "redirect", case.page)
    assert (decision.target or decision.fallback) == case.to
    assert decision.app_url == case.app_url
    assert decision.rule == case.rule
    assert case.target_rule in ("", decision.target_rule)
    assert_sentence(decision)
    assert case.named in decision.reason


def assert_sentence(decision: Decision) -> None:
    """One line that begins with who and ends with a full stop."""
    assert re.fullmatch(r"[A-Z0-9a-z][^\n:]*: [^\n]+[^.]\.", decision.reason), decision.reason


def test_the_table_is_large_enough_and_its_names_are_unique() -> None:
    assert len(CASES) >= 70
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_rule_of_the_table_is_met() -> None:
    met = (
        {case.rule for case in CASES} | {case.target_rule for case in CASES} | {"unknown_link", "unknown_link_default"}
    )
    assert met - {""} == set(RULES)


def test_every_rule_has_a_sentence() -> None:
    assert all(sentence.endswith(".") and sentence[0] in "ABCDEFGHIJKLMNOPQRSTUVWXYZ$" for sentence in RULES.values())


@pytest.mark.parametrize("user_agent", [ua.IPHONE_SAFARI, ua.MAC_SAFARI, ua.GOOGLEBOT, ua.CURL])
def test_an_unknown_link_goes_to_the_app_default_or_is_not_found(user_agent: str) -> None:
    request = ClickRequest(app=app(web_url=DEFAULT), link=None, agent=parse(user_agent))
    found = decide(request)
    assert (found.kind, found.target, found.rule) == ("redirect", DEFAULT, "unknown_link_default")
    lost = decide(ClickRequest(app=app(), link=None, agent=parse(user_agent)))
    assert (lost.kind, lost.page, lost.target, lost.rule) == ("page", "not_found", None, "unknown_link")
    assert_sentence(found)
    assert_sentence(lost)


def test_an_unknown_link_never_goes_to_a_forbidden_default() -> None:
    request = ClickRequest(app=app(web_url="javascript:alert(1)"), link=None, agent=parse(ua.MAC_SAFARI))
    assert decide(request).page == "not_found"


def test_targets_and_fallbacks_are_where_pages_look_for_them() -> None:
    assert click(ua.IPHONE_SAFARI, config=STORES).target == APP_STORE
    opening = click(ua.IPHONE_SAFARI, config=STORES | SCHEMES, installed=True)
    assert (opening.target, opening.fallback) == (None, APP_STORE)
    assert click(ua.FACEBOOK_SCRAPER, {"$desktop_url": WEB}).fallback == WEB


@pytest.mark.parametrize(
    ("user_agent", "data", "milliseconds"),
    [
        (ua.IPHONE_SAFARI, {}, 750),
        (ua.IPHONE_SAFARI, {"$ios_redirect_timeout": 1200}, 1200),
        (ua.IPHONE_SAFARI, {"$ios_redirect_timeout": "300"}, 300),
        (ua.IPHONE_SAFARI, {"$ios_redirect_timeout": "soon"}, 750),
        (ua.IPHONE_SAFARI, {"$ios_redirect_timeout": 10**9}, 10_000),
        (ua.IPHONE_SAFARI, {"$android_redirect_timeout": 5}, 750),
        (ua.PIXEL_CHROME, {"$android_redirect_timeout": 900}, 900),
        (ua.MAC_SAFARI, {"$desktop_url": WEB}, 500),
    ],
)
def test_the_wait_for_the_app(user_agent: str, data: dict[str, Any], milliseconds: int) -> None:
    config = STORES | SCHEMES | {"mac_uri_scheme": "acme"}
    assert click(user_agent, data, config=config, installed=True).timeout_ms == milliseconds


def test_a_page_has_a_button_on_the_alternate_domain_with_the_query() -> None:
    deepview = {"$ios_deepview": "mine"}
    decision = click(ua.IPHONE_SAFARI, deepview, config=STORES, query=(("ref", "a b&c"), ("has_app", "false")))
    assert decision.cta_url == f"{ALTERNATE}?ref=a%20b%26c"
    assert decision.template == "mine"
    assert click(ua.IPHONE_SAFARI, deepview, test=True).cta_url == "https://acme-alternate.test-app.link/spring"
    assert click(ua.IPHONE_SAFARI, deepview, alternate="go-alternate.acme.com").cta_url == (
        "https://go-alternate.acme.com/spring"
    )


def test_a_template_name_from_outside_cannot_be_a_path() -> None:
    decision = click(ua.IPHONE_SAFARI, query=(("$ios_deepview", "../../etc/passwd"),))
    assert (decision.page, decision.template) == ("deepview", "default_template")


def test_the_tab_left_behind_goes_to_the_after_click_page() -> None:
    installed: dict[str, Any] = {"config": STORES | SCHEMES | {"mac_uri_scheme": "acme"}, "installed": True}
    assert click(ua.IPHONE_SAFARI, {"$after_click_url": WEB}, **installed).after_click_url == WEB
    assert click(ua.PIXEL_CHROME, {"$after_click_url": WEB}, **installed).after_click_url is None
    assert click(ua.MAC_SAFARI, {"$afterclick_desktop_url": WEB}, **installed).after_click_url == WEB
    assert click(ua.IPHONE_SAFARI, {"$after_click_url": "javascript:1"}, **installed).after_click_url is None
    assert click(ua.IPHONE_SAFARI, {"$after_click_url": "false"}, **installed).after_click_url is None


def test_a_used_one_time_link_still_redirects_but_carries_no_data() -> None:
    used = click(ua.IPHONE_CHROME, {"$one_time_use": True}, config=STORES, one_time_used=True)
    assert (used.target, used.deep_links) == (APP_STORE, False)
    assert click(ua.IPHONE_CHROME, {"$one_time_use": True}, config=STORES).deep_links is True


def test_privacy_switches_are_passed_on() -> None:
    plain = click(ua.MAC_SAFARI, {"$desktop_url": WEB})
    assert (plain.process, plain.attribute) == (True, True)
    quiet = click(ua.MAC_SAFARI, {"$desktop_url": WEB, "$do_not_process": "true", "$deeplink_no_attribution": True})
    assert (quiet.process, quiet.attribute, quiet.target) == (False, False, WEB)


def test_match_parameters_are_for_people_on_the_web() -> None:
    assert click(ua.MAC_SAFARI, {"$desktop_url": WEB}).appends is True
    assert click(ua.CURL, {"$desktop_url": WEB}).appends is True
    assert click(ua.MAC_SAFARI, {"$desktop_url": WEB}, config={"append_match_params": False}).appends is False
    assert click(ua.IPHONE_CHROME, config=STORES).appends is False
    assert click(ua.IPHONE_CHROME, {"$ios_url": APP_STORE}).appends is False
    assert click(ua.GOOGLEBOT, {"$desktop_url": WEB}).appends is False
    assert click(ua.FACEBOOK_SCRAPER, {"$fallback_url": WEB}).appends is False


def test_the_query_is_laid_over_the_link_for_this_click_alone() -> None:
    stored = {"title": "Spring", "$desktop_url": WEB}
    decision = click(
        ua.MAC_SAFARI, stored, query=(("title", "Summer"), ("~channel", "mail")), labels={"channel": "web"}
    )
    assert decision.link is not None
    assert (decision.link.data["title"], decision.link.channel) == ("Summer", "mail")
    assert stored == {"title": "Spring", "$desktop_url": WEB}


@pytest.mark.parametrize("key", ["access_token", "AccessToken", "auth_token", "AuthToken"])
def test_credentials_appended_to_a_link_do_not_travel_on(key: str) -> None:
    decision = click(ua.MAC_SAFARI, {"$desktop_url": WEB}, query=((key, "secret"), ("a", "b")))
    assert (decision.target, decision.parameters) == (WEB, (("a", "b"),))


def test_a_link_without_its_own_url_is_named_by_domain_and_path() -> None:
    decision = decide(ClickRequest(app=app(), link=link(), agent=parse(ua.MAC_SAFARI)))
    assert decision.link_url == "https://acme.app.link/spring"
