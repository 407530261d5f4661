"""Texts and their codes: from the copy of main, and what has been learnt since from the table `words`.

A code is given once and for all, so what a copy holds stays true.
"""

# ruff: noqa: S608 - marks and numbers only.
from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from bough.warehouse.columns import Copy, Ints
from bough.warehouse.text_codes import codes_in_table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FEW: Final = 300
"""As many codes are named in the SQL; of more, the whole range is read."""


class Words:
    """The texts of one state of the warehouse."""

    def __init__(self, connection: DuckDBPyConnection, copy: Copy | None, total: int) -> None:
        """Args:
        connection: a warehouse, inside the transaction.
        copy: of the same transaction; None when there is none.
        total: how many texts there are.
        """
        self._connection = connection
        none = np.zeros(1, np.int32)
        self._texts: memoryview | bytes = b"" if copy is None else copy["words.texts"].data
        self._ends = none if copy is None else copy["words.ends"]
        self._order = none[1:] if copy is None else copy["words.order"]
        self._rank = none if copy is None else copy["words.rank"]
        self._copied = len(self._order)
        """Codes above are not in the copy."""
        self._grown = total > self._copied

    def codes(self, texts: Sequence[str]) -> dict[str, int]:
        """The codes of texts; unknown ones are absent."""
        found = {text: code for text in texts if (code := self._code(text))}
        left = [text for text in texts if text not in found]
        return found | codes_in_table(self._connection, left) if left and self._grown else found

    def texts(self, codes: Ints) -> list[str]:
        """The texts of codes above 0."""
        later = self._later(codes[codes > self._copied])
        copied = codes[codes <= self._copied]
        ends = zip(self._ends[copied - 1].tolist(), self._ends[copied].tolist(), strict=True)
        known = dict(zip(copied.tolist(), (str(self._texts[first:end], "utf-8") for first, end in ends), strict=True))
        known |= later
        return [known[code] for code in codes.tolist()]

    def in_order(self, codes: Ints) -> Ints:
        """Different codes above 0 in the order of their texts."""
        if len(codes) and int(codes.max()) <= self._copied:
            return codes[np.argsort(self._rank[codes])]
        return codes[sorted(range(len(codes)), key=self.texts(codes).__getitem__)]

    def _bytes(self, code: int) -> bytes:
        return bytes(self._texts[self._ends[code - 1] : self._ends[code]])

    def _code(self, text: str) -> int:
        """0 for one that is not in the copy."""
        wanted = text.encode(errors="surrogatepass")  # the order of UTF-8 is that of code points
        place = bisect_left(self._order, wanted, key=self._bytes)
        if place < self._copied and self._bytes(self._order[place]) == wanted:
            return int(self._order[place])
        return 0

    def _later(self, codes: Ints) -> dict[int, str]:
        if not len(codes):
            return {}
        listed = f"code IN ({', '.join(map(str, codes.tolist()))})"
        if len(codes) > _FEW:
            listed = f"code BETWEEN {int(codes.min())} AND {int(codes.max())}"
        found = self._connection.execute(f"SELECT code, word FROM words WHERE {listed}").fetchnumpy()
        known = np.asarray(found["code"])
        mine = np.flatnonzero(np.isin(known, codes))
        return dict(zip(known[mine].tolist(), np.asarray(found["word"])[mine].tolist(), strict=True))
