"""What the campaigns' links brought in the demo's year, as attribution keeps it for live events (`link_day_event`).

Imported events name a campaign and no link. The demo's campaigns have one link each, so here it is known; making
attribution anew forgets it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from bough.attribution.stored.day_results import ADD
from bough.samples import year
from bough.store.transaction import Transaction
from bough.vocabulary.money import parted, to_micro

_NAME, _AT, _CAMPAIGN, _REVENUE, _CURRENCY = (
    year.COLUMNS.index(column)
    for column in ("name", "timestamp", f"{year.TOUCH}campaign", "event_data_revenue", "event_data_currency")
)
_DAY_MS = 86_400_000


class Brought:
    """Counts and millionths of a dollar by campaign, day and event. `rates`: dollars for a unit by (day, currency)."""

    def __init__(self, rates: Mapping[tuple[int, str], Decimal]) -> None:
        self._rates = rates
        self._counts: Counter[tuple[str, int, str]] = Counter()
        self._micros: Counter[tuple[str, int, str]] = Counter()

    def add(self, row: year.Row) -> None:
        """One event of the year."""
        if not row[_CAMPAIGN]:
            return
        day = int(row[_AT]) // _DAY_MS
        key = (row[_CAMPAIGN], day, row[_NAME])
        self._counts[key] += 1
        if row[_REVENUE]:
            rate = self._rates.get((day, row[_CURRENCY]), Decimal(1))
            self._micros[key] += to_micro(Decimal(row[_REVENUE]), rate)

    def store(self, tx: Transaction, app: int, links: Mapping[str, int]) -> None:
        """Write it for the links of the campaigns."""
        tx.each(
            ADD,
            [
                (links[campaign], app, 0, day, name, count, *parted(self._micros[campaign, day, name]))
                for (campaign, day, name), count in self._counts.items()
                if campaign in links
            ],
        )
