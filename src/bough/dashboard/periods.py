"""Periods of whole local days that pages show, and the period before each to compare with."""

from __future__ import annotations

from datetime import date
from typing import Any

from msgspec import Struct

from bough.errors import BadRequest
from bough.vocabulary.calendar_days import day_of, local_day
from bough.vocabulary.ids import now_ms

LENGTHS = {"7": 7, "28": 28, "90": 90, "365": 365}
DEFAULT = "28"
MAX_DAYS = 731


class Period(Struct, frozen=True, kw_only=True):
    """Days since 1970, both ends inclusive."""

    first: int
    last: int
    chosen: str
    """A key of LENGTHS, or empty for own dates."""

    @property
    def days(self) -> int:
        """How many."""
        return self.last - self.first + 1

    @property
    def before(self) -> Period:
        """The same number of days right before."""
        return Period(first=self.first - self.days, last=self.first - 1, chosen="")

    @property
    def label(self) -> str:
        """What a heading calls it."""
        return f"last {self.days} days" if self.chosen else f"{self.days} days"


def period(timezone: str, days: str | None, start: str | None = None, end: str | None = None) -> Period:
    """`days` of LENGTHS up to today, or from start to end. Raises BadRequest naming the parameter."""
    today = local_day(timezone, now_ms())
    if start or end:
        first, last = _date("start", start), _date("end", end) if end else today
        if not first <= last <= first + MAX_DAYS - 1:
            raise BadRequest(f"end: must not be before start, nor more than {MAX_DAYS} days after it.")
        return Period(first=first, last=last, chosen="")
    chosen = days or DEFAULT
    if chosen not in LENGTHS:
        raise BadRequest(f"days: must be one of {', '.join(LENGTHS)}.")
    return Period(first=today - LENGTHS[chosen] + 1, last=today, chosen=chosen)


def _date(name: str, text: str | None) -> int:
    try:
        return day_of(date.fromisoformat(text or ""))
    except ValueError as error:
        raise BadRequest(f"{name}: must be a date such as 2026-03-01.") from error


def finished(values: list[float], *, is_open: bool) -> tuple[list[float | None], list[dict[str, Any]]]:
    """The curve of the days that are over, and the series of today, from the day before so that the line goes on."""
    if not is_open:
        return [*values], []
    ahead = max(0, len(values) - 2)
    return [*values[:-1], None], [{"label": "Today so far", "values": [None] * ahead + values[ahead:], "open": True}]
