"""Matching in its details; the stories are in `scenarios.md`."""

from __future__ import annotations

from typing import Any

import pytest

from bough.agents.agent import Agent
from bough.agents.recognition import parse
from bough.attribution.rules.likeness import common_parts, compare, same_model
from bough.attribution.rules.matching import MAX_NEARBY, Candidates, Match, match, named_touches
from bough.attribution.rules.openings import Opening, parse_opening
from bough.attribution.rules.touches import Touch, touch_of
from bough.events.server_fields import ServerFields
from bough.vocabulary.journal_rows import JournalRow
from tests.attribution.world import APP, COUPON, LINKS, MINUTE, SUMMER, T0, android, click, iphone


def opening(body: dict[str, Any] | None = None, ip: str = "203.0.113.7") -> Opening:
    return parse_opening(body or iphone(), "install", ServerFields(ip=ip))


def touch(number: int, minutes: float, **fields: Any) -> Touch:
    return touch_of(click(number, minutes, fields.pop("to", SUMMER), **fields), LINKS, parse)


def decide(asked: Opening, candidates: Candidates, *, minutes: float = 5, first_open: bool = True) -> Match:
    return match(asked, T0 + int(minutes * MINUTE), APP, False, candidates, first_open=first_open)


def verdicts(result: Match) -> list[tuple[str, str]]:
    return [(one.way, one.verdict) for one in result.considered]


def test_a_named_click_decides_and_nothing_is_guessed_instead() -> None:
    old, near = touch(1, -300), touch(2, 4)
    result = decide(opening(iphone(link_identifier="1")), Candidates(named={"1": old}, nearby=[near]))
    assert result.touch is None
    assert verdicts(result) == [("click_id", "too_late")]
    assert named_touches(result) == [old]


def test_an_unknown_id_leaves_the_other_ways_open() -> None:
    result = decide(opening(iphone(link_identifier="9")), Candidates(nearby=[touch(2, 4)]))
    assert (result.way, result.guaranteed) == ("probabilistic", False)
    assert verdicts(result) == [("click_id", "unknown"), ("probabilistic", "taken")]


def test_a_link_identifier_may_be_a_browser_id() -> None:
    newest = touch(2, 4)
    result = decide(opening(iphone(link_identifier="600")), Candidates(browsers={"600": newest}))
    assert (result.touch, result.way, result.guaranteed) == (newest, "browser", True)


def test_a_click_id_goes_before_an_opened_address() -> None:
    named, direct = touch(1, 4), touch(2, 5)
    url = "https://go.example.com/winter"
    asked = opening(iphone(link_identifier="1", universal_link_url=url))
    assert decide(asked, Candidates(named={"1": named}, opened={url: direct})).touch == named
    assert decide(asked, Candidates(opened={url: direct})).touch == direct


def test_device_ids_go_before_guessing_and_newest_wins() -> None:
    ad_id = "38400000-8cf0-11bd-b23e-10b96e40000d"
    given = [touch(number, number, query=f"%24idfa={ad_id.upper()}") for number in (1, 2)]
    result = decide(opening(iphone(idfa=ad_id)), Candidates(given=given, nearby=[touch(3, 3)]))
    assert (result.touch, result.way, result.guaranteed) == (given[1], "given_id", True)
    assert verdicts(result) == [("given_id", "taken"), ("given_id", "older")]


def test_unexpanded_macros_are_no_ids() -> None:
    assert touch(1, 0, query="%24idfa={idfa}&%24aaid=%24%7BGAID%7D").given == ()


def test_used_one_time_links_are_refused() -> None:
    used = touch(1, 4, to=COUPON)
    result = decide(opening(iphone(link_identifier="1")), Candidates(named={"1": used}, used={str(COUPON.id)}))
    assert verdicts(result) == [("click_id", "used")]
    result = decide(opening(), Candidates(nearby=[used], used={str(COUPON.id)}))
    assert verdicts(result) == [("probabilistic", "used")]


def test_a_crowd_behind_one_address_costs_a_bounded_look() -> None:
    crowd = [touch(number, 1, browser=str(10**17 + number)) for number in range(1, 500)]
    result = decide(opening(), Candidates(nearby=crowd))
    assert result.touch is None
    assert verdicts(result) == [("probabilistic", "ambiguous")] * MAX_NEARBY


def test_nobody_is_guessed_without_an_address_or_a_first_open() -> None:
    near = [touch(1, 4)]
    assert decide(opening(ip=""), Candidates(nearby=near)).guessing == "no_address"
    assert decide(opening(), Candidates(nearby=near), first_open=False).guessing == "not_first"


def test_clicks_after_the_opening_are_refused() -> None:
    result = decide(opening(iphone(link_identifier="1")), Candidates(named={"1": touch(1, 9)}))
    assert verdicts(result) == [("click_id", "too_early")]
    assert named_touches(result) == []


def test_a_long_links_data_come_from_its_click() -> None:
    url = "https://go.example.com/a/key?$deeplink_path=x&duration=60"
    body = {"url": url, "ip": "203.0.113.7", "data": {"$deeplink_path": "x", "~id": "0"}}
    long = touch_of(JournalRow(id=1, at=T0, app=APP, test=False, kind="click", body=body), LINKS, parse)
    assert (long.data, long.duration, long.link) == ({"$deeplink_path": "x", "~id": "0"}, 60_000, 0)


def test_server_made_keys_cannot_be_written_by_a_clicks_query() -> None:
    data = touch(1, 0, query="~id=7&%2Bclicked_branch_link=x&~channel=push&new=1").data
    assert data["~id"] == str(SUMMER.id)
    assert (data["~channel"], data["new"]) == ("push", "1")
    assert "+clicked_branch_link" not in data


@pytest.mark.parametrize(
    ("left", "right", "parts"),
    [
        ("17.4.1", "17.4.1", 3),
        ("17.4", "17.4.1", 2),
        ("17_4_1", "17.4.1", 3),
        ("17.4.1", "17.5", 0),
        ("14", "14.0", 1),
        ("14", "15", 0),
        ("", "15", 0),
        ("beta", "15", 0),
    ],
)
def test_versions(left: str, right: str, parts: int) -> None:
    assert common_parts(left, right) == parts


@pytest.mark.parametrize(
    ("clicked", "opened", "same"),
    [
        ("iPhone", "iPhone15,2", True),
        ("iPad", "iPhone15,2", False),
        ("SM-G991B", "sm-g991b", True),
        ("Pixel 8", "Pixel 8 Pro", False),
    ],
)
def test_models(clicked: str, opened: str, same: bool) -> None:
    assert same_model(clicked, opened) is same


def test_a_frozen_safari_version_is_unknown_not_different() -> None:
    frozen = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/26.0 Mobile/15E148 Safari/604.1"
    )
    found = compare(touch(1, 0, user_agent=frozen), opening(iphone(os_version="26.1")))
    assert found.difference is None


def test_screens_count_when_both_are_known() -> None:
    def seen(screen: tuple[int, int] | None) -> Touch:
        return Touch(
            id=1, at=T0, app=APP, test=False, kind="click", data={}, ip="203.0.113.7", screen=screen,
            agent=Agent(kind="browser", os="android", os_version="14"),
        )  # fmt: skip

    asked = opening(android(screen_width=2400, screen_height=1080))
    assert compare(seen((1080, 2400)), asked).difference is None
    assert compare(seen((720, 1600)), asked).difference == "other_screen"
    assert compare(seen(None), asked).difference is None


def test_another_address_is_a_difference_even_if_the_store_hands_it_over() -> None:
    result = decide(opening(), Candidates(nearby=[touch(1, 4, ip="198.51.100.1")]))
    assert verdicts(result) == [("probabilistic", "other_ip")]


def test_the_same_browser_text_is_the_strongest_sign() -> None:
    own = touch(2, 3, to=COUPON)
    asked = opening(iphone(user_agent=own.user_agent))
    other = touch(1, 4, user_agent=own.user_agent.replace("604.1", "605.1"))
    assert decide(asked, Candidates(nearby=[own, other])).touch == own


def test_very_old_clicks_end_the_look_back() -> None:
    result = decide(opening(), Candidates(nearby=[touch(1, -60 * 24 * 31)]))
    assert result.considered == ()


def test_credentials_on_an_app_link_are_left_out_and_the_rest_counts() -> None:
    data = touch(1, 0, query="access_token=s3cret&new=1").data
    assert "access_token" not in data
    assert data["new"] == "1"
    assert data["product"] == "summer"
