"""One write transaction, as the batches see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

Value = int | str | bytes | None
RowValues = tuple[Any, ...]

SKIP_CONFLICTS = "ON CONFLICT DO NOTHING RETURNING id"


class Reader(Protocol):
    """A store or an open transaction."""

    def rows(self, sql: str, params: Sequence[Value] = ()) -> list[RowValues]:
        """All rows of a query."""


class Transaction(Reader, Protocol):
    """One open write transaction. Nothing in it is visible or durable before all of it is."""

    settles: bool
    """Whether its end waits for the disk. A store that always waits may ignore it."""

    def run(self, sql: str, params: Sequence[Value] = ()) -> int:
        """Execute; returns how many rows changed."""

    def each(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """Execute once per row of parameters."""

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Value]],
        *,
        skip_conflicts: bool = False,
        on_conflict: str = "",
    ) -> list[int]:
        """Insert many rows in one statement, several times as quick as `each`.

        `on_conflict` is a whole clause (`ON CONFLICT (…) DO UPDATE SET …`); no two rows may then have the same key.
        With `skip_conflicts`, rows that break a unique key are left out and the `id` of each row that was stored is
        returned; else the result is empty.
        """

    def announce(self, version: int) -> None:
        """Make a row of the `change` table known to every process once this transaction is on disk."""


Batch = Callable[[Transaction, "list[Any]"], "list[Any]"]
"""Takes the items of one kind that came together and returns one result, or one exception, per item."""
