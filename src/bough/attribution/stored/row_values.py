"""What an event says by itself, settled once when it is first attributed: alias, dimension values, money."""

from __future__ import annotations

import logging

import msgspec

from bough.accounts.setting_history import SettingHistory
from bough.attribution.rates import plain
from bough.attribution.rules.dimensions import dimensions_of
from bough.attribution.rules.money import RateOf, amount_of, convert
from bough.attribution.stored.tables import Kept, RowFields
from bough.errors import BadRequest
from bough.store import set_aside
from bough.store.set_aside import SetAside
from bough.vocabulary.event_names import REVENUE_EVENTS
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.values import text

log = logging.getLogger("bough.attribution")


class SettledFacts:
    """Settles facts with the settings of each row's own time."""

    def __init__(self, history: SettingHistory, rate_of: RateOf) -> None:
        self._history = history
        self._rate_of = rate_of
        self.faults: list[SetAside] = []
        """Rows whose money or dimensions could not be settled; they are attributed without."""

    def of(self, row: JournalRow, name: str) -> RowFields:
        """The facts of a journal row that attribution calls `name`; none, and a fault, for one that cannot be read."""
        try:
            return self._of(row, name)
        except (BadRequest, ValueError, OverflowError) as error:
            log.warning("Journal row %s says nothing that can be read: %s", row.id, error)
            self._fault(row, set_aside.reason_of(error))
            return RowFields()

    def _fault(self, row: JournalRow, reason: str) -> None:
        self.faults.append(SetAside(consumer=set_aside.MONEY, app=row.app, kind=row.kind, item=row.id, reason=reason))

    def _of(self, row: JournalRow, name: str) -> RowFields:
        alias = text(row.body.get("customer_event_alias"), 255)
        dimensions = dimensions_of(row)
        money = amount_of(row)
        if money is None:
            return RowFields(alias=alias, dimensions=dimensions)
        settings = self._history.at(row.app, row.at)
        counting = settings.revenue_events or REVENUE_EVENTS
        if name not in counting:
            return RowFields(alias=alias, dimensions=dimensions, revenue=plain(money.value), currency=money.currency)
        converted = convert(money, row.at, settings.timezone, self._rate_of)
        if converted.too_large:
            self._fault(row, converted.too_large)
        return RowFields(
            alias=alias,
            dimensions=dimensions,
            revenue=plain(money.value),
            currency=money.currency,
            micro=converted.micro,
            missing_day=converted.day if converted.missing else "",
        )

    @staticmethod
    def mended(kept: Kept, micro: int | None) -> str:
        """The JSON of a row whose dollars are known now; None: they are too many."""
        return (
            msgspec.json.Encoder(decimal_format="number")
            .encode(msgspec.structs.replace(kept, micro=micro, missing_day=""))
            .decode()
        )
