"""Names and texts inside SQL text: DuckDB takes no parameters where files and columns are named."""

from __future__ import annotations


def text(value: str) -> str:
    """An SQL text literal."""
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """An SQL identifier."""
    return '"' + value.replace('"', '""') + '"'
