"""Finding clicks again: by network address, by browser, by a device id given on them.

A browser that came without a cookie is known by the id of its first click from then on (`Touch.browser`). That click
is found by its id and has no key for it: most clicks are the only ones of their browser, and a key that nobody asks for
is a page to write.

A click's own transaction writes nothing but its journal row, which keeps redirects cheap. Its keys are written from the
journal afterwards: by the background process all the time, and by the transaction of an opening right before it looks,
so that an app that opens a moment after its click finds it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from bough.agents.recognition import parse
from bough.attribution.replay.entries import TOUCH_KINDS
from bough.attribution.rules.matching import MAX_NEARBY, MIN_LOOK_BACK
from bough.attribution.rules.touches import MAX_DURATION, Links, Touch, Traces, begins_browser, touch_of, traces_of
from bough.events.identifiers import Identifier
from bough.store import set_aside, watermark
from bough.store.database import Rows, Store
from bough.store.journal import BY_ID, BY_IDS, to_row
from bough.store.select_in import select_in
from bough.store.set_aside import SetAside
from bough.store.transaction import Reader, RowValues, Transaction
from bough.vocabulary.ids import RANDOM_BITS, arrived_at
from bough.vocabulary.journal_rows import JournalRow, needs_link
from bough.vocabulary.lookup_keys import key

WATERMARK = "touch_index"
TOUCHES_AT_ONCE = 5000
FOLLOWED_AT_ONCE = 750
"""The background process takes fewer: while it writes them, clicks wait."""
UNWRITTEN_MS = 2000
"""How old the watermark may be where no touches come: advancing it costs a commit, and not doing so that all these rows
are passed over again."""
MAX_CACHED = 20_000

NEW_TOUCHES = (
    "SELECT id, at, app, test, kind, link, body FROM journal WHERE id > ? AND id <= ?"
    " AND kind IN ('click', 'impression') ORDER BY id LIMIT ?"
)
PROGRESS = (
    "SELECT w.reached, coalesce((SELECT max(id) FROM journal), 0),"
    " EXISTS (SELECT 1 FROM journal WHERE id > CASE WHEN w.looked > w.reached THEN w.looked ELSE w.reached END"
    " AND kind IN ('click', 'impression'))"
    " FROM (SELECT CAST(? AS BIGINT) AS looked,"
    " coalesce((SELECT journal FROM watermark WHERE name = ?), 0) AS reached) AS w"
)
NEWEST_BY_KEY = "SELECT touch FROM touch_key WHERE key = ? AND touch < ? AND touch >= ? ORDER BY touch DESC LIMIT ?"

SKIP_KNOWN = "ON CONFLICT (key, touch) DO NOTHING"

TOUCHES = ("click", "impression")

log = logging.getLogger("bough.attribution")


class _NewKeys(Struct, frozen=True):
    """Keys of touches after a watermark, ready to be written."""

    newest: int
    """All touches up to this row are in."""
    keys: list[tuple[int, int]]
    touches: int
    faults: tuple[SetAside, ...] = ()
    """Touches that cannot be read."""


class TouchIndex:
    """Touches by key. One per process; what it keeps of parsed touches goes out of date only when a person is erased:
    then it must `forget`."""

    def __init__(self) -> None:
        self._parsed: dict[int, Touch] = {}
        self._without = 0
        """Up to this row there is no touch whose keys are not written."""

    def catch_up(self, tx: Transaction, links: Links, at_most: int | None = None) -> int:
        """Write the keys of clicks that arrived since the last time; returns the newest row of the journal."""
        (reached, newest, waiting), written = self._progress(tx), 0
        if not waiting and arrived_at(newest) - arrived_at(reached) < UNWRITTEN_MS:
            return newest
        while reached < newest and (at_most is None or written < at_most):
            found = self._next_keys(tx, links, reached, newest, TOUCHES_AT_ONCE)
            write_keys(tx, [found])
            reached = found.newest
            written += found.touches
        return newest

    def follow(self, store: Store, links: Links, rows: Sequence[RowValues]) -> dict[int, list[Identifier]]:
        """Write the keys of the touches among the next rows of the journal, before their attribution is stored.

        `catch_up` for who reads and parses before taking the write lock. Returns what is `carried` by those touches
        that carry anything.
        """
        touches = [values for values in rows if values[4] in TOUCHES]
        traced, faults = self._traced(touches, links)
        if faults:
            store.transact(set_aside.put_batch, faults)
        reached, newest = watermark.reached(store, WATERMARK), rows[-1][0] if rows else 0
        if newest <= reached:
            self._keep_up(store, links)  # attribution is behind; clicks of now are to be found all the same
        elif touches or arrived_at(newest) - arrived_at(reached) >= UNWRITTEN_MS:
            self._write(store, traced, newest)
        return {touch.id: found for touch in traced if (found := carried(touch))}

    def _write(self, store: Store, traced: Sequence[Traces], newest: int) -> None:
        while len(traced) > FOLLOWED_AT_ONCE:
            piece, traced = traced[:FOLLOWED_AT_ONCE], traced[FOLLOWED_AT_ONCE:]
            store.transact(write_keys, _new_keys(piece, piece[-1].id), settle=False)
        store.transact(write_keys, _new_keys(traced, newest), settle=False)

    def _keep_up(self, store: Store, links: Links) -> None:
        reached, newest, waiting = self._progress(store)
        if waiting or arrived_at(newest) - arrived_at(reached) >= UNWRITTEN_MS:
            found = self._next_keys(store, links, reached, newest, FOLLOWED_AT_ONCE)
            store.transact(write_keys, found, settle=False)

    def _progress(self, reader: Reader) -> tuple[int, int, bool]:
        """The newest row whose keys are written, the newest row, and whether there are touches between them.

        Rows in which this process has found none once are not looked at again.
        """
        reached, newest, waiting = reader.rows(PROGRESS, (self._without, WATERMARK))[0]
        if not waiting:
            self._without = max(self._without, newest)
        return reached, newest, bool(waiting)

    def _next_keys(self, reader: Reader, links: Links, after: int, newest: int, at_most: int) -> _NewKeys:
        rows = reader.rows(NEW_TOUCHES, (after, newest, at_most))
        traced, faults = self._traced(rows, links)
        return _new_keys(traced, rows[-1][0] if len(rows) == at_most else newest, faults)

    def _traced(self, touches: Sequence[RowValues], links: Links) -> tuple[list[Traces], list[SetAside]]:
        """What touches can be found by, and those that cannot be read."""
        traced: list[Traces] = []
        faults: list[SetAside] = []
        with links.of_rows(values[5] for values in touches if values[5] and needs_link(values[6])):
            for values in touches:
                try:
                    traced.append(traces_of(values, links))
                except Exception as error:
                    if not set_aside.is_of_row(error):
                        raise
                    faults.append(set_aside.of_row(set_aside.TOUCHES, values, error))
        return traced, faults

    def replay(self, store: Store, links: Links, rows: Sequence[RowValues]) -> dict[int, list[Identifier]]:
        """`follow` for touches that were set aside; those that can be read now are taken off the list."""
        traced, faults = self._traced(rows, links)
        store.transact(set_aside.put_batch, faults)
        store.transact(write_replayed, traced)
        return {touch.id: found for touch in traced if (found := carried(touch))}

    def forget(self) -> None:
        """Drop what is kept of touches. From any thread: whoever reads it at this moment goes on with the old."""
        self._parsed = {}

    def touch(self, tx: Reader, identifier: int, links: Links) -> Touch | None:
        """The touch of a journal row, or None when it is none."""
        return self.touches(tx, (identifier,), links).get(identifier)

    def touches(self, tx: Reader, identifiers: Iterable[int], links: Links) -> dict[int, Touch]:
        """The touches among some journal rows."""
        kept = self._parsed
        found: dict[int, Touch] = {}
        unread = []
        for identifier in identifiers:
            if (known := kept.get(identifier)) is not None:
                found[identifier] = known
            else:
                unread.append(identifier)
        rows = [values for values in select_in(tx.rows, BY_IDS, unread) if values[4] in TOUCH_KINDS]
        with links.of_rows(values[5] for values in rows if values[5]):
            for values in rows:
                try:
                    found[values[0]] = self.of_row(to_row(values), links)
                except Exception as error:
                    if not set_aside.is_of_row(error):
                        raise
                    log.warning("Journal row %s is no touch that can be read: %s", values[0], error)
        return found

    def by_browser(self, tx: Reader, app: int, test: bool, browser: str, before: int, links: Links) -> Touch | None:
        """The newest click of a browser that arrived before a row."""
        found = self._by_key(tx, key(app, test, "browser", browser), before, 0, 1, links)
        return found[0] if found else None

    def by_given(
        self, tx: Reader, app: int, test: bool, identifiers: Iterable[Identifier], before: int, links: Links
    ) -> list[Touch]:
        """Clicks on which one of these ids was given and that could still be matched, oldest first."""
        oldest = before - (MAX_DURATION * 1000 << RANDOM_BITS)
        found: dict[int, Touch] = {}
        for kind, value in identifiers:
            touches = self._by_key(tx, key(app, test, f"given {kind}", value), before, oldest, MAX_NEARBY, links)
            found.update((touch.id, touch) for touch in touches)
        return sorted(found.values(), key=lambda touch: touch.order)

    def nearby(self, tx: Reader, app: int, test: bool, ip: str, before: int, links: Links) -> list[Touch]:
        """Clicks from a network address, oldest first: those of the last day, and older ones of links that last."""
        oldest = before - (max(MAX_DURATION * 1000, MIN_LOOK_BACK) << RANDOM_BITS)
        found = self._by_key(tx, key(app, test, "ip", ip), before, oldest, MAX_NEARBY, links)
        return sorted(found, key=lambda touch: touch.order)

    def _by_key(self, tx: Reader, one: int, before: int, oldest: int, at_most: int, links: Links) -> list[Touch]:
        rows = tx.rows(NEWEST_BY_KEY, (one, before, max(0, oldest), at_most))
        wanted = [identifier for (identifier,) in rows]
        found = self.touches(tx, wanted, links)
        return [found[one] for one in wanted if one in found and found[one].kind == "click"]

    def cached(self, identifier: int) -> Touch | None:
        """The touch, if it is in memory."""
        return self._parsed.get(identifier)

    def parsed(self, values: tuple[Any, ...], links: Links) -> Touch:
        """The touch of a journal row's values."""
        return self._parsed.get(values[0]) or self.of_row(to_row(values), links)

    def of_row(self, row: JournalRow, links: Links) -> Touch:
        """The touch of a journal row."""
        kept = self._parsed
        known = kept.get(row.id)
        if known is not None:
            return known
        touch = touch_of(row, links, parse)
        if len(kept) >= MAX_CACHED:
            for old in list(kept)[: MAX_CACHED // 10]:
                del kept[old]
        kept[touch.id] = touch
        return touch


def _new_keys(traced: Sequence[Traces], newest: int, faults: Sequence[SetAside] = ()) -> _NewKeys:
    keys = [(one, touch.id) for touch in traced for one in touch_keys(touch)]
    keys.sort()
    return _NewKeys(newest, keys, len(traced) + len(faults), tuple(faults))


def write_keys(tx: Transaction, items: list[_NewKeys]) -> list[Exception | None]:
    """Write keys and watermark; what another process has written meanwhile is left out."""
    for item in items:
        reached = watermark.reached(tx, WATERMARK)
        if item.newest > reached:
            keys = [one for one in item.keys if one[1] > reached]
            # Of a touch that belonged to somebody who was erased they may be there already (`bough.persons.erasing`),
            # and two ids that it was given can have one key.
            tx.insert("touch_key", ("key", "touch"), keys, on_conflict=SKIP_KNOWN)
            set_aside.put(tx, item.faults)
            watermark.advance(tx, WATERMARK, item.newest)
    return [None] * len(items)


def write_replayed(tx: Transaction, items: list[list[Traces]]) -> list[Exception | None]:
    """Write the keys of touches that were set aside, and take them off the list."""
    for traced in items:
        keys = sorted({(one, touch.id) for touch in traced for one in touch_keys(touch)})
        tx.insert("touch_key", ("key", "touch"), keys, on_conflict=SKIP_KNOWN)
        tx.each(set_aside.DONE, [(set_aside.TOUCHES, touch.id) for touch in traced])
    return [None] * len(items)


def first_of(rows: Rows, app: int, test: bool, browser: str) -> int | None:
    """The touch whose own id became the id of a browser, if there is one: that id."""
    if not is_row_id(browser):
        return None
    found = rows(BY_ID, (int(browser),))
    if not found or found[0][4] not in TOUCHES or (found[0][2], bool(found[0][3])) != (app, test):
        return None
    return int(browser) if begins_browser(found[0], parse) else None


def is_row_id(text: str) -> bool:
    """Whether a text could be the id of a journal row."""
    return text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < 1 << 63


def carried(touch: Traces) -> list[Identifier]:
    """The identifiers of a person that a touch carries and that a row before it may have named: a browser that came
    without a cookie is known by the touch's own id, which nobody could name before it was there."""
    found = list(touch.given)
    if cookie := touch.cookie:
        found.append(("browser", cookie))
    return found


def touch_keys(touch: Traces | Touch) -> list[int]:
    """The keys of a touch. Impressions have keys of their own: they only bring credit."""
    keys: list[int] = []
    cookie = touch.cookie
    if touch.given or cookie:
        sort = "impression " if touch.kind == "impression" else ""
        keys += [key(touch.app, touch.test, f"{sort}given {kind}", value) for kind, value in touch.given]
        if cookie:
            keys.append(key(touch.app, touch.test, f"{sort}browser", cookie))
    if touch.ip and touch.kind == "click":
        keys.append(key(touch.app, touch.test, "ip", touch.ip))
    return keys
