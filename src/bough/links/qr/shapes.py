"""What a QR code is drawn with: shapes in module units, before anyone decides on pixels or paths.

(0, 0) is the top left corner of the code, one unit is one module. Both painters (`qr_raster`, `qr_svg`) take the same
shapes, so that a PNG and an SVG of the same settings show the same picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from msgspec import Struct

from bough.links.qr.look import QrSettings

Point = tuple[float, float]
Matrix = Sequence[Sequence[int]]
"""Rows of modules, 1 for dark."""

FINDER = 7
"""Modules of a finder pattern's side: a ring of one module, a gap of one, an eye of three."""


class Polygon(Struct, frozen=True):
    points: tuple[Point, ...]


class Box(Struct, frozen=True):
    """A rounded box. `radius` 0 gives sharp corners, half of the sides' length a circle."""

    x: float
    y: float
    width: float
    height: float
    radius: float = 0.0


class Ring(Struct, frozen=True):
    outer: Box
    inner: Box


Shape = Polygon | Box | Ring


class Layer(Struct, frozen=True, kw_only=True):
    """Shapes of one colour (`#rrggbb`)."""

    shapes: tuple[Shape, ...]
    color: str
    pictured: bool = False
    """Whether a pattern picture, if there is one, shows through these shapes."""


class Drawing(Struct, frozen=True, kw_only=True):
    """A whole code."""

    size: int
    """Modules of each side."""
    layers: tuple[Layer, ...]
    hole: Box | None = None
    """The square in the middle that stays free for a logo."""


def _regular(corners: int, turn: float) -> tuple[Point, ...]:
    """The corners of a regular polygon that fits a module; `turn` in corners."""
    angles = (2 * math.pi * (corner + turn) / corners for corner in range(corners))
    return tuple((0.5 + 0.5 * math.cos(angle), 0.5 + 0.5 * math.sin(angle)) for angle in angles)


_POLYGONS: dict[int, tuple[Point, ...]] = {
    4: ((0.5, 0.0), (1.0, 1.0), (0.0, 1.0)),
    5: ((0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5)),
    6: _regular(6, 0.0),
    7: _regular(8, 0.5),
}
"""`code_pattern` -> the corners inside one module."""

_BOXES: dict[int, Box] = {2: Box(0.08, 0.08, 0.84, 0.84), 3: Box(0.03, 0.03, 0.94, 0.94, 0.47)}

_FINDER_RADIUS = {1: 0.0, 2: 0.28, 3: 0.5}
"""`finder_pattern` -> corner radius as a share of the side."""


def draw(matrix: Matrix, settings: QrSettings, logo: bool) -> Drawing:
    """The shapes of `matrix`. With `logo`, a square of a quarter of each side stays free in the middle.

    That square covers some 6 % of the code; error correction level H restores 30 %.
    """
    size = len(matrix)
    hole = _hole(size) if logo else None
    share = _FINDER_RADIUS[settings.finder_pattern]
    corners = ((0, 0), (size - FINDER, 0), (0, size - FINDER))
    rings = tuple(Ring(_square(x, y, 7, share), _square(x + 1, y + 1, 5, share)) for x, y in corners)
    eyes = tuple(_square(x + 2, y + 2, 3, share) for x, y in corners)
    layers = (
        Layer(shapes=tuple(_code(matrix, settings.code_pattern, hole)), color=settings.code_color, pictured=True),
        Layer(shapes=rings, color=settings.finder_pattern_color or settings.code_color),
        Layer(shapes=eyes, color=settings.finder_eye_color or settings.code_color),
    )
    return Drawing(size=size, layers=layers, hole=hole)


def _square(x: float, y: float, side: float, share: float) -> Box:
    return Box(x, y, side, side, side * share)


def _hole(size: int) -> Box:
    side = int(size * 0.25)
    side -= (size - side) % 2  # centred on whole modules
    return Box((size - side) / 2, (size - side) / 2, side, side)


def _code(matrix: Matrix, pattern: int, hole: Box | None) -> Iterator[Shape]:
    """The dark modules outside the finder patterns and the hole. Standard ones are joined along each row."""
    for y, row in enumerate(matrix):
        dark = [x for x, module in enumerate(row) if module and not _kept_free(x, y, len(matrix), hole)]
        if pattern == 1:
            yield from (Box(start, y, length, 1) for start, length in _runs(dark))
        elif pattern in _BOXES:
            cell = _BOXES[pattern]
            yield from (Box(x + cell.x, y + cell.y, cell.width, cell.height, cell.radius) for x in dark)
        else:
            yield from (Polygon(tuple((x + px, y + py) for px, py in _POLYGONS[pattern])) for x in dark)


def _kept_free(x: int, y: int, size: int, hole: Box | None) -> bool:
    near = size - FINDER
    if (y < FINDER and (x < FINDER or x >= near)) or (y >= near and x < FINDER):
        return True
    return hole is not None and hole.x <= x < hole.x + hole.width and hole.y <= y < hole.y + hole.height


def _runs(columns: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring columns as (first, how many)."""
    start = 0
    for index in range(1, len(columns) + 1):
        if index == len(columns) or columns[index] != columns[index - 1] + 1:
            yield columns[start], index - start
            start = index
