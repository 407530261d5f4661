"""A real shop's whole purchase log (CDNOW, 23,570 customers, 69,659 purchases) against an independent computation.

The log is part of PyPI's `lifetimes`. A customer's first purchase is taken as the install; with every purchase comes an
OPEN. Dates are moved by whole days into the two-year window.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from importlib.metadata import distribution
from pathlib import Path

import pandas as pd
import pytest

from tests.importers.conftest import Imported

WEEKS = 78
FIRST_DAY = date(2022, 10, 1)
"""Where 1997-01-01 is moved to."""

SHIFT = (FIRST_DAY - date(1997, 1, 1)).days
LAST_JOINED = "2022-12-29"


def purchases() -> pd.DataFrame:
    """customer, day (shifted), cents; one row per purchase."""
    found = next(file for file in distribution("lifetimes").files or [] if file.name == "CDNOW_master.txt")
    rows = [line.split() for line in found.read_text().splitlines()[1:]]
    return pd.DataFrame(
        {
            "customer": [row[0] for row in rows],
            "day": [datetime.strptime(row[1], "%Y%m%d").date().toordinal() + SHIFT for row in rows],
            "cents": [int(Decimal(row[3]) * 100) for row in rows],
        }
    )


def write_events(path: Path, log: pd.DataFrame) -> Path:
    """The log as an event file."""
    first = log.groupby("customer")["day"].min()
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "name", "timestamp", "user_data_developer_identity", "event_data_revenue"))
        for customer, day in first.items():
            writer.writerow((f"i{customer}", "INSTALL", _at(day, 1), customer, ""))
        for number, row in enumerate(log.itertuples(index=False)):
            writer.writerow((f"p{number}", "PURCHASE", _at(row.day, 12), row.customer, f"{row.cents / 100:.2f}"))
            writer.writerow((f"o{number}", "OPEN", _at(row.day, 11), row.customer, ""))
    return path


def _at(ordinal: int, hour: int) -> int:
    day = date.fromordinal(int(ordinal))
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp() * 1000)


def _ratio(top: int, bottom: int) -> str:
    shown = Context(prec=10, rounding=ROUND_HALF_EVEN).divide(Decimal(top), Decimal(bottom))
    text = format(shown, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _money(cents: int) -> str:
    return f"{Decimal(cents) / 100:.2f}"


@pytest.fixture
def shop(make_app: Callable[..., Imported]) -> tuple[Imported, pd.DataFrame]:
    """The imported log."""
    log = purchases()
    assert (log["customer"].nunique(), len(log)) == (23_570, 69_659)
    app = make_app()
    segment = app.file(write_events(app.folder / "cdnow.csv", log))
    assert (segment.rows, segment.error_count) == (23_570 + 2 * 69_659, 0)
    log = log.merge(log.groupby("customer")["day"].min().rename("joined"), on="customer")
    log["week"] = (log["day"] - log["joined"]) // 7
    return app, log


def test_weekly_revenue_ltv_and_retention_are_right_to_the_cent(shop: tuple[Imported, pd.DataFrame]) -> None:
    app, log = shop
    measures = ("revenue", "LTV", "Retention", "ARPPU", "PURCHASE")
    content = app.ask(FIRST_DAY.isoformat(), LAST_JOINED, *measures, granularity="week", granularity_band_count=WEEKS)
    found = {row[0]: row[6:] for row in csv.reader(io.StringIO(content))}
    people, weeks = 23_570, range(WEEKS)
    cents = log.groupby("week")["cents"].sum().reindex(weeks, fill_value=0)
    active = log.groupby("week")["customer"].nunique().reindex(weeks, fill_value=0)
    payers = log[log["cents"] > 0].groupby("week")["customer"].nunique().reindex(weeks, fill_value=0)
    count = log.groupby("week").size().reindex(weeks, fill_value=0)
    assert int(cents.sum()) == int(log["cents"].sum()), "every purchase lies in one of the weeks"
    assert found["revenue"] == [_money(int(value)) for value in cents]
    assert found["LTV"] == [_ratio(int(value), people * 100) for value in cents.cumsum()]
    assert found["Retention"] == ["1", *(_ratio(int(value), people) for value in active[1:])]
    assert found["ARPPU"] == [
        _ratio(int(value), int(who) * 100) if who else "" for value, who in zip(cents, payers, strict=True)
    ]
    assert found["PURCHASE"] == [str(value) for value in count]


def test_every_day_of_the_quarter_is_right_too(shop: tuple[Imported, pd.DataFrame]) -> None:
    app, log = shop
    day = "install_activity_timezone_adjusted_day"
    content = app.ask(
        FIRST_DAY.isoformat(), LAST_JOINED, "revenue", granularity="month", granularity_band_count=12, dimensions=[day]
    )
    found = {row[6]: (int(row[4]), row[7:]) for row in csv.reader(io.StringIO(content))}
    log["month"] = (log["day"] - log["joined"]) // 30
    cents = log[log["month"] < 12].groupby(["joined", "month"])["cents"].sum()
    people = log.groupby("joined")["customer"].nunique()
    expected = {
        date.fromordinal(int(joined)).isoformat(): (
            int(people[joined]),
            [_money(int(cents.get((joined, month), 0))) for month in range(12)],
        )
        for joined in people.index
    }
    assert found == expected
