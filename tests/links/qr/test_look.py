from __future__ import annotations

import json
from typing import Any

import pytest

from bough.errors import BadRequest
from bough.links.qr.look import QrSettings, parse_settings


@pytest.mark.parametrize("raw", [None, "", {}, "{}"])
def test_no_settings_give_the_documented_defaults(raw: object) -> None:
    settings = parse_settings(raw)
    assert settings == QrSettings()
    assert (settings.code_color, settings.background_color) == ("#000000", "#ffffff")
    assert (settings.code_pattern, settings.finder_pattern, settings.image_format) == (1, 1, "png")
    assert settings.free_edge == round(settings.width * 0.03)


TYPED = {
    "code_color": "#1A7F4B",
    "background_color": "#FFF",
    "margin": 5,
    "width": 1000,
    "image_format": "JPEG",
    "center_logo_url": "https://cdn.example.com/logo.png",
    "code_pattern": 3,
    "finder_pattern": 2,
    "finder_pattern_color": "#101010",
    "finder_eye_color": "#202020",
}


def test_typed_values_and_the_web_sdks_strings_mean_the_same() -> None:
    expected = QrSettings(
        code_color="#1a7f4b",
        background_color="#ffffff",
        margin=5,
        width=1000,
        image_format="jpeg",
        center_logo_url="https://cdn.example.com/logo.png",
        code_pattern=3,
        finder_pattern=2,
        finder_pattern_color="#101010",
        finder_eye_color="#202020",
    )
    strings = {key: str(value) for key, value in TYPED.items()}
    assert parse_settings(TYPED) == expected
    assert parse_settings(strings) == expected
    assert parse_settings(json.dumps(strings)) == expected
    assert parse_settings({**TYPED, "width": 1000.0, "code_color": "1a7f4b"}) == expected


@pytest.mark.parametrize(("given", "format_"), [("png", "png"), ("PNG", "png"), ("jpg", "jpeg"), ("SVG", "svg")])
def test_formats_in_any_case(given: str, format_: str) -> None:
    assert parse_settings({"image_format": given}).image_format == format_


def test_unset_unknown_and_dashboard_only_keys_change_nothing() -> None:
    raw = {"width": "", "margin": None, "center_logo_url": "", "frame_style": "x", "code_shape": 4, "other": [1]}
    assert parse_settings(raw) == QrSettings()


def test_given_values_are_laid_over_the_apps_own() -> None:
    base = QrSettings(code_color="#1a7f4b", width=800)
    assert parse_settings({"width": 400}, base) == QrSettings(code_color="#1a7f4b", width=400)


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [("width", 300, 2000), ("margin", 0, 20), ("code_pattern", 1, 7), ("finder_pattern", 1, 3)],
)
def test_whole_numbers_keep_their_limits(field: str, low: int, high: int) -> None:
    for value in (low, high, str(low), f" {high} "):
        assert getattr(parse_settings({field: value}), field) == int(value)
    wrong: list[Any] = [
        low - 1,
        high + 1,
        str(high + 1),
        low + 0.5,
        "wide",
        "-1",
        "1e3",
        "٣٠٠",
        True,
        [low],
        {},
        "9" * 5000,
    ]
    for value in wrong:
        with pytest.raises(
            BadRequest, match=rf"^qr_code_settings\.{field} must be a whole number from {low} to {high}$"
        ):
            parse_settings({field: value})


@pytest.mark.parametrize("field", ["code_color", "background_color", "finder_pattern_color", "finder_eye_color"])
@pytest.mark.parametrize(
    "value", ["red", "#12", "#12345g", "#1234567", "#00000000", 0, "url(x)", '#000"/><script>', "#000\n#0"]
)
def test_only_hex_colours_are_taken(field: str, value: object) -> None:
    with pytest.raises(BadRequest, match=rf"^qr_code_settings\.{field} must be a hex colour"):
        parse_settings({field: value})


@pytest.mark.parametrize("field", ["center_logo_url", "background_image_url", "code_pattern_url"])
@pytest.mark.parametrize(
    "value",
    [
        "ftp://x/y.png",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "logo.png",
        "data:text/html;base64,AAAA",
        "data:image/svg+xml;base64,AAAA",
        "data:image/png,AAAA",
        "https://x/" + "a" * 2048,
        "data:image/png;base64," + "A" * 800_000,
        7,
    ],
)
def test_pictures_are_web_or_data_urls_of_bounded_size(field: str, value: object) -> None:
    with pytest.raises(BadRequest, match=rf"^qr_code_settings\.{field} must"):
        parse_settings({field: value})


def test_other_formats_and_shapes_of_the_object_are_refused() -> None:
    with pytest.raises(BadRequest, match=r"^qr_code_settings\.image_format must be one of png, jpeg, jpg, svg$"):
        parse_settings({"image_format": "gif"})
    wrong: list[object] = [[], 5, "not json", "[]", '"x"', "\ud800", "[" * 100_000]
    for raw in wrong:
        with pytest.raises(BadRequest, match=r"^qr_code_settings must be an object"):
            parse_settings(raw)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"code_color": "#ffffff"}, "code_color"),
        ({"code_color": "#dddddd"}, "code_color"),
        ({"background_color": "#111111"}, "code_color"),
        ({"finder_pattern_color": "#eeeeee"}, "finder_pattern_color"),
        ({"finder_eye_color": "#ffff00"}, "finder_eye_color"),
    ],
)
def test_colours_that_no_scanner_can_tell_apart_are_refused(raw: dict[str, str], field: str) -> None:
    with pytest.raises(BadRequest, match=rf"^qr_code_settings\.{field} is too close to the background_color"):
        parse_settings(raw)
