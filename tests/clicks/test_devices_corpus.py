"""Systems and makes, compared with what the fixtures of a device detector say of tens of thousands of real strings.

The fixtures come with the pinned package `device-detector`, which is a dependency of the tests alone. Strings of
robots, players and feed readers are left out: they are programs, whose devices nobody asks for.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from bough.agents.devices import device_of

FIXTURES = (
    *("smartphone", "tablet", "phablet", "desktop", "tv", "clienthints", "feature_phone", "wearable", "console"),
    *("unknown", "portable_media_player", "smart_display", "car_browser"),
)
BROWSERS = ("Mozilla/", "Opera/", "UCWEB/", "BlackBerry")
SYSTEMS = {
    "Android": "android",
    "OpenHarmony": "android",
    "iOS": "ios",
    "Windows": "windows",
    "Windows Mobile": "windows_phone",
    "Mac": "mac",
    "Chrome OS": "chromeos",
    "BlackBerry": "blackberry",
}
"""The detector's families in bough's words; a Linux, a television and a feature phone have no keys of their own, and
count as one."""

MOST_DISAGREEING_SYSTEMS = 60
"""Of some 34,100 (1 in 570). What they are: Android's apps on a Chromebook (11), televisions that spell Android
backwards or not at all (10), forks and dead systems that do not say Android (9), desktops' and iPads' strings that the
detector's authors know from elsewhere to be fakes (11), HarmonyOS on a PC, which opens no Android app (2), and strings
of the nineties and of feature phones that contradict themselves."""

LEAST_FOUND = {"Samsung": 0.98, "Huawei": 0.92, "Honor": 0.94, "Amazon": 0.98}
"""Of the Androids whose make the detector knows. Missing are models that the string hides (`K`), sale names without the
make (`Enjoy 20`, `Y530`), renamed ROMs, and Honor's phones of the winter of the split, which came with Huawei's
services and are Huawei's here."""

MOST_WRONG = {"Samsung": 0.01, "Huawei": 0.05, "Honor": 0.10, "Amazon": 0.31}
"""Of the Androids that bough gives a make. Honor: Chinese makes that write models like Honor's (Wiko) and models
of Huawei's with a version of Android that they never got. Amazon: televisions of other makers with Fire OS, which the
detector lists by their makers; apps come from Amazon there."""


class Known(NamedTuple):
    """What the detector says of one string."""

    user_agent: str
    system: str
    make: str


@lru_cache(maxsize=1)
def corpus() -> list[Known]:
    found: dict[str, Known] = {}
    folder = files("device_detector").joinpath("tests/fixtures/upstream")
    for file in folder.iterdir():
        if file.name.startswith(FIXTURES):
            for entry in yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or []:
                text = str(entry.get("user_agent", ""))
                if text.startswith(BROWSERS):
                    found[text] = _known(text, entry)
    return list(found.values())


def _known(text: str, entry: dict[str, Any]) -> Known:
    make = str((entry.get("device") or {}).get("brand") or "")
    system = SYSTEMS.get(str(entry.get("os_family")), "other")
    if system == "android" and (make == "Amazon" or (entry.get("os") or {}).get("name") == "Fire OS"):
        system = "fire"
    return Known(text, system, make)


def test_the_system_is_the_one_that_a_detector_knows() -> None:
    systems = {"": "other", "linux": "other"}
    wrong = [
        (one.system, said, one.user_agent)
        for one in corpus()
        if (said := systems.get(os := device_of(one.user_agent).os, os)) != one.system
    ]
    print(f"{len(corpus())} strings, {len(wrong)} with another system: {1 - len(wrong) / len(corpus()):.2%} agree")
    for kind, count in Counter((theirs, ours) for theirs, ours, _ in wrong).most_common():
        print(f"  detector {kind[0]}, bough {kind[1]}: {count}")
    assert len(corpus()) > 30_000
    assert len(wrong) <= MOST_DISAGREEING_SYSTEMS, wrong


def test_the_makes_that_decide_are_those_that_a_detector_knows() -> None:
    androids = [one for one in corpus() if one.system in ("android", "fire")]  # no other make has a key of its own
    made = [(one.make, device_of(one.user_agent).brand) for one in androids]
    for make, least in LEAST_FOUND.items():
        theirs = sum(1 for known, _ in made if known == make)
        both = sum(1 for known, said in made if known == said == make)
        ours = sum(1 for _, said in made if said == make)
        print(f"{make}: {both} of {theirs} found ({both / theirs:.1%}); of {ours}, {ours - both} are another's")
        assert both / theirs >= least
        assert 1 - both / ours <= MOST_WRONG[make]
