"""The SQL of the pages. Everything that a page shows on loading is a range of a key, never a count of rows."""

from __future__ import annotations

APP_DAYS = "SELECT day, kind, count FROM app_day_count WHERE app = ? AND test = ? AND day BETWEEN ? AND ?"
APP_EVENTS = "SELECT day, name, count, micro FROM app_day_event WHERE app = ? AND day BETWEEN ? AND ?"
TEST_EVENTS = (
    "SELECT day, name, count, micro FROM link_day_event WHERE link = 0 AND app = ? AND test = 1 AND day BETWEEN ? AND ?"
)
LINK_DAYS = "SELECT day, clicks FROM link_day_count WHERE link = ? AND day BETWEEN ? AND ? AND dimension = 'all'"
LINK_VALUES = (
    "SELECT dimension, value, sum(clicks) FROM link_day_count"
    " WHERE link = ? AND day BETWEEN ? AND ? AND dimension <> 'all' GROUP BY dimension, value"
)
LINK_EVENTS = "SELECT day, name, count, micro FROM link_day_event WHERE link = ?"
NEWEST_ROWS = "SELECT id, at, app, test, kind, link, body FROM journal ORDER BY id DESC LIMIT ?"
ROWS_AFTER = "SELECT id, at, app, test, kind, link, body FROM journal WHERE id > ? ORDER BY id LIMIT ?"
NEWEST_ROW = "SELECT max(id) FROM journal"
TOTALS_AS_OF = "SELECT journal FROM watermark WHERE name = 'day totals'"
