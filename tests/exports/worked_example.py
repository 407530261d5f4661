"""The worked example of docs/exports.md as files to import, and its table as what exports must show."""

from __future__ import annotations

from pathlib import Path

from tests.exports.client import Exports, write_csv

BANDS = ("day0", "day1", "day2", "day3", "day4")

TABLE = """
OPEN                       | 3 | 4 | 2 | 1 | 3 | 7 | 9 | 10
OPEN per_user              | 0.6 | 0.8 | 0.4 | 0.2 | 0.6 | 1.4 | 1.8 | 2
OPEN unique                | 2 | 3 | 2 | 1 | 2 | 3 | 4 | 4
users                      | 5 | 5 | 5 | 5 | 5 | 5 | 5 | 5
Retention                  | 1 | 0.6 | 0.4 | 0.2 | 1 | 0.6 | 0.4 | 0.2
PURCHASE                   | 1 | 2 | 2 | 1 | 1 | 3 | 5 | 6
PURCHASE per_user          | 0.2 | 0.4 | 0.4 | 0.2 | 0.2 | 0.6 | 1 | 1.2
revenue                    | 10.00 | 25.00 | 25.00 | 4.00 | 10.00 | 35.00 | 60.00 | 64.00
revenue per_user           | 2 | 5 | 5 | 0.8 | 2 | 7 | 12 | 12.8
ARPU                       | 2 | 5 | 5 | 0.8 | 2 | 7 | 12 | 12.8
ARPPU                      | 10 | 12.5 | 25 | 4 | 10 | 17.5 | 20 | 21.33333333
LTV                        | 2 | 7 | 12 | 12.8 | 2 | 7 | 12 | 12.8
cost                       | 25.00 | 0.00 | 0.00 | 0.00 | 25.00 | 25.00 | 25.00 | 25.00
GROSS_PROFIT               | -15.00 | 25.00 | 25.00 | 4.00 | -15.00 | 10.00 | 35.00 | 39.00
GROSS_PROFIT per_user      | -3 | 5 | 5 | 0.8 | -3 | 2 | 7 | 7.8
ROAS                       | 40 | 100 | 100 | 16 | 40 | 140 | 240 | 256
ROI                        | -60 | 100 | 100 | 16 | -60 | 40 | 140 | 156
eCPA                       | 25 | 12.5 | 12.5 | 25 | 25 | 8.333333333 | 5 | 4.166666667
ADD_TO_CART                | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0
VIEW_ITEMS per_user        | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0
INVITE unique              | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0
a custom event             | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0
users per_user             | 5 | 5 | 5 | 5 | 5 | 5 | 5 | 5
Retention per_user         | 1 | 0.6 | 0.4 | 0.2 | 1 | 0.6 | 0.4 | 0.2
cost per_user              | 5 | 0 | 0 | 0 | 5 | 5 | 5 | 5
ARPPU per_user             | 10 | 12.5 | 25 | 4 | 10 | 17.5 | 20 | 21.33333333
PURCHASE unique            | 1 | 2 | 1 | 1 | 1 | 2 | 3 | 3
revenue unique             | 10.00 | 25.00 | 25.00 | 4.00 | 10.00 | 35.00 | 60.00 | 64.00
"""
"""Measure and switch, then the bands 0..3 and the same cumulative: the contract's lines, and its rules applied."""

METRICS = {
    **dict.fromkeys(("users", "Retention"), "unique_count"),
    **dict.fromkeys(("revenue", "ARPU", "ARPPU", "LTV", "GROSS_PROFIT", "ROI", "ROAS"), "revenue"),
    **dict.fromkeys(("cost", "eCPA"), "cost"),
}
"""docs/exports.md; every other measure counts events."""


def lines() -> list[tuple[str, bool, bool, bool, list[str]]]:
    """(measure, per_user, unique, cumulative, its four values), two for every line of the table."""
    found = []
    for line in TABLE.strip().splitlines():
        label, *values = (part.strip() for part in line.split("|"))
        measure, _, switch = label.rpartition(" ")
        if switch not in ("per_user", "unique"):
            measure, switch = label, ""
        for cumulative, shown in ((False, values[:4]), (True, values[4:])):
            found.append((measure, switch == "per_user", switch == "unique", cumulative, shown))
    return found


def events(client: Exports, path: Path) -> Path:
    """The example's events; its first day is three days before today, so that day3 is today."""
    install = {"A": 3, "B": 3, "C": 3, "D": 2, "E": 2}
    opens = {"A": [0, 1, 1, 3], "B": [1, 2], "C": [2], "D": [0, 0, 1]}
    purchases = {"A": [(0, 10), (1, 5), (3, 4)], "B": [(1, 20)], "D": [(2, 15), (2, 10)]}
    rows: list[tuple[object, ...]] = []
    for person, ago in install.items():
        rows.append((f"{person}-install", "INSTALL", client.at(ago), person, ""))
        for number, offset in enumerate(opens.get(person, [])):
            rows.append((f"{person}-open-{number}", "OPEN", client.at(ago - offset, 5 + number), person, ""))
        for number, (offset, dollars) in enumerate(purchases.get(person, [])):
            rows.append((f"{person}-buy-{number}", "PURCHASE", client.at(ago - offset, 9 + number), person, dollars))
    columns = ("id", "name", "timestamp", "user_data_developer_identity", "event_data_revenue")
    return write_csv(path, columns, rows)


def costs(client: Exports, path: Path) -> Path:
    """The example's cost, on two days."""
    rows = [(client.day(3), "15.5", "USD"), (client.day(2), "9.50", "")]
    return write_csv(path, ("date", "cost", "currency"), rows)
