"""Data filters: what of the data a user may see (docs/access.md, docs/exports.md).

A filter names a dimension and the values that are seen. It holds for both cohorts, so a cohort dimension is named
without the cohort's prefix (`touch_data_tilde_campaign`); `install_activity_…` and `reengagement_activity_…` are
understood as well. A value is meant literally: `!` does not negate, and only null means "missing".

What a filter needs to know and does not is not admitted: a link has no country, so a filter on countries hides links.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bough.errors import BadRequest
from bough.vocabulary.dimensions import DIMENSIONS, PREFIX, DataSource
from bough.vocabulary.filters import Filter

MAX_FILTERS = 20
MAX_VALUES = 1000
MAX_TEXT = 4096

AGENCY_ID = "touch_data_tilde_agency_id"
AGENCY_NAME = "touch_data_tilde_agency"

Fact = str | frozenset[str] | None
"""A value of a dimension; a set for dimensions that hold one; None: it is known to be missing."""


def _plain(name: str) -> str:
    for prefix in PREFIX.values():
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


COLUMNS: Mapping[str, str] = {_plain(name): dimension.column for name, dimension in DIMENSIONS.items()}
"""Every name that a data filter may have, with the column of `bough.vocabulary.dimensions` behind it."""


def parse_filters(value: Any) -> tuple[Filter, ...]:
    """Data filters from an object of dimension to values. Raises BadRequest naming the dimension."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise BadRequest("filters: must be an object of dimension to array of values.")
    if len(value) > MAX_FILTERS:
        raise BadRequest(f"filters: at most {MAX_FILTERS} dimensions.")
    found: dict[str, Filter] = {}
    for written, given in value.items():
        name = _plain(str(written))
        if name not in COLUMNS:
            raise BadRequest(f"filters: unknown dimension {str(written)[:MAX_TEXT]!r}.")
        if name in found:
            raise BadRequest(f"filters: {name} stands twice.")
        found[name] = Filter(name, _values(name, given))
    return tuple(found.values())


def as_document(filters: Iterable[Filter]) -> dict[str, list[str | None]]:
    """The inverse of `parse_filters`."""
    return {one.dimension: list(one.values) for one in filters}


def filters_for(filters: Sequence[Filter], source: DataSource) -> tuple[Filter, ...]:
    """A user's filters as a request on one cohort takes them."""
    return tuple(
        one if one.dimension in DIMENSIONS else Filter(PREFIX[source] + one.dimension, one.values, one.excluded)
        for one in filters
    )


def is_as_narrow(held: Sequence[Filter], wanted: Sequence[Filter]) -> bool:
    """Whether all that passes the filters `held` passes `wanted` too. True only where that is certain."""
    return all(
        any(
            mine.dimension == one.dimension
            and (not one.values or (bool(mine.values) and set(mine.values) <= set(one.values)))
            and set(one.excluded) <= set(mine.excluded)
            for mine in held
        )
        for one in wanted
    )


def admits(filters: Sequence[Filter], facts: Mapping[str, Fact]) -> bool:
    """Whether something passes the filters. `facts` are its values by column; what is not there is not known."""
    return all(_passes(one, facts) for one in filters)


def _passes(one: Filter, facts: Mapping[str, Fact]) -> bool:
    column = COLUMNS.get(one.dimension)
    if column is None or column not in facts:
        return False
    value = facts[column]
    if isinstance(value, frozenset):
        # As in a request: any member, or the whole set as reports write it.
        held = {*value, ",".join(sorted(value)) or None}
        return not held.isdisjoint(one.values) and held.isdisjoint(one.excluded)
    return (value or None) in one.values and (value or None) not in one.excluded


def _values(name: str, given: Any) -> tuple[str | None, ...]:
    values = given if isinstance(given, list | tuple) else [given]
    if not 1 <= len(values) <= MAX_VALUES:
        raise BadRequest(f"filters.{name}: give 1 to {MAX_VALUES} values.")
    return tuple(dict.fromkeys(_value(name, one) for one in values))


def _value(name: str, value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > MAX_TEXT or "\0" in value:
        raise BadRequest(f"filters.{name}: values are texts of at most {MAX_TEXT} characters, or null.")
    return value
