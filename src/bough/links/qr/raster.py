"""A QR code's shapes as pixels."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from bough.links.qr.images import Pictures, fitted, toned
from bough.links.qr.look import QrSettings, rgb
from bough.links.qr.shapes import Box, Drawing, Layer, Polygon, Ring, Shape


def paint(drawing: Drawing, settings: QrSettings, pictures: Pictures) -> Image.Image:
    """The code as an RGB image of `settings.width` pixels square."""
    edge = settings.free_edge
    area = settings.width - 2 * edge
    image = Image.new("RGB", (settings.width, settings.width), rgb(settings.background_color))
    if pictures.background is not None:
        image = toned(pictures.background, settings.width, settings.background_color)
    for layer in _merged(drawing.layers, pictured=pictures.pattern is not None):
        mask = _mask(layer.shapes, drawing.size, area)
        if pictures.pattern is not None and layer.pictured:
            image.paste(toned(pictures.pattern, area, layer.color), (edge, edge), mask)
        else:
            image.paste(rgb(layer.color), (edge, edge, edge + area, edge + area), mask)
    if pictures.logo is not None and drawing.hole is not None:
        _paste_logo(image, pictures.logo, drawing.hole, edge, area / drawing.size, settings.background_color)
    return image


def _merged(layers: Sequence[Layer], pictured: bool) -> list[Layer]:
    """Layers of one ink as one, since each costs a mask of the whole picture."""
    by_ink: dict[tuple[str, bool], tuple[Shape, ...]] = {}
    for layer in layers:
        ink = (layer.color, layer.pictured and pictured)
        by_ink[ink] = by_ink.get(ink, ()) + layer.shapes
    return [Layer(shapes=shapes, color=color, pictured=shown) for (color, shown), shapes in by_ink.items()]


def _mask(shapes: Sequence[Shape], size: int, area: int) -> Image.Image:
    """Where ink goes, `area` pixels square: drawn at a multiple of the size on whole modules, then averaged down."""
    factor = max(2, min(4, 2400 // area))
    module = -(-area * factor // size)
    mask = Image.new("L", (module * size, module * size))
    pen = ImageDraw.Draw(mask)
    for shape in shapes:
        _fill(pen, shape, module)
    return mask.resize((area, area), Image.Resampling.BOX)


def _fill(pen: ImageDraw.ImageDraw, shape: Shape, module: int) -> None:
    if isinstance(shape, Polygon):
        pen.polygon([(x * module, y * module) for x, y in shape.points], fill=255)
    elif isinstance(shape, Ring):
        _fill_box(pen, shape.outer, module, 255)
        _fill_box(pen, shape.inner, module, 0)
    else:
        _fill_box(pen, shape, module, 255)


def _fill_box(pen: ImageDraw.ImageDraw, box: Box, module: int, value: int) -> None:
    left, top = round(box.x * module), round(box.y * module)
    right, bottom = round((box.x + box.width) * module) - 1, round((box.y + box.height) * module) - 1
    if box.radius:
        pen.rounded_rectangle((left, top, right, bottom), box.radius * module, fill=value)
    else:
        pen.rectangle((left, top, right, bottom), fill=value)


def _paste_logo(image: Image.Image, logo: Image.Image, hole: Box, edge: int, module: float, color: str) -> None:
    """`logo` whole, centred in the hole with half a module of air."""
    left, side = edge + hole.x * module, hole.width * module
    image.paste(rgb(color), (round(left), round(left), round(left + side), round(left + side)))
    small = fitted(logo, max(1, round(side - module)))
    centre = left + side / 2
    image.paste(small, (round(centre - small.width / 2), round(centre - small.height / 2)), small)
