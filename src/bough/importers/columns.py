"""Branch's raw event export: which column holds what (contract/cohort.md §5; issue texts name the columns).

Exports are flat (`user_data_os`) in CSV and Parquet and often nested (`{"user_data": {"os": …}}`) in JSON lines; both
spellings are understood everywhere.
"""

from __future__ import annotations

from typing import Final

from bough.cohorts.dimensions import TOUCH_COLUMNS, USER_COLUMNS

_MARKS = {"tilde_": "~", "dollar_": "$", "plus_": "+"}


def _touch_sources(column: str) -> tuple[str, ...]:
    prefix = next(prefix for prefix in _MARKS if column.startswith(prefix))
    marked = _MARKS[prefix] + column.removeprefix(prefix)
    place = "last_attributed_touch_data"
    return (f"{place}_{column}", f"{place}.{column}", f"{place}.{marked}", f"{place}_{marked}")


def _user_sources(column: str) -> tuple[str, ...]:
    return (f"user_data_{column}", f"user_data.{column}")


SOURCES: Final[dict[str, tuple[str, ...]]] = {
    "id": ("id",),
    "name": ("name",),
    "timestamp": ("timestamp", "event_timestamp"),
    "attributed": ("attributed",),
    "touch_type": ("last_attributed_touch_type",),
    "touch_at": ("last_attributed_touch_timestamp",),
    "customer_event_alias": ("customer_event_alias",),
    "revenue": ("event_data_revenue", "event_data.revenue"),
    "revenue_in_usd": ("event_data_revenue_in_usd", "event_data.revenue_in_usd"),
    "currency": ("event_data_currency", "event_data.currency"),
    "identity": ("user_data_developer_identity", "user_data.developer_identity", "developer_identity"),
    "idfa": ("user_data_idfa", "user_data.idfa", "idfa"),
    "aaid": ("user_data_aaid", "user_data.aaid", "aaid"),
    "browser": (
        "user_data_browser_id",
        "user_data.browser_id",
        "browser_id",
        "user_data_browser_fingerprint_id",
        "user_data.browser_fingerprint_id",
        "browser_fingerprint_id",
    ),
    "transaction": ("event_data_transaction_id", "event_data.transaction_id"),
    "custom_data": ("custom_data",),
    **{column: _user_sources(column) for column in USER_COLUMNS},
    **{column: _touch_sources(column) for column, _ in TOUCH_COLUMNS},
}
"""Our field → names it is read from, the first that holds something wins. A "." stands for nesting.
`transaction` and `custom_data` only tell rows without an id apart."""

IDENTIFIERS: Final = ("identity", "idfa", "aaid", "browser")
"""What joins rows into persons, and nothing else (contract/cohort.md §9)."""

REQUIRED: Final = ("name", "timestamp")
