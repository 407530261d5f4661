"""Every picture that leaves `render` is read back with a real decoder."""

from __future__ import annotations

import base64
import io
import zlib
from typing import Any

import pytest
import resvg_py
import zxingcpp
from PIL import Image

from bough.errors import BadRequest
from bough.links.qr.code import inline_svg, render
from bough.links.qr.look import parse_settings

URL = "https://example.test-app.link/WgiqvsepqF"
LONGER = "https://links.example.com/5NPh/product/id1234?channel=poster&~campaign=spring%20sale&x=" + "y" * 60


def picture(content: bytes, content_type: str) -> Image.Image:
    if content_type == "image/svg+xml":
        content = bytes(resvg_py.svg_to_bytes(svg_string=content.decode(), skip_system_fonts=True))
    return Image.open(io.BytesIO(content)).convert("RGB")


def read(content: bytes, content_type: str) -> str:
    found = zxingcpp.read_barcode(picture(content, content_type))
    return found.text if found else ""


def data_url(image: Image.Image, format_: str = "PNG") -> str:
    buffer = io.BytesIO()
    image.save(buffer, format_)
    return f"data:image/{format_.lower()};base64," + base64.b64encode(buffer.getvalue()).decode()


def checks(side: int, first: str, second: str) -> Image.Image:
    """A picture that is as hard to print a code over as any."""
    small = Image.new("RGB", (2, 2), first)
    for place in ((0, 0), (1, 1)):
        small.paste(second, (*place, place[0] + 1, place[1] + 1))
    return small.resize((side, side), Image.Resampling.NEAREST)


@pytest.mark.parametrize("finder_pattern", [1, 2, 3])
@pytest.mark.parametrize("code_pattern", range(1, 8))
@pytest.mark.parametrize("image_format", ["png", "jpeg", "svg"])
def test_every_pattern_in_every_format_reads_as_the_exact_url(
    image_format: str, code_pattern: int, finder_pattern: int
) -> None:
    look = {"image_format": image_format, "code_pattern": code_pattern, "finder_pattern": finder_pattern, "width": 300}
    for url in (URL, LONGER):
        assert read(*render(url, parse_settings(look))) == url


@pytest.mark.parametrize("width", [300, 301, 777, 2000])
@pytest.mark.parametrize("image_format", ["png", "jpeg", "svg"])
def test_the_picture_has_the_width_asked_for(width: int, image_format: str) -> None:
    content, content_type = render(URL, parse_settings({"width": width, "image_format": image_format}))
    assert picture(content, content_type).size == (width, width)
    assert content_type == {"png": "image/png", "jpeg": "image/jpeg", "svg": "image/svg+xml"}[image_format]
    assert content.startswith({"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff", "svg": b"<svg "}[image_format])


@pytest.mark.parametrize("image_format", ["png", "svg"])
@pytest.mark.parametrize("margin", [0, 1, 20])
def test_the_margin_is_free_and_the_code_starts_right_after_it(margin: int, image_format: str) -> None:
    image = picture(*render(URL, parse_settings({"margin": margin, "width": 600, "image_format": image_format})))
    background = Image.new("RGB", image.size, "#ffffff")
    corner = [(x, x) for x in range(margin)]
    assert all(image.getpixel(place) == background.getpixel(place) for place in corner)
    assert image.getpixel((margin + 2, margin + 2)) == (0, 0, 0)


def test_each_part_has_its_own_colour() -> None:
    look = {
        "code_color": "#102030",
        "background_color": "#fff0e0",
        "finder_pattern_color": "#a00000",
        "finder_eye_color": "#0000a0",
        "width": 500,
        "margin": 10,
    }
    for image_format in ("png", "svg"):
        content = render(URL, parse_settings({**look, "image_format": image_format}))
        image = picture(*content)
        module = 480 / 29  # version 3
        at = [
            image.getpixel((10 + round(module * x), 10 + round(module * y)))
            for x, y in ((0.5, 3.5), (1.5, 3.5), (3.5, 3.5))
        ]
        assert at == [(160, 0, 0), (255, 240, 224), (0, 0, 160)]
        assert (16, 32, 48) in {color for _, color in image.getcolors(100_000) or []}
        assert read(*content) == URL


def test_a_light_code_on_a_dark_ground_reads_too() -> None:
    assert read(*render(URL, parse_settings({"code_color": "#ffffff", "background_color": "#203040"}))) == URL


def test_colours_at_the_lowest_allowed_contrast_still_read() -> None:
    assert read(*render(URL, parse_settings({"code_color": "#b2b2b2", "image_format": "jpeg"}))) == URL


@pytest.mark.parametrize("image_format", ["png", "jpeg", "svg"])
@pytest.mark.parametrize("code_pattern", [1, 4])
@pytest.mark.parametrize("size", [(64, 64), (900, 300), (10, 400)])
def test_a_logo_sits_in_the_middle_and_the_code_still_reads(
    size: tuple[int, int], code_pattern: int, image_format: str
) -> None:
    logo = data_url(Image.new("RGB", size, "#c00040"))
    look = {"center_logo_url": logo, "image_format": image_format, "code_pattern": code_pattern, "width": 400}
    for url in (URL, LONGER):
        content = render(url, parse_settings(look))
        red, green, blue = picture(*content).getpixel((200, 200))  # type: ignore[misc]
        assert (abs(red - 0xC0), green < 16, abs(blue - 0x40) < 16) == (pytest.approx(0, abs=16), True, True)
        assert read(*content) == url


def test_a_logo_raises_the_error_correction_level() -> None:
    def level(look: dict[str, Any]) -> str:
        found = zxingcpp.read_barcode(picture(*render(LONGER, parse_settings(look))))
        assert found is not None
        return str(found.ec_level)

    assert level({"center_logo_url": data_url(Image.new("RGB", (9, 9), "red"))}) == "H"
    assert level({}) in {"M", "Q"}


@pytest.mark.parametrize("image_format", ["png", "svg"])
@pytest.mark.parametrize("colors", [("black", "black"), ("white", "white"), ("black", "white"), ("red", "lime")])
def test_background_and_pattern_pictures_leave_the_code_readable(colors: tuple[str, str], image_format: str) -> None:
    look = {
        "background_image_url": data_url(checks(300, *colors)),
        "code_pattern_url": data_url(checks(200, *reversed(colors)), "JPEG"),
        "center_logo_url": data_url(Image.new("RGBA", (50, 50), "#00000080")),
        "image_format": image_format,
    }
    for url in (URL, LONGER):
        assert read(*render(url, parse_settings(look))) == url


def test_pictures_on_the_web_come_only_through_the_given_fetch() -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        buffer = io.BytesIO()
        Image.new("RGB", (40, 40), "#c00040").save(buffer, "PNG")
        return buffer.getvalue()

    settings = parse_settings({"center_logo_url": "https://cdn.example.com/logo.png", "width": 400})
    content = render(URL, settings, fetch)
    assert asked == ["https://cdn.example.com/logo.png"]
    assert picture(*content).getpixel((200, 200)) == (192, 0, 64)
    assert read(*content) == URL
    with pytest.raises(BadRequest, match=r"^qr_code_settings\.center_logo_url cannot be fetched: this server"):
        render(URL, settings)


def test_a_failed_fetch_names_the_field() -> None:
    def fetch(url: str) -> bytes:
        raise BadRequest("has a host that is not on the public Internet")

    settings = parse_settings({"background_image_url": "http://169.254.169.254/latest"})
    with pytest.raises(
        BadRequest, match=r"^qr_code_settings\.background_image_url has a host that is not on the public"
    ):
        render(URL, settings, fetch)


def huge_png() -> bytes:
    """A PNG head that announces 50,000 x 50,000 pixels."""
    head = io.BytesIO()
    Image.new("L", (1, 1)).save(head, "PNG")
    content = bytearray(head.getvalue())
    content[16:24] = (50_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a PNG"),
        (b"", "is not a PNG"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "is not a PNG"),
        (b"GIF89a", "is not a PNG"),
        (huge_png(), "at most 9000000 pixels"),
    ],
)
def test_what_is_no_picture_or_too_large_a_one_is_refused(content: bytes, message: str) -> None:
    url = "data:image/png;base64," + base64.b64encode(content).decode()
    with pytest.raises(BadRequest, match=rf"^qr_code_settings\.center_logo_url .*{message}"):
        render(URL, parse_settings({"center_logo_url": url}))


def test_broken_base64_is_refused() -> None:
    for text in ("A", "####", "é"):
        with pytest.raises(BadRequest, match=r"center_logo_url is not valid base64"):
            render(URL, parse_settings({"center_logo_url": "data:image/png;base64," + text}))


def test_a_link_too_long_for_the_width_or_for_any_code_is_refused() -> None:
    long = URL + "?x=" + "y" * 700
    with pytest.raises(BadRequest, match=r"^qr_code_settings\.width is too small"):
        render(long, parse_settings({"width": 300}))
    assert read(*render(long, parse_settings({"width": 600}))) == long
    with pytest.raises(BadRequest, match="too long for a QR code"):
        render(URL + "?x=" + "y" * 3000)


def test_the_inline_svg_is_labelled_and_reads() -> None:
    svg = inline_svg(URL, 'A "<b>" & title')
    assert svg.startswith("<svg ")
    assert 'role="img"><title>A &quot;&lt;b&gt;&quot; &amp; title</title>' in svg
    assert read(svg.encode(), "image/svg+xml") == URL
