"""A QR code's shapes as SVG."""

from __future__ import annotations

import base64
import io
from html import escape

from PIL import Image

from bough.links.qr.images import Pictures, fitted, toned
from bough.links.qr.look import QrSettings
from bough.links.qr.shapes import Box, Drawing, Polygon, Ring, Shape

MAX_SIDE = 1000
"""Pixels of an embedded picture's side; more only makes the file larger."""


def paint(drawing: Drawing, settings: QrSettings, pictures: Pictures, title: str = "") -> str:
    """The code as one `<svg>` element; `title`, if any, is what a screen reader says. Pictures are embedded."""
    width, edge = settings.width, settings.free_edge
    scale = _number((width - 2 * edge) / drawing.size)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{width}" viewBox="0 0 {width} {width}"'
        + (f' role="img"><title>{escape(title)}</title>' if title else ">"),
        f'<rect width="{width}" height="{width}" fill="{settings.background_color}"/>',
    ]
    if pictures.background is not None:
        picture = _data_url(toned(pictures.background, min(width, MAX_SIDE), settings.background_color))
        parts.append(f'<image width="{width}" height="{width}" href="{picture}"/>')
    parts.append(f'<g transform="translate({edge} {edge}) scale({scale})">')
    for layer in drawing.layers:
        path = f'<path fill="{layer.color}" fill-rule="evenodd" d="{"".join(map(_path, layer.shapes))}"/>'
        if pictures.pattern is not None and layer.pictured:
            size, picture = drawing.size, _data_url(toned(pictures.pattern, min(width, MAX_SIDE), layer.color))
            parts.append(f'<clipPath id="code">{path}</clipPath>')
            parts.append(f'<image width="{size}" height="{size}" clip-path="url(#code)" href="{picture}"/>')
        else:
            parts.append(path)
    parts.extend(_logo(drawing, settings, pictures))
    parts.append("</g></svg>")
    return "".join(parts)


def _logo(drawing: Drawing, settings: QrSettings, pictures: Pictures) -> tuple[str, ...]:
    hole, logo = drawing.hole, pictures.logo
    if hole is None or logo is None:
        return ()
    side = hole.width - 1
    where = f'x="{_number(hole.x + 0.5)}" y="{_number(hole.y + 0.5)}" width="{_number(side)}" height="{_number(side)}"'
    return (
        f'<path fill="{settings.background_color}" d="{_box_path(hole)}"/>',
        f'<image {where} href="{_data_url(fitted(logo, min(MAX_SIDE, max(logo.size))))}"/>',
    )


def _path(shape: Shape) -> str:
    if isinstance(shape, Polygon):
        return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in shape.points) + "z"
    if isinstance(shape, Ring):
        return _box_path(shape.outer) + _box_path(shape.inner)
    return _box_path(shape)


def _box_path(box: Box) -> str:
    r = box.radius
    across, down = _number(box.width - 2 * r), _number(box.height - 2 * r)
    start = f"M{_number(box.x + r)} {_number(box.y)}h{across}"
    if not r:
        return f"{start}v{down}h-{across}z"
    arc = f"a{_number(r)} {_number(r)} 0 0 1 "
    step = _number(r)
    return (
        f"{start}{arc}{step} {step}v{down}{arc}-{step} {step}h-{across}{arc}-{step} -{step}v-{down}{arc}{step} -{step}z"
    )


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _data_url(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
