"""Cells of tables as HTML. A page can have thousands of them, so they are made here and not by a template."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from bough.dashboard import formats
from bough.dashboard.tables import Column, PageTable

MISSING = Markup('<span class="missing" title="not known">–</span>')
MAX_TAGS = 8
SHOWN = 160
"""Characters of one value."""

EMPTY: tuple[Any, ...] = (None, "", [], {})
_CELL = Markup('<td class="{}" data-label="{}">{}</td>')
"""The label is the heading again, for narrow screens, where rows read as blocks."""
_LINK = Markup('<a href="{}">{}</a>')
_TAG = Markup('<span class="tag">{}</span>')
_CODE = Markup("<code>{}</code>")
_PAIR = Markup('<span class="pair"><span class="muted">{}</span> {}</span> ')


def cells(table: PageTable, row: dict[str, Any], timezone: str) -> Markup:
    """The `<td>` elements of one row."""
    return Markup("").join(_cell(table, column, row, timezone) for column in table.columns)


def _cell(table: PageTable, column: Column, row: dict[str, Any], timezone: str) -> Markup:
    value = row.get(column.name)
    shown = MISSING if value in EMPTY else _shown(column, value, timezone)
    if column.bars and isinstance(value, int):
        most = max(one.get(column.name) or 0 for one in table.rows)
        return _CELL.format(f"{column.kind} bars", column.label, shown + formats.bar(value, most))
    if column.href and row.get(column.href):
        shown = _LINK.format(row[column.href], shown)
    return _CELL.format(column.kind, column.label, shown)


def _shown(column: Column, value: Any, timezone: str) -> Markup:
    kind = column.kind
    if kind == "number" and isinstance(value, int):
        return escape(formats.number(value))
    if kind == "money" and isinstance(value, int):
        return escape(formats.money(value))
    if kind == "time":
        return formats.time_element(value, timezone)
    if kind == "day" and isinstance(value, int):
        return escape(formats.day(value))
    if kind == "tags":
        shown = Markup("").join(_TAG.format(formats.cut(one, 40)) for one in value[:MAX_TAGS])
        return shown + (f" +{len(value) - MAX_TAGS}" if len(value) > MAX_TAGS else "")
    if kind == "pairs":
        told = {name: one for name, one in value.items() if one not in EMPTY}
        return Markup("").join(_PAIR.format(_called(name), formats.cut(one, SHOWN)) for name, one in told.items())
    text = formats.cut(value, SHOWN)
    return _CODE.format(text) if kind == "code" else escape(text)


def _called(name: str) -> str:
    """A key as words: tilde_campaign is the campaign."""
    return formats.cut(name.removeprefix("tilde_").replace("_", " "), 40)
