"""Local calendar days as whole numbers: days since 1970-01-01 in an app's time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = date(1970, 1, 1)

_PIECE_MS = 900_000
"""Every offset from UTC is a multiple of a quarter of an hour since 1972, so days change at such an instant only."""


def local_day(timezone: str, at: int) -> int:
    """The day of an instant (epoch ms)."""
    return _day(timezone, at // _PIECE_MS)


@lru_cache(maxsize=65_536)
def _day(timezone: str, piece: int) -> int:
    instant = datetime.fromtimestamp(piece * _PIECE_MS / 1000, UTC)
    return (instant.astimezone(ZoneInfo(timezone)).date() - EPOCH).days


def date_of(day: int) -> date:
    """The calendar date of a day."""
    return EPOCH + timedelta(days=day)


def day_of(when: date) -> int:
    """The day of a calendar date."""
    return (when - EPOCH).days
