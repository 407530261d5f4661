"""What an SDK request turns out to be: INSTALL, REINSTALL, OPEN, WEB_SESSION_START, PAGEVIEW, and whether it opens a
re-engagement (docs/sdk.md, docs/exports.md)."""

from __future__ import annotations

from bisect import bisect_left
from typing import Literal

from bough.attribution.rules.openings import Opening
from bough.attribution.rules.touches import Touch
from bough.vocabulary.event_groups import SESSION_EVENTS
from bough.vocabulary.windows import DAY, Occasion

SessionName = Literal["INSTALL", "REINSTALL", "OPEN", "WEB_SESSION_START"]

OCCASIONS: dict[str, Occasion] = {
    "INSTALL": "install",
    "REINSTALL": "install",
    "OPEN": "session_start",
    "WEB_SESSION_START": "session_start",
}
"""Which window an event name uses; every other name is a conversion, PAGEVIEW included (docs/sdk.md)."""

HAS_APP = frozenset({"INSTALL", "REINSTALL", "OPEN"})


def session_name(opening: Opening, *, has_app: bool) -> SessionName:
    """What an opening is, given whether its person was seen in the app before.

    The Web has sessions only. `/v1/install` of somebody known is a REINSTALL, never a second INSTALL. A server's open
    is an INSTALL when the person is new: the server decides there (docs/events.md). An SDK's `/v1/open` carries
    the token of an earlier install and is an OPEN even when that install happened before this server existed.
    """
    if opening.platform == "web":
        return "WEB_SESSION_START"
    if opening.request == "install":
        return "REINSTALL" if has_app else "INSTALL"
    return "INSTALL" if opening.server_to_server and not has_app else "OPEN"


def is_first_open(opening: Opening, *, has_app: bool) -> bool:
    """Whether a probabilistic match may be tried: an install, or a first open that carries no token of an earlier
    one. A token that this server never issued comes from before a migration; that app was opened long ago."""
    return opening.request == "install" or not (has_app or opening.has_token)


def is_first_session(opening: Opening, name: str, *, seen: bool) -> bool:
    """`+is_first_session`: the first session of this app install, REINSTALL included, since the app starts from
    nothing then; on the Web the person's first one (`seen`: there was a WEB_SESSION_START before)."""
    if opening.platform == "web":
        return not seen
    return opening.request == "install" or name == "INSTALL"


def occasion(name: str) -> Occasion:
    """Which of the three windows an event of that name uses."""
    return OCCASIONS.get(name, "conversion")


def is_reengagement(name: str, at: int, previous: int | None, inactivity: int) -> bool:
    """Whether a session ends an inactivity: `previous` is the person's latest activity strictly earlier, or None.

    All in milliseconds; the gap counts from exactly `inactivity` on.
    """
    return name in SESSION_EVENTS and previous is not None and at - previous >= inactivity


def days_between(touch_at: int, at: int) -> int:
    """Whole days from touch to event: `days_from_last_attributed_touch_to_event`."""
    return (at - touch_at) // DAY


class History:
    """What a person has done so far in one app and environment, as far as the reading has come."""

    __slots__ = ("_earlier", "_last", "events", "has_app", "names", "rows", "touch_ids", "touches", "transactions")

    def __init__(self) -> None:
        self.rows: list[int] = []
        """What was read, logins and retries among them."""
        self.touches: list[Touch] = []
        """In the order of time."""
        self.touch_ids: set[int] = set()
        self.names: set[str] = set()
        self.transactions: dict[tuple[str, str, bool], int] = {}
        """(name, transaction id, is a refund) → row."""
        self.has_app = False
        self.events = 0
        self._last: int | None = None
        self._earlier: int | None = None

    def add_touch(self, touch: Touch) -> bool:
        """Take in a touch at its place in time; the same touch again changes nothing and answers False."""
        if touch.id in self.touch_ids:
            return False
        self.touch_ids.add(touch.id)
        if not self.touches or self.touches[-1].order < touch.order:
            self.touches.append(touch)
            return True
        place = bisect_left([one.order for one in self.touches], touch.order)
        self.touches.insert(place, touch)
        return True

    def activity(self, at: int) -> int | None:
        """Note an activity; answers the latest one strictly earlier. `at` never decreases between calls."""
        if self._last is None or at > self._last:
            self._earlier, self._last = self._last, at
        return self._earlier
