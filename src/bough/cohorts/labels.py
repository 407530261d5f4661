"""Codes of dimension values -> ranks in the order of their texts, and the texts themselves."""

# ruff: noqa: S608 - numbers only.
from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from bough.cohorts.dimensions import Dimension, Kind
from bough.warehouse.columns import Ints

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_EPOCH: Final = date(1970, 1, 1)
_FEW: Final = 300
"""As many codes are named in the SQL; of more, the whole range is read."""
DAY_SHIFT: Final = 1
"""Added to local days so that none is negative: the first day of 1970 may be the day before in the west."""


class Ranks(NamedTuple):
    """The values of one dimension that occur."""

    ranks: Ints
    """By code; -1 for a code that does not occur."""
    codes: Ints
    """By rank: texts by code point, days by date, the missing value last."""
    texts: list[str | None]
    """By rank."""

    def of(self, codes: Ints) -> Ints:
        """The ranks of codes, -1 for one that does not occur."""
        inside = codes < len(self.ranks)
        if bool(inside.all()):
            return self.ranks[codes]
        return np.where(inside, self.ranks[np.where(inside, codes, 0)], -1)

    @property
    def missing(self) -> int:
        """The missing value's rank; -1 when no value is missing."""
        return len(self.texts) - 1 if self.texts and self.texts[-1] is None else -1


def ranked(connection: DuckDBPyConnection, columns: Sequence[tuple[Dimension, Ints]]) -> list[Ranks]:
    """The ranks of the values of each column; one look at `words` for all."""
    used = [_used(codes) for _, codes in columns]
    texts = [codes for (dimension, _), codes in zip(columns, used, strict=True) if dimension.kind is not Kind.DAY]
    words = _words(connection, np.unique(np.concatenate(texts))) if texts else {}
    return [
        _ranks(codes, None if dimension.kind is Kind.DAY else words)
        for (dimension, _), codes in zip(columns, used, strict=True)
    ]


def _used(codes: Ints) -> Ints:
    seen = np.zeros(int(codes.max(initial=0)) + 1, bool)
    seen[codes] = True
    return np.flatnonzero(seen)


def _ranks(used: Ints, words: dict[int, str] | None) -> Ranks:
    ordered = used
    texts: list[str | None]
    if words is None:
        texts = [(_EPOCH + timedelta(days=day - DAY_SHIFT)).isoformat() for day in used.tolist()]
    else:
        listed = sorted((code for code in used.tolist() if code), key=words.__getitem__)
        texts = [words[code] for code in listed]
        if len(listed) < len(used):
            listed.append(0)
            texts.append(None)
        ordered = np.asarray(listed, np.int64)
    ranks = np.full(int(used.max(initial=0)) + 1, -1, np.int32)
    ranks[ordered] = np.arange(len(ordered), dtype=np.int32)
    return Ranks(ranks, ordered, texts)


def _words(connection: DuckDBPyConnection, codes: Ints) -> dict[int, str]:
    codes = codes[codes > 0]
    if not len(codes):
        return {}
    if len(codes) <= _FEW:
        listed = ", ".join(map(str, codes.tolist()))
        return dict(connection.execute(f"SELECT code, word FROM words WHERE code IN ({listed})").fetchall())
    found = connection.execute(
        f"SELECT code, word FROM words WHERE code BETWEEN {codes[0]} AND {codes[-1]}"
    ).fetchnumpy()
    known = np.asarray(found["code"])
    wanted = np.zeros(int(codes[-1]) + 1, bool)
    wanted[codes] = True
    mine = wanted[known]
    return dict(zip(known[mine].tolist(), np.asarray(found["word"])[mine].tolist(), strict=True))
