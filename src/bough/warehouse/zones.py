"""Local calendar days without a time-zone extension: the offsets of a zone as a small table to join.

The offsets come from Python's zone data, pinned with the package, so that every engine and the tests see the same days.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bough.errors import BadRequest

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = 6 * 3600


def zone_of(name: str) -> ZoneInfo:
    """The IANA zone `name`.

    Raises:
        BadRequest: no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadRequest(f"time_zone: {name!r} is not an IANA time zone") from error


def offset_ms(zone: ZoneInfo, second: int) -> int:
    """Local time minus UTC at an instant (epoch seconds), in milliseconds."""
    offset = (_EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() * 1000)


def local_day(zone: ZoneInfo, at: int) -> int:
    """Days from 1970-01-01 to the local date of an instant (epoch milliseconds)."""
    return (at + offset_ms(zone, at // 1000)) // DAY_MS


def offsets(zone_name: str, first: int, last: int) -> list[tuple[int, int, int]]:
    """(from, until, offset), all in milliseconds, covering the instants first..last; adjacent ranges differ."""
    found: list[tuple[int, int]] = []
    for year in range((_EPOCH + timedelta(milliseconds=first)).year, (_EPOCH + timedelta(milliseconds=last)).year + 1):
        found += [pair for pair in _year_offsets(zone_name, year) if not found or found[-1][1] != pair[1]]
    ends = [start for start, _ in found[1:]] + [2**62]
    ranges = [(start, end, offset) for (start, offset), end in zip(found, ends, strict=True)]
    return [part for part in ranges if part[1] > first and part[0] <= last]


@lru_cache(maxsize=4096)
def _year_offsets(zone_name: str, year: int) -> tuple[tuple[int, int], ...]:
    """(start in epoch milliseconds, offset) of every stretch of one UTC year."""
    zone = zone_of(zone_name)
    start = int((datetime(year, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())
    end = int((datetime(year + 1, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())
    found = [(start * 1000, offset_ms(zone, start))]
    for low in range(start, end, _STEP):
        high = min(low + _STEP, end - 1)
        if offset_ms(zone, high) != offset_ms(zone, low):
            instant = _change(zone, low, high)
            found.append((instant * 1000, offset_ms(zone, instant)))
    return tuple(found)


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    """The first second in (low, high] with the offset of `high`."""
    target = offset_ms(zone, high)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_ms(zone, middle) == target:
            high = middle
        else:
            low = middle
    return high
