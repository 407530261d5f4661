"""What owners say that campaigns cost (`bough.importers.costs`): from the store into the warehouse, in dollars."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from bough.attribution.attributed_event import CostRow
from bough.store import set_aside
from bough.store.database import Store
from bough.store.set_aside import COSTS, SetAside
from bough.vocabulary.money import MAX_COST_MICRO, to_micro
from bough.warehouse.build import Warehouse
from bough.warehouse.digesting import is_of_row

EPOCH = date(1970, 1, 1)
SOURCE = "costs"
TRIED = "tried"
"""A source that nothing is left of: under it each cost is tried alone."""

COST = "SELECT app, day FROM cost WHERE id = ?"
COSTS_OF_DAYS = (
    "SELECT id, day, dimensions, amount, currency FROM cost WHERE app = ? AND day BETWEEN ? AND ? ORDER BY id"
)

Rate = Callable[[str, int], Decimal | None]


class GivenCosts:
    """Costs of one store and warehouse."""

    def __init__(self, store: Store, warehouse: Warehouse, rate: Rate) -> None:
        self._store = store
        self._warehouse = warehouse
        self._rate = rate

    def replace(self, app: int, first: int, last: int) -> list[SetAside]:
        """Put in everything that is known of an app's days first..last, in one go; returns what cannot be."""
        costs, faults = [], []
        for identifier, day, dimensions, amount, currency in self._store.rows(COSTS_OF_DAYS, (app, first, last)):
            try:
                micro = self._dollars(amount, currency, day)
                named = msgspec.json.decode(dimensions, type=dict[str, str])
                costs.append((identifier, CostRow(app=str(app), day=_text_of(day), micro=micro, dimensions=named)))
            except Exception as error:
                if not is_of_row(error):
                    raise
                faults.append(_fault(app, identifier, error))
        days = (_text_of(first), _text_of(last))
        try:
            self._warehouse.replace_costs(str(app), SOURCE, *days, [one for _, one in costs])
        except Exception as error:
            if not is_of_row(error):
                raise
            found = self._tried(app, costs)
            if not found:
                raise
            faults += found
            at_fault = {one.item for one in found}
            good = [one for identifier, one in costs if identifier not in at_fault]
            self._warehouse.replace_costs(str(app), SOURCE, *days, good)
        return faults

    def replay(self, identifier: int) -> list[SetAside]:
        """Put in once more the day of a cost; returns what cannot be."""
        rows = self._store.rows(COST, (identifier,))
        return self.replace(rows[0][0], rows[0][1], rows[0][1]) if rows else []

    def _tried(self, app: int, costs: list[tuple[int, CostRow]]) -> list[SetAside]:
        """Those of some costs that the table does not take."""
        faults = []
        for identifier, one in costs:
            try:
                self._warehouse.replace_costs(str(app), TRIED, one.day, one.day, [one])
            except Exception as error:
                if not is_of_row(error):
                    raise
                faults.append(_fault(app, identifier, error))
            else:
                self._warehouse.replace_costs(str(app), TRIED, one.day, one.day, [])
        return faults

    def _dollars(self, amount: str, currency: str, day: int) -> int | None:
        rate = Decimal(1) if currency == "USD" else self._rate(currency, day)
        return None if rate is None else to_micro(Decimal(amount), rate, MAX_COST_MICRO)


def _text_of(day: int) -> str:
    return (EPOCH + timedelta(days=day)).isoformat()


def _fault(app: int, identifier: int, error: Exception) -> SetAside:
    return SetAside(consumer=COSTS, app=app, kind="cost", item=identifier, reason=set_aside.reason_of(error))
