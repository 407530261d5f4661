"""Rows of links in files: CSV with a heading, or NDJSON (one JSON object per line).

Read as a stream, so that a file may be of any size. A row that cannot be read is an error of its line; the rows after
it are read all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Literal, NamedTuple

import msgspec

from bough.csv_text import NO_UTF_8, Record, begin, records_of
from bough.errors import BadRequest
from bough.text_files import is_text

Format = Literal["csv", "ndjson"]

MAX_CELL = 1024 * 1024
"""Characters of one CSV cell; a link's data is 100 KB."""

MAX_COLUMNS = 500

TELLING = frozenset({"url", "alias", "channel", "short link", "long link", "link"})
"""Columns by which a file's separator is known."""

_NO_UTF_8 = "The line is not valid UTF-8."

_decode = msgspec.json.Decoder().decode


class FileRow(NamedTuple):
    """One row: the values by column, or why there are none."""

    line: int
    """Number of the row's first line, from 1."""
    values: dict[str, Any]
    """CSV: texts. NDJSON: any JSON."""
    error: str = ""


def guess_format(start: str) -> Format:
    """NDJSON begins with an object; everything else is CSV. An array is JSON that is refused."""
    return "ndjson" if start.lstrip("\ufeff \t\r\n").startswith(("{", "[")) else "csv"


class RowFile(NamedTuple):
    """A file that is being read."""

    kind: Format
    columns: tuple[str, ...]
    """Of a CSV, in order; empty for NDJSON."""
    rows: Iterator[FileRow]
    """Empty lines are passed over."""


def read_rows(lines: Iterable[str], kind: Format) -> RowFile:
    """Begin to read. Raises BadRequest when a CSV has no usable heading.

    Bytes that are no UTF-8 must have been decoded with `surrogateescape`; their rows are errors.
    """
    if kind == "ndjson":
        return RowFile(kind, (), _read_ndjson(lines))
    rest = iter(lines)
    found = begin(rest, TELLING)
    if not found.first:
        raise BadRequest("The file is empty; its first line must name the columns, as in `url,channel`.")
    records = records_of(chain([found.first], rest), found.separator, found.before)
    columns = _columns(next(records))
    return RowFile(kind, columns, (_row(record, columns) for record in records if record.error or any(record.fields)))


def _read_ndjson(lines: Iterable[str]) -> Iterator[FileRow]:
    for number, line in enumerate(lines, 1):
        text = line.removeprefix("\ufeff").strip()
        if not text:
            continue
        if not is_text(text):
            yield FileRow(number, {}, _NO_UTF_8)
            continue
        try:
            value = _decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            yield FileRow(number, {}, f"The line is not valid JSON: {error}.")
            continue
        yield (
            FileRow(number, value)
            if isinstance(value, dict)
            else FileRow(number, {}, "The line must be a JSON object.")
        )


def _row(record: Record, columns: tuple[str, ...]) -> FileRow:
    cells = record.fields
    if record.error:
        reason = f"The line is not valid CSV: {record.error.removeprefix('is not CSV: ')}."
        return FileRow(record.line, {}, _NO_UTF_8 if record.error == NO_UTF_8 else reason)
    if len(cells) != len(columns):
        return FileRow(record.line, {}, f"The line has {len(cells)} cells, but the heading has {len(columns)}.")
    if any(len(cell) > MAX_CELL for cell in cells):
        return FileRow(record.line, {}, f"The line has a cell of more than {MAX_CELL} characters.")
    return FileRow(record.line, dict(zip(columns, cells, strict=True)))


def _columns(heading: Record) -> tuple[str, ...]:
    if heading.error:
        raise BadRequest(f"The heading cannot be read: {heading.error}.")
    columns = [name.strip() for name in heading.fields]
    if len(columns) > MAX_COLUMNS:
        raise BadRequest(f"The heading must have at most {MAX_COLUMNS} columns.")
    for name in columns:
        if not name:
            raise BadRequest("The heading holds a column without a name.")
        if columns.count(name) > 1:
            raise BadRequest(f"The heading names the column {name!r} twice.")
    return tuple(columns)
