"""`bough import events`: files, faults, repeats, persons (docs/imports.md)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bough.attribution.rates import Rate, RateBatch, store_rates
from bough.cohorts.plan import AppScope
from bough.cohorts.request import parse
from bough.cohorts.result import answer
from bough.csv_text import Record, records_of
from bough.errors import BadRequest
from bough.warehouse.refresh import Keeper
from tests.importers.conftest import Imported

NOON = 1_714_564_800_000
"""2024-05-01 12:00 UTC."""
DAY = 86_400_000

CAMPAIGN = "install_activity_touch_data_tilde_campaign"


def test_the_lines_of_faults_are_exact_also_after_misshapen_ones(imported: Imported) -> None:
    segment = imported.text(
        "e.csv",
        "id,name,timestamp,attributed,event_data_revenue,event_data_currency,last_attributed_touch_data_tilde_campaign\n"
        f"1,INSTALL,{NOON},,,,\n"  # 2
        f'2,INSTALL,{NOON},true,,,"two\nlines, and ""quotes"""\n'  # 3 and 4
        f"3,,{NOON},,,,\n"  # 5
        "4,INSTALL,yesterday,,,,\n"  # 6
        f"5,INSTALL,{NOON},,,,,,,\n"  # 7
        "\n"  # 8
        f"6,INSTALL,{NOON}\n"  # 9
        f"7,INSTALL,{NOON},maybe,,,\n"  # 10
        f"8,PURCHASE,{NOON},,1e400,,\n"  # 11
        f"9,PURCHASE,{NOON},,5,BTC,\n"  # 12
        f"10,ADD_TO_CART,{NOON},,-5,,\n"  # 13
        f'11,INSTALL,{NOON},,,,"never ends\n'  # 14
        f"12,INSTALL,{NOON},,,,last\n"  # 15
        f"13,INSTALL,{NOON},,,,\udcff\n"  # 16
        f"14,Retention,{NOON},,,,\n"  # 17
        "15,INSTALL,7258118400000,,,,\n"  # 18
        f"{'x' * 1025},INSTALL,{NOON},,,,\n",  # 19
    )
    number = "event_data_revenue: must be a plain number below 10^12 with at most 30 decimals"
    time = "timestamp: must be epoch milliseconds or ISO 8601 from 2010 to now, as 2026-01-31T12:00:00Z; "
    assert [(error.line, error.error) for error in segment.errors] == [
        (5, "name: is missing"),
        (6, time + "this is neither"),
        (7, "has 10 columns, the header has 7"),
        (9, "has 3 columns, the header has 7"),
        (10, "attributed: is no boolean"),
        (11, number),
        (12, "event_data_currency: not an ISO 4217 currency code"),
        (13, "event_data_revenue: may be negative on PURCHASE only"),
        (14, "a quoted field does not end"),
        (16, "is not UTF-8"),
        (18, time + "7258118400000 lies in the future"),
        (19, "id: longer than 1024 characters"),
    ]
    assert (segment.rows, segment.error_count) == (4, 12)
    assert imported.users() == 3


def test_the_lines_of_faults_in_json_lines_are_exact(imported: Imported) -> None:
    lines = [
        json.dumps({"id": "1", "name": "INSTALL", "timestamp": NOON}),
        "",
        "{broken",
        json.dumps({"name": "INSTALL"}),
        json.dumps({"id": "2", "name": "INSTALL", "timestamp": NOON + 1, "text": 'a "quoted" \x02 \\ text'}),
        "[1]",
        "\udcff",
    ]
    segment = imported.text("e.ndjson", "\n".join(lines) + "\n")
    assert [(error.line, error.error) for error in segment.errors] == [
        (3, "is not valid JSON"),
        (4, "timestamp: is missing"),
        (6, "name: is missing"),
        (7, "is not valid JSON"),
    ]
    assert imported.users() == 2


def test_the_rows_of_faults_in_parquet_are_exact(imported: Imported) -> None:
    path = imported.folder / "e.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT CASE WHEN i <> 3 THEN 'INSTALL' END AS name, {NOON} + i AS timestamp FROM range(5) AS t(i))"
            f" TO '{path}' (FORMAT parquet)"
        )
    segment = imported.file(path)
    assert [(error.line, error.error) for error in segment.errors] == [(4, "name: is missing")]
    assert segment.rows == 4


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("e.csv", "", "has no column name"),
        ("e.csv", "id,id\n", "empty or a repeated column name"),
        ("e.csv", "id,,x\n", "empty or a repeated column name"),
        ("e.csv", "id,name\n1,INSTALL\n", "has no column timestamp"),
        ("e.csv.gz", "no gzip", "cannot be read"),
        ("e.parquet", "no parquet", "cannot be read"),
        ("e.xlsx", "", "must end in .csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(imported: Imported, name: str, content: str, says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        imported.text(name, content)
    assert imported.users() == 0


def test_a_file_counts_once_however_often_it_is_imported(imported: Imported) -> None:
    content = f"id,name,timestamp\na,INSTALL,{NOON}\nb,INSTALL,{NOON}\n"
    assert not imported.text("one.csv", content).repeated
    assert imported.text("two.csv", content).repeated
    assert imported.users() == 2


def test_an_id_counts_once_within_and_across_files(imported: Imported) -> None:
    imported.text("one.csv", f"id,name,timestamp\na,INSTALL,{NOON}\na,INSTALL,{NOON + DAY}\nb,INSTALL,{NOON}\n")
    imported.text("two.csv", f"id,name,timestamp\nb,INSTALL,{NOON}\nc,INSTALL,{NOON}\n")
    assert imported.users() == 3
    assert imported.users("2024-05-02") == 0, "the first of the two rows counts"


def test_rows_without_an_id_count_once_by_content(imported: Imported) -> None:
    row = f"INSTALL,{NOON},someone"
    header = "name,timestamp,user_data_developer_identity"
    imported.text("one.csv", f"{header}\n{row}\nOPEN,{NOON + 1},someone\nOPEN,{NOON + 2},someone\n")
    imported.text("two.csv", f"{header}\n{row}\nOPEN,{NOON + 2},someone\nOPEN,{NOON + 3},someone\n")
    assert imported.ask("2024-05-01", "2024-05-01", "OPEN").endswith(",1,,3\n")


def test_rows_without_an_id_are_known_again_whatever_columns_the_file_has(imported: Imported) -> None:
    row = {"name": "OPEN", "timestamp": NOON + 1, "user_data": {"aaid": "a"}, "custom_data": {"n": [1, 2]}}
    nested = [{**row, "name": "INSTALL", "timestamp": NOON}, row]
    imported.text("one.ndjson", "".join(json.dumps(one) + "\n" for one in nested))
    imported.text(
        "two.csv",
        "custom_data,timestamp,name,id,user_data_aaid,user_data_os,event_data_revenue\n"
        f'"{{""n"":[1,2]}}",{NOON},INSTALL,,a,,\n"{{""n"":[1,2]}}",{NOON + 1},OPEN,,a,,\n',
    )
    assert imported.ask("2024-05-01", "2024-05-01", "users", "OPEN") == (
        "users,unique_count,false,false,1,,1\nOPEN,total_count,false,false,1,,1\n"
    )


def test_what_an_event_says_of_itself_tells_rows_without_an_id_apart(imported: Imported) -> None:
    imported.text(
        "one.csv",
        "name,timestamp,user_data_aaid,event_data_transaction_id,custom_data\n"
        f"INSTALL,{NOON},a,,\nPURCHASE,{NOON},a,t1,\nPURCHASE,{NOON},a,t2,\n"
        f'ADD_TO_CART,{NOON},a,,"{{""sku"":1}}"\nADD_TO_CART,{NOON},a,,"{{""sku"":2}}"\n',
    )
    assert imported.ask("2024-05-01", "2024-05-01", "PURCHASE", "ADD_TO_CART") == (
        "PURCHASE,total_count,false,false,1,,2\nADD_TO_CART,total_count,false,false,1,,2\n"
    )


PERSONS = "name,timestamp,user_data_developer_identity,user_data_idfa,user_data_aaid,user_data_browser_id"


@pytest.mark.parametrize("split", [False, True], ids=["one file", "a file each"])
@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
def test_rows_that_share_any_identifier_are_one_person(imported: Imported, split: bool, backwards: bool) -> None:
    """A chain identity - idfa - browser - aaid: three installs of one person are one membership, the earliest."""
    rows = [
        f"INSTALL,{NOON + 3 * DAY},me,,,",
        f"INSTALL,{NOON + 2 * DAY},me,I-1,,",
        f"OPEN,{NOON + 4 * DAY},,i-1,,B1",
        f"INSTALL,{NOON},,,A1,B1",
        f"INSTALL,{NOON},you,,,",
    ]
    rows = rows[::-1] if backwards else rows
    if split:
        for number, row in enumerate(rows):
            imported.text(f"{number}.csv", f"{PERSONS}\n{row}\n")
    else:
        imported.text("all.csv", "\n".join([PERSONS, *rows, ""]))
    assert imported.users() == 2
    assert imported.users("2024-05-01", "2024-05-01") == 2
    bands = imported.ask("2024-05-01", "2024-05-01", "OPEN", granularity_band_count=5)
    assert bands == "OPEN,total_count,false,false,2,,0,0,0,0,1\n"


@pytest.mark.parametrize(
    "nobody",
    ["00000000-0000-0000-0000-000000000000", "0", "null", "NULL", "undefined", "bnc_no_value", "unknown", "N/A"],
)
def test_what_identifies_nobody_joins_nobody(imported: Imported, nobody: str) -> None:
    rows = [f"INSTALL,{NOON},{who},{nobody},{nobody}," for who in ("a", "b", "c")]
    imported.text("e.csv", "\n".join([PERSONS, *rows, f"INSTALL,{NOON},,{nobody},,", ""]))
    assert imported.users() == 4


def test_the_same_text_in_different_columns_joins_nobody(imported: Imported) -> None:
    imported.text(
        "e.csv", f"{PERSONS}\nINSTALL,{NOON},x,,,\nINSTALL,{NOON},,x,,\nINSTALL,{NOON},,,x,\nINSTALL,{NOON},,,,x\n"
    )
    assert imported.users() == 4


def test_an_earlier_install_that_comes_late_moves_the_membership(imported: Imported) -> None:
    header = "name,timestamp,user_data_aaid,event_data_revenue"
    imported.text("late.csv", f"{header}\nINSTALL,{NOON + 9 * DAY},a,\nPURCHASE,{NOON + 9 * DAY + 5},a,3\n")
    assert imported.users("2024-05-10", "2024-05-10") == 1
    imported.text("early.csv", f"{header}\nINSTALL,{NOON},a,\n")
    imported.reopen()
    assert imported.users("2024-05-10", "2024-05-10") == 0
    bands = imported.ask("2024-05-01", "2024-05-01", "revenue", granularity_band_count=10)
    assert bands.endswith(",0.00,0.00,0.00,3.00\n")


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2024-05-01T23:30:00Z", "2024-05-02"),
        ("2024-05-01T23:30:00", "2024-05-02"),
        ("2024-05-01 23:30:00.123+00", "2024-05-02"),
        ("2024-05-01T23:30:00+02:00", "2024-05-01"),
        ("2024-05-01", "2024-05-01"),
        ("1714606200000", "2024-05-02"),
    ],
)
def test_days_are_the_apps_own(make_app: Callable[..., Imported], written: str, day: str) -> None:
    berlin = make_app("Europe/Berlin")
    berlin.text("e.csv", f"name,timestamp\nINSTALL,{written}\n")
    assert berlin.users(day, day) == 1


ROWS: list[dict[str, Any]] = [
    {
        "id": f"{n}",
        "name": name,
        "timestamp": NOON + n * 3_600_000,
        "attributed": n % 2 == 0,
        "last_attributed_touch_type": "CLICK" if n % 2 == 0 else None,
        "last_attributed_touch_timestamp": NOON - 1 if n % 2 == 0 else None,
        "campaign": ["spring", "Frühling, 'quoted'", None][n // 2 % 3] if n % 2 == 0 else None,
        "tags": [["a", "b"], ["b", "a"], []][n // 2 % 3] if n % 2 == 0 else None,
        "os": "IOS",
        "aaid": f"device {n % 4}",
        "revenue": 12.5 if name == "PURCHASE" else None,
        "alias": "gold" if n % 5 == 0 else None,
    }
    for n, name in enumerate(["INSTALL"] * 4 + ["OPEN", "PURCHASE", "level_up", "PURCHASE"] * 3)
]


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    touch = {"~campaign": row["campaign"], "~tags": row["tags"]}
    return {
        **{
            name: row[name]
            for name in ("id", "name", "attributed", "last_attributed_touch_type", "last_attributed_touch_timestamp")
        },
        "timestamp": row["timestamp"],
        "customer_event_alias": row["alias"],
        "last_attributed_touch_data": touch,
        "user_data": {"os": row["os"], "aaid": row["aaid"]},
        "event_data": {"revenue": row["revenue"]},
        "custom_data": {"nothing": "of ours"},
    }


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "timestamp": row["timestamp"],
        "attributed": row["attributed"],
        "last_attributed_touch_type": row["last_attributed_touch_type"],
        "last_attributed_touch_timestamp": row["last_attributed_touch_timestamp"],
        "customer_event_alias": row["alias"],
        "last_attributed_touch_data_tilde_campaign": row["campaign"],
        "last_attributed_touch_data_tilde_tags": None if row["tags"] is None else json.dumps(row["tags"]),
        "user_data_os": row["os"],
        "user_data_aaid": row["aaid"],
        "event_data_revenue": row["revenue"],
    }


def _write(folder: Path, form: str) -> Path:
    flat, nested = [_flat(row) for row in ROWS], [_nested(row) for row in ROWS]
    path = folder / f"e.{form.replace(' ', '.')}"
    if form in ("nested.ndjson", "flat.ndjson", "nested.ndjson.gz"):
        text = "".join(json.dumps(row) + "\n" for row in (flat if form.startswith("flat") else nested))
        path.write_bytes(gzip.compress(text.encode()) if form.endswith(".gz") else text.encode())
        return path
    source = folder / "source.ndjson"
    source.write_text("".join(json.dumps(row) + "\n" for row in (flat if form != "nested.parquet" else nested)))
    moment = {
        "typed.parquet": "SELECT * REPLACE (make_timestamp(timestamp * 1000) AS timestamp,"
        " CAST(event_data_revenue AS DECIMAL(9, 2)) AS event_data_revenue,"
        " from_json(last_attributed_touch_data_tilde_tags, '[\"VARCHAR\"]') AS last_attributed_touch_data_tilde_tags)",
    }
    target = "csv, HEADER" if ".csv" in form else "parquet"
    packed = ", COMPRESSION gzip" if form.endswith("csv.gz") else ""
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY ({moment.get(form, 'SELECT *')} FROM read_json('{source}')) TO '{path}' (FORMAT {target}{packed})"
        )
    return path


FORMS = (
    "flat.csv",
    "flat.csv.gz",
    "flat.ndjson",
    "nested.ndjson",
    "nested.ndjson.gz",
    "nested.parquet",
    "typed.parquet",
)


def test_every_format_gives_the_same_answers(make_app: Callable[..., Imported]) -> None:
    answers = {}
    for form in FORMS:
        app = make_app("Asia/Tokyo")
        segment = app.file(_write(app.folder, form))
        assert (segment.rows, segment.error_count) == (len(ROWS), 0), (form, segment.errors)
        asked = [
            ["OPEN", "revenue", "level_up", "Retention"],
            {"dimensions": [CAMPAIGN, CAMPAIGN.replace("campaign", "tags"), "install_activity_data_os"]},
            {"dimensions": ["customer_event_alias", "user_data_custom_events_completed"]},
        ]
        answers[form] = [
            app.ask("2024-05-01", "2024-05-03", *asked[0], granularity_band_count=3, **fields)  # type: ignore[arg-type]
            for fields in asked[1:]
        ]
    assert answers["flat.csv"][0].count("\n") > 4
    assert "Frühling, 'quoted'" in answers["flat.csv"][0]
    for form, found in answers.items():
        assert found == answers["flat.csv"], form


def test_the_same_events_from_another_format_are_nothing_new(imported: Imported) -> None:
    imported.file(_write(imported.folder, "flat.csv"))
    before = imported.ask("2024-05-01", "2024-05-03", "OPEN", "revenue")
    imported.file(_write(imported.folder, "nested.parquet"))
    assert imported.ask("2024-05-01", "2024-05-03", "OPEN", "revenue") == before


def test_a_missing_rate_leaves_the_amount_out_never_the_event(imported: Imported) -> None:
    imported.text(
        "e.csv",
        "name,timestamp,user_data_aaid,event_data_revenue,event_data_currency\n"
        f"INSTALL,{NOON},a,,\nPURCHASE,{NOON + 1},a,10,EUR\nPURCHASE,{NOON + 2},a,10,USD\nPURCHASE,{NOON + 3},a,1,\n",
    )
    assert imported.ask("2024-05-01", "2024-05-01", "PURCHASE", "revenue") == (
        "PURCHASE,total_count,false,false,1,,3\nrevenue,revenue,false,false,1,,11.00\n"
    )


def test_an_amount_whose_rate_comes_later_is_counted_from_then_on(imported: Imported) -> None:
    header = "id,name,timestamp,user_data_aaid,event_data_revenue,event_data_currency\n"
    imported.text(
        "one.csv",
        f"{header}i,INSTALL,{NOON},a,,\np,PURCHASE,{NOON + 1},a,10,EUR\n"
        f"q,PURCHASE,{NOON + DAY},a,10,EUR\nr,PURCHASE,{NOON + 2},a,1,USD\n",
    )
    imported.text("two.csv", f"{header}p,PURCHASE,{NOON + 1},a,99,EUR\ns,PURCHASE,{NOON + 3},a,0.0000005,EUR\n")
    asked = ("2024-05-01", "2024-05-01", "revenue", "PURCHASE")
    imported.store.transact(store_rates, RateBatch((Rate("2024-05-01", "EUR", "1.1"),)))
    imported.keeper.take_in()
    counted = "revenue,revenue,false,false,1,,12.00,0.00\nPURCHASE,total_count,false,false,1,,3,1\n"
    assert imported.ask(*asked, granularity_band_count=2) == counted
    imported.store.transact(store_rates, RateBatch((Rate("2024-05-01", "EUR", "2"),), replace=True))
    imported.keeper.take_in()
    assert imported.ask(*asked, granularity_band_count=2) == counted, "dollars are fixed once"
    imported.store.transact(store_rates, RateBatch((Rate("2024-05-02", "EUR", "0.5"),)))
    imported.keeper.take_in()
    assert imported.ask(*asked, granularity_band_count=2) == counted.replace(",0.00", ",5.00")


def test_records_have_the_line_that_they_begin_on() -> None:
    lines = ["a,b\n", '"x\n', 'y",2\r\n', "\n", 'c,"d""e"\n', '"open\n', "f,g"]
    assert list(records_of(iter(lines))) == [
        Record(1, ["a", "b"]),
        Record(2, ["x\ny", "2"]),
        Record(5, ["c", 'd"e']),
        Record(6, [], "a quoted field does not end"),
        Record(7, ["f", "g"]),
    ]


def test_quotes_that_never_end_cost_no_more_than_the_file() -> None:
    """Every line opens a quote that the next one ends: no line is read again and again."""
    lines = ['a,"b\n'] * 20_001
    found = list(records_of(iter(lines)))
    assert len(found) == 20_001, "no line is lost to its neighbour"
    assert found[-1] == Record(20_001, [], "a quoted field does not end")


OLDER_RELEASES = {
    "without versions": "DELETE FROM counters WHERE name = 'layout'",
    "of another version": "UPDATE counters SET value = 1 WHERE name = 'layout'",
    "without counters": "DROP TABLE counters",
    "with other columns": "DELETE FROM counters WHERE name = 'layout';"
    " ALTER TABLE install_activity_main DROP COLUMN paid; ALTER TABLE events RENAME COLUMN who TO person",
}


@pytest.mark.parametrize("change", OLDER_RELEASES.values(), ids=OLDER_RELEASES)
def test_a_warehouse_of_an_older_release_is_made_again(imported: Imported, change: str) -> None:
    imported.text("e.csv", f"id,name,timestamp,user_data_idfa\n1,INSTALL,{NOON},a\n2,OPEN,{NOON + DAY},a\n")
    before = imported.ask("2024-05-01", "2024-05-01", "users", "OPEN", granularity_band_count=3)
    assert before
    imported.keeper.close()
    with duckdb.connect(str(imported.folder / "data" / "warehouse.duckdb")) as connection:
        connection.execute(change)
    imported.keeper = Keeper(imported.folder / "data", imported.store)
    events = imported.keeper.cursor().execute("SELECT count(*) FROM events").fetchone()
    assert events == (0,)
    imported.keeper.take_in()
    assert imported.ask("2024-05-01", "2024-05-01", "users", "OPEN", granularity_band_count=3) == before
    imported.text("f.csv", f"id,name,timestamp,user_data_idfa\n3,INSTALL,{NOON},b\n")
    assert imported.users() == 2
    imported.reopen()
    kept = imported.keeper.cursor().execute("SELECT count(*) FROM events").fetchone()
    assert kept == (3,)


def test_a_cancelled_answer_ends_before_its_next_piece_of_work_on_arrays(imported: Imported) -> None:
    imported.text("e.csv", f"id,name,timestamp,user_data_idfa\n1,INSTALL,{NOON},a\n2,OPEN,{NOON + DAY},a\n")
    seen: list[str] = []

    def check() -> None:
        seen.append("asked")
        if len(seen) == 2:
            raise duckdb.InterruptException("cancelled")

    body = {
        "start_date": "2024-05-01",
        "end_date": "2024-05-01",
        "data_source": "install_cohort",
        "measures": ["INSTALL", "OPEN", "PURCHASE"],
        "granularity_band_count": 3,
    }
    request = parse(body, {"app_id": str(imported.app)}, today=date(2024, 6, 1))
    apps = [AppScope(str(imported.app), (date(2024, 6, 1) - date(1970, 1, 1)).days)]
    with pytest.raises(duckdb.InterruptException):
        answer(imported.keeper.cursor(), request, apps, check=check)
    assert len(seen) == 2
    assert answer(imported.keeper.cursor(), request, apps).rows > 0
