"""Amounts in files as people write them: which are refused, and how that is said."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from bough.errors import BadRequest
from bough.events import schema

WRITTEN_FOR_PEOPLE: Final = r"^[^0-9]*[0-9][0-9.,\s\p{Z}'’_]*[^0-9]*$"
"""An amount with a decimal comma, thousands separators, a currency's sign or code, as RE2. Which mark parts
the decimals cannot be known."""

SAYS: Final = "is written for people; write 1234.56: a point, no thousands separator, no currency sign"

_PATTERN: Final = re.compile(WRITTEN_FOR_PEOPLE.replace(r"\p{Z}", r"\u00a0\u2000-\u200a\u202f"))


def amount(value: object, field: str) -> Decimal | None:
    """As `bough.events.schema.amount`, for what stands in a file or was made from one. Raises BadRequest."""
    try:
        return schema.amount(value, field)
    except BadRequest as error:
        if isinstance(value, str) and _is_for_people(value):
            raise BadRequest(f"{field}: {SAYS}.") from error
        raise


def _is_for_people(value: str) -> bool:
    digits = value.strip()
    plain = re.fullmatch(r"[+-]?[0-9]*[.]?[0-9]*", digits)
    return plain is None and _PATTERN.match(digits) is not None
