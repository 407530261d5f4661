"""How values are written on pages: numbers with thin separators, money, shares, instants, durations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from bough.vocabulary.calendar_days import date_of
from bough.vocabulary.ids import iso_time, now_ms
from bough.vocabulary.money import MICRO

MISSING = "–"
SHOWN_CHARACTERS = 300
"""Longer texts are cut on pages; their CSV and JSON hold them whole."""


def number(value: int | None) -> str:
    """1234567 as 1,234,567."""
    return MISSING if value is None else f"{value:,}"


def compact(value: float) -> str:
    """Three digits and a unit: 12.3k, 4.56M."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if unit == 'k' else size):.3g}{unit}"
    return f"{value:,.0f}"


def money(micro: int | None) -> str:
    """Millionths of a dollar as $1,234.50."""
    if micro is None:
        return MISSING
    cents = (abs(micro) + MICRO // 200) // (MICRO // 100)
    return f"{'-' if micro < 0 else ''}${cents // 100:,}.{cents % 100:02}"


def change(now: int, before: int) -> str:
    """The relative difference, as +12 %; empty when there is nothing to compare with."""
    if not before:
        return ""
    share = 100 * (now - before) / abs(before)
    return f"{share:+.0f} %" if abs(share) < 1000 else f"{share / 100 + 1:.0f} ×"


def day(value: int) -> str:
    """A local day as 2026-03-01."""
    return date_of(value).isoformat()


def moment(at: int | None, timezone: str = "UTC") -> str:
    """Epoch milliseconds as 2026-03-01 12:00:00 in a time zone."""
    if at is None:
        return MISSING
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M:%S")


def time_element(at: int | str | None, timezone: str = "UTC") -> Markup:
    """A `<time>` element of epoch milliseconds or of an ISO 8601 text."""
    if isinstance(at, str):
        at = round(datetime.fromisoformat(at).timestamp() * 1000)
    if at is None:
        return Markup(MISSING)
    instant = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        instant, instant[:19].replace("T", " "), moment(at, timezone)
    )


def clock(at: int, timezone: str = "UTC") -> Markup:
    """A `<time>` element of epoch milliseconds: the time of today, the date of other days."""
    whole, today = moment(at, timezone), moment(now_ms(), timezone)[:10]
    instant = iso_time(at)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        instant, whole, whole[11:] if whole.startswith(today) else whole[:10]
    )


def age(milliseconds: int) -> str:
    """How long ago: 4 s, 12 min, 3 h, 5 d."""
    seconds = max(0, milliseconds // 1000)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def cut(text: object, most: int = SHOWN_CHARACTERS) -> str:
    """A text of bounded length, with an ellipsis where it was cut."""
    whole = text if isinstance(text, str) else plain(text)
    return whole if len(whole) <= most else whole[: most - 1] + "…"


def plain(value: object) -> str:
    """A value of JSON as people read it: true and not True, lists with commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {plain(one)}" for name, one in value.items())
    return MISSING if value is None else str(value)


def sparkline(values: Sequence[int], width: int = 120, height: int = 28) -> Markup:
    """A small curve without axes; it only decorates a number that stands beside it."""
    if len(values) < 2 or not any(values):
        return Markup("")
    low, high = min(0, *values), max(0, *values)
    step = width / (len(values) - 1)
    points = [
        f"{place * step:.1f},{height - 2 - (value - low) / (high - low) * (height - 4):.1f}"
        for place, value in enumerate(values)
    ]
    return Markup(
        '<svg class="spark" viewBox="0 0 {w} {h}" preserveAspectRatio="none" aria-hidden="true">'
        '<polyline points="{p}"/></svg>'
    ).format(w=width, h=height, p=" ".join(points))


def bar(value: float, most: float) -> Markup:
    """A horizontal bar as wide as value is of most; it decorates a number."""
    share = 0 if not most else max(0.0, min(100.0, 100 * value / most))
    return Markup('<svg class="bar" aria-hidden="true"><rect width="{}%" height="100%"/></svg>').format(f"{share:.1f}")


def highlighted(text: str, part: str) -> Markup:
    """A text with the part that was searched for marked."""
    at = text.lower().find(part.lower()) if part else -1
    if at < 0 or len(text.lower()) != len(text):
        return escape(text)
    return Markup("{}<mark>{}</mark>{}").format(text[:at], text[at : at + len(part)], text[at + len(part) :])
