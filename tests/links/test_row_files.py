"""Reading rows of files, also broken ones."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from bough.errors import BadRequest
from bough.links.bulk import fields
from bough.links.row_files import MAX_CELL, FileRow, Format, guess_format, read_rows


def rows(text: str, kind: Format = "csv") -> list[FileRow]:
    return list(read_rows(io.StringIO(text, newline=""), kind).rows)


def test_csv_by_its_heading() -> None:
    assert rows('url, channel \nx,"a, ""b"""\r\ny,\n') == [
        FileRow(2, {"url": "x", "channel": 'a, "b"'}),
        FileRow(3, {"url": "y", "channel": ""}),
    ]


def test_a_row_over_several_lines_has_the_number_of_its_first() -> None:
    assert [row.line for row in rows('url,t\nx,"a\nb"\n\ny,c\n')] == [2, 5]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('url,t\nx,"a"b\ny,c\n', 2),
        ("url,t\nx\ny,c\n", 2),
        ("url,t\nx,1,2\ny,c\n", 2),
        (f"url,t\nx,{'a' * (MAX_CELL + 1)}\ny,c\n", 2),
        ("url,t\nx,\udcff\ny,c\n", 2),
    ],
)
def test_a_broken_line_is_an_error_and_the_next_is_read(text: str, line: int) -> None:
    broken, good = rows(text)
    assert broken.line == line
    assert broken.error
    assert (good.values, good.error) == ({"url": "y", "t": "c"}, "")


def test_a_quote_that_is_never_closed_is_an_error_of_the_line_where_it_opens() -> None:
    row, next_one = rows('url,t\nx,"a\ny,b\n')
    assert (row.line, row.values) == (2, {})
    assert next_one == FileRow(3, {"url": "y", "t": "b"})
    assert row.error.startswith("The line is not valid CSV: ")


def test_ndjson_keeps_going() -> None:
    text = '\ufeff{"url":"x","n":1}\n\n{"url":\n"x"\n{"url":"y"}\n' + "[" * 100_000 + "\n\udcff\n"
    found = rows(text, "ndjson")
    assert [(row.line, row.values, bool(row.error)) for row in found] == [
        (1, {"url": "x", "n": 1}, False),
        (3, {}, True),
        (4, {}, True),
        (5, {"url": "y"}, False),
        (6, {}, True),
        (7, {}, True),
    ]


@pytest.mark.parametrize("heading", ["", "url,,x", "url,url", '"url', ",".join(f"c{n}" for n in range(501))])
def test_headings_that_cannot_be_used(heading: str) -> None:
    with pytest.raises(BadRequest):
        rows(heading + "\n" if heading else "")


@pytest.mark.parametrize(
    ("start", "kind"), [('{"url"', "ndjson"), ('\ufeff\n {"url"', "ndjson"), ("url,channel", "csv"), ("", "csv")]
)
def test_guessing_the_format(start: str, kind: str) -> None:
    assert guess_format(start) == kind


@pytest.mark.parametrize(
    ("values", "kind", "body"),
    [
        ({"url": "x", "channel": "", "campaign": "null"}, "csv", {"campaign": None}),
        ({"url": "x", "channel": "", "campaign": "null"}, "ndjson", {"channel": "", "campaign": "null"}),
        ({"tags": "a, b"}, "csv", {"tags": ["a", "b"]}),
        ({"tags": '["a, b"]'}, "csv", {"tags": ["a, b"]}),
        ({"data.k": "1", "data.$ios_url": "null"}, "csv", {"data": {"k": "1", "$ios_url": None}}),
        ({"data": '{"k":1,"n":2}', "data.k": "x"}, "csv", {"data": {"k": "x", "n": 2}}),
        ({"data": {"k": 1}, "data.n": [True]}, "ndjson", {"data": {"k": 1, "n": [True]}}),
        ({"id": "1", "clicks": "9", "alias": "a", "stage": "s"}, "csv", {"stage": "s"}),
    ],
)
def test_what_a_row_asks_for(values: dict[str, Any], kind: Format, body: dict[str, Any]) -> None:
    assert json.dumps(fields(values, kind)) == json.dumps(body)
