"""Local calendar days as whole numbers: days since 1970-01-01 in an app's time zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bough.errors import BadRequest

EPOCH = date(1970, 1, 1)
EARLIEST = date(2010, 1, 1)
"""No cost or rate is given for a day before."""

_WRITTEN = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?", re.ASCII)

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


def written_day(value: object, field: str) -> date:
    """A day that a caller or a file gives: YYYY-MM-DD, also with a midnight without a zone behind it.

    Raises:
        BadRequest: it is written in another way, is no day, or lies before 2010 or after tomorrow.
    """
    found = _WRITTEN.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        day = date.fromisoformat(found[1]) if found else None
    except ValueError:
        day = None
    if day is None:
        raise BadRequest(f"{field}: must be a date YYYY-MM-DD.")
    if not EARLIEST <= day <= datetime.now(UTC).date() + timedelta(days=1):
        raise BadRequest(f"{field}: {day} lies before 2010 or in the future.")
    return day
