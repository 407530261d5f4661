"""An event file -> SQL that reads it as one column of text per field that the file has."""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package or quoted.
from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import duckdb
from duckdb import DuckDBPyConnection
from msgspec import Struct

from bough.csv_text import Header
from bough.errors import BadRequest
from bough.importers import records
from bough.importers.columns import PLACES, READ, REQUIRED, split
from bough.importers.json_keys import Keys, keys_of
from bough.warehouse.quoting import name, text

Format = Literal["csv", "ndjson", "parquet"]

MAX_LINE = 16_000_000
"""Bytes of the longest line."""


class Source(Struct, frozen=True):
    """How to read a file."""

    sql: str
    """Columns `line` (NULL when it is not known) and one per field."""
    fields: tuple[str, ...]
    readable: str = ""
    """A boolean column: whether the line could be read."""
    lines: bool = True
    """Whether `line` is known."""
    unknown: str = ""
    """SQL of one row that counts the values of each column that nothing is known of; empty when there is none."""
    unknown_keys: tuple[tuple[str, int], ...] = ()
    """The same of JSON, counted already."""


ENDINGS: Final[dict[str, Format]] = {
    "csv": "csv",
    "tsv": "csv",
    "txt": "csv",
    "ndjson": "ndjson",
    "jsonl": "ndjson",
    "json": "ndjson",
}
"""Of texts; separators and encodings are found in the file itself."""


def format_of(path: Path) -> Format:
    """By the file's ending, before `.gz`. Raises BadRequest for another one."""
    ending = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if ending in ENDINGS:
        return ENDINGS[ending]
    if path.name.lower().endswith(".parquet"):
        return "parquet"
    raise BadRequest(
        f"{path.name}: must end in .csv, .tsv, .txt, .ndjson, .jsonl, .json or .parquet (or .gz of the texts)."
    )


def source_of(connection: DuckDBPyConnection, path: Path, kind: Format, header: Header | None) -> Source:
    """The quick way to read a file in UTF-8, CSV with commas; without the numbers of lines but for Parquet.

    Raises BadRequest when a column is missing.
    """
    if header is not None:
        return _csv(path, header.columns, header.columns, "CAST(NULL AS BIGINT)")
    if kind == "parquet":
        return _parquet(connection, path)
    return _json(connection, path)


def numbered_csv(path: Path, header: Header) -> Source:
    """A CSV file whose first column `line` was added by `records.copy_good`."""
    return _csv(path, header.columns, [records.LINE, *header.columns], f"CAST({name(records.LINE)} AS BIGINT)")


def _csv(path: Path, header: list[str], columns: list[str], line: str) -> Source:
    fields = {field: present for field, names in READ.items() if (present := [n for n in names if n in header])}
    picked = ", ".join(f"{_first([name(n) for n in present])} AS {name(field)}" for field, present in fields.items())
    typed = ", ".join(f"{text(column)}: 'VARCHAR'" for column in columns)
    reader = (
        f"read_csv({text(str(path))}, columns = {{{typed}}}, auto_detect = false,"
        " header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '',"
        f" max_line_size = {MAX_LINE}, buffer_size = {4 * MAX_LINE})"
    )
    if columns != header:
        whole = ", ".join(f"{records.restored(name(one))} AS {name(one)}" for one in header)
        reader = f"(SELECT {name(records.LINE)}, {whole} FROM {reader})"
    used = {one for present in fields.values() for one in present}
    return Source(
        f"SELECT {line} AS line, {picked} FROM {reader}",
        tuple(fields),
        lines=line != "CAST(NULL AS BIGINT)",
        unknown=_counted({column: name(column) for column in header if column not in used}, reader),
    )


def _counted(columns: dict[str, str], reader: str) -> str:
    """SQL that counts the values of columns (name → SQL)."""
    counts = ", ".join(f"count({sql}) AS {name(column)}" for column, sql in columns.items())
    return f"SELECT {counts} FROM {reader}" if columns else ""


def _parquet(connection: DuckDBPyConnection, path: Path) -> Source:
    reader = f"read_parquet({text(str(path))}, file_row_number = true, binary_as_string = true)"
    relation = connection.sql(f"FROM {reader}")
    if relation is None:
        raise BadRequest(f"{path.name}: cannot be read.")
    types = dict(zip(relation.columns, relation.types, strict=True))
    fields = {}
    for field, names in READ.items():
        found = [sql for one in names if (sql := _typed(one, types)) is not None]
        if found:
            fields[field] = _first(found)
    records.require(path, list(relation.columns), [field for field in REQUIRED if field not in fields])
    picked = ", ".join(f"{sql} AS {name(field)}" for field, sql in fields.items())
    return Source(
        f"SELECT file_row_number + 1 AS line, {picked} FROM {reader}",
        tuple(fields),
        unknown=_counted(_unknown_of_parquet(types), reader),
    )


def _unknown_of_parquet(types: dict[str, Any]) -> dict[str, str]:
    """Columns and members of structs that no field is read from, as SQL that is NULL without a value."""
    known = {one for names in READ.values() for one in names}
    unknown = {}
    for column, kind in types.items():
        if column == "file_row_number" or column in known:
            continue
        if column not in PLACES:
            unknown[column] = name(column)
        elif kind.id == "struct":
            for member, _ in kind.children:
                if f"{column}.{member}" not in known:
                    unknown[f"{column}.{member}"] = f"{name(column)}.{name(member)}"
    return unknown


def _typed(source: str, types: dict[str, Any]) -> str | None:
    """A Parquet column, or a member of one, as text."""
    if source in types:
        return _as_text(name(source), types[source].id)
    place, member = split(source)
    if not place or place not in types:
        return None
    if types[place].id == "struct":
        members = dict(types[place].children)
        return _as_text(f"{name(place)}.{name(member)}", members[member].id) if member in members else None
    if types[place].id == "map":
        return _as_text(f"map_extract_value({name(place)}, {text(member)})", dict(types[place].children)["value"].id)
    if types[place].id == "varchar":
        return f"CASE WHEN json_valid({name(place)}) THEN json_extract_string({name(place)}, {text(_path(member))}) END"
    return None


def _as_text(sql: str, kind: str) -> str:
    if kind.startswith("timestamp") or kind == "date":
        exact = sql if kind == "timestamp with time zone" else f"CAST({sql} AS TIMESTAMP)"
        return f"CAST(epoch_ms({exact}) AS VARCHAR)"
    if kind in ("list", "array", "struct", "map"):
        return f"CAST(to_json({sql}) AS VARCHAR)"
    return f"nullif(CAST({sql} AS VARCHAR), '')"


def _json(connection: DuckDBPyConnection, path: Path) -> Source:
    """JSON lines, each read once: flat keys as columns, the nested objects by their members."""
    objects = f"read_ndjson_objects({text(str(path))}, maximum_object_size = {MAX_LINE})"
    keys = keys_of(connection, f"SELECT json FROM {objects}")
    read = {field: keys.present(names) or names[:1] for field, names in _fields_of(keys).items()}
    every = [split(one) for names in read.values() for one in names]
    flat = dict.fromkeys(member for place, member in every if not place)
    nested = dict.fromkeys(place for place, _ in every if place)
    columns = {**dict.fromkeys(flat, "VARCHAR"), **dict.fromkeys(nested, "JSON")}
    typed = ", ".join(f"{text(column)}: '{kind}'" for column, kind in columns.items())
    members: dict[str, list[str]] = {place: [] for place in nested}
    picked = []
    for field, names in read.items():
        values = []
        for one in names:
            place, member = split(one)
            if place:
                members[place].append(_path(member))
                values.append(_filled(f"{_members(place)}[{len(members[place])}]"))
            else:
                values.append(_filled(name(one)))
        picked.append(f"{_first(values)} AS {name(field)}")
    opened = "".join(
        f", CASE WHEN {name(place)} IS NOT NULL THEN json_extract_string({name(place)},"
        f" [{', '.join(map(text, paths))}]) END AS {_members(place)}"
        for place, paths in members.items()
    )
    return Source(
        f"SELECT CAST(NULL AS BIGINT) AS line, {', '.join(picked)} FROM (SELECT *{opened} FROM"
        f" read_json({text(str(path))}, format = 'newline_delimited', columns = {{{typed}}},"
        f" maximum_object_size = {MAX_LINE}))",
        tuple(read),
        lines=False,
        unknown_keys=keys.unknown(),
    )


def _fields_of(keys: Keys) -> dict[str, tuple[str, ...]]:
    """The fields that some line of a JSON file has, and those that all must have."""
    return {field: names for field, names in READ.items() if field in REQUIRED or keys.present(names)}


def _members(place: str) -> str:
    return f"members_of_{place}"


def numbered_json(connection: DuckDBPyConnection, path: Path) -> Source:
    """A copy that `records.copy_numbered` made: a number and a line, which need not be JSON."""
    lines = (
        f"SELECT * FROM read_csv({text(str(path))}, columns = {{'line': 'BIGINT', 'text': 'VARCHAR'}},"
        f" auto_detect = false, header = false, delim = '{records.BETWEEN}', quote = '', escape = '', nullstr = '\x01',"
        f" max_line_size = {MAX_LINE}, buffer_size = {4 * MAX_LINE})"
    )
    keys = keys_of(connection, f"SELECT CASE WHEN json_valid(text) THEN CAST(text AS JSON) END AS json FROM ({lines})")
    fields = _fields_of(keys)
    picked, at = [], 1
    for field, sources in fields.items():
        values = [_filled(f"v[{at + i}]") for i in range(len(sources))]
        picked.append(f"{_first(values)} AS {name(field)}")
        at += len(sources)
    paths = ", ".join(text(_json_path(one)) for sources in fields.values() for one in sources)
    return Source(
        f"SELECT line, readable, {', '.join(picked)} FROM (SELECT line, json_valid(text) AS readable,"
        f" CASE WHEN json_valid(text) THEN json_extract_string(text, [{paths}]) END AS v FROM ({lines}))",
        tuple(fields),
        readable="readable",
        unknown_keys=keys.unknown(),
    )


def _json_path(source: str) -> str:
    place, member = split(source)
    return _path(place) + f'."{member}"' if place else _path(member)


def _path(member: str) -> str:
    return f'$."{member}"'


def _filled(sql: str) -> str:
    return f"nullif({sql}, '')"


def _first(values: list[str]) -> str:
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def first_line(error: duckdb.Error) -> str:
    """What DuckDB says, without its hints."""
    return str(error).splitlines()[0]
