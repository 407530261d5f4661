"""Explanations word by word, and simulation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from bough.agents.recognition import parse
from bough.attribution.replay.explain import explain
from bough.attribution.replay.simulate import CLICK_ID, Scene, simulate
from bough.attribution.rules.matching import Match
from bough.attribution.rules.session_data import data_string
from bough.errors import BadRequest
from bough.events.identifiers import Identifier
from bough.events.server_fields import ServerFields
from bough.vocabulary.durations import span, window_span
from bough.vocabulary.journal_rows import Click
from bough.vocabulary.windows import Windows
from tests.attribution.world import (
    DESKTOP_UA,
    HOUR,
    IPHONE_UA,
    MINUTE,
    SUMMER,
    WINTER,
    click,
    iphone,
    link,
    opened,
    read,
)


def scene(delay: int, **body: str) -> Scene:
    seen = Click(url="https://go.example.com/summer", user_agent=IPHONE_UA, ip="203.0.113.7")
    return Scene(link=SUMMER, delay=delay, click=seen, body=iphone(**body), facts=ServerFields(ip="203.0.113.7"))


def test_the_whole_story_of_a_late_install() -> None:
    told = simulate(scene(3 * HOUR + 12 * MINUTE, link_identifier=CLICK_ID), Windows(), parse).explanation
    assert told.summary == (
        "INSTALL: this person was never seen in the app before. "
        "Credit: the click on https://go.example.com/summer, 3 h 12 min earlier, inside the 7-day install window. "
        "The click was 3 h 12 min earlier; deep-link duration is 2 h; still inside the 7-day install window, "
        "so it gets the credit but no link data."
    )
    assert [line.sentence for line in told.deep_link] == [
        "The click on https://go.example.com/summer 3 h 12 min earlier is 1 h 12 min too old: "
        "deep-link duration is 2 h."
    ]
    assert [line.sentence for line in told.credit] == [
        "The click on https://go.example.com/summer 3 h 12 min earlier gets the credit: "
        "it is the newest inside the 7-day install window for clicks."
    ]
    assert told.nearest_miss == told.deep_link[0].sentence


def test_simulation_is_pure_and_guesses_like_the_live_path() -> None:
    first, second = (simulate(scene(5 * MINUTE), Windows(), parse) for _ in range(2))
    assert first == second
    assert first.result.deep_link is not None
    assert first.result.deep_link["+match_guaranteed"] is False


def test_simulation_of_a_long_link() -> None:
    long = link(0, "a/key", data={"product": "long"})
    played = Scene(
        link=long.__class__(**{**{n: getattr(long, n) for n in long.__struct_fields__}, "id": 0}),
        delay=MINUTE,
        click=Click(url="https://go.example.com/a/key?product=long", user_agent=IPHONE_UA, ip="203.0.113.7"),
        body=iphone(link_identifier=CLICK_ID),
    )
    given = simulate(played, Windows(), parse).result.deep_link
    assert given is not None
    assert given["product"] == "long"


@pytest.mark.parametrize("delay", [-1, 401 * 24 * HOUR])
def test_simulation_refuses_absurd_delays(delay: int) -> None:
    with pytest.raises(BadRequest, match=r"^delay: "):
        simulate(scene(delay), Windows(), parse)


def test_the_nearest_miss_is_the_one_that_lacked_least() -> None:
    rows = [
        click(1, 0, SUMMER, ip="198.51.100.1"),
        click(2, 1, WINTER, user_agent="Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0.0.0 Safari/537.36"),
        click(3, -180, SUMMER),
        opened(4, 5, iphone()),
    ]
    (install,) = read(*rows)
    told = explain(install)
    assert told.nearest_miss == (
        "The click on https://go.example.com/summer 3 h 5 min earlier is 1 h 5 min too old: deep-link duration is 2 h."
    )
    assert [line.verdict for line in told.deep_link] == ["other_os", "too_late"]


def test_an_old_click_of_another_phone_is_not_told_as_too_late() -> None:
    (install,) = read(click(1, 0, SUMMER), opened(2, 180, iphone(os_version="16.1")))
    told = explain(install)
    assert [line.verdict for line in told.deep_link] == ["other_version"]
    assert told.nearest_miss == (
        "The click on https://go.example.com/summer 3 h earlier came from another system version (17.4.1, not 16.1)."
    )


def test_a_guess_that_comes_too_late_is_told_in_the_summary() -> None:
    told = simulate(scene(3 * HOUR + 12 * MINUTE), Windows(), parse).explanation
    assert told.summary == (
        "INSTALL: this person was never seen in the app before. Organic: this person has no touch. "
        "Link data: none; the click on https://go.example.com/summer was 3 h 12 min earlier; deep-link duration is 2 h,"
        " and network address and device alone count only inside it, so this click brings neither link data nor credit."
    )


def test_a_person_is_told_by_what_is_known() -> None:
    (install,) = read(opened(1, 0, iphone(identity="ann")))
    known: list[Identifier] = [("idfv", "a"), ("bundle", "1"), ("bundle", "2"), ("request", "r"), ("identity", "ann")]
    assert explain(install, known).person == "Person 1, known by IDFV, bundle token and user id."
    assert explain(install, [("browser", "1")]).person == "Person 1, known by browser id."
    assert explain(install).person == "Person 1."


@pytest.mark.parametrize(
    ("changes", "miss"),
    [
        (
            {"facts": ServerFields(ip="198.51.100.9")},
            "came from another network address (203.0.113.7, not 198.51.100.9).",
        ),
        ({"touch": "impression"}, "was only an impression; those never give link data."),
        ({"touch": "robot"}, "was a robot's; robots are never matched."),
        ({"body": iphone(cpp_level="MINIMAL")}, ""),
        ({"body": iphone(randomized_bundle_token="1"), "opening": "open"}, ""),
    ],
)
def test_simulation_says_what_speaks_against_its_only_touch(changes: dict[str, Any], miss: str) -> None:
    told = simulate(replace(scene(5 * MINUTE), **changes), Windows(), parse)
    assert told.result.attributed is False
    assert told.explanation.nearest_miss == (
        miss and f"The click on https://go.example.com/summer 5 min earlier {miss}"
    )


def test_a_simulated_phone_is_the_clickers_unless_the_request_says_otherwise() -> None:
    bare = Scene(link=SUMMER, delay=MINUTE, click=scene(0).click, body={})
    told = simulate(bare, Windows(), parse)
    assert told.result.deep_link is not None
    assert (told.result.name, told.result.deep_link["product"]) == ("INSTALL", "summer")
    assert told.explanation.person == "A person who was never seen before."
    other = simulate(
        replace(bare, body={"os": "Android"}, facts=ServerFields(ip="203.0.113.7")), Windows(), parse
    ).result
    assert (other.name, other.attributed) == ("INSTALL", False)
    desk = replace(bare, click=replace(bare.click, user_agent=DESKTOP_UA), body={"link_identifier": CLICK_ID})
    page = simulate(desk, Windows(), parse).result
    assert (page.name, page.counted, page.touch_type) == ("WEB_SESSION_START", True, "CLICK")


def test_the_data_string_is_json_text() -> None:
    assert data_string(Match(), first_session=True) == '{"+clicked_branch_link":false,"+is_first_session":true}'
    foreign = json.loads(data_string(Match(foreign_url="https://x.example/y"), first_session=False))
    assert foreign == {
        "+clicked_branch_link": False,
        "+is_first_session": False,
        "+non_branch_link": "https://x.example/y",
    }


@pytest.mark.parametrize(
    ("length", "words", "window"),
    [
        (0, "0 s", "0 s"),
        (999, "999 ms", "999 ms"),
        (45_000, "45 s", "45 s"),
        (192 * MINUTE, "3 h 12 min", "192-minute"),
        (24 * HOUR, "1 day", "1-day"),
        (49 * HOUR, "2 days 1 h", "49-hour"),
        (24 * HOUR + 5_000, "1 day", "1 day"),
    ],
)
def test_spans(length: int, words: str, window: str) -> None:
    assert (span(length), window_span(length)) == (words, window)
