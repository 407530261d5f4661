"""What an app's settings were at any time: attribution windows, revenue events and time zone.

Changes apply to what happens after them (docs/sdk.md), so that reading the journal again must know the settings
of each row's own time. A change writes what stood before, from the beginning of time, and what stands from now on; an
app that was never changed has no rows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from bough.accounts.model import App, AppConfig
from bough.store.transaction import RowValues, Transaction
from bough.vocabulary.ids import arrived_at, now_ms

STANDING = "SELECT timezone, config FROM app WHERE id = ?"
NEWEST_ID = "SELECT max(id) FROM journal"
NEWEST = "SELECT body FROM app_setting WHERE app = ? ORDER BY at DESC LIMIT 1"
ADD = (
    "INSERT INTO app_setting (app, at, body) VALUES (?, ?, ?) ON CONFLICT (app, at) DO UPDATE SET body = excluded.body"
)
ALL = "SELECT app, at, body FROM app_setting ORDER BY app, at"


class Dated(Struct, frozen=True, kw_only=True):
    """The settings that have a history."""

    timezone: str = "UTC"
    attribution_windows: dict[str, int | float | str] = {}
    """In days, by the names of `bough.attribution.rules.windows.NAMES`."""
    revenue_events: tuple[str, ...] = ()


def dated(timezone: str, config: AppConfig) -> Dated:
    """The part of an app's settings that has a history."""
    return Dated(
        timezone=timezone, attribution_windows=config.attribution_windows, revenue_events=config.revenue_events
    )


def remember(tx: Transaction, app: int, timezone: str, config: AppConfig) -> None:
    """Note a change that is about to be saved; nothing when these settings stay as they are.

    It applies from the instant after the newest journal row on, whose id may be a little ahead of the clock.
    """
    standing = tx.rows(STANDING, (app,))
    if not standing:
        return
    before = dated(standing[0][0], msgspec.json.decode(standing[0][1], type=AppConfig))
    after = dated(timezone, config)
    if before == after:
        return
    if not tx.rows(NEWEST, (app,)):
        tx.run(ADD, (app, 0, _encode(before)))
    now = max(now_ms(), arrived_at(tx.rows(NEWEST_ID)[0][0] or 0) + 1)
    tx.run(ADD, (app, now, _encode(after)))


class SettingHistory:
    """Settings by app and time."""

    def __init__(self, apps: Iterable[App], rows: Iterable[RowValues]) -> None:
        """`rows` are those of `ALL`; apps without any have had today's settings all the time."""
        self._times: dict[int, list[int]] = {}
        self._values: dict[int, list[Dated]] = {}
        for app, at, body in rows:
            self._times.setdefault(app, []).append(at)
            self._values.setdefault(app, []).append(msgspec.json.decode(body, type=Dated))
        for one in apps:
            if one.id not in self._times:
                self._times[one.id], self._values[one.id] = [0], [dated(one.timezone, one.config)]

    def at(self, app: int, at: int) -> Dated:
        """What stood at an instant (epoch ms); the defaults for an app that is not known."""
        times = self._times.get(app)
        if times is None:
            return Dated()
        return self._values[app][max(0, bisect_right(times, at) - 1)]


def _encode(value: Dated) -> str:
    return msgspec.json.encode(value).decode()
