"""Codes of dimension values -> ranks in the order of their texts, and the texts themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np

from bough.cohorts.arrays.threads import in_threads
from bough.vocabulary.dimensions import Dimension, Kind
from bough.warehouse.columns import Ints, narrow
from bough.warehouse.dictionary import Words

_EPOCH: Final = date(1970, 1, 1)
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
            return self.ranks.take(codes)
        return np.where(inside, self.ranks[np.where(inside, codes, 0)], -1)

    @property
    def missing(self) -> int:
        """The missing value's rank; -1 when no value is missing."""
        return len(self.texts) - 1 if self.texts and self.texts[-1] is None else -1


def ranked(words: Words, columns: Sequence[tuple[Dimension, Ints]], threads: int) -> list[Ranks]:
    """The ranks of the values of each column."""
    used = in_threads(threads, _used, [codes for _, codes in columns])
    return [
        _ranks(codes, None if dimension.kind is Kind.DAY else words)
        for (dimension, _), codes in zip(columns, used, strict=True)
    ]


def _used(codes: Ints) -> Ints:
    seen = np.zeros(int(codes.max(initial=0)) + 1, bool)
    seen[codes] = True
    return np.flatnonzero(seen)


def _ranks(used: Ints, words: Words | None) -> Ranks:
    texts: list[str | None]
    if words is None:
        ordered = used
        texts = [(_EPOCH + timedelta(days=day - DAY_SHIFT)).isoformat() for day in used.tolist()]
    else:
        ordered = words.in_order(used[used > 0])
        texts = [*words.texts(ordered)]
        if len(ordered) < len(used):
            ordered = np.append(ordered, 0)
            texts.append(None)
    ranks = np.full(int(used.max(initial=0)) + 1, -1, np.int32)
    ranks[ordered] = np.arange(len(ordered), dtype=np.int32)
    return Ranks(narrow(ranks), ordered, texts)
