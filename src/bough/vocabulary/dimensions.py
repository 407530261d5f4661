"""The one table of all dimensions (docs/exports.md).

A cohort dimension describes the event by which a person entered the cohort and is a column of the `members` tables; it
has one name for installs and one for re-engagements. A conversion dimension describes the later event and is found on
`activity`. Validation, SQL, documentation, `GET /v2/analytics/meta` and the tests are all driven by `DIMENSIONS`.
"""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

DataSource = Literal["install_cohort", "reengagement_cohort"]
PREFIX: Final[dict[DataSource, str]] = {
    "install_cohort": "install_activity_",
    "reengagement_cohort": "reengagement_activity_",
}


class Kind(Enum):
    """How the values of a dimension are kept and compared."""

    TEXT = "text"
    SET = "set"
    """An array; one row per full set, sorted and joined by ","; a filter asks whether it contains any."""
    DAY = "day"
    """A local calendar day, kept as days since 1970-01-01."""


class DimensionTable(Enum):
    """Where the column of a dimension stands."""

    MEMBER = "member"
    CONTEXT = "context"
    """Facts about the device and user sent with a later event; `contexts`."""
    ACTIVITY = "activity"
    """What the person had done as of a later event; `activity`."""


class Dimension(Struct, frozen=True):
    """One name of the seed's lists."""

    name: str
    label: str
    place: DimensionTable
    column: str
    kind: Kind = Kind.TEXT
    sources: tuple[DataSource, ...] = ("install_cohort", "reengagement_cohort")

    @property
    def of_member(self) -> bool:
        """Whether it selects and splits members; else it selects and splits events only."""
        return self.place is DimensionTable.MEMBER


_COHORT: Final[tuple[tuple[str, str, str, Kind], ...]] = (
    # name without its prefix, label, column of `members`, kind
    ("attributed", "attributed", "attributed", Kind.TEXT),
    ("event_name", "event name", "event_name", Kind.TEXT),
    ("touch_type", "type", "touch_type", Kind.TEXT),
    ("touch_data_tilde_campaign_id", "campaign id", "tilde_campaign_id", Kind.TEXT),
    ("touch_data_tilde_campaign", "campaign", "tilde_campaign", Kind.TEXT),
    ("touch_data_tilde_channel", "channel", "tilde_channel", Kind.TEXT),
    ("touch_data_tilde_feature", "feature", "tilde_feature", Kind.TEXT),
    ("touch_data_tilde_stage", "stage", "tilde_stage", Kind.TEXT),
    ("touch_data_tilde_tags", "tags", "tilde_tags", Kind.SET),
    ("touch_data_tilde_advertising_partner_name", "ad partner", "tilde_advertising_partner_name", Kind.TEXT),
    ("touch_data_dollar_3p", "ad partner (3p)", "dollar_3p", Kind.TEXT),
    ("touch_data_tilde_secondary_publisher", "secondary publisher", "tilde_secondary_publisher", Kind.TEXT),
    ("touch_data_tilde_creative_name", "creative name", "tilde_creative_name", Kind.TEXT),
    ("touch_data_tilde_ad_id", "ad id", "tilde_ad_id", Kind.TEXT),
    ("touch_data_tilde_ad_set_id", "ad set id", "tilde_ad_set_id", Kind.TEXT),
    ("touch_data_tilde_ad_set_name", "ad set name", "tilde_ad_set_name", Kind.TEXT),
    ("touch_data_tilde_ad_name", "ad name", "tilde_ad_name", Kind.TEXT),
    ("touch_data_tilde_keyword", "keyword", "tilde_keyword", Kind.TEXT),
    ("touch_data_tilde_journey_name", "journey name", "tilde_journey_name", Kind.TEXT),
    ("touch_data_tilde_view_name", "view name", "tilde_view_name", Kind.TEXT),
    ("touch_data_plus_referring_domain", "referring domain", "plus_referring_domain", Kind.TEXT),
    ("touch_data_plus_via_features", "Branch feature", "plus_via_features", Kind.SET),
    ("touch_data_plus_web_format", "web format", "plus_web_format", Kind.TEXT),
    ("data_os", "os", "os", Kind.TEXT),
    ("data_environment", "environment", "environment", Kind.TEXT),
    ("data_platform", "platform", "platform", Kind.TEXT),
    ("data_country_code", "country", "geo_country_code", Kind.TEXT),
    ("data_has_app", "has app", "has_app", Kind.TEXT),
    ("data_has_clicked_email", "has clicked email", "has_clicked_email", Kind.TEXT),
    ("data_has_clicked_ad", "has clicked ad", "has_clicked_ad", Kind.TEXT),
    ("timezone_adjusted_day", "date", "day", Kind.DAY),
    ("touch_data_tilde_placement", "placement", "tilde_placement", Kind.TEXT),
    ("data_device_type", "device type", "device_type", Kind.TEXT),
    ("touch_data_tilde_sub_site_name", "sub site name", "tilde_sub_site_name", Kind.TEXT),
    ("data_brand", "brand", "brand", Kind.TEXT),
    ("data_geo_country_en", "geo country", "geo_country_en", Kind.TEXT),
    ("data_model", "model", "model", Kind.TEXT),
    ("data_geo_region_en", "region", "geo_region_en", Kind.TEXT),
    (
        "touch_data_tilde_customer_secondary_publisher",
        "customer secondary publisher",
        "tilde_customer_secondary_publisher",
        Kind.TEXT,
    ),
    ("touch_data_tilde_customer_placement", "customer placement", "tilde_customer_placement", Kind.TEXT),
    ("touch_data_tilde_customer_sub_site_name", "customer sub site name", "tilde_customer_sub_site_name", Kind.TEXT),
    ("touch_data_tilde_customer_campaign", "customer campaign", "tilde_customer_campaign", Kind.TEXT),
    ("touch_data_tilde_customer_ad_set_name", "customer ad set name", "tilde_customer_ad_set_name", Kind.TEXT),
    ("touch_data_tilde_customer_ad_name", "customer ad name", "tilde_customer_ad_name", Kind.TEXT),
    ("touch_data_tilde_customer_keyword", "customer keyword", "tilde_customer_keyword", Kind.TEXT),
    ("touch_data_tilde_agency_id", "agency id", "tilde_agency_id", Kind.TEXT),
    ("touch_data_tilde_agency", "agency name", "tilde_agency", Kind.TEXT),
)

_CONVERSION: Final[tuple[Dimension, ...]] = (
    Dimension("user_data_platform", "platform (conversion event)", DimensionTable.CONTEXT, "platform"),
    Dimension("user_data_environment", "environment (conversion event)", DimensionTable.CONTEXT, "environment"),
    Dimension("user_data_geo_country_code", "country (conversion event)", DimensionTable.CONTEXT, "geo_country_code"),
    Dimension("user_data_os", "os (conversion event)", DimensionTable.CONTEXT, "os"),
    Dimension("user_data_has_app", "has app (conversion event)", DimensionTable.CONTEXT, "has_app"),
    Dimension(
        "user_data_standard_events_completed",
        "standard events completed (conversion event)",
        DimensionTable.ACTIVITY,
        "standard_events",
        Kind.SET,
    ),
    Dimension(
        "user_data_custom_events_completed",
        "custom events completed (conversion event)",
        DimensionTable.ACTIVITY,
        "custom_events",
        Kind.SET,
    ),
    Dimension(
        "user_data_has_clicked_ad", "has clicked ad (conversion event)", DimensionTable.ACTIVITY, "has_clicked_ad"
    ),
    Dimension(
        "user_data_has_clicked_email",
        "has clicked email (conversion event)",
        DimensionTable.ACTIVITY,
        "has_clicked_email",
    ),
    Dimension("user_data_brand", "brand (conversion event)", DimensionTable.CONTEXT, "brand"),
    Dimension("user_data_device_type", "device type (conversion event)", DimensionTable.CONTEXT, "device_type"),
    Dimension("user_data_model", "model (conversion event)", DimensionTable.CONTEXT, "model"),
)

_OTHER: Final[tuple[Dimension, ...]] = (
    Dimension("app_id", "app id", DimensionTable.MEMBER, "app"),
    Dimension("customer_event_alias", "customer event alias", DimensionTable.CONTEXT, "customer_event_alias"),
)

DIMENSIONS: Final = MappingProxyType(
    {
        dimension.name: dimension
        for dimension in (
            *(
                Dimension(PREFIX[source] + name, label, DimensionTable.MEMBER, column, kind, (source,))
                for source in PREFIX
                for name, label, column, kind in _COHORT
            ),
            *_CONVERSION,
            *_OTHER,
        )
    }
)
"""Every dimension by its exact name, in the seed's order."""

COHORT_COLUMNS: Final = tuple((column, kind) for _, _, column, kind in _COHORT)
"""Column and kind of every cohort dimension; the same for both cohorts."""

TOUCH_COLUMNS: Final = tuple((c, k) for c, k in COHORT_COLUMNS if c.startswith(("tilde_", "dollar_", "plus_")))
"""Link data of the attributed touch: ``~x`` is tilde_x, ``$x`` dollar_x, ``+x`` plus_x."""

USER_COLUMNS: Final = (
    "os",
    "environment",
    "platform",
    "geo_country_code",
    "has_app",
    "device_type",
    "brand",
    "geo_country_en",
    "model",
    "geo_region_en",
)
"""Facts of an event's user_data that are dimensions, on the cohort event or on a later one."""

COST_COLUMNS: Final = tuple(column for column, kind in COHORT_COLUMNS if kind is not Kind.DAY)
"""What a cost row may be broken down by, besides its app and day (docs/exports.md, "Money")."""


def dimensions_of(source: DataSource) -> tuple[Dimension, ...]:
    """All dimensions that a request on `source` may name."""
    return tuple(dimension for dimension in DIMENSIONS.values() if source in dimension.sources)


def cohort_column(name: str) -> str | None:
    """The cost or member column behind a cohort dimension's name of either cohort; None for any other name."""
    dimension = DIMENSIONS.get(name)
    return dimension.column if dimension is not None and dimension.of_member else None
