"""One condition of a cohort request, or of a user's data filters."""

from __future__ import annotations

from msgspec import Struct


class Filter(Struct, frozen=True):
    """One condition on a dimension; conditions are ANDed. A value of None is "missing"."""

    dimension: str
    values: tuple[str | None, ...] = ()
    """Any of these; no restriction when empty."""
    excluded: tuple[str | None, ...] = ()
    """None of these; a missing value is kept unless None is listed."""
