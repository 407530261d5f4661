"""CSV as people have it: which separator, what the columns are called, and records with the number of their line.

The separator is what stands in a first line `sep=;`, else the one of , ; tab | that splits the header into the columns
that are needed. A quote that never ends does not swallow the file: its line is reported and reading goes on with the
next one (RFC 4180 otherwise).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Final

from msgspec import Struct

from bough.errors import BadRequest
from bough.text_files import is_text

SEPARATORS: Final = (",", ";", "\t", "|")
NAMELESS: Final = "\x7f"
"""Begins the names of columns at the end of a header that have none: they are not read."""

MAX_RECORD_LINES: Final = 1000
MAX_RECORD_CHARACTERS: Final = 4_000_000
csv.field_size_limit(MAX_RECORD_CHARACTERS)

NO_UTF_8: Final = "is not UTF-8"
NUL: Final = "holds a NUL character"
MAX_SHOWN: Final = 12
"""Columns that a refusal names."""

_SAYS: Final = re.compile(r'\s*"?sep=(\\t|[,;\t|^~:])"?[,;\t|]*\s*\Z', re.IGNORECASE)


class Record(Struct, frozen=True):
    """One record: its first line's number and its fields, or what is wrong with it."""

    line: int
    fields: list[str]
    error: str = ""


class Header(Struct, frozen=True):
    """The beginning of a CSV."""

    columns: list[str]
    """As written, without blanks around them and in small letters; those at the end without a name as NAMELESS."""
    separator: str
    before: int
    """Lines before the header: `sep=;`, blank ones."""
    lines: int
    """Lines of the header itself."""


class Beginning(Struct, frozen=True):
    """What stands before a header, and how it is written."""

    first: str
    """The header's first line; empty when there is none."""
    separator: str
    before: int
    """Lines before the header: `sep=;`, blank ones."""


def begin(lines: Iterator[str], wanted: Collection[str]) -> Beginning:
    """Consume a CSV up to the first line of its header; `wanted` are names of columns that tell the separator."""
    before, says = 0, ""
    for line in lines:
        text = line.removeprefix("\ufeff")
        found = None if says else _SAYS.match(text)
        if found is not None:
            says = {"\\t": "\t"}.get(found[1], found[1])
        elif text.strip():
            return Beginning(text, says or _separator(text, wanted), before)
        before += 1
    return Beginning("", ",", before)


def read_header(name: str, lines: Iterator[str], wanted: Collection[str]) -> Header:
    """Consume a CSV up to its header; `wanted` are names of columns by which the separator is known.

    Raises:
        BadRequest: there is no header, it is no CSV, or it has an empty or a repeated column name.
    """
    found = begin(lines, wanted)
    if not found.first:
        raise BadRequest(f"{name}: is empty, so it has no column name.")
    record = next(records_of(chain([found.first], lines), found.separator), None)
    if record is None or record.error:
        raise BadRequest(f"{name}: the header cannot be read: it {record.error if record else 'is empty'}.")
    columns = [column.strip().lower() for column in record.fields]
    height = 1 + sum(column.count("\n") for column in record.fields)
    return Header(_named(name, columns), found.separator, found.before, height)


def records_of(lines: Iterator[str], separator: str = ",", line: int = 0) -> Iterator[Record]:
    """Records of the lines of a file; empty lines are none. `line`: how many lines stand before. Linear in its size."""
    waiting: list[str] = []
    number = line
    while True:
        text = waiting.pop() if waiting else next(lines, None)
        if text is None:
            return
        number += 1
        if text.count('"') % 2 == 0:
            if text.strip("\r\n"):
                yield _record(number, text, separator)
            continue
        parts, whole = _rest(text, lines, waiting)
        open_quote = Record(number, [], "a quoted field does not end")
        record = _record(number, "".join(parts), separator) if whole else open_quote
        yield record
        if record.error and record.error not in (NO_UTF_8, NUL):
            waiting.extend(reversed(parts[1:]))  # the lines after a stray quote are lines of their own
        else:
            number += len(parts) - 1


def shown(columns: list[str]) -> str:
    """Names of columns for a sentence."""
    named = [column for column in columns if not column.startswith(NAMELESS)]
    more = f" and {len(named) - MAX_SHOWN} more" if len(named) > MAX_SHOWN else ""
    return ", ".join(column[:40] for column in named[:MAX_SHOWN]) + more


def misfit(record: Record, columns: list[str]) -> str:
    """What is wrong with a record's shape; empty when it has a field for each column."""
    if record.error or len(record.fields) == len(columns):
        return record.error
    return f"has {len(record.fields)} columns, the header has {len(columns)}"


def _separator(first: str, wanted: Collection[str]) -> str:
    """The separator that gives most of the wanted columns, then most columns; the comma when nothing tells."""

    def worth(separator: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader(io.StringIO(first, newline=""), delimiter=separator), [])
        except csv.Error:
            return 0, 0
        names = [cell.strip().lower() for cell in cells]
        return len({*names} & {*wanted}), len(names)

    return max(SEPARATORS, key=worth)


def _named(name: str, columns: list[str]) -> list[str]:
    last = max((place for place, column in enumerate(columns) if column), default=-1)
    if last < 0:
        raise BadRequest(f"{name}: its first line names no column, so it has no column name.")
    named = [*columns[: last + 1], *(f"{NAMELESS}{place}" for place in range(last + 1, len(columns)))]
    repeated = next((column for column in named if named.count(column) > 1), None)
    if "" in named or repeated is not None:
        which = f"column {named.index('') + 1} is empty" if "" in named else f"{repeated!r} stands twice"
        raise BadRequest(f"{name}: the header has an empty or a repeated column name: {which}.")
    return named


def _rest(first: str, lines: Iterator[str], waiting: list[str]) -> tuple[list[str], bool]:
    """The lines up to the one that ends the open quote, and whether there is one."""
    parts, size = [first], len(first)
    while len(parts) < MAX_RECORD_LINES and size < MAX_RECORD_CHARACTERS:
        line = waiting.pop() if waiting else next(lines, None)
        if line is None:
            break
        parts.append(line)
        size += len(line)
        if line.count('"') % 2:
            return parts, True
    return parts, False


def _record(number: int, text: str, separator: str) -> Record:
    if not is_text(text):
        return Record(number, [], NO_UTF_8)
    if "\0" in text:
        return Record(number, [], NUL)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator))
    except csv.Error as error:
        return Record(number, [], f"is not CSV: {error}")
    if len(rows) > 1:
        return Record(number, [], "is not CSV: a line ends inside of it (CR and LF are mixed)")
    return Record(number, rows[0] if rows else [])
