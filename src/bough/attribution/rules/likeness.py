"""How alike a click and an opening look: the comparison behind a probabilistic match (docs/sdk.md, way 4).

Required: the same network address and operating system, and the same system version as far as both say it. Model,
screen and language count when both are known. Browsers hide some of it: Chrome on Android says `Android 10; K` on every
phone, and Safari from iOS 26 on freezes its system version. A hidden value is unknown, and unknown neither agrees nor
refuses; it only makes the match weaker.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from msgspec import Struct

from bough.attribution.rules.openings import Opening
from bough.attribution.rules.touches import Touch

Difference = Literal["other_ip", "other_os", "other_version", "other_model", "other_screen"]


class Likeness(Struct, frozen=True):
    """The result of one comparison."""

    difference: Difference | None = None
    """The first thing that speaks against it; None when nothing does."""
    left: str = ""
    """The click's value of what differs."""
    right: str = ""
    """The opening's value of it."""
    strength: int = 0
    """How many things agree beyond address and system; only comparable between candidates of one opening."""


def compare(touch: Touch, opening: Opening) -> Likeness:
    """Compare one click with one opening. Missing address or system on either side is a difference."""
    if not opening.ip or touch.ip != opening.ip:
        return Likeness("other_ip", touch.ip, opening.ip)
    if not opening.os or not same_system(touch.agent.os, opening.os):
        return Likeness("other_os", touch.agent.os, opening.os)
    strength = 0
    version = visible_version(touch)
    if version and opening.os_version:
        agreeing = common_parts(version, opening.os_version)
        if agreeing == 0:
            return Likeness("other_version", version, opening.os_version)
        strength += agreeing
    clicked, opened = visible_model(touch.agent.model), opening.model
    if clicked and opened:
        if not same_model(clicked, opened):
            return Likeness("other_model", clicked, opened)
        strength += 2
    if touch.screen is not None and opening.screen is not None:
        if touch.screen != opening.screen:
            return Likeness("other_screen", _size(touch.screen), _size(opening.screen))
        strength += 1
    if touch.user_agent and touch.user_agent == opening.user_agent:
        strength += 4
    return Likeness(strength=strength)


def same_system(clicked: str, opened: str) -> bool:
    """Fire OS is Android to some browsers and to the Android SDK."""
    android = ("android", "fire")
    return bool(clicked) and (clicked == opened or (clicked in android and opened in android))


def visible_version(touch: Touch) -> str:
    """The system version the click's browser really told, or empty when it hides it."""
    agent = touch.agent
    if agent.os == "android" and agent.os_version in ("10", "10.0", "10.0.0") and agent.model in ("K", ""):
        return ""
    if agent.os == "ios" and agent.browser == "Safari":
        safari, system = _major(agent.browser_version), _major(agent.os_version)
        if safari >= 26 > system:
            return ""
    return agent.os_version


def visible_model(model: str) -> str:
    """The model, unless it is Chrome's stand-in for all models."""
    return "" if model == "K" else model


@lru_cache(maxsize=4096)
def common_parts(left: str, right: str) -> int:
    """How many leading parts of two dotted versions agree, as far as both go; 0 when they contradict each other.

    `17.4` and `17.4.1` agree in two parts, `17` and `17.4.1` in one, `17.4` and `17.5` contradict.
    """
    one, two = _parts(left), _parts(right)
    shared = min(len(one), len(two))
    return shared if shared and one[:shared] == two[:shared] else 0


def same_model(clicked: str, opened: str) -> bool:
    """`SM-G991B` equals itself in any case; a browser's `iPhone` equals the SDK's `iPhone15,2`."""
    one, two = clicked.casefold(), opened.casefold()
    if one == two:
        return True
    return one in ("iphone", "ipad", "ipod") and two.startswith(one)


def _parts(version: str) -> list[str]:
    parts = version.replace("_", ".").split(".")
    return [part.lstrip("0") or "0" for part in parts if part.isdigit()][:4]


def _major(version: str) -> int:
    head = version.partition(".")[0]
    return int(head) if head.isdigit() and len(head) < 6 else 0


def _size(screen: tuple[int, int]) -> str:
    return f"{screen[0]}×{screen[1]}"
