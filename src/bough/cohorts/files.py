"""An `Answer` -> the bytes of its file: CSV, JSON, NDJSON, Parquet (docs/exports.md)."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from msgspec.json import Encoder

from bough.cohorts.numbers import money, shown
from bough.cohorts.request import CohortRequest
from bough.cohorts.result import Answer, AnswerRow, has_interval

CONTENT_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_ENCODER: Final = Encoder()


def extension(request: CohortRequest) -> str:
    """The file name's ending."""
    return request.format + (".gz" if request.compress else "")


def file_bytes(answer: Answer) -> bytes:
    """The whole file; the same answer always gives the same bytes, except for Parquet's own header."""
    if answer.request.format == "parquet":
        return _parquet(answer)
    writers = {"csv": csv_lines, "json": _json, "ndjson": _ndjson}
    body = b"".join(writers[answer.request.format](answer))
    return gzip.compress(body, mtime=0) if answer.request.compress else body


def band_names(request: CohortRequest) -> list[str]:
    """day0 …, week0 … or month0 …"""
    return [f"{request.granularity}{band}" for band in range(request.band_count)]


# --- JSON -------------------------------------------------------------------------------------------------------


def json_object(answer: Answer, row: AnswerRow, names: list[str]) -> dict[str, Any]:
    """One object with the keys in the documented order; extensions come last."""
    request, item = answer.request, row.item
    found: dict[str, Any] = {
        "users": item.users,
        "cost": None if item.cost is None else money(item.cost),
        "metric": row.measure.metric_of(answer.asked),
        "measure": row.measure.name,
        "per_user": request.per_user,
        "cumulative": request.cumulative,
        "data": {
            name: None if cell is None else shown(cell)
            for band, (name, cell) in enumerate(zip(names, row.cells, strict=True))
            if request.incomplete_bands != "omit" or item.started(band)
        },
        **dict(zip(request.dimensions, item.values, strict=True)),
    }
    if request.observable_users:
        found["observable_users"] = dict(zip(names, item.observable_users(), strict=True))
    if request.band_status:
        found["band_status"] = {name: item.status(band) for band, name in enumerate(names)}
    if has_interval(request, row.measure):
        found["retention_interval"] = {name: row.interval(band) for band, name in enumerate(names)}
    return found


def _json(answer: Answer) -> Iterator[bytes]:
    names = band_names(answer.request)
    yield b"["
    for number, row in enumerate(answer.objects()):
        yield (b",\n" if number else b"") + _ENCODER.encode(json_object(answer, row, names))
    yield b"]\n"


def _ndjson(answer: Answer) -> Iterator[bytes]:
    names = band_names(answer.request)
    for row in answer.objects():
        yield _ENCODER.encode(json_object(answer, row, names)) + b"\n"


# --- CSV --------------------------------------------------------------------------------------------------------


def csv_columns(request: CohortRequest) -> list[str]:
    """The header: the documented columns, then those of the extensions."""
    names = band_names(request)
    columns = ["measure", "metric", "per_user", "cumulative", "users", "cost", *request.dimensions, *names]
    if request.observable_users:
        columns += [f"observable_users_{name}" for name in names]
    if request.band_status:
        columns += [f"band_status_{name}" for name in names]
    if request.interval:
        columns += [f"retention_{side}_{name}" for side in ("low", "high") for name in names]
    return columns


def csv_lines(answer: Answer) -> Iterator[bytes]:
    """Header and one line per object; UTF-8, RFC 4180 quoting, "\\n", null is an empty field."""
    request = answer.request
    yield _line(csv_columns(request))
    flags = ["true" if flag else "false" for flag in (request.per_user, request.cumulative)]
    safe = _harmless if request.neutralize_formulas and request.format == "csv" else str
    for row in answer.objects():
        item = row.item
        fields = [safe(row.measure.name), row.measure.metric_of(answer.asked), *flags, str(item.users)]
        fields.append("" if item.cost is None else money(item.cost))
        fields += ["" if value is None else safe(value) for value in item.values]
        fields += ["" if cell is None else str(shown(cell)) for cell in row.cells]
        yield _line(fields + _extra_fields(answer, row))


def _extra_fields(answer: Answer, row: AnswerRow) -> list[str]:
    request, bands = answer.request, range(answer.request.band_count)
    fields: list[str] = []
    if request.observable_users:
        fields += map(str, row.item.observable_users())
    if request.band_status:
        fields += [row.item.status(band) for band in bands]
    if request.interval:
        found = [row.interval(band) if has_interval(request, row.measure) else None for band in bands]
        fields += ["" if pair is None else pair[side] for side in (0, 1) for pair in found]
    return fields


def _line(fields: list[str]) -> bytes:
    return (",".join(map(_quoted, fields)) + "\n").encode()


def _quoted(field: str) -> str:
    if any(mark in field for mark in ',"\r\n'):
        return '"' + field.replace('"', '""') + '"'
    return field


def _harmless(value: str) -> str:
    """A text that a spreadsheet would run as a formula gets an apostrophe in front."""
    return "'" + value if value.startswith(_FORMULA) else value


# --- Parquet ----------------------------------------------------------------------------------------------------


def _parquet(answer: Answer) -> bytes:
    """The CSV's columns; users as integer, flags as booleans, every other value as the same digits in text."""
    import duckdb  # only here: every worker loads this module, and none of them opens a database of its own

    kinds = {"per_user": "BOOLEAN", "cumulative": "BOOLEAN", "users": "BIGINT"}
    columns = {name: kinds.get(name, "VARCHAR") for name in csv_columns(answer.request)}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "rows.csv", Path(folder) / "rows.parquet"
        source.write_bytes(b"".join(csv_lines(answer)))
        connection = duckdb.connect(":memory:")
        try:
            relation = connection.read_csv(
                str(source), header=True, dtype=columns, delimiter=",", quotechar='"', escapechar='"', strict_mode=True
            )
            relation.write_parquet(str(target), compression="zstd")
        finally:
            connection.close()
        return target.read_bytes()
