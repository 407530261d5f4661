"""What attribution hands to the warehouse: one event of one person, with the touch it is credited to."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

from bough.vocabulary.dimensions import TOUCH_COLUMNS, USER_COLUMNS


class AttributedEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event; the same `id` within an app counts once. An empty text or array is a missing value.

    An event named CLICK or IMPRESSION is a touch: it feeds "has clicked ad/email" and is no activity of the person.
    """

    id: str
    app: str
    person: int
    """Already joined; two numbers that turn out to be one person later are given to `Warehouse.merge_persons`."""
    name: str
    at: int = field(name="ms")
    """Epoch milliseconds, 0 .. year 2200."""
    attributed: bool = False
    touch_type: str | None = None
    """CLICK, IMPRESSION or WEB_TO_APP_AUTO_REDIRECT."""
    touch_at: int | None = None
    """Epoch milliseconds of the touch; the event's own instant when absent."""
    touch: dict[str, str | list[str]] = {}
    """Link data by column: ``~campaign`` as tilde_campaign, ``$3p`` as dollar_3p, ``+web_format`` as plus_web_format
    (`bough.vocabulary.dimensions.TOUCH_COLUMNS`). An array is a set; a "," inside a member separates members."""
    customer_event_alias: str | None = None
    micro: int | None = None
    """Revenue in millionths of a US dollar, fixed once at the event's local date; negative for a refund."""
    missing_rate: bool = False
    """There was revenue, but no rate for its currency and date: the amount is left out and counted."""
    os: str | None = None
    environment: str | None = None
    platform: str | None = None
    geo_country_code: str | None = None
    has_app: bool | None = None
    device_type: str | None = None
    brand: str | None = None
    geo_country_en: str | None = None
    model: str | None = None
    geo_region_en: str | None = None


class CostRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money spent on one local day; every dimension that is not given belongs to no value (docs/exports.md)."""

    app: str
    day: str
    """YYYY-MM-DD in the app's time zone."""
    micro: int | None = None
    """Millionths of a US dollar; None when there is no rate for its currency and date."""
    dimensions: dict[str, str] = {}
    """By column of `bough.vocabulary.dimensions.COST_COLUMNS`."""


LATEST_INSTANT: Final = 7_258_118_400_000
"""2200-01-01; later instants are refused."""

STAGE_TYPES: Final[dict[str, str]] = {
    "id": "VARCHAR",
    "app": "VARCHAR",
    "person": "BIGINT",
    "name": "VARCHAR",
    "ms": "BIGINT",
    "attributed": "BOOLEAN",
    "touch_type": "VARCHAR",
    "touch_at": "BIGINT",
    "customer_event_alias": "VARCHAR",
    "micro": "BIGINT",
    "missing_rate": "BOOLEAN",
    **dict.fromkeys(USER_COLUMNS, "VARCHAR"),
    **{column: "VARCHAR" for column, _ in TOUCH_COLUMNS},
}
"""Columns of a staged relation (`Warehouse.append_relation`): arrays joined by ",", has_app as text true/false."""
