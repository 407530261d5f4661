"""Lengths of time in words, as explanations and pages say them."""

from __future__ import annotations

_UNITS = ((86_400_000, "day"), (3_600_000, "h"), (60_000, "min"), (1000, "s"))


def span(milliseconds: int) -> str:
    """`3 h 12 min`, `7-day`-able lengths as `7 days`, `45 s`, `0 s`: the two largest units that are not zero."""
    rest = abs(milliseconds)
    parts: list[str] = []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}s" if unit == "day" and count > 1 else f"{count} {unit}")
        elif parts:
            break
        if len(parts) == 2:
            break
    if parts:
        return " ".join(parts)
    return f"{rest} ms" if rest else "0 s"


def window_span(milliseconds: int) -> str:
    """A window's length before a noun: `7-day`, `2-hour`, `30-minute`; other lengths as `span`."""
    for size, unit in ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute")):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}-{unit}"
    return span(milliseconds)
