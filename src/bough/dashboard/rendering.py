"""How a page becomes bytes: templates compiled once, everything escaped, and headers that let nothing foreign in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from bough.dashboard import formats
from bough.dashboard.cells import cells
from bough.web import pages, static

HEADERS = {**pages.HEADERS, "Vary": "HX-Request"}
"""Of every page."""

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_environment.filters.update(
    number=formats.number,
    compact=formats.compact,
    money=formats.money,
    moment=formats.moment,
    time=formats.time_element,
    clock=formats.clock,
    age=formats.age,
    day=formats.day,
    cut=formats.cut,
    sparkline=formats.sparkline,
)
_environment.globals.update(
    cells=cells, static=static.address, change=formats.change, bar=formats.bar, highlighted=formats.highlighted
)


def render(template: str, **values: Any) -> str:
    """The text of a template (a file of templates/)."""
    return _environment.get_template(template).render(values)


def html(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A page or a part of one as an answer."""
    return Response(text.encode("utf-8", "replace"), status, {**HEADERS, **(headers or {})})
