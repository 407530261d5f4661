"""File formats beside plain CSV and JSON (docs/exports.md)."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bough.attribution.attributed_event import AttributedEvent
from bough.cohorts.files import extension, file_bytes
from bough.cohorts.numbers import money, ratio
from bough.cohorts.plan import AppScope
from bough.cohorts.request import parse
from bough.cohorts.result import answer
from bough.warehouse.build import Warehouse

CAMPAIGN = "install_activity_touch_data_tilde_campaign"


def export(written: str, limit: int = 100, **more: Any) -> bytes:
    warehouse = Warehouse.open(":memory:")
    campaigns = ["=cmd()", 'a,"b"', "", "línea\r\n2"]
    warehouse.apply(
        AttributedEvent(
            id=str(n), app="1", person=n, name="INSTALL", at=1, attributed=True, touch={"tilde_campaign": c}
        )
        for n, c in enumerate(campaigns)
    )
    body = {
        "start_date": "1970-01-01",
        "end_date": "1970-01-01",
        "data_source": "install_cohort",
        "measures": ["users", "revenue"],
        "dimensions": [CAMPAIGN],
        "granularity_band_count": 1,
        **more,
    }
    request = parse(body, {"app_id": "1", "format": written, "limit": str(limit)}, today=date(1970, 2, 1))
    found = answer(warehouse.connection, request, [AppScope("1", 3)])
    assert found.truncated == (limit < 8)
    assert extension(request) == written
    return file_bytes(found)


def test_csv_quotes_and_leaves_formulas_alone_by_default() -> None:
    text = export("csv").decode()
    assert "users,unique_count,false,false,1,,=cmd(),1\n" in text
    assert 'users,unique_count,false,false,1,,"a,""b""",1\n' in text
    assert 'users,unique_count,false,false,1,,"línea\r\n2",1\n' in text
    assert text.endswith("users,unique_count,false,false,1,,,1\nrevenue,revenue,false,false,1,,,0.00\n")


def test_csv_formulas_are_neutralised_on_request() -> None:
    assert ",'=cmd(),1\n" in export("csv", neutralize_formulas=True).decode()


def test_limit_counts_objects_and_may_cut_a_tuple() -> None:
    assert [row["measure"] for row in json.loads(export("json", limit=3))] == ["users", "revenue", "users"]


def test_gzip_holds_the_plain_bytes() -> None:
    for written in ("csv", "json", "ndjson"):
        assert gzip.decompress(export(written + ".gz")) == export(written)


def test_ndjson_is_one_object_per_line() -> None:
    assert [json.loads(line) for line in export("ndjson").splitlines()] == json.loads(export("json"))


def test_parquet_has_the_columns_of_the_csv(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    file.write_bytes(export("parquet"))
    rows = duckdb.connect().execute("SELECT * FROM read_parquet($f)", {"f": str(file)}).fetchall()
    assert rows[0] == ("users", "unique_count", False, False, 1, None, "=cmd()", "1")
    assert rows[-1] == ("revenue", "revenue", False, False, 1, None, None, "0.00")
    assert len(rows) == 8


@pytest.mark.parametrize(
    ("micro", "text"), [(0, "0.00"), (5000, "0.00"), (15_000, "0.02"), (-4999, "0.00"), (-15_000, "-0.02")]
)
def test_money_rounds_half_even_and_has_no_negative_zero(micro: int, text: str) -> None:
    assert money(micro) == text


@pytest.mark.parametrize(
    ("top", "bottom", "text"),
    [
        (163_025, 15_900, "10.25314465"),
        (0, 7, "0"),
        (2, 3, "0.6666666667"),
        (10**15, 7, "142857142900000"),
        (-3, 2, "-1.5"),
    ],
)
def test_ratios_have_ten_significant_digits(top: int, bottom: int, text: str) -> None:
    assert ratio(top, bottom) == text
