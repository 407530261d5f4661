"""Link data of a touch by column: `~campaign` is `tilde_campaign`, `$3p` is `dollar_3p`, `+web_format` is
`plus_web_format`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bough.vocabulary.dimensions import TOUCH_COLUMNS
from bough.vocabulary.values import text

_MARKS = {"tilde": "~", "dollar": "$", "plus": "+"}
COLUMN_KEYS: tuple[tuple[str, str], ...] = tuple(
    (column, _MARKS[column.partition("_")[0]] + column.partition("_")[2]) for column, _ in TOUCH_COLUMNS
)
"""Column → key of the link data."""


def touch_columns(data: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """The link data of a touch by the warehouse's columns; an empty value is a missing one."""
    found: dict[str, str | list[str]] = {}
    for column, name in COLUMN_KEYS:
        value = data.get(name)
        if isinstance(value, list):
            members = [written for written in (text(one, 255) for one in value) if written]
            if members:
                found[column] = members
        elif written := text(value, 4096):
            found[column] = written
    return found
