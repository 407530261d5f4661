"""Imports keep every column of the export: what a file says comes back letter by letter, from every form of file."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bough.importers.events import import_file
from bough.importers.kept import as_exported
from bough.vocabulary.export_columns import EXPORT_COLUMNS
from tests.importers.conftest import Imported

NOON = 1_714_564_800_000
"""2024-05-01 12:00 UTC."""

WRITTEN: dict[str, str] = {
    "text": '007 "quoted", 1e5\nsecond line é',
    "iso": "2024-05-01T12:00:00.000Z",
    "integer": "123456789012345678",
    "decimal": "19.9900",
    "boolean": "TRUE",
    "texts": '["a", "b,c"]',
    "object": '{"id": "007", "n": 1.50, "big": 123456789012345678}',
    "objects": '[{"$sku": "1e5", "$price": 1.50}]',
    "json": '["007", null, "1e5"]',
}
"""A value for each type, in letters that a reader who converts would change."""

FIRST: dict[str, str] = {
    "id": "123456789012345678",
    "name": "PURCHASE",
    "timestamp": "2024-05-01T12:00:00.000Z",
    "last_attributed_touch_type": "click",
    "last_attributed_touch_timestamp": "2024-05-01 11:00:00+00",
    "attributed": "T",
    "event_data_revenue": "0012.50",
    "event_data_revenue_in_usd": "1.3e1",
    "event_data_currency": "eur",
    "user_data_idfa": "5D1F0A52-1C5E-4F0B-9A38-3D2A7C6C8A01",
    "user_data_aaid": "00000000-0000-0000-0000-000000000000",
    "user_data_developer_identity": "null",
}

WHOLE = {name: FIRST.get(name, WRITTEN[column.type]) for name, column in EXPORT_COLUMNS.items()}


def stored(imported: Imported) -> list[dict[str, str]]:
    """The rows of all segments, as the export wrote them."""
    found = []
    for path in sorted((imported.folder / "data" / "segments").glob("*.parquet")):
        with duckdb.connect() as connection:
            cursor = connection.execute(f"SELECT * FROM '{path}' ORDER BY ms, id")
            names = [column[0] for column in cursor.description or ()]
            found += [as_exported(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]
    return found


def as_csv(rows: list[dict[str, str]], columns: list[str] | None = None) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or list(rows[0]), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def test_a_file_with_all_437_columns_comes_back_letter_by_letter(imported: Imported) -> None:
    assert len(WHOLE) == 437
    segment = imported.text("whole.csv", as_csv([WHOLE]))
    assert (segment.rows, segment.errors, segment.unknown, segment.misfits) == (1, (), (), ())
    assert stored(imported) == [WHOLE]


def test_json_lines_and_parquet_keep_the_same(imported: Imported) -> None:
    imported.text("whole.ndjson", json.dumps(WHOLE) + "\n")
    assert stored(imported) == [WHOLE]
    another = {**WHOLE, "id": "123456789012345679"}  # the same id would be the same event, which is there already
    path = imported.folder / "whole.parquet"
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (" + ", ".join(f'"{name}" VARCHAR' for name in WHOLE) + ")")
        connection.execute(f"INSERT INTO t VALUES ({', '.join('?' for _ in WHOLE)})", list(another.values()))
        connection.execute(f"COPY t TO '{path}' (FORMAT parquet)")
    imported.file(path)
    assert stored(imported) == [WHOLE, another]


def test_json_lines_with_a_broken_line_keep_the_same(imported: Imported) -> None:
    segment = imported.text("whole.ndjson", json.dumps(WHOLE) + "\n{broken\n")
    assert [error.line for error in segment.errors] == [2]
    assert stored(imported) == [WHOLE]


def test_nested_objects_are_the_same_columns(imported: Imported) -> None:
    row = {
        "id": "a",
        "name": "OPEN",
        "timestamp": NOON,
        "user_data": {"idfv": "F-1", "screen_width": 1080, "limit_ad_tracking": True},
        "event_data": {"coupon": "007"},
        "last_attributed_touch_data": {"~ad_id": "1e5", "~keyword_id": "18", "$marketing_title": "t", "+url": "u"},
        "custom_data": {"k": ["v", 1]},
        "content_items": [{"$sku": "s"}],
    }
    imported.text("nested.ndjson", json.dumps(row) + "\n")
    (found,) = stored(imported)
    assert json.loads(found.pop("custom_data")) == {"k": ["v", 1]}
    assert json.loads(found.pop("content_items")) == [{"$sku": "s"}]
    assert found == {
        "id": "a",
        "name": "OPEN",
        "timestamp": str(NOON),
        "user_data_idfv": "F-1",
        "user_data_screen_width": "1080",
        "user_data_limit_ad_tracking": "true",
        "event_data_coupon": "007",
        "last_attributed_touch_data_tilde_ad_id": "1e5",
        "last_attributed_touch_data_tilde_keyword_id": "18",
        "last_attributed_touch_data_dollar_marketing_title": "t",
        "last_attributed_touch_data_plus_url": "u",
    }


@pytest.mark.parametrize("form", ["csv", "ndjson", "broken ndjson", "parquet"])
def test_columns_of_no_export_are_named_with_how_many_values_they_have(imported: Imported, form: str) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "a", "name": "OPEN", "timestamp": NOON, "my_column": "x", "other": "y"},
        {"id": "b", "name": "OPEN", "timestamp": NOON, "other": "z"},
    ]
    if form == "csv":
        segment = imported.text("e.csv", as_csv(rows, list(rows[0])))
    elif form == "parquet":
        path = imported.folder / "e.parquet"
        source = imported.folder / "source.ndjson"
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))
        duckdb.execute(f"COPY (FROM read_json('{source}')) TO '{path}' (FORMAT parquet)")
        segment = imported.file(path)
    else:
        broken = "{broken\n" if form == "broken ndjson" else ""
        segment = imported.text("e.ndjson", "".join(json.dumps(row) + "\n" for row in rows) + broken)
    assert sorted(segment.unknown) == [("my_column", 1), ("other", 2)]
    assert all("other" not in row for row in stored(imported))


def test_values_of_another_type_are_counted_and_kept(imported: Imported) -> None:
    rows = [
        {"id": str(n), "name": "OPEN", "timestamp": str(NOON), "user_data_screen_width": width, "custom_data": custom}
        for n, (width, custom) in enumerate([("1080", '{"a": 1}'), ("wide", "[1]"), ("1e3", "{")])
    ]
    segment = imported.text("e.csv", as_csv(rows))
    assert segment.misfits == (("custom_data", 2), ("user_data_screen_width", 2))
    assert stored(imported) == rows


def test_rows_without_an_id_that_differ_in_their_items_are_two(imported: Imported) -> None:
    rows = [
        {"name": "VIEW_ITEM", "timestamp": str(NOON), "user_data_aaid": "a", "content_items": f'[{{"$sku": "{sku}"}}]'}
        for sku in ("1", "2", "2")
    ]
    imported.text("e.csv", as_csv([{**rows[0], "name": "INSTALL"}, *rows]))
    assert imported.ask("2024-05-01", "2024-05-01", "VIEW_ITEM") == "VIEW_ITEM,total_count,false,false,1,,2\n"


def test_segments_of_earlier_releases_are_told_by_their_columns() -> None:
    row = {
        "id": "1", "name": "PURCHASE", "ms": NOON, "attributed": True, "touch_type": "CLICK", "touch_at": NOON - 1,
        "customer_event_alias": None, "amount": "5", "currency": "EUR", "idfa": "i", "os": "IOS",
        "tilde_campaign": "007", "line": None, "error": None,
    }  # fmt: skip
    assert as_exported(row) == {
        "id": "1",
        "name": "PURCHASE",
        "timestamp": str(NOON),
        "attributed": "true",
        "last_attributed_touch_type": "CLICK",
        "last_attributed_touch_timestamp": str(NOON - 1),
        "event_data_revenue": "5",
        "event_data_currency": "EUR",
        "user_data_idfa": "i",
        "user_data_os": "IOS",
        "last_attributed_touch_data_tilde_campaign": "007",
    }


FREE = sorted(name for name, column in EXPORT_COLUMNS.items() if name not in FIRST)
TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r"), min_size=1, max_size=20)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.dictionaries(st.sampled_from(FREE), TEXTS, max_size=12), min_size=1, max_size=5))
def test_whatever_a_file_says_comes_back(imported: Imported, tmp_path: Path, rows: list[dict[str, str]]) -> None:
    for path in (imported.folder / "data" / "segments").glob("*.parquet"):
        path.unlink()
    written = [
        {"id": f"{number}", "name": "OPEN", "timestamp": str(NOON + number), **row} for number, row in enumerate(rows)
    ]
    columns = sorted({name for row in written for name in row})
    for form in ("csv", "ndjson"):
        path = tmp_path / f"e.{form}"
        content = as_csv(written, columns) if form == "csv" else "".join(json.dumps(row) + "\n" for row in written)
        path.write_text(content, encoding="utf-8")
        segment = import_file(imported.store, imported.folder / "data", path, imported.app)
        if segment.repeated:
            continue
        assert (segment.rows, segment.errors) == (len(rows), ())
        assert stored(imported) == written
        for made in (imported.folder / "data" / "segments").glob("*.parquet"):
            made.unlink()
