"""The `data` string that apps read after an open (docs/sdk.md, docs/clicks.md).

It must be a JSON *string* in the answer: as an object the Web SDK hangs. `~id` stays a decimal string here too, because
JavaScript would round the number.
"""

from __future__ import annotations

from typing import Any

from bough.attribution.rules.matching import Match
from bough.attribution.rules.touches import Touch
from bough.events import body


def session_data(match: Match, *, first_session: bool) -> dict[str, Any]:
    """The session's data: the link's keys as created and the keys about this session.

    `+clicked_branch_link` and `+is_first_session` are always there.
    """
    touch = match.touch
    if touch is None:
        data: dict[str, Any] = {"+clicked_branch_link": False, "+is_first_session": first_session}
        if match.foreign_url:
            data["+non_branch_link"] = match.foreign_url
        return data
    return {**_link_keys(touch), **_session_keys(touch, match, first_session)}


def data_string(match: Match, *, first_session: bool) -> str:
    """`session_data` as the JSON text that goes into the answer's `data`."""
    return body.encode(session_data(match, first_session=first_session)).decode()


def _link_keys(touch: Touch) -> dict[str, Any]:
    return {key: value for key, value in touch.data.items() if key != "url"}


def _session_keys(touch: Touch, match: Match, first_session: bool) -> dict[str, Any]:
    keys: dict[str, Any] = {
        "+clicked_branch_link": True,
        "+is_first_session": first_session,
        "+match_guaranteed": match.guaranteed,
        "+click_timestamp": touch.at // 1000,
    }
    if touch.url:
        keys["~referring_link"] = touch.url
        keys["+url"] = touch.url
    if touch.referrer:
        keys["+referrer"] = touch.referrer
    return keys
