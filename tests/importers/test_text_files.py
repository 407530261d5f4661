"""What a file really is: encodings, separators, line ends, packing; read, or refused with what to do."""

from __future__ import annotations

import gzip

import duckdb
import pytest

from bough.csv_text import Record, records_of
from bough.errors import BadRequest
from bough.importers.costs import read_costs
from bough.text_files import uploaded_lines
from tests.importers.conftest import Imported

# ruff: noqa: E501 - a case is a line
NOON = 1_714_564_800_000
"""2024-05-01 12:00 UTC."""

ROWS = f"id,name,timestamp\n1,INSTALL,{NOON}\n2,INSTALL,{NOON}\n"
LINES = "".join(f'{{"id": "{n}", "name": "INSTALL", "timestamp": {NOON}}}\n' for n in (1, 2))

READ = {
    "UTF-8 with a mark": ("e.csv", b"\xef\xbb\xbf" + ROWS.encode()),
    "UTF-16 of a spreadsheet": (
        "e.csv",
        b"\xff\xfe" + ROWS.replace(",", "\t").replace("\n", "\r\n").encode("utf-16-le"),
    ),
    "UTF-16, big end first": ("e.csv", b"\xfe\xff" + ROWS.encode("utf-16-be")),
    "UTF-16 without a mark": ("e.csv", ROWS.encode("utf-16-le")),
    "UTF-16, big end first, without a mark": ("e.csv", ROWS.encode("utf-16-be")),
    "UTF-32": ("e.csv", ROWS.encode("utf-32")),
    "semicolons": ("e.csv", ROWS.replace(",", ";").encode()),
    "tabs": ("e.tsv", ROWS.replace(",", "\t").encode()),
    "bars": ("e.txt", ROWS.replace(",", "|").encode()),
    "sep=": ("e.csv", b"sep=;\r\n" + ROWS.replace(",", ";").encode()),
    "a quoted sep= behind a mark": ("e.csv", b'\xef\xbb\xbf"sep=\\t"\n' + ROWS.replace(",", "\t").encode()),
    "CR alone": ("e.csv", ROWS.replace("\n", "\r").encode()),
    "CRLF": ("e.csv", ROWS.replace("\n", "\r\n").encode()),
    "blank lines first": ("e.csv", b"\n\r\n" + ROWS.encode()),
    "no end of the last line": ("e.csv", ROWS.rstrip().encode()),
    "a header in capitals and with blanks": (
        "e.csv",
        ROWS.replace("id,name,timestamp", " ID ,Name, TimeStamp").encode(),
    ),
    "separators at the ends": ("e.csv", ROWS.replace("\n", ",,\n").encode()),
    "everything quoted": ("e.csv", "".join(f'"{line}"\n' for line in ROWS.splitlines()).replace(",", '","').encode()),
    "gzip without its ending": ("e.csv", gzip.compress(ROWS.encode())),
    "gzip in two pieces": ("e.csv.gz", gzip.compress(ROWS[:20].encode()) + gzip.compress(ROWS[20:].encode())),
    "UTF-16 in gzip": ("e.csv.gz", gzip.compress(ROWS.encode("utf-16"))),
    "JSON lines with a mark": ("e.ndjson", b"\xef\xbb\xbf" + LINES.encode()),
    "JSON lines in UTF-16": ("e.jsonl", LINES.encode("utf-16")),
    "JSON lines with CR alone": ("e.json", LINES.replace("\n", "\r").encode()),
}


@pytest.mark.parametrize(("name", "content"), READ.values(), ids=READ)
def test_every_way_to_write_a_file_is_read(imported: Imported, name: str, content: bytes) -> None:
    segment = imported.bytes(name, content)
    assert (segment.rows, segment.errors, segment.known) == (2, (), 0)
    assert imported.users() == 2


WORKBOOK = "it is a zip file or an Excel workbook; unpack it, or save the sheet as CSV (UTF-8)."
REFUSED = {
    "empty": ("e.csv", b"", "e.csv: is empty, so it has no column name."),
    "blank": ("e.csv", b"\n \r\n", "e.csv: is empty, so it has no column name."),
    "only sep=": ("e.csv", b"sep=;\n", "e.csv: is empty, so it has no column name."),
    "a workbook": ("e.csv", b"PK\x03\x04...", f"e.csv: cannot be read: {WORKBOOK}"),
    "a zip file called .gz": ("e.csv.gz", b"PK\x03\x04...", f"e.csv.gz: cannot be read: {WORKBOOK}"),
    "an old workbook": (
        "e.csv", b"\xd0\xcf\x11\xe0", "e.csv: cannot be read: it is an old Excel workbook; save the sheet as CSV (UTF-8).",
    ),
    "Parquet called .csv": (
        "e.csv", b"PAR1....", "e.csv: cannot be read: it is a Parquet file; its name must end in .parquet.",
    ),
    "zstd": (
        "e.csv", b"\x28\xb5\x2f\xfd", "e.csv: cannot be read: it is packed with zstd; unpack it, or pack it with gzip.",
    ),
    "an error page": (
        "e.csv",
        b"\xef\xbb\xbf\n<!DOCTYPE html><title>Sign in</title>",
        "e.csv: cannot be read: it is a web page (HTML or XML), perhaps an error or sign-in page that was saved in place"
        " of the data; fetch it again and look at it first.",
    ),
    "no gzip": (
        "e.csv.gz", ROWS.encode(),
        "e.csv.gz: cannot be read: its name ends in .gz, but it is not packed with gzip.",
    ),
    "gzip that breaks off": (
        "e.csv.gz", gzip.compress(ROWS.encode())[:-9],
        "e.csv.gz: cannot be read: the packed file breaks off or is damaged (Compressed file ended before the"
        " end-of-stream marker was reached); fetch it again.",
    ),
    "UTF-16 that breaks off": (
        "e.csv", ROWS.encode("utf-16-le")[:-1],
        "e.csv: cannot be read: it is UTF-16-LE that breaks off or is damaged; save it as UTF-8.",
    ),
    "a repeated column": (
        "e.csv", b"id,name,ID,timestamp\n", "e.csv: the header has an empty or a repeated column name: 'id' stands twice.",
    ),
    "an empty column": (
        "e.csv", b"id,,name,timestamp\n", "e.csv: the header has an empty or a repeated column name: column 2 is empty.",
    ),
    "other columns": (
        "e.csv", b"id;event;when\n", "e.csv: has no column name; its columns are id, event, when.",
    ),
    "a separator that is none": (
        "e.csv", b"id name timestamp\n", "e.csv: has no column name; its columns are id name timestamp.",
    ),
    "JSON called .csv": ("e.csv", LINES.encode(), "e.csv: holds JSON, not CSV; its name must end in .ndjson."),
    "CSV called .ndjson": ("e.ndjson", ROWS.encode(), "e.ndjson: begins like CSV, not JSON; its name must end in .csv."),
    "a JSON array": (
        "e.json", b'[{"name": "INSTALL"}]',
        "e.json: is a JSON array; one object per line is needed: `jq -c '.[]' e.json > lines.ndjson`.",
    ),
    "pretty JSON": (
        "e.json", b'{\n  "name": "INSTALL"\n}\n',
        "e.json: has objects of several lines; one per line is needed: `jq -c . e.json > lines.ndjson`.",
    ),
    "JSON that goes on": (
        "e.json", b'{"name": "INSTALL",\n "timestamp": 1}\n',
        "e.json: has objects of several lines; one per line is needed: `jq -c . e.json > lines.ndjson`.",
    ),
    "another ending": (
        "e.xlsx", b"",
        "e.xlsx: must end in .csv, .tsv, .txt, .ndjson, .jsonl, .json or .parquet (or .gz of the texts).",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_called_what_it_is(imported: Imported, name: str, content: bytes, says: str) -> None:
    with pytest.raises(BadRequest) as caught:
        imported.bytes(name, content)
    assert caught.value.message == says
    assert imported.users() == 0


def test_lines_are_numbered_as_an_editor_does_behind_sep_and_blank_lines(imported: Imported) -> None:
    segment = imported.bytes("e.csv", f"\nsep=;\n\nid;name;timestamp\n1;INSTALL;{NOON}\n2;INSTALL\n".encode("utf-16"))
    assert [(error.line, error.error) for error in segment.errors] == [(6, "has 2 columns, the header has 3")]
    assert segment.rows == 1


def test_lines_after_a_stray_quote_are_lines_of_their_own(imported: Imported) -> None:
    segment = imported.text(
        "e.csv",
        f'{ROWS}3,INSTALL,"{NOON}\n4,INSTALL,{NOON}\n5,INSTALL,{NOON}"x\n6,INSTALL,{NOON}\n7,INS\0TALL,{NOON}\n',
    )
    assert [(error.line, error.error) for error in segment.errors] == [
        (4, "is not CSV: ',' expected after '\"'"),
        (6, "a quoted field does not end"),
        (8, "holds a NUL character"),
    ]
    assert segment.rows == 4


def test_characters_that_some_call_line_ends_end_no_line() -> None:
    assert list(records_of(iter(["a,b\u2028c\n", "d\x0b,e\x85f\n"]))) == [
        Record(1, ["a", "b\u2028c"]),
        Record(2, ["d\x0b", "e\x85f"]),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("d\0a\0t\0e\0", "The file: is no text in UTF-8 (perhaps a workbook, or UTF-16); save it as CSV (UTF-8)."),
        ("date,cost\n2026-01-01,\ufffd", "The file: holds characters that are not UTF-8; save it as CSV (UTF-8)."),
        ("\ufeff<html>", "The file: cannot be read: it is a web page (HTML or XML), perhaps an error or sign-in page that"
         " was saved in place of the data; fetch it again and look at it first."),
    ],
)  # fmt: skip
def test_what_a_browser_read_wrongly_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_costs("The file", uploaded_lines("The file", text))
    assert caught.value.message == says


def test_line_ends_inside_of_quotes_are_kept(imported: Imported) -> None:
    names = ["a\r\nb", "c\rd", "e\x02rf", "g\x02", "h\nj"]
    rows = "".join(f'{n},INSTALL,{NOON},"{one}"\n' for n, one in enumerate(names))
    segment = imported.text("e.csv", f"id,name,timestamp,customer_event_alias\n{rows}x,INSTALL\n")
    assert [error.line for error in segment.errors] == [9]
    (path,) = (imported.folder / "data" / "segments").glob("*.parquet")
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT customer_event_alias FROM read_parquet('{path}')").fetchall()
    assert [one for (one,) in found] == names
