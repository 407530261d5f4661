"""QR codes of links as PNG, JPEG or SVG (docs/links.md).

The matrix comes from segno; shapes, colours, margin and pictures are ours. Rendering is CPU work of some ten
milliseconds: call it from a thread.
"""

from __future__ import annotations

import io
from functools import lru_cache

import segno
from segno.encoder import DataOverflowError

from bough.errors import BadRequest
from bough.links.qr import raster, svg
from bough.links.qr.images import FetchImage, Pictures, load_pictures
from bough.links.qr.look import DEFAULT, QrSettings
from bough.links.qr.shapes import Drawing, Matrix, draw

CONTENT_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "svg": "image/svg+xml"}

MIN_MODULE = 3.0
"""Pixels per module below which phones no longer read a raster code from a screen."""


def render(url: str, settings: QrSettings = DEFAULT, fetch_image: FetchImage | None = None) -> tuple[bytes, str]:
    """The picture and its content type. With a logo, the code carries error correction level H.

    `fetch_image` gets the http(s) picture URLs of the settings; without it only data: URLs work. Raises BadRequest when
    a picture cannot be had, or when `url` is too long for a code (of this width).
    """
    pictures = load_pictures(settings, fetch_image)
    drawing = _drawing(url, settings, logo=pictures.logo is not None)
    if settings.image_format == "svg":
        return svg.paint(drawing, settings, pictures).encode(), CONTENT_TYPES["svg"]
    if (settings.width - 2 * settings.free_edge) / drawing.size < MIN_MODULE:
        raise BadRequest("qr_code_settings.width is too small for a link of this length")
    image = raster.paint(drawing, settings, pictures)
    buffer = io.BytesIO()
    if settings.image_format == "jpeg":
        image.save(buffer, "JPEG", quality=90, subsampling=0)
    else:
        image.save(buffer, "PNG")
    return buffer.getvalue(), CONTENT_TYPES[settings.image_format]


@lru_cache(maxsize=512)
def inline_svg(url: str, title: str, settings: QrSettings = DEFAULT) -> str:
    """An `<svg>` element for use inside HTML; `title` is what a screen reader says. Pictures are left out.

    Cached, since a page shows the same link again and again. Raises BadRequest when `url` is too long for a code.
    """
    return svg.paint(_drawing(url, settings, logo=False), settings, Pictures(), title)


@lru_cache(maxsize=512)
def _matrix(url: str, error: str) -> Matrix:
    """Cached because segno takes milliseconds, and one link's code is often drawn in several looks."""
    try:
        code = segno.make_qr(url, error=error, encoding="utf-8", boost_error=True)
    except DataOverflowError:
        raise BadRequest("This link is too long for a QR code.") from None
    return tuple(bytes(row) for row in code.matrix)


def _drawing(url: str, settings: QrSettings, logo: bool) -> Drawing:
    return draw(_matrix(url, "h" if logo else "m"), settings, logo)
