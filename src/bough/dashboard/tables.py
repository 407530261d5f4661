"""Tables of pages, and their twins: the same rows as CSV and as JSON at the page's own address."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct
from starlette.responses import Response

from bough.accounts.call import Call
from bough.dashboard import formats
from bough.errors import BadRequest, NotFound
from bough.vocabulary.ids import iso_time
from bough.web import pages

Kind = Literal["text", "long", "number", "money", "share", "time", "day", "code", "tags", "pairs"]
Form = Literal["html", "csv", "json"]

FORMS: tuple[Form, ...] = ("html", "csv", "json")


class Column(Struct, frozen=True, kw_only=True):
    """One column: the row's key, the heading, and how its values are written."""

    name: str
    label: str
    kind: Kind = "text"
    href: str = ""
    """The row's key that holds the address which a value leads to."""
    bars: bool = False
    """Whether a bar shows its size within the column."""


class PageTable(Struct, kw_only=True):
    """Rows and what they mean. Times are epoch ms, days days since 1970, money millionths of a dollar."""

    name: str
    """`?table=` of a page with several."""
    caption: str
    columns: Sequence[Column]
    rows: Sequence[dict[str, Any]]
    empty: str
    """What to do when there is none."""
    document: Any = None
    """Its JSON form, when that is an operation's own answer; else the rows."""

    @property
    def is_list(self) -> bool:
        """Whether a row is about one thing, and reads better as a block than as a line on a narrow screen."""
        wide = [column for column in self.columns if column.kind not in ("number", "money", "share")]
        return len(wide) > 2 and self.columns[0].kind != "day"


def wanted_form(call: Call) -> Form:
    """`?format=` or the Accept header. Raises BadRequest for a form that pages do not have."""
    asked = call.query("format")
    if asked is not None:
        for form in FORMS:
            if asked == form:
                return form
        raise BadRequest(f"format: must be one of {', '.join(FORMS)}.")
    accepted = call.header("accept") or ""
    if "text/html" in accepted:
        return "html"
    if "application/json" in accepted:
        return "json"
    return "csv" if "text/csv" in accepted else "html"


def twin(call: Call, form: Form, tables: Sequence[PageTable]) -> Response:
    """One table of a page as CSV or JSON: that of `?table=`, else the first. Raises NotFound when there is none."""
    name = call.query("table")
    table = next((one for one in tables if name in (None, one.name)), None)
    if table is None:
        raise NotFound
    headers = {name: pages.HEADERS[name] for name in ("X-Content-Type-Options", "Cache-Control")}
    if form == "json":
        return Response(json_bytes(table), 200, headers, "application/json")
    headers["Content-Disposition"] = f'attachment; filename="{table.name}.csv"'
    return Response(csv_bytes(table), 200, headers, "text/csv; charset=utf-8")


def json_bytes(table: PageTable) -> bytes:
    """The table as JSON."""
    if table.document is not None:
        return msgspec.json.encode(table.document)
    names = [column.name for column in table.columns]
    rows = [{name: _plain(column, row.get(name)) for name, column in zip(names, table.columns, strict=True)}
            for row in table.rows]  # fmt: skip
    return msgspec.json.encode({"rows": rows})


def csv_bytes(table: PageTable) -> bytes:
    """The table as CSV: a header line, UTF-8, RFC 4180 quoting, "\\n"; a missing value is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    for row in table.rows:
        writer.writerow([_field(_plain(column, row.get(column.name))) for column in table.columns])
    return text.getvalue().encode("utf-8", "replace")


def _plain(column: Column, value: Any) -> Any:
    """Exact values in the units of the API: dollars as decimal text, times as ISO 8601, days as dates."""

    if value is None:
        return None
    if column.kind == "money" and isinstance(value, int):
        return f"{'-' if value < 0 else ''}{abs(value) // 1_000_000}.{abs(value) % 1_000_000:06}"
    if column.kind == "time" and isinstance(value, int):
        return iso_time(value)
    if column.kind == "day" and isinstance(value, int):
        return formats.day(value)
    return value


def _field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    return str(value)
