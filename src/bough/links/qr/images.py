"""The pictures a customer may put into a QR code: a logo, a background, a pattern.

Whatever arrives is decoded and drawn anew; no byte of the original reaches the answer.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable

from msgspec import Struct
from PIL import Image, ImageOps, UnidentifiedImageError

from bough.errors import BadRequest
from bough.links.qr.look import MAX_IMAGE_BYTES, QrSettings, rgb

FetchImage = Callable[[str], bytes]
"""Gives the bytes at an http(s) URL or raises BadRequest; `bough.web.fetch.fetch_public` with its limits set."""

TONE = 0.65
"""How much of the flat colour is mixed into a background or pattern picture, so that dark stays apart from light."""

MAX_PIXELS = 9_000_000
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


class Pictures(Struct, frozen=True, kw_only=True):
    """The decoded pictures of one code, RGBA."""

    logo: Image.Image | None = None
    background: Image.Image | None = None
    pattern: Image.Image | None = None


def load_pictures(settings: QrSettings, fetch_image: FetchImage | None) -> Pictures:
    """All pictures that `settings` name. Raises BadRequest naming the field when one cannot be had or read."""
    return Pictures(
        logo=_load("center_logo_url", settings.center_logo_url, fetch_image),
        background=_load("background_image_url", settings.background_image_url, fetch_image),
        pattern=_load("code_pattern_url", settings.code_pattern_url, fetch_image),
    )


def _load(field: str, url: str, fetch_image: FetchImage | None) -> Image.Image | None:
    if not url:
        return None
    try:
        return _decode(_content(url, fetch_image))
    except BadRequest as error:
        raise BadRequest(f"qr_code_settings.{field} {error.message}") from None


def _content(url: str, fetch_image: FetchImage | None) -> bytes:
    if url[:5].lower() == "data:":
        try:
            content = base64.b64decode(url.partition(",")[2], validate=True)
        except (binascii.Error, ValueError):
            raise BadRequest("is not valid base64") from None
    elif fetch_image is None:
        raise BadRequest("cannot be fetched: this server fetches no pictures; send a data: URL instead")
    else:
        content = fetch_image(url)
    if len(content) > MAX_IMAGE_BYTES:
        raise BadRequest(f"must hold at most {MAX_IMAGE_BYTES} bytes")
    return content


def _decode(content: bytes) -> Image.Image:
    """The first frame, upright, as RGBA. The pixel count is checked before any pixel is decoded."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise BadRequest(f"must have at most {MAX_PIXELS} pixels")
            return ImageOps.exif_transpose(image).convert("RGBA")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadRequest(f"must have at most {MAX_PIXELS} pixels") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):  # what Pillow's decoders raise
        raise BadRequest("is not a PNG, JPEG, GIF or WebP picture that can be read") from None


def toned(picture: Image.Image, side: int, color: str) -> Image.Image:
    """`picture` cropped to a square of `side` pixels, over and mixed with `color` (see TONE)."""
    flat = Image.new("RGB", (side, side), rgb(color))
    square = _square_of(picture, side)
    over = flat.copy()
    over.paste(square, (0, 0), square)
    return Image.blend(over, flat, TONE)


def _square_of(picture: Image.Image, side: int) -> Image.Image:
    short = min(picture.size)
    left, top = (picture.width - short) // 2, (picture.height - short) // 2
    return picture.resize((side, side), Image.Resampling.LANCZOS, box=(left, top, left + short, top + short))


def fitted(logo: Image.Image, side: int) -> Image.Image:
    """`logo` scaled so that its longer side is `side` pixels."""
    scale = side / max(logo.size)
    return logo.resize(
        (max(1, round(logo.width * scale)), max(1, round(logo.height * scale))), Image.Resampling.LANCZOS
    )
