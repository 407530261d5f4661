"""Counting journal rows: each once, whatever happens, and written in the order of the links.

Rows of a busy minute are about links from everywhere, and writing what a few of them add up to touches nearly as many
pages of the store as there are rows: pages that everyone who waits for the disk waits for. So whoever is behind adds up
to ROWS_AT_MOST rows in memory and writes the sums sorted, as links that are neighbours share their pages. A transaction
holds COUNTS_AT_ONCE, since clicks wait as long as it takes.

Such a span of rows is not counted twice when the process ends in the middle of it: watermarks, written with the counts,
say which rows it has and up to which link it is written. Whoever finds it open adds up the same rows and goes on there.
A row that cannot be counted is set aside (`bough.store.set_aside`), and the others are counted without it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from bough.store import set_aside, watermark
from bough.store.database import Store
from bough.store.journal import BY_ID, BY_IDS, READ_AT_ONCE, NewRows
from bough.store.select_in import select_in
from bough.store.transaction import Reader, RowValues, Transaction

log = logging.getLogger("bough.counts")

ROWS_AT_MOST = 30_000
"""Rows of one span: a second of what one worker can answer."""

COUNTS_AT_ONCE = 1000
"""Counts of links in one transaction. It holds the write lock for a millisecond, seldom 6."""


class Sums(Protocol):
    """What rows add up to."""

    def add(self, rows: Sequence[RowValues]) -> None:
        """Count rows of the journal: all or, when it fails, none."""

    def of_links(self) -> list[RowValues]:
        """The counts of links, sorted; a link's id is the first value of each."""

    def write(self, tx: Transaction, counts: Sequence[RowValues]) -> None:
        """Add some of these to what is stored."""

    def write_rest(self, tx: Transaction) -> None:
        """Add what is of no link."""

    def clear(self) -> None:
        """Begin anew."""


class CountingState(NamedTuple):
    """How far the counting is, as it is stored."""

    reached: int
    """All rows up to this one are counted."""
    until: int
    """The last row of the span that is being written; none is, unless it lies behind `reached`."""
    link: int
    """The counts of links up to this one are written for that span."""

    @property
    def is_open(self) -> bool:
        """Whether somebody began to write a span and has not written all of it."""
        return self.until > self.reached


class Piece(NamedTuple):
    """What one transaction writes."""

    name: str
    before: CountingState
    """It is only written here: otherwise another process has been quicker."""
    after: CountingState
    counts: Sequence[RowValues]
    sums: Sums


class Counting:
    """Counts under the name of a watermark. One process counts at a time; a second one does no harm."""

    def __init__(self, store: Store, name: str, sums: Sums) -> None:
        self._store = store
        self._name = name
        self._sums = sums
        self._after = self._read = 0
        """The rows between these two are in the sums."""
        self._rows = 0
        """How many they are."""
        self._skipped: frozenset[int] = frozenset()
        """Rows that are set aside."""

    def step(self, journal: NewRows | None = None) -> int:
        """Count the next rows; returns how many there were.

        They are written when there are no more, or enough of them. Raises Unavailable when the store cannot be written.
        """
        journal = journal or NewRows(self._store)
        replayed = self._replay()
        place = place_of(self._store, self._name)
        if place.reached != self._after or (place.is_open and place.until < self._read):
            self._begin(place.reached)
        if place.is_open:
            return self._finish(place, journal) + replayed
        rows = journal.after(self._read)
        self._add(rows)
        if self._rows and (len(rows) < READ_AT_ONCE or self._rows >= ROWS_AT_MOST):
            self._write(place)
        return len(rows) + replayed

    def _replay(self) -> int:
        """Count rows once more that were set aside; returns how many."""
        wanted = set_aside.wanted(self._store, self._name)
        if not wanted:
            return 0
        self._begin(place_of(self._store, self._name).reached)  # the sums are used for one row at a time
        for row in select_in(self._store.rows, BY_IDS, wanted):
            self._sums.clear()
            try:
                self._sums.add([row])
            except Exception as error:  # noqa: BLE001 - what is not the row's fault is raised again
                self._set_aside(row, error)
            else:
                item: tuple[str, int, list[RowValues], Sums] = (self._name, row[0], self._sums.of_links(), self._sums)
                self._store.transact(_write_replayed, item)
        gone = [(self._name, one) for one in wanted if not self._store.rows(BY_ID, (one,))]
        self._store.transact(set_aside.done_batch, gone)
        self._begin(place_of(self._store, self._name).reached)
        return len(wanted)

    def _begin(self, after: int) -> None:
        self._after = self._read = after
        self._rows = 0
        self._sums.clear()
        self._skipped = set_aside.items(self._store, self._name)

    def _add(self, rows: Sequence[RowValues]) -> None:
        if rows:
            counted = [row for row in rows if row[0] not in self._skipped] if self._skipped else rows
            try:
                self._sums.add(counted)
            except Exception as error:
                if not set_aside.is_of_row(error):
                    raise
                self._add_each(counted)
            self._read = rows[-1][0]
            self._rows += len(rows)

    def _add_each(self, rows: Sequence[RowValues]) -> None:
        for row in rows:
            try:
                self._sums.add([row])
            except Exception as error:  # noqa: BLE001 - what is not the row's fault is raised again
                self._set_aside(row, error)

    def _set_aside(self, row: RowValues, error: Exception) -> None:
        if not set_aside.is_of_row(error):
            raise error
        log.warning("%s: journal row %s is set aside: %s", self._name, row[0], set_aside.reason_of(error))
        self._store.transact(set_aside.put_batch, [set_aside.of_row(self._name, row, error)])
        self._skipped |= {row[0]}

    def _finish(self, place: CountingState, journal: NewRows) -> int:
        """Write the rest of a span, which this process or another one has begun to write."""
        read = 0
        while self._read < place.until:
            rows = [row for row in journal.after(self._read) if row[0] <= place.until]
            self._add(rows)
            read += len(rows)
            if not rows:
                self._read = place.until
        self._write(place)
        return max(1, read)

    def _write(self, place: CountingState) -> None:
        done = place.link if place.is_open else 0
        counts = [one for one in self._sums.of_links() if one[0] > done]
        before = place
        for counts_of_piece, is_last in _pieces(counts):
            link = counts_of_piece[-1][0] if counts_of_piece else done
            after = CountingState(self._read if is_last else self._after, self._read, link)
            if not self._store.transact(
                _write_pieces, Piece(self._name, before, after, counts_of_piece, self._sums), settle=False
            ):
                break
            before = after
        self._begin(before.reached)


def _pieces(counts: Sequence[RowValues]) -> Iterator[tuple[Sequence[RowValues], bool]]:
    """Pieces of about COUNTS_AT_ONCE, each with all counts of its links, and whether it is the last; at least one."""
    start = 0
    while True:
        end = min(start + COUNTS_AT_ONCE, len(counts))
        while 0 < end < len(counts) and counts[end][0] == counts[end - 1][0]:
            end += 1
        yield counts[start:end], end == len(counts)
        if end == len(counts):
            return
        start = end


def _write_replayed(tx: Transaction, items: list[tuple[str, int, list[RowValues], Sums]]) -> list[Exception | None]:
    for name, row, counts, sums in items:
        sums.write(tx, counts)
        sums.write_rest(tx)
        tx.run(set_aside.DONE, (name, row))
    return [None] * len(items)


def place_of(reader: Reader, name: str) -> CountingState:
    """How far the counting is."""
    return CountingState(*(watermark.reached(reader, one) for one in _names(name)))


def _names(name: str) -> tuple[str, str, str]:
    return name, f"{name}: until", f"{name}: link"


def _write_pieces(tx: Transaction, pieces: list[Piece]) -> list[bool | Exception]:
    written: list[bool | Exception] = []
    for piece in pieces:
        is_next = place_of(tx, piece.name) == piece.before
        if is_next:
            piece.sums.write(tx, piece.counts)
            if not piece.after.is_open:
                piece.sums.write_rest(tx)
            for name, value in zip(_names(piece.name), piece.after, strict=True):
                watermark.advance(tx, name, value)
        written.append(is_next)
    return written
