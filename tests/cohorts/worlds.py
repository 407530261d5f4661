"""Random worlds and requests: small alphabets, so that everything meets everything."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from bough.attribution.attributed_event import AttributedEvent, CostRow
from bough.cohorts.measures import MEASURES
from bough.cohorts.request import CohortRequest, parse
from bough.vocabulary.dimensions import COST_COLUMNS, TOUCH_COLUMNS, dimensions_of
from tests.cohorts.reference import App, World

TODAY = date(2024, 6, 1)
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo")
NAMES = (
    *("INSTALL", "INSTALL", "INSTALL", "OPEN", "OPEN", "OPEN", "OPEN", "REINSTALL", "WEB_SESSION_START", "PURCHASE"),
    *("PURCHASE", "PURCHASE", "SUBSCRIBE", "ADD_TO_CART", "LOGIN", "PAGEVIEW", "CLICK", "IMPRESSION"),
    *("my_event", "other,event"),
)
TEXTS = ("A", "b", "É", "a,b", 'q"', "=1+1", "")
CLASHES = ("2024-03-10T06:59:59", "2024-03-31T00:30:00", "2024-04-06T15:00:00", "2024-04-25T22:00:00")
"""Instants next to changes of the clock in the zones above."""


def instant(random: Random) -> int:
    if random.random() < 0.1:
        base = datetime.fromisoformat(random.choice(CLASHES)).replace(tzinfo=UTC)
        return int(base.timestamp()) * 1000 + random.randint(-7_200_000, 7_200_000)
    start = int(datetime(2024, 3, 8, tzinfo=UTC).timestamp())
    return (start + random.randint(0, 55 * 24) * 3600) * 1000 + random.choice((0, 0, 1, 59_999))


def touch(random: Random) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    for column, _ in TOUCH_COLUMNS:
        if random.random() < 0.25:
            found[column] = random.choice(TEXTS)
    if random.random() < 0.5:
        found["tilde_tags"] = random.sample(["x", "y", "z", "x,y", ""], random.randint(0, 3))
    if random.random() < 0.5:
        found["plus_via_features"] = random.sample(["ADS", "EMAIL", "JOURNEYS"], random.randint(0, 2))
    if random.random() < 0.3:
        found["dollar_3p"] = random.choice(["a_one", "e-two", "three"])
    if random.random() < 0.3:
        found["tilde_feature"] = random.choice(["Email", "share"])
    return found


def event(random: Random, number: int, app: str, person: int) -> AttributedEvent:
    name = random.choice(NAMES)
    at = instant(random)
    micro = None
    if name in ("PURCHASE", "SUBSCRIBE", "ADD_TO_CART", "my_event") and random.random() < 0.8:
        micro = random.choice((0, 1, 4999, 5000, 15_000, 9_990_000, -2_500_000, random.randint(1, 10**9)))
    return AttributedEvent(
        id=str(number),
        app=app,
        person=person,
        name=name,
        at=at,
        attributed=random.random() < 0.6,
        touch_type=random.choice((None, "CLICK", "CLICK", "IMPRESSION")),
        touch_at=random.choice((None, at - 3_600_000, at - 40 * 86_400_000)),
        touch=touch(random),
        customer_event_alias=random.choice((None, None, "vip", "")),
        micro=micro,
        missing_rate=name == "PURCHASE" and micro is None,
        os=random.choice((None, "IOS", "iOS", "ANDROID")),
        environment=random.choice((None, "FULL_APP", "FULL_WEB")),
        platform=random.choice((None, "IOS_APP", "ANDROID_APP", "IOS_WEB")),
        geo_country_code=random.choice((None, "DE", "US")),
        has_app=random.choice((None, True, False)),
        device_type=random.choice((None, "phone")),
        brand=random.choice((None, "Acme", "É")),
        geo_country_en=random.choice((None, "Germany")),
        model=random.choice((None, "M1", "M2")),
        geo_region_en=random.choice((None, "Hesse")),
    )


def world(random: Random, size: int) -> World:
    apps = {
        name: App(
            random.choice(ZONES),
            random.choice((86_400_000, 3 * 86_400_000, 7 * 86_400_000)),
            ("PURCHASE", "my_event") if random.random() < 0.2 else App().revenue_events,
        )
        for name in ("100", "200")
    }
    people = random.randint(1, 8)
    found = World(apps)
    for number in range(size):
        found.events.append(event(random, number, random.choice(("100", "100", "200")), random.randint(1, people)))
    for _ in range(random.randint(0, 6)):
        found.costs.append(cost(random))
    for _ in range(random.choice((0, 0, 1, 2))):
        found.merges.append(("100", random.randint(1, people), random.randint(1, people)))
    return found


def cost(random: Random) -> CostRow:
    columns = random.sample(
        ["tilde_campaign", "tilde_tags", "os", "tilde_channel", *COST_COLUMNS], random.randint(0, 2)
    )
    return CostRow(
        app=random.choice(("100", "100", "200")),
        day=(date(2024, 3, 8) + timedelta(days=random.randint(0, 50))).isoformat(),
        micro=random.choice((None, 0, 0, 25_000_000, random.randint(1, 10**9), random.randint(1, 10**9))),
        dimensions={column: random.choice((*TEXTS, "x", "IOS", "x,y")) for column in columns},
    )


FITTING: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("adjusted_day", ("2024-03-10", "2024-03-15", "2024-03-31", "2024-04-02", "2024-04-10", "2024-04-25")),
    ("data_os", ("IOS", "iOS", "ANDROID")),
    ("environment", ("FULL_APP", "FULL_WEB")),
    ("platform", ("IOS_APP", "ANDROID_APP")),
    ("country_code", ("DE", "US")),
    ("data_has_", (True, "true", "false", False)),
    ("event_name", ("INSTALL", "OPEN", "WEB_SESSION_START")),
    ("attributed", ("true", "false")),
    ("touch_type", ("CLICK", "IMPRESSION")),
    ("tilde_tags", ("x", "y", "z", "x,y")),
    ("via_features", ("ADS", "EMAIL", "JOURNEYS")),
    ("dollar_3p", ("a_one", "e-two", "three")),
    ("standard_events", ("OPEN", "PURCHASE", "LOGIN", "OPEN,PURCHASE")),
    ("custom_events", ("my_event", "other,event", "event")),
    ("alias", ("vip",)),
    ("brand", ("Acme", "É")),
    ("model", ("M1", "M2")),
    ("app_id", ("100", "200")),
)
"""Values that occur, by a part of the dimension's name; the touch's other texts are TEXTS."""
STRANGE: tuple[Any, ...] = ("A", "é", "!x", "\\!A", "2024-03-10", "!PURCHASE", "nowhere", True, "x,y", "IOS")


def condition(random: Random, name: str) -> Any:
    """Mostly values that the dimension has, so that something is left; sometimes anything."""
    pool: list[Any] = list(next((values for part, values in FITTING if part in name), TEXTS[:-1]))
    if random.random() < 0.15:
        return {"not_in": [*random.sample(pool, 1), random.choice(("nowhere", None))]}
    chosen = random.sample(pool, random.randint(1, len(pool)))
    if random.random() < 0.3:
        chosen.append(None)
    if random.random() < 0.2:
        chosen.append("!" + str(random.choice(pool)))
    if random.random() < 0.15:
        chosen.append(random.choice(STRANGE))
    return chosen


def body(random: Random) -> dict[str, Any]:
    source = random.choice(("install_cohort", "install_cohort", "reengagement_cohort"))
    names = [dimension.name for dimension in dimensions_of(source)]  # type: ignore[arg-type]
    favourites = [n for n in names if n.endswith(("tilde_campaign", "tilde_tags", "data_os", "adjusted_day", "app_id"))]
    conversions = [n for n in names if n.startswith("user_data") or n == "customer_event_alias"]
    pool = random.choice((favourites, favourites, conversions, names))
    start = date(2024, 3, 8) + timedelta(days=random.choice((0, 0, 0, 0, 2, 20)))
    measures = random.sample([*MEASURES, "my_event", "other,event", "INSTALL", "OPEN", "revenue", "PURCHASE"], 8)
    dimensions = random.sample(pool, min(len(pool), random.choice((0, 0, 1, 1, 2, 3))))
    if random.random() < 0.3:
        dimensions += random.sample(conversions, 1)
    chosen = list(dict.fromkeys(measures))[: random.randint(1, 5)]
    if random.random() < 0.3:
        chosen[0] = random.choice(("Retention", "ARPPU", "LTV", "ROI"))
    granularity = random.choice(("day", "day", "week", "month"))
    return {
        "start_date": start.isoformat(),
        "end_date": (start + timedelta(days=random.choice((0, 14, 30, 60, 60, 60)))).isoformat(),
        "data_source": source,
        "measures": chosen,
        "dimensions": dimensions,
        "granularity": granularity,
        "granularity_band_count": random.choice((1, 3, 8, 20)),
        "cumulative": random.random() < 0.4,
        "per_user": random.random() < 0.3,
        "unique": random.random() < 0.3,
        "enable_install_recalculation": random.random() < 0.4,
        "filters": {
            n: condition(random, n) for n in random.sample(names, 1) + random.sample(pool, 1) if random.random() < 0.25
        },
        "ordered": random.choice(("ascending", "descending")),
        **({"ordered_by": random.choice([*dimensions, *chosen, "users"])} if random.random() < 0.5 else {}),
        **extensions(random),
    }


def extensions(random: Random) -> dict[str, Any]:
    if random.random() < 0.5:
        return {}
    return {
        "observable_users": random.random() < 0.5,
        "band_status": random.random() < 0.5,
        "denominator": random.choice(("all", "observable")),
        "retention_type": random.choice(("on", "on_or_after")),
        "retention_interval": random.random() < 0.5,
        "min_cohort_size": random.choice((1, 1, 1, 1, 2)),
        "incomplete_bands": random.choice(("null", "zero", "omit")),
        "percent_as_fraction": random.random() < 0.3,
    }


def request(random: Random) -> CohortRequest:
    limit = random.choice((100, 100, 50_000, 1, 3, 7))
    query = {"app_id": "100", "limit": str(limit), "format": random.choice(("csv", "json", "ndjson"))}
    return parse(body(random), query, today=TODAY)
