"""Event files line by line, with the exact number of the line that each record begins on.

The quick way through a file (`bough.importers.sources`) does not know lines, and reads only UTF-8 with commas. When it
finds a fault, or the file is written in another way, the file is read here: good records are copied with the number of
their line, the others are reported.
"""

from __future__ import annotations

import csv
import re
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

from msgspec import Struct

from bough.csv_text import Header, misfit, read_header, records_of, shown
from bough.errors import BadRequest
from bough.importers.columns import REQUIRED, SOURCES
from bough.text_files import LINES_LOOKED_AT, TextFile, first_text, is_text, lines_of, refuse_other_json

LINE: Final = "\x7fline"
"""Name of the column that is added."""

MARK: Final = "\x02"
"""Begins what stands in place of a CR in a copy."""

BETWEEN: Final = "\x02"
"""Stands between a line's number and the line."""

WANTED: Final = frozenset(name for field in REQUIRED for name in SOURCES[field])


class LineError(Struct, frozen=True):
    """One line that was left out."""

    line: int
    error: str


def header_of(path: Path, found: TextFile) -> Header:
    """The beginning of a CSV file.

    Raises:
        BadRequest: it has no header, or one with an empty or a repeated name, or holds JSON.
    """
    first = first_text(lines_of(path, found))
    if first.startswith(("{", "[")):
        raise BadRequest(f"{path.name}: holds JSON, not CSV; its name must end in .ndjson.")
    header = read_header(path.name, lines_of(path, found), WANTED)
    require(path, header.columns, [field for field in REQUIRED if not set(SOURCES[field]) & set(header.columns)])
    return header


def require(path: Path, columns: list[str], missing: list[str]) -> None:
    """Raises BadRequest when a required field is missing."""
    for field in missing:
        raise BadRequest(f"{path.name}: has no column {SOURCES[field][0]}; its columns are {shown(columns)}.")


def copy_good(path: Path, found: TextFile, header: Header, target: TextIO, most: int) -> tuple[list[LineError], int]:
    """Write the records that have as many fields as the header, each after its line's number.

    Returns the first `most` errors and how many there are.
    """
    errors: list[LineError] = []
    count = 0
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow([LINE, *header.columns])
    lines = lines_of(path, found)
    before = header.before + header.lines
    for _ in range(before):
        next(lines)
    for record in records_of(lines, header.separator, before):
        error = misfit(record, header.columns)
        if not error:
            writer.writerow([record.line, *map(_kept, record.fields)])
            continue
        count += 1
        if len(errors) < most:
            errors.append(LineError(record.line, error))
    return errors, count


def _kept(cell: str) -> str:
    """A cell without CR, which DuckDB does not read inside of quotes; `restored` undoes it."""
    return cell.replace(MARK, f"{MARK}b").replace("\r", f"{MARK}r") if MARK in cell or "\r" in cell else cell


def restored(column: str) -> str:
    """SQL: a column of a copy as the file has it."""
    return f"replace(replace({column}, chr({ord(MARK)}) || 'r', chr(13)), chr({ord(MARK)}) || 'b', chr({ord(MARK)}))"


def check_json(path: Path, found: TextFile) -> None:
    """Raises BadRequest when a file is not JSON lines as a whole, and says what else it is."""
    start = "".join(islice(lines_of(path, found), LINES_LOOKED_AT))
    refuse_other_json(path.name, start)
    first = start.split("\n", 1)[0].lstrip()
    if first[0] not in '{"' and {"name", "timestamp"} <= set(re.split(r"[^a-z_]+", first.lower())):
        raise BadRequest(f"{path.name}: begins like CSV, not JSON; its name must end in .csv.")


def copy_numbered(path: Path, found: TextFile, target: Path) -> None:
    """Copy a file of JSON lines with their numbers, without blank ones; what is not UTF-8 becomes what is not JSON."""
    with target.open("w", encoding="utf-8", newline="\n") as copy:
        for number, raw in enumerate(lines_of(path, found), 1):
            line = raw.strip() if is_text(raw) else "not UTF-8"
            if line:
                broken = BETWEEN in line or "\r" in line or "\0" in line  # no JSON has these inside
                copy.write(f"{number}{BETWEEN}{'broken' if broken else line}\n")
