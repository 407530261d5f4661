"""Ask for rows by many keys at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bough.store.database import Rows
from bough.store.transaction import RowValues

IN_ONE_QUERY = 500


def select_in(rows: Rows, sql: str, values: Iterable[int], before: Sequence[int] = ()) -> list[RowValues]:
    """Rows of a query with `{}` for the list, for any number of values; `before` are parameters in front of them."""
    wanted = list(dict.fromkeys(values))
    found: list[RowValues] = []
    for start in range(0, len(wanted), IN_ONE_QUERY):
        text, padded = in_list(sql, wanted[start : start + IN_ONE_QUERY])
        found += rows(text, (*before, *padded))
    return found


def in_list(sql: str, values: Sequence[int]) -> tuple[str, list[int]]:
    """A query with `{}` for the list, and the parameters for it: some values, at least one."""
    # Repeating the last value up to a power of two keeps the number of prepared statements small.
    size = 1 << (len(values) - 1).bit_length()
    return sql.format(",".join("?" * size)), [*values, *[values[-1]] * (size - len(values))]
