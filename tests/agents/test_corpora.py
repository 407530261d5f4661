"""How often people are taken for robots and robots for people, on published detectors' own fixtures.

The rates hold for every release of the public list: who bumps it runs this file, and looks at what it prints.
"""

from __future__ import annotations

import pytest

from bough.agents.robots import robot
from tests.agents.corpora import people, robots

PEOPLE_PER_MISTAKE = 2000
"""At most one of so many strings of people may be taken for a robot's."""

ROBOTS_PER_MISTAKE = 50
"""At most one of so many strings of robots may be taken for a person's."""

TAKEN_FOR_ROBOTS = {
    "Mozilla/3.01 (compatible;)": "says nothing but `compatible`, as robots do",
    "Mozilla/4.0 (compatible; Gecko/20041115) Maple 5.0.0 Navi": "a television of 2010 without any system's name",
    "Mozilla/4.0 (compatible; ms-office; MSOffice 16)": "Office looks at a link before it opens the browser",
    "Mozilla/4.7 (compatible; OffByOne; Windows 2000) Webster Pro V3.4": "a browser of 2006 that names no engine",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/98.0.4758.102 Safari/537.36 "
    "PTST/220216.200657": "WebPageTest, which measures pages",
    "Podimo/1.20.1 build 148/Android 29": "a podcast app's own requests; the public list names it",
    "WhatsApp/2.17.395 Android/6.0 Device/Meizu-M5_Note": "WhatsApp fetches the preview of a link that is being sent",
}
"""All people's strings that are taken for a robot's, and why."""

TAKEN_FOR_PEOPLE = {
    "KarnoProspectingStudio": "the name of a product and nothing else in a browser's string",
    "Firefox/77.0 Time/1710630666672": "a whole browser's string with a time behind it",
    "Wyzo/3.0.3 Time/1715201908281": "a whole browser's string with a time behind it",
    "WebMoney Advisor": "a toolbar's name; people had it, too",
    "360JK yunjiankong": "says that it monitors, in Chinese",
    "AP3A.240617.008": "all parts are those of a phone in Instagram; the list goes by the number of its system's build",
}
"""What names each robot's string that is taken for a person's, and why."""


@pytest.fixture(scope="module")
def mistaken_people() -> list[str]:
    """Strings of people that are taken for a robot's or a scraper's."""
    return [text for texts in people().values() for text in texts if _kind(text) in ("robot", "social")]


@pytest.fixture(scope="module")
def mistaken_robots() -> list[str]:
    """Strings of robots that are taken for a person's."""
    return [text for texts in robots().values() for text in texts if _kind(text) == "person"]


def test_hardly_any_person_is_taken_for_a_robot(mistaken_people: list[str]) -> None:
    asked = sum(len(texts) for texts in people().values())
    print(f"people taken for robots: {len(mistaken_people)} of {asked}")
    assert asked > 36_000
    assert len(mistaken_people) * PEOPLE_PER_MISTAKE <= asked


def test_hardly_any_robot_is_taken_for_a_person(mistaken_robots: list[str]) -> None:
    asked = sum(len(texts) for texts in robots().values())
    print(f"robots taken for people: {len(mistaken_robots)} of {asked}")
    assert asked > 3_400
    assert len(mistaken_robots) * ROBOTS_PER_MISTAKE <= asked


def test_every_mistake_has_its_reason(mistaken_people: list[str], mistaken_robots: list[str]) -> None:
    assert sorted(mistaken_people) == sorted(TAKEN_FOR_ROBOTS)
    unexplained = [text for text in mistaken_robots if not any(name in text for name in TAKEN_FOR_PEOPLE)]
    assert unexplained == []
    stale = [name for name in TAKEN_FOR_PEOPLE if not any(name in text for text in mistaken_robots)]
    assert stale == []


@pytest.mark.parametrize("source", ["device-detector", "fake-useragent"])
def test_no_browser_of_a_person_is_a_program(source: str) -> None:
    """Programs among people's strings are an app's own requests, which show no page: none of them says `Mozilla/`."""
    assert [text for text in people()[source] if "Mozilla/" in text and _kind(text) == "program"] == []


def _kind(user_agent: str) -> str:
    found = robot(user_agent)
    return found[0] if found else "person"
