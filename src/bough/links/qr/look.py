"""How a QR code looks: the `qr_code_settings` of the API (docs/links.md).

Clients differ in types, so values are read leniently and checked strictly: the web SDK sends the whole object as a JSON
string in which every value is a string, the mobile SDKs send `PNG` in capitals, and an empty string means unset.
Keys that only Branch's dashboard draws (`frame_style`, `code_shape`) are accepted and have no effect.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec
from msgspec import Struct

from bough.errors import BadRequest

Format = Literal["png", "jpeg", "svg"]

MAX_IMAGE_BYTES = 512 * 1024
"""Of one picture, whether it comes in a data: URL or is fetched."""

MAX_IMAGE_URL = 2048
"""Characters of an http(s) picture URL."""

MIN_CONTRAST = 2.0
"""WCAG contrast ratio (1 to 21) below which scanners no longer tell the code from its background; ours."""

FORMATS: dict[str, Format] = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "svg": "svg"}

WHOLE_NUMBERS = {"width": (300, 2000), "margin": (0, 20), "code_pattern": (1, 7), "finder_pattern": (1, 3)}
"""Field -> smallest and largest value."""

COLORS = ("code_color", "background_color", "finder_pattern_color", "finder_eye_color")

IMAGES = ("center_logo_url", "background_image_url", "code_pattern_url")

FIELDS = ("image_format", *WHOLE_NUMBERS, *COLORS, *IMAGES)

_COLOR = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_DIGITS = re.compile(r"[0-9]{1,6}")
_DATA_URL = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,", re.IGNORECASE)
_MAX_DATA_URL = MAX_IMAGE_BYTES * 4 // 3 + 64


class QrSettings(Struct, frozen=True, kw_only=True):
    """A checked look. Colours are `#rrggbb`; an empty string means: as `code_color`, or no picture."""

    image_format: Format = "png"
    width: int = 512
    """Pixels of each side, margin included."""
    margin: int | None = None
    """Pixels left free on each side; None: 3 % of the width."""
    code_color: str = "#000000"
    background_color: str = "#ffffff"
    finder_pattern_color: str = ""
    """The rings in three corners."""
    finder_eye_color: str = ""
    """The dots inside the rings."""
    code_pattern: int = 1
    """1 standard, 2 squares, 3 circles, 4 triangles, 5 diamonds, 6 hexagons, 7 octagons."""
    finder_pattern: int = 1
    """1 square, 2 rounded square, 3 circle."""
    center_logo_url: str = ""
    background_image_url: str = ""
    code_pattern_url: str = ""
    """A picture that shows through the code in place of a flat `code_color`."""

    @property
    def free_edge(self) -> int:
        """The margin in pixels, the default worked out."""
        return round(self.width * 0.03) if self.margin is None else self.margin


DEFAULT = QrSettings()

MAX_KEPT_BYTES = 16 * 1024
"""Of the JSON that is kept with a link: it is read at every first click."""


def parse_settings(raw: object, base: QrSettings = DEFAULT) -> QrSettings:
    """`qr_code_settings` as a client sent it (object, JSON text of one, or None), laid over `base`.

    Raises BadRequest naming `qr_code_settings.<field>` for a value outside the documented limits, and when the colours
    are too alike for a scanner.
    """
    given = _as_object(raw)
    found: dict[str, object] = {}
    for field, value in given.items():
        if value is None or value == "":
            continue
        if field in WHOLE_NUMBERS:
            found[field] = _whole_number(field, value)
        elif field in COLORS:
            found[field] = _color(field, value)
        elif field in IMAGES:
            found[field] = _image(field, value)
        elif field == "image_format":
            found[field] = _format(value)
    settings = msgspec.structs.replace(base, **found)
    _check_contrast(settings)
    return settings


def kept_settings(raw: object) -> str | None:
    """`qr_code_settings` as they are kept with a link: JSON of what differs from the usual look; None: nothing does.

    Raises BadRequest as `parse_settings`, and for more than MAX_KEPT_BYTES.
    """
    text = kept_text(parse_settings(raw))
    if text is not None and len(text) > MAX_KEPT_BYTES:
        raise BadRequest("qr_code_settings must have at most 16 KB of JSON; name pictures by their http(s) URLs")
    return text


def kept_text(settings: QrSettings) -> str | None:
    """A look as JSON of what differs from the usual one; None: nothing does. `parse_settings` reads it back."""
    given = {field: getattr(settings, field) for field in FIELDS}
    own = {field: value for field, value in given.items() if value != getattr(DEFAULT, field)}
    return msgspec.json.encode(own).decode() if own else None


def rgb(color: str) -> tuple[int, int, int]:
    """`#rrggbb` as three numbers of 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _as_object(raw: object) -> dict[str, object]:
    if raw is None or raw == "":
        return {}
    if isinstance(raw, str):
        try:
            raw = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            raise BadRequest("qr_code_settings must be an object or the JSON text of one") from None
    if not isinstance(raw, dict):
        raise BadRequest("qr_code_settings must be an object or the JSON text of one")
    return raw


def _whole_number(field: str, value: object) -> int:
    low, high = WHOLE_NUMBERS[field]
    number: int | None = None
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    if number is None or not low <= number <= high:
        raise BadRequest(f"qr_code_settings.{field} must be a whole number from {low} to {high}")
    return number


def _color(field: str, value: object) -> str:
    match = _COLOR.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise BadRequest(f"qr_code_settings.{field} must be a hex colour such as #1a7f4b")
    digits = match[1].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def _format(value: object) -> Format:
    name = value.strip().lower() if isinstance(value, str) else ""
    if name not in FORMATS:
        raise BadRequest(f"qr_code_settings.image_format must be one of {', '.join(FORMATS)}")
    return FORMATS[name]


def _image(field: str, value: object) -> str:
    if isinstance(value, str):
        url = value.strip()
        if _DATA_URL.match(url):
            if len(url) > _MAX_DATA_URL:
                raise BadRequest(f"qr_code_settings.{field} must hold at most {MAX_IMAGE_BYTES} bytes")
            return url
        if url.lower().startswith(("http://", "https://")) and len(url) <= MAX_IMAGE_URL:
            return url
    raise BadRequest(
        f"qr_code_settings.{field} must be an http(s) URL of at most {MAX_IMAGE_URL} characters"
        " or a base64 data: URL of a PNG, JPEG, GIF or WebP picture"
    )


def _check_contrast(settings: QrSettings) -> None:
    background = _luminance(settings.background_color)
    for field in ("code_color", "finder_pattern_color", "finder_eye_color"):
        light, dark = sorted((_luminance(getattr(settings, field) or settings.code_color), background), reverse=True)
        if (light + 0.05) / (dark + 0.05) < MIN_CONTRAST:
            raise BadRequest(f"qr_code_settings.{field} is too close to the background_color to be read by a scanner")


def _luminance(color: str) -> float:
    """WCAG relative luminance, 0 to 1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in rgb(color))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
