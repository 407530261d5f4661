"""Attribution windows: for how long a touch can be credited, by what happened; an app's setting in days."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Literal

from msgspec import Struct

from bough.errors import BadRequest
from bough.vocabulary.values import text

Occasion = Literal["install", "session_start", "conversion"]

DAY = 86_400_000
MIN_DAYS = Decimal("0.0007")
MAX_DAYS = Decimal(90)
LONGEST = 90 * DAY


class Windows(Struct, frozen=True, kw_only=True):
    """One app's windows, in milliseconds. Changes apply to future attributions only."""

    click_session_start: int = DAY
    click_install: int = 7 * DAY
    click_conversion: int = 30 * DAY
    impression_session_start: int = DAY
    impression_install: int = DAY
    impression_conversion: int = 7 * DAY
    reengagement_inactivity: int = 7 * DAY

    def of(self, kind: str, occasion: Occasion) -> int:
        """The app's window for a touch of `kind` (`click` or `impression`)."""
        value: int = getattr(self, f"{kind}_{occasion}")
        return value


NAMES: tuple[str, ...] = tuple(Windows.__struct_fields__)
"""Setting names, as in `{"click_install": 7}` with days as values."""


def windows_from_days(days: Mapping[str, object]) -> Windows:
    """Windows from a setting in days; names not given keep their default.

    Raises:
        BadRequest: unknown name, or a value outside 0.0007 to 90 days.
    """
    for name in days:
        if name not in NAMES:
            raise BadRequest(f"{name}: no such window; there are {', '.join(NAMES)}.")
    return Windows(**{name: milliseconds_of_days(value, name) for name, value in days.items()})


def milliseconds_of_days(value: object, name: str) -> int:
    written = repr(value) if isinstance(value, float) else text(value, 32)
    try:
        days = Decimal(written)
    except InvalidOperation:
        raise BadRequest(f"{name}: must be a number of days.") from None
    if not days.is_finite() or not MIN_DAYS <= days <= MAX_DAYS:
        raise BadRequest(f"{name}: must be between {MIN_DAYS} and {MAX_DAYS} days.")
    return int(days * DAY)
