"""The codes of texts in the warehouse's table of them. Workers load this module, which needs no arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def codes_in_table(connection: DuckDBPyConnection, texts: Sequence[str]) -> dict[str, int]:
    """The codes of texts; unknown ones are absent."""
    marks = ", ".join(f"$w{i}" for i, _ in enumerate(texts))
    return dict(
        connection.execute(
            f"SELECT word, code FROM words WHERE word IN ({marks})",  # noqa: S608 - marks only
            {f"w{i}": word for i, word in enumerate(texts)},
        ).fetchall()
    )
