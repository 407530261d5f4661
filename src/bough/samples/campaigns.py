"""The bookshop's campaigns: what they cost, when they run, and whom they bring."""

from __future__ import annotations

from datetime import date
from math import exp, pi, sin
from typing import Final

from msgspec import Struct

ALL_YEAR: Final = tuple(range(1, 13))


class Campaign(Struct, frozen=True, kw_only=True):
    """One campaign and its link."""

    name: str
    alias: str
    channel: str
    feature: str
    partner: str = ""
    """Advertising partner; empty for the shop's own channels."""
    ads: tuple[str, ...] = ()
    agency: str = ""
    months: tuple[int, ...] = ALL_YEAR
    share: float
    """Its part of a day's installs, beside those of other campaigns that run."""
    install_cost: float = 0.0
    """Dollars for an install, on average."""
    loyalty: float = 1.0
    """How much more (or less) often its people come back."""
    spending: float = 1.0
    """How much more (or less) often they buy."""


CAMPAIGNS: Final = (
    Campaign(
        name="brand search",
        alias="search",
        channel="google",
        feature="paid advertising",
        partner="Google AdWords",
        ads=("books near you", "next day delivery"),
        share=0.9,
        install_cost=2.4,
        loyalty=1.25,
        spending=1.4,
    ),
    Campaign(
        name="lookalike readers",
        alias="readers",
        channel="facebook",
        feature="paid advertising",
        partner="Facebook",
        ads=("carousel of covers", "story: one more page", "video: the shelf"),
        agency="Northlight Media",
        share=1.2,
        install_cost=1.7,
        loyalty=0.9,
    ),
    Campaign(
        name="short videos",
        alias="booktok",
        channel="tiktok",
        feature="paid advertising",
        partner="TikTok for Business",
        ads=("30 books in 30 seconds", "reader reacts"),
        agency="Northlight Media",
        months=(1, 2, 5, 6, 7, 8, 9, 10, 11, 12),
        share=1.1,
        install_cost=0.8,
        loyalty=0.55,
        spending=0.5,
    ),
    Campaign(
        name="back to school",
        alias="school",
        channel="facebook",
        feature="paid advertising",
        partner="Facebook",
        ads=("reading lists", "student price"),
        months=(8, 9),
        share=1.4,
        install_cost=1.3,
        loyalty=0.8,
        spending=1.1,
    ),
    Campaign(
        name="holiday gifts",
        alias="gifts",
        channel="google",
        feature="paid advertising",
        partner="Google AdWords",
        ads=("a book under the tree", "gift cards"),
        months=(11, 12),
        share=1.8,
        install_cost=2.1,
        loyalty=0.6,
        spending=1.9,
    ),
    Campaign(name="newsletter", alias="news", channel="email", feature="email", share=0.5, loyalty=1.6, spending=1.5),
    Campaign(name="friends read more", alias="friends", channel="whatsapp", feature="referral", share=0.4, loyalty=1.7),
    Campaign(name="shared quotes", alias="quotes", channel="instagram", feature="share", share=0.7, loyalty=1.1),
    Campaign(name="poster in the shop", alias="poster", channel="qr", feature="qr code", share=0.25, loyalty=1.3),
)

WIN_BACK: Final = Campaign(
    name="we kept your page", alias="come-back", channel="email", feature="email", share=0.0, loyalty=1.2, spending=1.2
)
"""Brings nobody new; people who stayed away for weeks come back by it."""

PEAKS: Final = ((4, 23, 0.5), (9, 1, 0.4), (11, 27, 1.2), (12, 18, 1.5), (1, 3, 0.6))
"""Month, day, and how much more than usual: World Book Day, school, Black Friday, last posting day, new readers."""

PEAK_DAYS: Final = 5.0
WEEKDAYS: Final = (0.94, 0.92, 0.95, 0.98, 1.05, 1.1, 1.14)
"""Monday first."""


def season(day: date) -> float:
    """How busy a day is; 1 on an average day."""
    long_evenings = 1 + 0.12 * sin(2 * pi * (day.timetuple().tm_yday + 80) / 365)
    peaks = sum(height * exp(-((_apart(day, month, of_month) / PEAK_DAYS) ** 2)) for month, of_month, height in PEAKS)
    return WEEKDAYS[day.weekday()] * (long_evenings + peaks)


def _apart(day: date, month: int, of_month: int) -> int:
    """Days between a day and the nearest of that date in any year."""
    return min(abs((day - date(year, month, of_month)).days) for year in (day.year - 1, day.year, day.year + 1))
