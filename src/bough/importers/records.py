"""CSV files line by line: records with the exact number of the line that they begin on (RFC 4180).

The quick way through a CSV file (`bough.importers.sources`) does not know lines. When it finds a fault, the file is
read again here: good records are copied with the number of their line, the others are reported. A quote that never ends
does not swallow the file: its line is reported and reading goes on with the next one.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, TextIO, cast

from msgspec import Struct

from bough.errors import BadRequest

LINE: Final = "\x7fline"
"""Name of the column that is added."""

BETWEEN: Final = "\x02"
"""Stands between a line's number and the line."""

MAX_RECORD_LINES: Final = 1000
MAX_RECORD_CHARACTERS: Final = 4_000_000


class LineError(Struct, frozen=True):
    """One line that was left out."""

    line: int
    error: str


class Record(Struct, frozen=True):
    """One record: its first line's number and its fields, or what is wrong with it."""

    line: int
    fields: list[str]
    error: str = ""


def opened(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked when it is a .gz."""
    return cast("IO[bytes]", gzip.open(path)) if path.name.lower().endswith(".gz") else path.open("rb")


def header_of(path: Path) -> list[str]:
    """The names of the columns. Raises BadRequest when they cannot be read or are not different."""
    try:
        with opened(path) as file:
            first = next(records_of(_texts(file)), None)
    except (OSError, EOFError) as error:
        raise BadRequest(f"{path.name}: cannot be read: {error}.") from error
    names = first.fields if first is not None and not first.error else []
    names = [names[0].removeprefix("\ufeff"), *names[1:]] if names else names
    if len(set(names)) != len(names) or not all(names):
        raise BadRequest(f"{path.name}: the header has an empty or a repeated column name.")
    return names


def copy_good(path: Path, header: list[str], target: TextIO, most: int) -> tuple[list[LineError], int]:
    """Write the records that have as many fields as the header, each after its line's number.

    Returns the first `most` errors and how many there are.
    """
    errors: list[LineError] = []
    count = 0
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow([LINE, *header])
    with opened(path) as file:
        found = records_of(_texts(file))
        next(found, None)
        for record in found:
            error = record.error
            if not error and len(record.fields) != len(header):
                error = f"has {len(record.fields)} columns, the header has {len(header)}"
            if not error:
                writer.writerow([record.line, *record.fields])
                continue
            count += 1
            if len(errors) < most:
                errors.append(LineError(record.line, error))
    return errors, count


def copy_numbered(path: Path, target: Path) -> None:
    """Copy a file of JSON lines with their numbers, without blank ones; what is not UTF-8 becomes what is not JSON."""
    with opened(path) as file, target.open("w", encoding="utf-8", newline="\n") as copy:
        for number, raw in enumerate(file, 1):
            try:
                line = raw.decode().strip()
            except UnicodeDecodeError:
                line = "not UTF-8"
            if line:
                broken = BETWEEN in line or "\r" in line or "\0" in line  # no JSON has these inside
                copy.write(f"{number}{BETWEEN}{'broken' if broken else line}\n")


def records_of(lines: Iterator[str]) -> Iterator[Record]:
    """Records of the lines of a file; empty lines are none. Linear in the file's size."""
    waiting: list[str] = []
    number = 0
    while True:
        line = waiting.pop() if waiting else next(lines, None)
        if line is None:
            return
        number += 1
        if line.count('"') % 2 == 0:
            if line.strip("\r\n"):
                yield _record(number, line)
            continue
        parts, whole = _rest(line, lines, waiting)
        if whole:
            yield _record(number, "".join(parts))
            number += len(parts) - 1
        else:
            yield Record(number, [], "a quoted field does not end")
            waiting.extend(reversed(parts[1:]))


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


def _record(number: int, text: str) -> Record:
    if not text.isprintable() and any("\udc80" <= character <= "\udcff" for character in text):
        return Record(number, [], "is not UTF-8")
    try:
        rows = list(csv.reader(text.splitlines(keepends=True), strict=True))
    except csv.Error as error:
        return Record(number, [], f"is not CSV: {error}")
    return Record(number, rows[0] if rows else [])


def _texts(file: IO[bytes]) -> Iterator[str]:
    for line in file:
        yield line.decode("utf-8", "surrogateescape")
