"""Lines of files: times, names, ids and amounts that are taken, and those that are named; nothing gets lost in between."""

# ruff: noqa: E501 - a case is a line
from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bough.importers.costs import Cost, added_up, import_costs
from bough.importers.events import Segment, import_file
from bough.store.journal import NewRow, append_batch
from tests.importers.conftest import Imported

NOON = 1_714_564_800_000
"""2024-05-01 12:00 UTC."""

HOW = "timestamp: must be epoch milliseconds or ISO 8601 from 2010 to now, as 2026-01-31T12:00:00Z; "

TAKEN = {
    "1714564800000": NOON,
    " 1714564800000 ": NOON,
    "1714564800000.0": NOON,
    "2024-05-01T12:00:00Z": NOON,
    "2024-05-01 12:00:00 UTC": NOON,
    "2024-05-01T14:00:00+02:00": NOON,
    "2024-05-01T14:00:00.000000+0200": NOON,
    "2024-05-01T12:00": NOON,
    "2024-05-01": NOON - 43_200_000,
}
REFUSED = {
    "1795793280": "1795793280 is in seconds",
    "1714564800.5": "1714564800.5 is in seconds",
    "1714564800000000": "1714564800000000 is in microseconds",
    "1714564800000000000": "1714564800000000000 is in nanoseconds",
    "1.7960E+12": "1.7960E+12 was shortened by a spreadsheet, digits are lost",
    "1,79600E+12": "1,79600E+12 was shortened by a spreadsheet, digits are lost",
    "1.5e3": "1.5e3 was shortened by a spreadsheet, digits are lost",
    "45413": "45413 is a spreadsheet's number of a day",
    "45413.5": "45413.5 is a spreadsheet's number of a day",
    "2026": "2026 lies before 2010",
    "20240501": "20240501 lies before 2010",
    "202405011200": "202405011200 lies before 2010",
    "20240501120000": "20240501120000 lies in the future",
    "0": "0 lies before 2010",
    "1999-12-31T00:00:00Z": "1999-12-31T00:00:00Z lies before 2010",
    "7258118400000": "7258118400000 lies in the future",
    "1714564800000.5": "1714564800000.5 is neither",
    "03/04/2026": "03/04/2026 is neither",
    "3.4.2026": "3.4.2026 is neither",
    "2026/03/04": "2026/03/04 is neither",
    "2026-3-4": "2026-3-4 is neither",
    "2024-02-30": "2024-02-30 is neither",
    "2024-05-01T12:00:00+99:99": "2024-05-01T12:00:00+99:99 is neither",
    "2024-05-01T24:00:00Z": "2024-05-01T24:00:00Z is neither",
    "2024-W18-3": "this is neither",
    "epoch": "this is neither",
    "now": "this is neither",
    "infinity": "this is neither",
    "-1": "-1 is neither",
    "someone@example.com": "this is neither",
}


def only_written(imported: Imported, name: str, content: bytes) -> Segment:
    """Import without ingesting: what was stored is in the segment."""
    path = imported.folder / name
    path.write_bytes(content)
    return import_file(imported.store, imported.folder / "data", path, imported.app)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_times_are_what_they_say_or_named(imported: Imported, form: str) -> None:
    times = [*TAKEN, *REFUSED]
    rows = [{"id": f"{n}", "name": "OPEN", "timestamp": written} for n, written in enumerate(times)]
    text = (
        "".join(json.dumps(row) + "\n" for row in rows)
        if form == "json"
        else "id,name,timestamp\n" + "".join(f'{row["id"]},OPEN,"{row["timestamp"]}"\n' for row in rows)
    )
    segment = only_written(imported, f"e.{form}", text.encode())
    first = 1 if form == "json" else 2
    assert [(error.line, error.error) for error in segment.errors] == [
        (first + len(TAKEN) + n, HOW + says) for n, says in enumerate(REFUSED.values())
    ]
    imported.keeper.take_in()
    stored = imported.keeper.cursor().execute("SELECT ms FROM events ORDER BY CAST(id AS INTEGER)").fetchall()
    assert [ms for (ms,) in stored] == list(TAKEN.values())


def test_a_touch_has_a_plausible_time_too(imported: Imported) -> None:
    segment = only_written(
        imported,
        "e.csv",
        f"name,timestamp,last_attributed_touch_timestamp\nOPEN,{NOON},{NOON // 1000}\nOPEN,{NOON},{NOON}\n".encode(),
    )
    assert [(error.line, error.error) for error in segment.errors] == [
        (2, "last_attributed_touch_" + HOW + "1714564800 is in seconds")
    ]
    assert segment.rows == 1


NAMES = {
    **dict.fromkeys(
        ("install", "Install", "INSTALL ", " INSTALL", "\xa0INSTALL", "INSTALL\u200b", "\u3000install", "IN\xadSTALL"),
        "name: the built-in event must be written INSTALL, letter by letter",
    ),
    "purchase": "name: the built-in event must be written PURCHASE, letter by letter",
    "x" * 256: "name: longer than 255 characters",
    "a\x07b": "name: holds control characters",
    "a\u2028b": "name: holds control characters",
    "a\x85b": "name: holds control characters",
    " ": "name: is missing",
    "\u00a0\u200b": "name: is missing",
}


def test_names_that_nobody_would_find_are_named(imported: Imported) -> None:
    good = ["INSTALL", "OPT_IN", "af_purchase", "level up ", "opt_out", "revenue", "Größe", "👩‍👧 joined"]
    text = "id,name,timestamp\n" + "".join(f'{n},"{name}",{NOON}\n' for n, name in enumerate([*good, *NAMES]))
    segment = only_written(imported, "e.csv", text.encode())
    assert [(error.line, error.error) for error in segment.errors] == [
        (2 + len(good) + n, says) for n, says in enumerate(NAMES.values())
    ]
    assert segment.rows == len(good)


AMOUNTS = ("1,5", "1.234,56", "1,234.56", "1 234.50", "$5", "5 €", "EUR 5", "1_000", "1'000", "(5)")


def test_amounts_that_are_written_for_people_are_named(imported: Imported) -> None:
    says = "is written for people; write 1234.56: a point, no thousands separator, no currency sign"
    text = "id,name,timestamp,event_data_revenue\n" + "".join(
        f'{n},PURCHASE,{NOON},"{one}"\n' for n, one in enumerate(AMOUNTS)
    )
    segment = only_written(imported, "e.csv", text.encode())
    assert [error.error for error in segment.errors] == [f"event_data_revenue: {says}"] * len(AMOUNTS)
    path = imported.folder / "c.csv"
    path.write_text("date,cost\n" + "".join(f'2024-05-01,"{one}"\n' for one in AMOUNTS))
    report = import_costs(imported.store, imported.app, path)
    assert [error for _, error in report.errors] == [f"cost: {says}."] * len(AMOUNTS)
    assert report.stored.rows == 0


def test_an_id_that_comes_again_is_a_repetition_or_named(imported: Imported) -> None:
    header = "id,name,timestamp,user_data_os\n"
    first = only_written(
        imported,
        "one.csv",
        f"{header}a,INSTALL,{NOON},IOS\na,INSTALL,{NOON},IOS\na,OPEN,{NOON},IOS\nb,OPEN,{NOON},\n".encode(),
    )
    assert (first.rows, first.known) == (2, 1)
    assert [(error.line, error.error) for error in first.errors] == [
        (4, "id: an earlier line has the same id and says something else; that line counts")
    ]
    second = only_written(
        imported, "two.csv", f"id,name,timestamp\na,INSTALL,{NOON}\nb,OPEN,{NOON + 1}\nc,OPEN,{NOON}\n".encode()
    )
    assert (second.rows, second.known) == (1, 1)
    assert [(error.line, error.error) for error in second.errors] == [
        (3, "id: an event with the same id was imported before and says something else; that one counts")
    ]


def test_an_id_of_a_live_event_is_that_event_or_named(imported: Imported) -> None:
    row = NewRow(NOON, imported.app, 0, "event", None, '{"name":"PURCHASE","user_data":{"developer_identity":"ann"}}')
    live = imported.store.transact(append_batch, row)
    text = f"id,name,timestamp\n{live},PURCHASE,{NOON}\n{live + 1},PURCHASE,{NOON}\n"
    segment = only_written(imported, "same.csv", text.encode())
    assert (segment.rows, segment.known, segment.errors) == (1, 1, ())
    segment = only_written(imported, "other.csv", f"id,name,timestamp\n{live},PURCHASE,{NOON + 1}\n".encode())
    assert [(error.line, error.error) for error in segment.errors] == [
        (2, "id: is that of an event that this server recorded itself and that says something else")
    ]
    assert segment.rows == 0


def test_what_a_killed_import_left_is_cleared_away(imported: Imported) -> None:
    left = imported.folder / "data" / "segments" / f".import-{imported.app}-killed"
    left.mkdir(parents=True)
    only_written(imported, "e.csv", f"name,timestamp\nOPEN,{NOON}\n".encode())
    assert not left.exists()


def test_a_file_that_is_imported_again_tells_the_same(imported: Imported) -> None:
    content = f"id,name,timestamp\na,INSTALL,{NOON}\na,INSTALL,{NOON}\nb,install,{NOON}\nc,OPEN,1\nd,OPEN\n".encode()
    first = only_written(imported, "e.csv", content)
    again = only_written(imported, "other name.csv", content)
    assert (first.rows, first.known, first.error_count, first.repeated) == (1, 1, 3, False)
    assert (again.rows, again.known, again.error_count, again.repeated) == (1, 1, 3, True)
    assert again.errors == first.errors
    assert again.row == first.row


def cost(**fields: Any) -> str:
    return ",".join(str(fields.get(name, "")) for name in ("date", "campaign", "cost", "currency"))


def costs_of(imported: Imported, *rows: str) -> Any:
    path = imported.folder / "c.csv"
    path.write_text("\n".join(["date,tilde_campaign,cost,currency", *rows, ""]))
    report = import_costs(imported.store, imported.app, path)
    stored = imported.store.rows("SELECT dimensions, amount, currency FROM cost ORDER BY dimensions")
    return report, [(json.loads(one).get("tilde_campaign"), amount, currency) for one, amount, currency in stored]


def test_costs_of_one_file_are_added_up_and_replace_those_before(imported: Imported) -> None:
    day = "2024-05-01"
    three = [cost(date=day, campaign="a", cost=amount) for amount in ("1", "2", "4.50")]
    report, stored = costs_of(imported, *three)
    assert (report.errors, stored) == ((), [("a", "7.50", "USD")])
    assert (report.stored.rows, report.stored.added_up, report.stored.replaced) == (1, 2, 0)
    report, stored = costs_of(imported, *three)
    assert ((report.stored.added_up, report.stored.replaced), stored) == ((2, 0), [("a", "7.50", "USD")])
    report, stored = costs_of(imported, cost(date=day, campaign="a", cost=1))
    assert ((report.stored.added_up, report.stored.replaced), stored) == ((0, 1), [("a", "1", "USD")])


def test_costs_in_two_currencies_are_not_added_up(imported: Imported) -> None:
    day = "2024-05-01"
    rows = [
        cost(date=day, campaign="a", cost=100),
        cost(date=day, campaign="b", cost=3),
        cost(date=day, campaign="a", cost=100, currency="EUR"),
    ]
    report, stored = costs_of(imported, *rows)
    says = (
        "currency: the same day and dimensions stand here in EUR and USD, which cannot be added up; give them one"
        " currency, or a dimension that tells them apart."
    )
    assert report.errors == ((2, says), (4, says))
    assert stored == [("b", "3", "USD")]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("2024-05-01garbage,a,1,", "date: must be a date YYYY-MM-DD."),
        ("20240501,a,1,", "date: must be a date YYYY-MM-DD."),
        ("2024-W18-3,a,1,", "date: must be a date YYYY-MM-DD."),
        ("01/05/2024,a,1,", "date: must be a date YYYY-MM-DD."),
        ("1970-01-01,a,1,", "date: 1970-01-01 lies before 2010 or in the future."),
        ("2190-01-01,a,1,", "date: 2190-01-01 lies before 2010 or in the future."),
        ("2024-05-01,a,1", "has 3 columns, the header has 4."),
        ("2024-05-01,a,1,USD,x", "has 5 columns, the header has 4."),
        ('2024-05-01,"a,1,', "a quoted field does not end."),
        ("2024-05-01,a\0,1,", "holds a NUL character."),
    ],
)
def test_a_cost_with_a_fault_is_named(imported: Imported, row: str, says: str) -> None:
    report, stored = costs_of(imported, row, cost(date="2024-05-02", campaign="b", cost=1))
    assert report.errors == ((2, says),)
    assert stored == [("b", "1", "USD")]


CELL = st.one_of(
    st.sampled_from(
        ["a", "b", "INSTALL", "install", "OPEN", f"{NOON}", f"{NOON // 1000}", "2024-05-01", "", '"', '""', ' x"']
    ),
    st.text(st.sampled_from(list('ab,;\t"\n\r\x00\u2028é 1\ufeff')), max_size=6),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=8),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]),
    quoted=st.booleans(),
)
def test_every_record_is_stored_or_known_or_named(
    imported: Imported, lines: list[list[str]], end: str, encoding: str, quoted: bool
) -> None:
    """Records are counted by what quotes leave of lines: without quotes in cells there are as many as were written."""
    if quoted:
        inner = "" if end == "\r" else "\n"  # a file whose lines end with CR alone has no LF
        cells = [['"' + cell.replace('"', '""').replace("\n", inner) + '"' for cell in line] for line in lines]
    else:
        cells = [["".join(c for c in cell if c not in '"\n\r') for cell in line] for line in lines]
    rows = [row for line in cells if (row := ",".join(line))]
    content = end.join(["id,name,timestamp", *rows, ""]).encode(encoding)
    segment = only_written(imported, "e.csv", content)
    assert segment.rows + segment.known + segment.error_count == len(rows)
    again = only_written(imported, "e.csv", content)
    assert again.errors == segment.errors


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 10**14), st.sampled_from(["USD", "EUR"])), max_size=12))
def test_every_cost_is_in_a_sum_or_named(rows: list[tuple[int, int, str]]) -> None:

    costs = [
        Cost(day=day, dimensions={}, amount=Decimal(amount).scaleb(-2), currency=code) for day, amount, code in rows
    ]
    sums, faults = added_up(costs)
    left = [cost for place, cost in enumerate(costs) if place not in dict(faults)]
    assert sum(cost.amount for cost in sums) == sum(cost.amount for cost in left)
    assert len({cost.day for cost in sums}) == len(sums)
