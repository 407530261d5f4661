"""Rows of links in files: CSV with a heading, or NDJSON (one JSON object per line).

Read as a stream, so that a file may be of any size. A row that cannot be read is an error of its line; the rows after
it are read all the same.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from bough.errors import BadRequest

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

Format = Literal["csv", "ndjson"]

MAX_CELL = 1024 * 1024
"""Characters of one CSV cell; a link's data is 100 KB."""

MAX_COLUMNS = 500

csv.field_size_limit(MAX_CELL)

_decode = msgspec.json.Decoder().decode


class Row(NamedTuple):
    """One row: the values by column, or why there are none."""

    line: int
    """Number of the row's first line, from 1."""
    values: dict[str, Any]
    """CSV: texts. NDJSON: any JSON."""
    error: str = ""


def guess_format(start: str) -> Format:
    """NDJSON begins with an object; everything else is CSV."""
    return "ndjson" if start.lstrip("\ufeff \t\r\n").startswith("{") else "csv"


class RowFile(NamedTuple):
    """A file that is being read."""

    kind: Format
    columns: tuple[str, ...]
    """Of a CSV, in order; empty for NDJSON."""
    rows: Iterator[Row]
    """Empty lines are passed over."""


def read_rows(lines: Iterable[str], kind: Format) -> RowFile:
    """Begin to read. Raises BadRequest when a CSV has no usable heading.

    Bytes that are no UTF-8 must have been decoded with `surrogateescape`; their rows are errors.
    """
    if kind == "ndjson":
        return RowFile(kind, (), _read_ndjson(lines))
    reader = csv.reader(lines, strict=True)
    columns = _columns(reader)
    return RowFile(kind, columns, _read_csv(reader, columns))


def _read_ndjson(lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        text = line.removeprefix("\ufeff").strip()
        if not text:
            continue
        if not _is_unicode(text):
            yield Row(number, {}, "The line is not valid UTF-8.")
            continue
        try:
            value = _decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            yield Row(number, {}, f"The line is not valid JSON: {error}.")
            continue
        yield Row(number, value) if isinstance(value, dict) else Row(number, {}, "The line must be a JSON object.")


def _read_csv(reader: CsvReader, columns: tuple[str, ...]) -> Iterator[Row]:
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Row(first, {}, f"The line is not valid CSV: {error}.")
            continue
        if cells is None:
            return
        if not any(cells):
            continue
        if len(cells) != len(columns):
            yield Row(first, {}, f"The line has {len(cells)} cells, but the heading has {len(columns)}.")
        elif not all(map(_is_unicode, cells)):
            yield Row(first, {}, "The line is not valid UTF-8.")
        else:
            yield Row(first, dict(zip(columns, cells, strict=True)))


def _columns(reader: CsvReader) -> tuple[str, ...]:
    try:
        columns = [name.strip().removeprefix("\ufeff").strip() for name in next(reader, [])]
    except csv.Error as error:
        raise BadRequest(f"The heading is not valid CSV: {error}.") from error
    if not columns:
        raise BadRequest("The file is empty; its first line must name the columns, as in `url,channel`.")
    if len(columns) > MAX_COLUMNS:
        raise BadRequest(f"The heading must have at most {MAX_COLUMNS} columns.")
    for name in columns:
        if not name:
            raise BadRequest("The heading holds a column without a name.")
        if columns.count(name) > 1:
            raise BadRequest(f"The heading names the column {name!r} twice.")
    return tuple(columns)


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)
