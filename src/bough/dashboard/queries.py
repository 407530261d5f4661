"""The SQL of the pages. Everything that a page shows on loading is a range of a key, never a count of rows."""

from __future__ import annotations

APP_DAYS = "SELECT day, kind, count FROM app_day_count WHERE app = ? AND test = ? AND day BETWEEN ? AND ?"
_BY_NAME = "CASE WHEN name IN ('INSTALL', 'OPEN') THEN name ELSE '' END"
"""Other names matter for their dollars only; an app can have hundreds of them."""

APP_EVENTS = (
    f"SELECT day, {_BY_NAME}, sum(count), sum(thousands), sum(micro) FROM app_day_event"  # noqa: S608 - a constant of this module
    " WHERE app = ? AND day BETWEEN ? AND ? GROUP BY 1, 2"
)
TEST_EVENTS = (
    f"SELECT day, {_BY_NAME}, sum(count), sum(thousands), sum(micro) FROM link_day_event"  # noqa: S608
    " WHERE link = 0 AND app = ? AND test = 1 AND day BETWEEN ? AND ? GROUP BY 1, 2"
)
LINK_DAYS = (
    "SELECT day, CAST(sum(clicks) AS BIGINT) FROM link_day_count"
    " WHERE link = ? AND day BETWEEN ? AND ? AND dimension = 'platform' GROUP BY day"
)
LINK_VALUES = (
    "SELECT dimension, value, sum(clicks) FROM link_day_count"
    " WHERE link = ? AND day BETWEEN ? AND ? AND value <> '' GROUP BY dimension, value"
)
LINK_EVENTS = "SELECT day, name, count, thousands, micro FROM link_day_event WHERE link = ?"
NEWEST_ROWS = "SELECT id, at, app, test, kind, link, body FROM journal ORDER BY id DESC LIMIT ?"
ROWS_AFTER = "SELECT id, at, app, test, kind, link, body FROM journal WHERE id > ? ORDER BY id LIMIT ?"
NEWEST_ROW = "SELECT max(id) FROM journal"
