from __future__ import annotations

import pytest

from bough.clicks.pages.untrusted import target_url, text, web_url

RUNNING = [
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "  javascript:alert(1)",
    "\tjavascript:alert(1)",
    "java\nscript:alert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    "javascript&colon;alert(1)",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "blob:https://example.com/1",
    "filesystem:https://example.com/1",
    "file:///etc/passwd",
    "view-source:https://example.com",
    "about:blank",
]
NOT_URLS: list[object] = [
    "",
    " ",
    "//evil.example",
    "/path",
    "evil.example",
    "https:",
    "https:///x",
    "http://[",
    "ht\ntp://x",
    "\ud800://x",
    None,
    5,
    True,
    [],
    {},
]


@pytest.mark.parametrize("value", [*RUNNING, *NOT_URLS])
def test_what_could_run_or_is_no_address_counts_as_not_given(value: object) -> None:
    assert target_url(value) == ""
    assert web_url(value) == ""


@pytest.mark.parametrize(
    "value", ["https://example.com", "HTTP://EXAMPLE.com/a?b=c#d", "https://münchen.example/ü", "http://[::1]:8080/x"]
)
def test_web_addresses_stay_as_they_are(value: str) -> None:
    assert web_url(value) == value
    assert target_url(f" {value} ") == value


@pytest.mark.parametrize(
    "value",
    [
        "myapp://open?x=1",
        "intent://open#Intent;scheme=myapp;end",
        "market://details?id=x",
        "com.example+app-1:x",
        "mailto:a@example.com",
    ],
)
def test_app_addresses_are_targets_but_not_web_addresses(value: str) -> None:
    assert target_url(value) == value
    assert web_url(value) == ""


def test_characters_that_end_an_attribute_are_percent_encoded() -> None:
    assert web_url("https://example.com/a b\"c'd<e>f\\g`h{i}j|k^l") == (
        "https://example.com/a%20b%22c%27d%3Ce%3Ef%5Cg%60h%7Bi%7Dj%7Ck%5El"
    )


def test_overlong_addresses_are_refused() -> None:
    assert web_url("https://example.com/" + "a" * 16_400) == ""


def test_text_is_one_printable_line_of_bounded_length() -> None:
    assert text("  a\r\nb\x00c\x7fd\u2028e\ud800f  ") == "a b c d e f"
    assert text("é 🥾 \u202eabc مرحبا") == "é 🥾 \u202eabc مرحبا"
    assert text("x" * 2000) == "x" * 2000
    assert text("x" * 2001) == "x" * 1999 + "…"
    assert text("x" * 50, 10) == "xxxxxxxxx…"


@pytest.mark.parametrize(
    ("value", "shown"), [(1200, "1200"), (1.5, "1.5"), (True, ""), (None, ""), ([], ""), ({"a": 1}, "")]
)
def test_only_strings_and_numbers_are_text(value: object, shown: str) -> None:
    assert text(value) == shown
