"""Credit: which touch a person's event is attributed to (docs/sdk.md).

The newest click inside its window, else the newest impression inside its window: any qualifying click beats a more
recent impression. The window depends on what happened (session start, install, conversion); a link can carry its own.
This is a separate answer from deep linking (`bough.attribution.rules.matching`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from bough.attribution.rules.touches import Touch
from bough.errors import BadRequest
from bough.links.features import via_features
from bough.vocabulary.windows import LONGEST, Occasion, Windows, milliseconds_of_days

MAX_CONSIDERED = 20
"""Touches that one explanation lists."""


def window_of(touch: Touch, occasion: Occasion, windows: Windows) -> tuple[int, bool]:
    """The window in milliseconds for this touch, and whether its link sets it (`$click_install_window_days` …).

    A link's value that is no number or outside 0.0007 to 90 days is ignored: the click must not fail for it.
    """
    said = touch.data.get(f"${touch.kind}_{occasion}_window_days")
    if said is not None:
        try:
            return milliseconds_of_days(said, ""), True
        except BadRequest:
            pass  # the app's own window stands
    return windows.of(touch.kind, occasion), False


class Weighed(Struct, frozen=True, kw_only=True):
    """One touch and whether it could have the credit."""

    touch: Touch
    verdict: Literal["credited", "outside", "older", "click_wins", "excluded"]
    """`outside` its window; `older` than the credited one; an impression while a `click_wins`; link `excluded`."""
    age: int
    window: int
    from_link: bool = False
    """The window is the link's own."""


class Credit(Struct, frozen=True, kw_only=True):
    """Who gets the credit for one event."""

    touch: Touch | None = None
    window: int = 0
    from_link: bool = False
    occasion: Occasion = "conversion"
    weighed: tuple[Weighed, ...] = ()
    """Newest first, at most `MAX_CONSIDERED`."""


def last_touch(touches: Sequence[Touch], at: int, occasion: Occasion, windows: Windows) -> Credit:
    """The credit for an event at `at` (epoch ms) of a person who had `touches` (in order of time, oldest first).

    Touches after `at` are left out.
    """
    best: dict[str, Touch] = {}
    seen: list[tuple[Touch, int, int, bool]] = []
    for touch in reversed(touches):
        age = at - touch.at
        if age < 0:
            continue
        if age > LONGEST:
            if not seen:
                seen.append((touch, age, *window_of(touch, occasion, windows)))
            break
        window, from_link = window_of(touch, occasion, windows)
        if len(seen) < MAX_CONSIDERED:
            seen.append((touch, age, window, from_link))
        if touch.credit and age <= window and touch.kind not in best:
            best[touch.kind] = touch
            if touch.kind == "click" and len(seen) >= MAX_CONSIDERED:
                break
    winner = best.get("click") or best.get("impression")
    weighed = tuple(_weigh(one, winner) for one in seen)
    if winner is None:
        return Credit(occasion=occasion, weighed=weighed)
    window, from_link = window_of(winner, occasion, windows)
    return Credit(touch=winner, window=window, from_link=from_link, occasion=occasion, weighed=weighed)


def _weigh(one: tuple[Touch, int, int, bool], winner: Touch | None) -> Weighed:
    touch, age, window, from_link = one
    verdict: Literal["credited", "outside", "older", "click_wins", "excluded"] = "older"
    if touch is winner:
        verdict = "credited"
    elif not touch.credit:
        verdict = "excluded"
    elif age > window:
        verdict = "outside"
    elif touch.kind == "impression" and winner is not None and winner.kind == "click":
        verdict = "click_wins"
    return Weighed(touch=touch, verdict=verdict, age=age, window=window, from_link=from_link)


def touch_data(touch: Touch) -> dict[str, Any]:
    """`last_attributed_touch_data`: the analytics keys of the touch's link, `~x`, `$3p` and `+x` (docs/exports.md).

    Where the link says nothing, `+referring_domain` is the page that the click came from and `+via_features` what kind
    of link it was.
    """
    said = {key: value for key, value in touch.data.items() if (key[:1] in "~+" and key != "") or key == "$3p"}
    return {**_found_out(touch), **said}


def _found_out(touch: Touch) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        domain = urlsplit(touch.referrer).hostname if touch.referrer else None
    except ValueError:  # a Referer that is no address says nothing
        domain = None
    if domain:
        found["+referring_domain"] = domain
    features = via_features(touch.data)
    if features:
        found["+via_features"] = features
    return found
