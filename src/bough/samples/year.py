"""A year of the bookshop, made up: who installed it, came back, and bought; the same for the same last day.

The rows are those of Branch's raw event export, so that they come in by `bough import events` and are counted as any
other import: nothing of the demo's figures is drawn directly.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from math import log
from random import Random
from typing import Final

from msgspec import Struct

from bough.samples.campaigns import CAMPAIGNS, WIN_BACK, Campaign, season

DAYS: Final = 365
INSTALLS_A_DAY: Final = 20.0
GROWTH: Final = 1.1
"""Installs grow by so much (1 = doubles) over the year."""

ORGANIC: Final = 0.42
AWAY_DAYS: Final = 21
WIN_BACK_CHANCE: Final = 0.25
DAY_MS: Final = 86_400_000

TOUCH = "last_attributed_touch_data_tilde_"
COLUMNS: Final = (
    "id",
    "name",
    "timestamp",
    "attributed",
    "last_attributed_touch_type",
    "last_attributed_touch_timestamp",
    f"{TOUCH}campaign",
    f"{TOUCH}channel",
    f"{TOUCH}feature",
    f"{TOUCH}advertising_partner_name",
    f"{TOUCH}ad_name",
    f"{TOUCH}agency",
    "user_data_os",
    "user_data_platform",
    "user_data_environment",
    "user_data_device_type",
    "user_data_brand",
    "user_data_model",
    "user_data_geo_country_code",
    "user_data_geo_country_en",
    "user_data_developer_identity",
    "event_data_revenue",
    "event_data_currency",
)

Row = tuple[str, ...]


class SamplePlace(Struct, frozen=True):
    """Where people live."""

    code: str
    name: str
    share: float
    currency: str


PLACES: Final = (
    SamplePlace("US", "United States", 0.42, "USD"),
    SamplePlace("GB", "United Kingdom", 0.15, "GBP"),
    SamplePlace("DE", "Germany", 0.14, "EUR"),
    SamplePlace("FR", "France", 0.08, "EUR"),
    SamplePlace("IN", "India", 0.08, "USD"),
    SamplePlace("CA", "Canada", 0.07, "USD"),
    SamplePlace("BR", "Brazil", 0.06, "USD"),
)

DEVICES: Final = (
    ("IOS", "IOS_APP", "IOS_PHONE", "Apple", "iPhone15,2", 0.30),
    ("IOS", "IOS_APP", "IOS_PHONE", "Apple", "iPhone14,5", 0.20),
    ("IOS", "IOS_APP", "IOS_TABLET", "Apple", "iPad13,18", 0.08),
    ("ANDROID", "ANDROID_APP", "ANDROID_PHONE", "Samsung", "SM-S918B", 0.18),
    ("ANDROID", "ANDROID_APP", "ANDROID_PHONE", "Google", "Pixel 8", 0.14),
    ("ANDROID", "ANDROID_APP", "ANDROID_PHONE", "Xiaomi", "2201117TG", 0.10),
)

PRICES: Final = (("4.99", 3), ("7.99", 5), ("9.99", 6), ("12.99", 5), ("18.00", 3), ("24.50", 2), ("39.00", 1))


class SamplePerson(Struct, frozen=True, kw_only=True):
    """Somebody who installed the app."""

    number: int
    day: int
    """Of the year that is told, from 0."""
    place: SamplePlace
    device: tuple[str, str, str, str, str, float]
    campaign: Campaign | None
    ad: str
    keenness: float
    """How likely they are to come back and to buy, beside others; 1 on average."""


def events(last_day: date, seed: int = 1) -> Iterator[Row]:
    """All events of the year that ends with `last_day` (UTC), as rows of COLUMNS."""
    random = Random(seed)
    first = last_day - timedelta(days=DAYS - 1)
    start_ms = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) * 1000
    for person in people(first, random):
        yield from _life(person, start_ms, random)


def people(first: date, random: Random) -> Iterator[SamplePerson]:
    """Everybody who installs the app in the year that begins with `first`, in order of their day."""
    number = 0
    for day in range(DAYS):
        today = first + timedelta(days=day)
        expected = INSTALLS_A_DAY * (1 + GROWTH * day / DAYS) * season(today)
        running = [campaign for campaign in CAMPAIGNS if today.month in campaign.months]
        shares = [campaign.share for campaign in running]
        for _ in range(round(random.gauss(expected, expected**0.5))):
            number += 1
            campaign = None if random.random() < ORGANIC else random.choices(running, shares)[0]
            yield SamplePerson(
                number=number,
                day=day,
                place=random.choices(PLACES, [place.share for place in PLACES])[0],
                device=random.choices(DEVICES, [device[-1] for device in DEVICES])[0],
                campaign=campaign,
                ad=random.choice(campaign.ads) if campaign and campaign.ads else "",
                keenness=random.lognormvariate(-0.35, 0.85),
            )


def _life(person: SamplePerson, start_ms: int, random: Random) -> Iterator[Row]:
    """What one person does, from the install to the end of the year."""
    loyalty = person.keenness * (person.campaign.loyalty if person.campaign else 1.15)
    spending = 0.05 * person.keenness * (person.campaign.spending if person.campaign else 1.0)
    told = _Told(person, start_ms)
    at = told.touched(person.campaign, person.day, random)
    yield told.row("INSTALL", at)
    if random.random() < 0.45:
        yield told.row("COMPLETE_REGISTRATION", at + random.randint(40_000, 400_000))
    age = 0
    while True:
        yield from _visit(told, at, spending, random, opens=age > 0)
        # People come ever more rarely; skipping the days between visits is quicker than asking each of them.
        chance = min(0.9, 0.34 * loyalty * (age + 1) ** -0.55)
        gap = 1 + int(log(1 - random.random()) / log(1 - chance))
        age += gap
        if person.day + age >= DAYS:
            return
        if gap > AWAY_DAYS and random.random() < WIN_BACK_CHANCE:
            at = told.touched(WIN_BACK, person.day + age, random)
        else:
            at = told.moment(person.day + age, random)


def _visit(told: _Told, at: int, spending: float, random: Random, *, opens: bool) -> Iterator[Row]:
    """One visit: books are looked at, and now and then one is bought."""
    if opens:
        yield told.row("OPEN", at)
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        at += random.randint(15_000, 180_000)
        yield told.row("VIEW_ITEM", at)
    if random.random() < spending:
        at += random.randint(20_000, 240_000)
        yield told.row("ADD_TO_CART", at)
        if random.random() < 0.7:
            price = random.choices([p for p, _ in PRICES], [weight for _, weight in PRICES])[0]
            yield told.row("PURCHASE", at + random.randint(30_000, 300_000), price)


class _Told:
    """Writes down what happens to a person; the touch that brought them last is told with every event."""

    def __init__(self, person: SamplePerson, start_ms: int) -> None:
        self._person = person
        self._start_ms = start_ms
        self._count = 0
        self._touch: Row = ("false", "", "", "", "", "", "", "", "")
        os, platform, kind, brand, model, _ = person.device
        self._user = (os, platform, "FULL_APP", kind, brand, model, person.place.code, person.place.name)
        self._identity = f"demo-reader-{person.number}"

    def moment(self, day: int, random: Random) -> int:
        """An instant of a day, epoch ms: mostly evenings."""
        hour = min(23.5, max(0.0, random.gauss(19.5, 3.2) if random.random() < 0.7 else random.uniform(6, 22)))
        return self._start_ms + day * DAY_MS + int(hour * 3_600_000)

    def touched(self, campaign: Campaign | None, day: int, random: Random) -> int:
        """The instant of an opening that a campaign's link (or nothing) led to."""
        at = self.moment(day, random)
        if campaign is not None:
            ad = self._person.ad if campaign is self._person.campaign else ""
            clicked = str(at - random.randint(20_000, 1_200_000))
            labels = (campaign.name, campaign.channel, campaign.feature, campaign.partner, ad, campaign.agency)
            self._touch = ("true", "CLICK", clicked, *labels)
        return at

    def row(self, name: str, at: int, price: str = "") -> Row:
        """One event."""
        self._count += 1
        identifier = f"demo-{self._person.number}-{self._count}"
        money = (price, self._person.place.currency) if price else ("", "")
        return (identifier, name, str(at), *self._touch, *self._user, self._identity, *money)
