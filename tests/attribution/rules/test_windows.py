"""Credit windows in their details; the stories are in `scenarios.md`."""

from __future__ import annotations

from typing import Any

import pytest

from bough.attribution.rules.touches import Touch
from bough.attribution.rules.windows import MAX_CONSIDERED, last_touch, touch_data, window_of
from bough.errors import BadRequest
from bough.vocabulary.windows import DAY, Windows, windows_from_days


def touch(number: int, at: int, kind: Any = "click", **data: Any) -> Touch:
    return Touch(id=number, at=at, app=1, test=False, kind=kind, data=data)


def test_documented_defaults() -> None:
    windows = Windows()
    days = {name: getattr(windows, name) / DAY for name in windows.__struct_fields__}
    assert days == {
        "click_session_start": 1,
        "click_install": 7,
        "click_conversion": 30,
        "impression_session_start": 1,
        "impression_install": 1,
        "impression_conversion": 7,
        "reengagement_inactivity": 7,
    }


def test_settings_in_days() -> None:
    windows = windows_from_days({"click_install": 90, "impression_install": "0.0007"})
    assert (windows.click_install, windows.impression_install, windows.click_conversion) == (90 * DAY, 60_480, 30 * DAY)


@pytest.mark.parametrize("value", [0, 91, "0.0006", "NaN", "soon", None, True, "1e9"])
def test_windows_outside_the_range_are_refused(value: object) -> None:
    with pytest.raises(BadRequest, match=r"^click_install: "):
        windows_from_days({"click_install": value})


def test_unknown_windows_are_refused() -> None:
    with pytest.raises(BadRequest, match=r"^household: no such window"):
        windows_from_days({"household": 2})


def test_a_links_own_window_counts_unless_it_is_nonsense() -> None:
    windows = Windows()
    assert window_of(touch(1, 0, **{"$click_install_window_days": "3"}), "install", windows) == (3 * DAY, True)
    assert window_of(touch(1, 0, **{"$click_install_window_days": 1.5}), "install", windows) == (DAY * 3 // 2, True)
    assert window_of(touch(1, 0, **{"$click_install_window_days": "365"}), "install", windows) == (7 * DAY, False)
    own = touch(1, 0, "impression", **{"$impression_session_start_window_days": 2})
    assert window_of(own, "session_start", windows) == (2 * DAY, True)


def test_many_touches_are_weighed_but_few_are_listed() -> None:
    touches = [touch(1, 0), *(touch(number, number, "impression") for number in range(2, 200))]
    credit = last_touch(touches, 1000, "install", Windows())
    assert credit.touch == touches[0]
    assert len(credit.weighed) == MAX_CONSIDERED


def test_touches_after_the_event_do_not_count() -> None:
    assert last_touch([touch(1, 50)], 49, "install", Windows()).touch is None
    assert last_touch([touch(1, 50)], 50, "install", Windows()).touch is not None


def test_touch_data_keep_the_analytics_keys_only() -> None:
    data = {"~channel": "mail", "$3p": "x", "$og_title": "t", "+url": "u", "product": "p"}
    assert touch_data(touch(1, 0, **data)) == {"~channel": "mail", "$3p": "x", "+url": "u"}
