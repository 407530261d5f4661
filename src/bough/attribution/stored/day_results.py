"""Kept counts of what attribution says: per link, app and local day, how many events of each name, and their dollars.

They are changed in the transaction that changes the results themselves: a new row adds its part, a row that is read
differently takes its old part away and adds the new one. Dollars are two sums, whole thousands and the rest, so that
they cannot overflow (`bough.vocabulary.money`). So they are exact after every step, whatever is merged,
repeated or read again. All events of test environments are counted under link 0 besides: the warehouse, which knows
those of live ones (`bough.warehouse.day_totals`), leaves them out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec
from msgspec import Struct

from bough.attribution.stored.result_row import Stored
from bough.store.transaction import Transaction
from bough.vocabulary.money import parted

DayOf = Callable[[int, int], int]
"""(app, epoch ms) → local day, the same one whenever it is asked."""

OLD = "SELECT app, test, at, name, counted, body FROM attributed WHERE id = ?"
ADD = (
    "INSERT INTO link_day_event (link, app, test, day, name, count, thousands, micro) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (link, app, test, day, name) DO UPDATE SET"
    " count = link_day_event.count + excluded.count, thousands = link_day_event.thousands + excluded.thousands,"
    " micro = link_day_event.micro + excluded.micro"
)
EMPTY = (
    "DELETE FROM link_day_event WHERE (link, app, test, day, name) IN"
    " (SELECT link, app, test, day, name FROM link_day_event LIMIT ?)"
)

_Key = tuple[int, int, int, int, str]
"""link, app, test, day, name"""


class _Part(Struct):
    """What is read of a row's body."""

    link: int = 0
    micro: int | None = None


_part = msgspec.json.Decoder(_Part).decode


def keep(tx: Transaction, added: Iterable[Stored], changed: Iterable[Stored], day_of: DayOf) -> None:
    """Change the counts for rows that are about to be written."""
    counts: Counter[_Key] = Counter()
    micros: Counter[_Key] = Counter()

    def count(sign: int, app: int, test: int, at: int, name: str, body: str) -> None:
        part = _part(body)
        for link in ([part.link] if part.link else []) + ([0] if test else []):
            key = (link, app, test, day_of(app, at), name)
            counts[key] += sign
            micros[key] += sign * (part.micro or 0)

    for one in added:
        if one.counted:
            count(1, one.app, int(one.test), one.at, one.name, one.body)
    for one in changed:
        for app, test, at, name, counted, body in tx.rows(OLD, (one.id,)):
            if counted:
                count(-1, app, test, at, name, body)
        if one.counted:
            count(1, one.app, int(one.test), one.at, one.name, one.body)
    tx.each(ADD, [(*key, n, *parted(micros[key])) for key, n in sorted(counts.items()) if n or micros[key]])
