"""Branch's raw event export: which column holds what (docs/imports.md).

Exports are flat (`user_data_os`) in CSV and Parquet and often nested (`{"user_data": {"os": …}}`) in JSON lines; both
spellings are understood everywhere.
"""

from __future__ import annotations

from typing import Final

from bough.vocabulary.dimensions import TOUCH_COLUMNS, USER_COLUMNS
from bough.vocabulary.export_columns import EXPORT_COLUMNS

TOUCH: Final = "last_attributed_touch_data"
_MARKS = {"tilde_": "~", "dollar_": "$", "plus_": "+"}
_NESTED = {TOUCH: True, "last_cta_view_data": True, "user_data": False, "event_data": False}
"""Objects that JSON lines nest → whether they are link data, whose members may bear marks (`~campaign`)."""
PLACES: Final = tuple(_NESTED)
"""Keys of nested objects whose members are read."""


def _touch_sources(column: str, place: str = TOUCH) -> tuple[str, ...]:
    prefix = next((prefix for prefix in _MARKS if column.startswith(prefix)), "")
    if not prefix:
        return (f"{place}_{column}", f"{place}.{column}")
    marked = _MARKS[prefix] + column.removeprefix(prefix)
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
`transaction` and `custom_data` only tell rows without an id apart; they are kept as `KEPT` columns."""

EXPORTED: Final[dict[str, str]] = {
    "id": "id",
    "name": "name",
    "timestamp": "timestamp",
    "attributed": "attributed",
    "touch_type": "last_attributed_touch_type",
    "touch_at": "last_attributed_touch_timestamp",
    "customer_event_alias": "customer_event_alias",
    "revenue": "event_data_revenue",
    "revenue_in_usd": "event_data_revenue_in_usd",
    "currency": "event_data_currency",
    "identity": "user_data_developer_identity",
    "idfa": "user_data_idfa",
    "aaid": "user_data_aaid",
    "browser": "user_data_browser_id",
    **{column: f"user_data_{column}" for column in USER_COLUMNS},
    **{column: f"{TOUCH}_{column}" for column, _ in TOUCH_COLUMNS},
}
"""Our field → the export's column that it came from."""


def _kept_sources(column: str) -> tuple[str, ...]:
    for place, is_link_data in _NESTED.items():
        member = column.removeprefix(f"{place}_")
        if member != column:
            return _touch_sources(member, place) if is_link_data else (column, f"{place}.{member}")
    return (column,)


KEPT: Final[dict[str, tuple[str, ...]]] = {
    column: _kept_sources(column) for column in EXPORT_COLUMNS if column not in EXPORTED.values()
}
"""Columns of the export that no count is made from → names they are read from. They are kept as the file says them."""

READ: Final = {**SOURCES, **KEPT}
"""All that is read of a file."""


def split(source: str) -> tuple[str, str]:
    """A name that is read from as (nested object, member); the object is empty for a flat one."""
    place, _, member = source.partition(".")
    return (place, member) if place in PLACES else ("", source)


REQUIRED: Final = ("name", "timestamp")
