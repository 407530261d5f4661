"""The one table of columns of Branch's raw exports: `export_columns.csv`, one line a column, in the order of its files.

Imports keep what a file says in these columns, letter by letter; access requests and timelines name them so. Whoever
writes, checks or documents raw rows reads this table and keeps no list of his own.
"""

from __future__ import annotations

import csv
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal, cast

from msgspec import Struct

ColumnType = Literal["text", "iso", "integer", "decimal", "boolean", "texts", "object", "objects", "json"]
"""`iso`: an instant as ISO 8601; `texts`: an array of texts; `json`: one value per content item, as a JSON array."""

Origin = Literal["have", "derive", "join", "null"]


class ExportColumn(Struct, frozen=True, kw_only=True):
    """One column."""

    name: str
    type: ColumnType
    unit: str = ""
    """Of numbers and instants; another column's name where that says it (`event_data_currency`)."""
    daily: bool = False
    """Whether it stands in the header of daily files."""
    topics: tuple[str, ...] = ()
    """Which kinds of rows have it: `all`, `any`, or names as `install`, `commerce`, `link`."""
    source: Origin = "null"
    """Of live rows: known as it is, computed from that, found on another row, or never known. What an imported file
    says stands in any case."""
    made_of: str = ""
    """What a live row's value is made of, or why there is none."""
    sensitive: bool = False
    """Whether it names a person or a device."""
    logs: bool = True
    """Whether custom exports may name it."""
    meaning: str = ""


def _read() -> dict[str, ExportColumn]:
    text = files("bough.vocabulary").joinpath("export_columns.csv").read_text("utf-8")
    return {line["name"]: _column(line) for line in csv.DictReader(text.splitlines())}


def _column(line: dict[str, str]) -> ExportColumn:
    return ExportColumn(
        name=line["name"],
        type=cast("ColumnType", line["type"]),
        unit=line["unit"],
        daily=line["daily"] == "yes",
        topics=tuple(line["topics"].split()),
        source=cast("Origin", line["source"]),
        made_of=line["made_of"],
        sensitive=line["sensitive"] == "yes",
        logs=line["logs"] != "no",
        meaning=line["meaning"],
    )


EXPORT_COLUMNS: Final = MappingProxyType(_read())
"""Every column by its name."""

IDENTIFIERS: Final = ("identity", "idfa", "aaid", "browser")
"""What joins rows into persons, and nothing else (docs/exports.md)."""
