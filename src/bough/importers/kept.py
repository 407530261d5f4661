"""What a segment keeps beside what counts are made from: a file's own letters, and columns that no count is made from.

A count needs one spelling: an instant in milliseconds, an idfa in small letters, `attributed` as a boolean. Where the
file's letters are others, they stand beside it in a column `said_…`; where they are the same, nothing does. All other
columns of the export are kept as they are, under their own names (`bough.importers.columns.KEPT`).
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package or quoted.
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from duckdb import DuckDBPyConnection

from bough.importers.columns import EXPORTED, KEPT
from bough.importers.sources import Source
from bough.vocabulary.export_columns import EXPORT_COLUMNS, ColumnType
from bough.warehouse.quoting import name, text

SAID: Final = "said_"
"""Before the name of a field: its letters in the file."""

ALWAYS_SAID: Final = ("attributed", "revenue", "revenue_in_usd", "currency")
"""Fields from which something else is made, so that it would not be known what the file said."""

_PARSED: Final = "json_type(CASE WHEN json_valid(@) THEN @ END)"
_FITS: Final[dict[ColumnType, str]] = {
    "iso": "TRY_CAST(@ AS TIMESTAMPTZ) IS NOT NULL",
    "integer": "regexp_full_match(@, '[+-]?[0-9]{1,18}')",
    "decimal": "regexp_full_match(@, '[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?')",
    "boolean": "lower(@) IN ('true', 'false', 't', 'f', '1', '0')",
    "object": f"coalesce({_PARSED} = 'OBJECT', false)",
    "objects": f"coalesce({_PARSED} = 'ARRAY', false)",
    "json": f"coalesce({_PARSED} = 'ARRAY', false)",
}
"""Whether a text, `@`, is a value of a column's type. Any text is one of the others; a set may be written "a,b"."""


def kept(fields: frozenset[str], counted: Mapping[str, str]) -> list[str]:
    """SQL of the columns that are kept of a file with these fields.

    Args:
        fields: what the file has.
        counted: field → SQL of the text that counts, of those that have one spelling.
    """
    said = [f"{field if field in fields else 'CAST(NULL AS VARCHAR)'} AS {SAID}{field}" for field in ALWAYS_SAID]
    said += [
        f"CASE WHEN {field} IS DISTINCT FROM {sql} THEN {field} END AS {SAID}{field}"
        for field, sql in counted.items()
        if field in fields
    ]
    return [*said, *(name(column) for column in KEPT if column in fields)]


def as_exported(row: Mapping[str, Any]) -> dict[str, str]:
    """A row of a segment as the export wrote it: column → letters; what the row does not have is left out.

    Segments of earlier releases have no `said_…`: there the spelling that counts stands for what was said.
    """
    is_told = f"{SAID}attributed" in row
    found: dict[str, str] = {}
    for field, column in EXPORTED.items():
        said = row.get(SAID + field)
        value = said if said is not None or (is_told and field in ALWAYS_SAID) else _counted(field, row)
        if value is not None:
            found[column] = value
    return found | {column: row[column] for column in KEPT if row.get(column) is not None}


def _counted(field: str, row: Mapping[str, Any]) -> str | None:
    value = row.get({"timestamp": "ms", "revenue": "amount"}.get(field, field))
    if field == "currency" and row.get("amount") is None:
        return None  # nothing had a currency: dollars are written where nothing is
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def misfits(connection: DuckDBPyConnection, path: Path) -> list[tuple[str, int]]:
    """How many kept values of a segment are none of their column's type, by column; without columns where all are."""
    whole = f"read_parquet({text(str(path))})"
    present = {str(row[0]) for row in connection.execute(f"DESCRIBE FROM {whole}").fetchall()}
    typed = [column for column in KEPT if column in present and EXPORT_COLUMNS[column].type in _FITS]
    counts = ", ".join(_misfit(column) for column in typed)
    return _positive(connection, f"SELECT {counts} FROM {whole}" if typed else "")


def _misfit(column: str) -> str:
    fits = _FITS[EXPORT_COLUMNS[column].type].replace("@", name(column))
    return f"count(*) FILTER (WHERE {name(column)} IS NOT NULL AND NOT {fits}) AS {name(column)}"


def unknown(connection: DuckDBPyConnection, source: Source) -> list[tuple[str, int]]:
    """How many values of a file stand in columns that no export has, by column; of JSON in how many lines."""
    return _positive(connection, source.unknown) + list(source.unknown_keys)


def _positive(connection: DuckDBPyConnection, counting: str) -> list[tuple[str, int]]:
    """The columns of the one row of some SQL that are not 0."""
    if not counting:
        return []
    cursor = connection.execute(counting)
    names = [str(column[0]) for column in cursor.description or ()]
    return [(column, count) for column, count in zip(names, cursor.fetchone() or (), strict=True) if count]
